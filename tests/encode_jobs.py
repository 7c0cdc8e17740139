"""Encode jobs to test pure code with: the source is opened, but nothing reads it."""

from __future__ import annotations

from typing import Any

from mediaprep.planning.plan import Output
from mediaprep.runtime.context import Context
from mediaprep.runtime.source import open_source
from mediaprep.transcoding.job import EncodeJob

_SOURCE = open_source(__file__)


def encode_job(output: Output, **changes: Any) -> EncodeJob:
    """Return a job for an output of an MP4. ``changes``: fields to replace."""
    fields = {"binary": "ffmpeg", "demuxer": "mov", "whitelist": "mov,mp4", "context": Context()}
    return EncodeJob(output=output, source=_SOURCE, **(fields | changes))
