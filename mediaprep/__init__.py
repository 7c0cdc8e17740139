"""mediaprep: checks media files against a platform's upload limits, and repairs what fails with the least work.

    outcome = mediaprep.prepare("input.mov")            # probe, check, plan, transcode, verify
    outcome.upload                                      # path, media type, category, total bytes, chunked

The public face is all here; what is not in ``__all__`` may change without notice. Each call that reads or makes a file has a twin for
event loops
(``..._async``), which uses asyncio's subprocesses; cancelling its task ends the child and leaves nothing behind.

A bad file is a verdict or a status; exceptions (see ``mediaprep.errors``) say that we could not work, or were asked for something
impossible.
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

# Loaded at first use, so that starting the program costs only what the command needs.
_HOMES = {
    "api": (
        "check check_async check_post check_post_async events events_async load_profile plan plan_async prepare prepare_async "
        "prepare_post prepare_post_async probe probe_async"
    ),
    "errors": (
        "Cancelled DeadlineExceeded EnvironmentProblem MediaPrepError ProfileError SourceUnreadable ToolError UsageProblem VerifyError"
    ),
    "model.events": "Event Progress StageDone StageStarted",
    "model.report": "Finding PostReport Report",
    "model.media": "Animation Image Media Post Sound Subtitle Video",
    "pipeline.outcome": "Outcome PostOutcome Upload",
    "planning.changes": "Change",
    "planning.plan": "Output Plan",
    "profile": "Profile",
    "model.options": "Options",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mediaprep' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"mediaprep.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


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
