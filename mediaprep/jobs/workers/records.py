"""What a coordinator sends to a worker for one job, and what the worker returns."""

from __future__ import annotations

import functools
import pickle
from dataclasses import dataclass, field
from typing import Literal

from mediaprep.model.options import Options
from mediaprep.model.serialize import encode
from mediaprep.pipeline.outcome import Outcome
from mediaprep.planning.plan import PLAN_VERSION, Plan
from mediaprep.probing.probe import ProbeResult
from mediaprep.profile import Profile
from mediaprep.runtime.source import Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What is done to every file of a run. ``category`` is None if the content decides."""

    profile: Profile
    category: str | None = None
    options: Options = field(default_factory=Options)

    @property
    def content(self) -> dict[str, object]:
        """The settings as JSON."""
        return {
            "profile": self.profile.name,
            "category": self.category,
            "profile_digest": self.profile.digest,
            "wishes": encode(self.options),
            "plan_version": PLAN_VERSION,
        }

    @property
    def digest(self) -> str:
        """The sha256 of ``content``; jobs of another digest are other jobs."""
        # Workers of a cluster need neither module.
        import hashlib
        import json

        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()

    def pack(self) -> bytes:
        """Return the settings as they are sent with every task."""
        return pickle.dumps(self)


@functools.lru_cache(maxsize=16)
def unpack_settings(packed: bytes) -> RunSettings:
    """Return the settings that ``RunSettings.pack`` gave; each worker unpacks them once."""
    settings = pickle.loads(packed)  # noqa: S301 (comes from our own coordinator)
    assert isinstance(settings, RunSettings)
    return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask:
    """One job as a worker gets it.

    job            id in the ledger
    run            name of the run that the job's events belong to
    source         absolute path
    folder         where work files are written; the worker stops when it is deleted
    settings       packed RunSettings
    stamp          stamp that the file must still have; None accepts any
    follow_links   open a symbolic link; False refuses it
    dry_run        return the plan, and copy nothing
    timeout        seconds that the work may take; None is unlimited
    threads        threads of the encoder
    """

    job: int
    run: str
    source: str
    folder: str
    settings: bytes
    stamp: Stamp | None = None
    follow_links: bool = False
    dry_run: bool = False
    timeout: float | None = None
    threads: int = 1
    ffmpeg: str | None = None
    sandbox: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFile:
    """One verified and synced work file, and the suffix of the name that it will get."""

    path: str
    sha256: str
    size_bytes: int
    suffix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInspection:
    """Result of inspecting a job's source.

    threads   threads that the encode can use
    probed    the facts of the source, if an output is planned
    plan      in a dry run only
    outcome   the final outcome, if no output is planned
    copy      a copy of a source that is already accepted
    seconds   that the inspection took
    """

    status: Literal[
        "planned", "already_ok", "refused", "unreadable", "vanished", "changed", "stopped", "failed"
    ]
    stamp: Stamp | None = None
    sha256: str | None = None
    media_seconds: float = 0.0
    threads: int = 1
    probed: ProbeResult | None = None
    plan: Plan | None = None
    outcome: Outcome | None = None
    copy: WorkFile | None = None
    problem: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """Result of producing a job's outputs. Without work files, ``problem`` is the reason."""

    status: Literal[
        "fixed", "already_ok", "refused", "unreadable", "vanished", "changed", "stopped", "failed"
    ]
    work_files: tuple[WorkFile, ...] = ()
    outcome: Outcome | None = None
    problem: str | None = None
    seconds: float = 0.0
