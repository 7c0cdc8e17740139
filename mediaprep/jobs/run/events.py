"""Events of a run over many files: frozen records, each of which is one line of NDJSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mediaprep.model.events import Stage
from mediaprep.pipeline.outcome import Outcome
from mediaprep.planning.plan import Plan

JobStatus = Literal[
    "fixed", "already_ok", "refused", "unreadable", "failed", "vanished", "same", "own"
]
FAILURES = frozenset({"refused", "unreadable", "failed", "vanished"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins.

    jobs         jobs to be done, of ``size_bytes`` together
    skipped      jobs that an earlier run has done
    ledger       path of the ledger
    """

    jobs: int
    size_bytes: int
    skipped: int
    profile: str
    ledger: str
    event: Literal["batch.start"] = "batch.start"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFound:
    """New jobs were added to a run that is going on (a watched folder)."""

    jobs: int
    size_bytes: int
    event: Literal["jobs.found"] = "jobs.found"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A job was claimed; ``attempt`` counts from 1."""

    job: int
    input: str
    attempt: int
    size_bytes: int
    event: Literal["job.start"] = "job.start"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInspected:
    """A job's source was inspected.

    media_seconds   its playing time; 0 if it does not play
    plan            in a dry run only; not part of the JSON
    """

    job: int
    input: str
    status: str
    media_seconds: float
    plan: Plan | None = field(default=None, repr=False)
    event: Literal["job.look"] = "job.look"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """Progress of one stage of a job.

    fraction   0 to 1
    speed      as a multiple of the playing speed
    """

    job: int
    input: str
    stage: Stage
    fraction: float
    speed: float | None = None
    eta_seconds: float | None = None
    worker: str | None = None
    event: Literal["job.progress"] = "job.progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetry:
    """An attempt failed; the job is tried again after ``pause_seconds``."""

    job: int
    input: str
    attempt: int
    problem: str
    pause_seconds: float = 0.0
    event: Literal["job.retry"] = "job.retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone:
    """A job ended.

    outputs         paths, of ``bytes`` together
    seconds         that workers spent on it
    media_seconds   playing time of the source, which has ``size_bytes``
    outcome         None if the pipeline was not reached; not part of the JSON
    """

    job: int
    input: str
    status: JobStatus
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
    """One line about something other than a job, such as a folder that cannot be read.

    failure   some input was not processed because of it
    """

    message: str
    failure: bool = False
    event: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDone:
    """A run ended: jobs by status, and how many are left for the next run."""

    counts: dict[str, int]
    left: int
    seconds: float
    event: Literal["batch.end"] = "batch.end"


JobEvent: TypeAlias = (
    RunStarted
    | JobFound
    | JobStarted
    | JobInspected
    | JobProgress
    | JobRetry
    | JobDone
    | Notice
    | RunDone
)
JobListener: TypeAlias = Callable[[JobEvent], None]
