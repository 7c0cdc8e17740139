"""The driver of a run: takes jobs from the ledger and lets a worker pool process them.

Only the coordinator writes the ledger and the final names of outputs.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock

from mediaprep.errors import Cancelled, EnvironmentProblem
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.run.events import JobEvent, JobListener, JobProgress, JobStarted
from mediaprep.jobs.run.inflight import InFlightJob
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.run.output_folder import OutputFolder, remove_folder
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.run.stages import JobStages
from mediaprep.jobs.workers.pool import WorkerPool
from mediaprep.jobs.workers.records import RunSettings
from mediaprep.model.events import Event, Progress
from mediaprep.runtime.crashpoints import crashpoint

TURN_SECONDS = 0.5
QUEUED_PER_WORKER = 4  # jobs that are claimed for each one that can run at once
IDLE_SECONDS = 0.1  # between two queries for jobs that pause before their next attempt


@dataclass(slots=True, kw_only=True)
class Driver:
    """One run with one set of run settings, whose id in the ledger is ``settings_id``.

    One thread calls it; ``on_worker_event`` may be called from any.
    """

    ledger: Ledger
    settings: RunSettings
    settings_id: int
    folder: OutputFolder
    pool: WorkerPool
    options: RunOptions
    listener: JobListener
    cancel: Flag = field(default_factory=Flag)
    quarantine: Quarantine | None = None
    _stages: JobStages = field(init=False)
    _listener_lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._stages = JobStages(
            ledger=self.ledger,
            settings=self.settings,
            settings_id=self.settings_id,
            folder=self.folder,
            pool=self.pool,
            options=self.options,
            notify=self._notify,
            quarantine=self.quarantine,
        )

    @property
    def counts(self) -> Counter[str]:
        """Jobs that ended in this run, by status."""
        return self._stages.finisher.counts

    @property
    def is_busy(self) -> bool:
        """Whether a job is in flight."""
        return bool(self._stages.jobs)

    def recover(self) -> None:
        """Take over the jobs of dead processes. Raises: EnvironmentProblem."""
        self._stages.finisher.recover()

    def run(self) -> None:
        """Process jobs until none is left.

        Raises: Cancelled, EnvironmentProblem; jobs that were not finished are released.
        """
        try:
            while self.turn(TURN_SECONDS):
                pass
        except BaseException:
            self.stop()
            raise

    def turn(self, seconds: float, *, claim: bool = True) -> bool:
        """Claim and submit jobs, and finish those that complete within ``seconds``.

        Return False if there is nothing left to do. Without ``claim`` no job is started.
        Raises: Cancelled, EnvironmentProblem.
        """
        self._raise_if_stopped()
        if claim:
            self._claim()
        if not self._stages.dispatcher:
            if not claim or not self.ledger.has_new(self.settings_id):
                return False
            self.cancel.wait(min(seconds, IDLE_SECONDS))
            return True
        completed = self._stages.dispatcher.collect(seconds)
        self._raise_if_stopped()
        if completed:
            with self.ledger.transaction():
                for job, future in completed:
                    self._stages.handle_completed(job, future)
            self._stages.finisher.flush()
        self._stop_stalled_jobs()
        return True

    def stop(self) -> None:
        """Stop running jobs, and release every job that was not finished."""
        remove_folder(self.folder.work)
        self._stages.dispatcher.cancel()
        with self.ledger.transaction():
            for job in self._stages.jobs:
                self.ledger.release(job, count_attempt=False)
        self._stages.clear()

    def on_worker_event(self, job_id: int, event: Event) -> None:
        """Take an event of a job from its worker."""
        job = self._stages.jobs.get(job_id)
        if job is None:
            return
        job.last_event = time.monotonic()
        if isinstance(event, Progress):
            progress = JobProgress(
                job=job_id,
                input=job.row.source,
                stage=event.stage,
                fraction=event.fraction,
                speed=event.speed,
                eta_seconds=event.eta_seconds,
            )
            self._notify(progress)

    def _raise_if_stopped(self) -> None:
        if self.cancel.is_set():
            raise Cancelled("cancelled by the caller")
        lost = self.pool.lost()
        if lost is not None:
            raise EnvironmentProblem(lost)

    def _notify(self, event: JobEvent) -> None:
        with self._listener_lock:
            self.listener(event)

    def _claim(self) -> None:
        free = QUEUED_PER_WORKER * self.pool.jobs - self._stages.queued
        rows = self.ledger.claim(self.settings_id, free)
        if rows:
            crashpoint("claimed")
        jobs = [InFlightJob(row=row, folder=self.folder.work) for row in rows]
        self._stages.jobs.update((job.row.id, job) for job in jobs)
        for job in jobs:
            row = job.row
            self._notify(
                JobStarted(
                    job=row.id, input=row.source, attempt=row.attempts, size_bytes=row.size_bytes
                )
            )
            self._stages.inspect(job)

    def _stop_stalled_jobs(self) -> None:
        if self.options.stall is None:
            return
        limit = time.monotonic() - self.options.stall
        for job in self._stages.dispatcher.jobs:
            has_own_folder = job.folder != self.folder.work
            is_late = job.last_event is not None and job.last_event < limit
            if is_late and has_own_folder and not job.stalled:
                job.stalled = True
                remove_folder(job.folder)
