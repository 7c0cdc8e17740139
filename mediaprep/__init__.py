"""mediaprep checks media files against the upload limits of platforms, and fixes what fails with
the least re-encoding.

    outcome = mediaprep.prepare("input.mov")  # probe, check, plan, encode, verify, publish
    outcome.upload  # path, media type, category, total bytes, chunked

Everything public is in ``__all__``. Every function that reads or writes a file has a twin for event
loops, ``..._async``: cancelling its task ends the child process and removes the work files.

A bad file is a verdict or a status. An exception (see ``mediaprep.errors``) means that mediaprep
could not do its work, or that the request was invalid.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaprep.api import (
        check,
        check_async,
        check_post,
        check_post_async,
        events,
        events_async,
        load_profile,
        plan,
        plan_async,
        prepare,
        prepare_async,
        prepare_post,
        prepare_post_async,
        probe,
        probe_async,
    )
    from mediaprep.errors import (
        Cancelled,
        DeadlineExceeded,
        EnvironmentProblem,
        MediaPrepError,
        ProfileError,
        SourceUnreadable,
        ToolError,
        UsageProblem,
        VerifyError,
    )
    from mediaprep.model.events import Event, Progress, StageDone, StageStarted
    from mediaprep.model.media import Animation, Image, Media, Post, Sound, Subtitle, Video
    from mediaprep.model.options import Options
    from mediaprep.model.report import Finding, PostReport, Report
    from mediaprep.pipeline.outcome import Outcome, PostOutcome, Upload
    from mediaprep.planning.changes import Change
    from mediaprep.planning.plan import Output, Plan
    from mediaprep.profile import Profile

__version__ = "0.1.0"

# Imported on first use: starting costs only what a command needs.
_NAMES_BY_MODULE = {
    "api": (
        "check check_async check_post check_post_async events events_async load_profile plan"
        " plan_async prepare prepare_async prepare_post prepare_post_async probe probe_async"
    ),
    "errors": (
        "Cancelled DeadlineExceeded EnvironmentProblem MediaPrepError ProfileError SourceUnreadable"
        " ToolError UsageProblem VerifyError"
    ),
    "model.events": "Event Progress StageDone StageStarted",
    "model.media": "Animation Image Media Post Sound Subtitle Video",
    "model.options": "Options",
    "model.report": "Finding PostReport Report",
    "pipeline.outcome": "Outcome PostOutcome Upload",
    "planning.changes": "Change",
    "planning.plan": "Output Plan",
    "profile": "Profile",
}
_MODULE_OF = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mediaprep' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"mediaprep.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})


__all__ = [
    "Animation",
    "Cancelled",
    "Change",
    "DeadlineExceeded",
    "EnvironmentProblem",
    "Event",
    "Finding",
    "Image",
    "Media",
    "MediaPrepError",
    "Outcome",
    "Output",
    "Plan",
    "Post",
    "PostOutcome",
    "PostReport",
    "Profile",
    "ProfileError",
    "Progress",
    "Report",
    "Sound",
    "SourceUnreadable",
    "StageDone",
    "StageStarted",
    "Subtitle",
    "ToolError",
    "Upload",
    "UsageProblem",
    "VerifyError",
    "Video",
    "Options",
    "check",
    "check_async",
    "check_post",
    "check_post_async",
    "events",
    "events_async",
    "load_profile",
    "plan",
    "plan_async",
    "prepare",
    "prepare_async",
    "prepare_post",
    "prepare_post_async",
    "probe",
    "probe_async",
]
