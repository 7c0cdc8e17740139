"""How a run goes, and the job that is being worked on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mediaprep.jobs.ledger.records import JobRow
from mediaprep.jobs.workers.worker import JobInspection, WorkFile

OnRefused = Literal["skip", "copy", "quarantine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run goes.

    retries       times that a failed job is tried again; timeout: seconds that a job may take
    pause         seconds before a job is tried for the second time; four times that before the third, and so on
    stall         seconds without a sign of progress after which a job is stopped, and counts as failed
    on_refused    what becomes of a file that is refused: nothing, a copy in the output folder, a copy and its report in the quarantine
    settled       a file must be as it was found, else it is to be found anew (a watched folder)
    follow        symbolic links that were given by name
    dry           look and plan only
    """

    retries: int = 2
    pause: float = 1.0
    timeout: float | None = None
    stall: float | None = None
    on_refused: OnRefused = "skip"
    settled: bool = False
    follow: bool = False
    dry: bool = False
    ffmpeg: str | None = None
    sandbox: str = "auto"


@dataclass(slots=True, kw_only=True)
class InFlightJob:
    """A job that is being worked on.

    folder    its work files; the run's own until it has one
    heard     when its worker last gave a sign; None: it has not begun
    maker     others of the same content wait for it
    way       how it is being come by: a copy of an earlier output, tried once, or made; None: not begun
    """

    row: JobRow
    folder: Path
    seen: JobInspection | None = None
    seconds: float = 0.0
    heard: float | None = None
    stalled: bool = False
    maker: bool = False
    way: Literal["copied", "made"] | None = None
    parts: tuple[WorkFile, ...] = ()
