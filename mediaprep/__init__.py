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
import sys
from types import ModuleType
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
    from mediaprep.changes import Change
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
    from mediaprep.events import Event, Progress, StageDone, StageStarted
    from mediaprep.finding import Finding, PostReport, Report
    from mediaprep.media import Animation, Image, Media, Post, Sound, Subtitle, Video
    from mediaprep.outcome import Outcome, PostOutcome, Upload
    from mediaprep.plan import Output, Plan
    from mediaprep.profile import Profile
    from mediaprep.wishes import Wishes

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
    "events": "Event Progress StageDone StageStarted",
    "finding": "Finding PostReport Report",
    "media": "Animation Image Media Post Sound Subtitle Video",
    "outcome": "Outcome PostOutcome Upload",
    "changes": "Change",
    "plan": "Output Plan",
    "profile": "Profile",
    "wishes": "Wishes",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


class _Face(ModuleType):
    """The rooms ``probe``, ``check``, ``plan`` and ``events`` bear the names of public calls; importing a room must not hide its call."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


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
    "Wishes",
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
