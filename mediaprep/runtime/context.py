"""The context of one run: deadline, cancellation, limits and event listener.

A context is passed down and never modified; results are returned, not stored in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mediaprep.errors import Cancelled, DeadlineExceeded
from mediaprep.model.events import Listener, Stage, StageDone, StageStarted, ignore
from mediaprep.model.units import PICTURE_PIXELS_MAX

# Whoever waits for a child, a pipe or a slot checks for cancellation this often.
POLL_SECONDS = 0.05
PROBE_SECONDS = 10.0
MAX_PIXELS = PICTURE_PIXELS_MAX
MAX_SOURCE_BYTES = 64 * 2**30
# Bytes per second. Time limits of work that reads a whole file grow with its size divided by this
# rate: the slowest disk that is waited for (an estimate).
MIN_READ_RATE = 50 * 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ceilings of one run.

    probe_seconds      wall-clock seconds for probing one file
    max_pixels         pixels of one picture
    threads            threads of one child process
    max_source_bytes   size of one source
    """

    probe_seconds: float = PROBE_SECONDS
    max_pixels: int = MAX_PIXELS
    threads: int = 2
    max_source_bytes: int = MAX_SOURCE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every stage of a run may use.

    deadline   on the monotonic clock; None: no overall deadline (each child has its own)
    cancel     set it from any thread to stop the run
    listener   called with each event
    limits     ceilings of this run
    ffmpeg     path of a binary to use instead of the bundled one
    sandbox    the weakest level allowed: auto, strict or basic
    """

    deadline: float | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    listener: Listener = ignore
    limits: Limits = Limits()
    ffmpeg: str | None = None
    sandbox: str = "auto"

    def check(self) -> None:
        """Raise Cancelled or DeadlineExceeded if the run has to stop."""
        if self.cancel.is_set():
            raise Cancelled("cancelled by the caller")
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded("the time limit was reached")

    def seconds_left(self, at_most: float) -> float:
        """Return ``at_most``, or the seconds until the deadline if those are fewer."""
        if self.deadline is None:
            return at_most
        return max(0.0, min(at_most, self.deadline - time.monotonic()))

    @contextmanager
    def stage(self, path: str, stage: Stage, index: int = 0, count: int = 1) -> Iterator[None]:
        """Send the listener an event when a stage starts and when it ends.

        The stage makes output ``index`` of ``count``.
        """
        started = time.monotonic()
        self.listener(StageStarted(path=path, stage=stage, index=index, count=count))
        yield
        self.listener(StageDone(path=path, stage=stage, seconds=time.monotonic() - started))
