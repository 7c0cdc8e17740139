"""Jobs that are being worked on, and those that wait for another job of the same content."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mediaprep.jobs.ledger.records import JobRow
from mediaprep.jobs.workers.records import JobInspection, WorkFile


@dataclass(slots=True, kw_only=True, eq=False)
class InFlightJob:
    """A job that is being worked on.

    folder         of its work files; until it has its own, that of the run
    inspection     None until its source was inspected
    work_seconds   that workers have spent on it
    last_event     monotonic time of its worker's last event; None before the first
    stalled        it was stopped because it made no progress
    strategy       how its outputs are produced: copied from another job of the same content, which
                   is tried once, or encoded; None until that is decided
    is_leader      jobs of the same content wait for it
    work_files     to be deleted in the end
    """

    row: JobRow
    folder: Path
    inspection: JobInspection | None = None
    work_seconds: float = 0.0
    last_event: float | None = None
    stalled: bool = False
    strategy: Literal["copy", "encode"] | None = None
    is_leader: bool = False
    work_files: tuple[WorkFile, ...] = ()

    @property
    def media_seconds(self) -> float | None:
        """Playing time of the source; None until it was inspected."""
        return None if self.inspection is None else self.inspection.media_seconds

    @property
    def source_sha256(self) -> str:
        """Digest of the source; "" if it is unknown."""
        if self.inspection is None or self.inspection.sha256 is None:
            return ""
        return self.inspection.sha256


@dataclass(slots=True)
class DuplicateQueue:
    """Jobs that wait for another job with the same source content, the leader."""

    _waiting: dict[str, list[InFlightJob]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def lead_or_wait(self, job: InFlightJob) -> bool:
        """Return True if the job becomes the leader; otherwise it waits for the leader."""
        sha256 = job.source_sha256
        if sha256 in self._waiting:
            self._waiting[sha256].append(job)
            return False
        self._waiting[sha256] = []
        job.is_leader = True
        return True

    def release(self, leader: InFlightJob) -> list[InFlightJob]:
        """Return the jobs that waited for a leader, and stop queueing for it."""
        leader.is_leader = False
        return self._waiting.pop(leader.source_sha256, [])

    def clear(self) -> None:
        """Drop all jobs."""
        self._waiting.clear()
