"""The means of one run: deadline, cancellation, limits, who listens. Passed down; never collects results."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from mediaprep.errors import Cancelled, DeadlineExceeded
from mediaprep.model.events import Listener, Stage, StageDone, StageStarted, ignore
from mediaprep.model.units import PICTURE_PIXELS_MAX

PROBE_SECONDS = 10.0  # hostile-input.md, section 6: probe 10 s
MAX_PIXELS = PICTURE_PIXELS_MAX
MAX_SOURCE_BYTES = 64 * 2**30
SLOW_DISK = (
    50 * 10**6
)  # bytes/s: every packet of a file is read; a guess at the slowest disk that is waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ceilings of one run: seconds for a probe, pixels of one picture, threads of one child, bytes of one source."""

    probe_seconds: float = PROBE_SECONDS
    max_pixels: int = MAX_PIXELS
    threads: int = 2
    max_source_bytes: int = MAX_SOURCE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """``deadline``: on the monotonic clock, None = none of the caller's (each child has its own all the same). ``cancel``: set it from any
    thread to stop. ``ffmpeg``: path of a binary to use instead of the bundled one. ``sandbox``: the weakest level allowed."""

    deadline: float | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    listener: Listener = ignore
    limits: Limits = Limits()
    ffmpeg: str | None = None
    sandbox: str = "auto"

    def check(self) -> None:
        """Raises Cancelled or DeadlineExceeded when it is time to stop."""
        if self.cancel.is_set():
            raise Cancelled("cancelled by the caller")
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded("the time given was used up")

    def seconds_left(self, at_most: float) -> float:
        """The seconds a child may take: ``at_most``, or less where the deadline is nearer."""
        return (
            at_most
            if self.deadline is None
            else max(0.0, min(at_most, self.deadline - time.monotonic()))
        )

    def listening(self, listener: Listener) -> Context:
        """The same means with another listener."""
        return replace(self, listener=listener)

    @contextmanager
    def stage(self, path: str, stage: Stage, index: int = 0, count: int = 1) -> Iterator[None]:
        """Tells the listener when this begins and ends; ``index`` of ``count`` outputs."""
        began = time.monotonic()
        self.listener(StageStarted(path=path, stage=stage, index=index, count=count))
        yield
        self.listener(StageDone(path=path, stage=stage, seconds=time.monotonic() - began))
