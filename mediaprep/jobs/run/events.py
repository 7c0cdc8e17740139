"""What a run over many files tells while it goes: frozen records, one NDJSON line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mediaprep.model.events import Stage
from mediaprep.pipeline.outcome import Outcome
from mediaprep.planning.plan import Plan

Status = Literal[
    "fixed", "already_ok", "refused", "unreadable", "failed", "vanished", "same", "own"
]
FAILURES = frozenset({"refused", "unreadable", "failed", "vanished"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """``jobs`` are to be done, of ``size_bytes`` in all; ``skipped`` were done by an earlier run."""

    jobs: int
    size_bytes: int
    skipped: int
    profile: str
    ledger: str
    event: Literal["batch.start"] = "batch.start"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFound:
    """More to do than was known (a watched folder)."""

    jobs: int
    size_bytes: int
    event: Literal["jobs.found"] = "jobs.found"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A job was taken; ``attempt`` counts from 1."""

    job: int
    input: str
    attempt: int
    size_bytes: int
    event: Literal["job.start"] = "job.start"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLooked:
    """A job's file was read: its playing time in seconds (0 for what does not play), what is planned; ``plan`` only in a dry run."""

    job: int
    input: str
    status: str
    media_seconds: float
    plan: Plan | None = field(default=None, repr=False)
    event: Literal["job.look"] = "job.look"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job's stage is: ``fraction`` 0 to 1, ``speed`` as a multiple of playing speed."""

    job: int
    input: str
    stage: Stage
    fraction: float
    speed: float | None = None
    eta_seconds: float | None = None
    worker: str | None = None
    event: Literal["job.progress"] = "job.progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAgain:
    """A job did not work out and will be tried again, after a pause."""

    job: int
    input: str
    attempt: int
    problem: str
    pause_seconds: float = 0.0
    event: Literal["job.retry"] = "job.retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone:
    """The end of a job. ``outputs``: paths; ``bytes``: of them together; ``seconds``: of work; ``outcome``: where the file was judged."""

    job: int
    input: str
    status: Status
    attempt: int
    outputs: tuple[str, ...] = ()
    bytes: int = 0
    seconds: float = 0.0
    media_seconds: float = 0.0
    size_bytes: int = 0
    problems: tuple[str, ...] = ()
    outcome: Outcome | None = field(default=None, repr=False)
    event: Literal["job.done"] = "job.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One clear line about something that is not one job's: a folder that cannot be read, a pause, a ledger that was set aside.
    ``failure``: something was left undone."""

    message: str
    failure: bool = False
    event: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDone:
    """The end of a run: jobs by status, and how many are left for the next run."""

    counts: dict[str, int]
    left: int
    seconds: float
    event: Literal["batch.end"] = "batch.end"


JobEvent: TypeAlias = (
    RunStarted
    | JobFound
    | JobStarted
    | JobLooked
    | JobProgress
    | JobAgain
    | JobDone
    | Notice
    | RunDone
)
Heard: TypeAlias = Callable[[JobEvent], None]
