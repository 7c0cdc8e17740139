"""The driver of a run: takes jobs from the ledger and lets a worker pool process them.

Only the coordinator writes the ledger and the final names of outputs. A job is claimed, inspected,
then encoded (or copied, if its file is already fine or one of the same content was processed
before), and then finished (``finish``).
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from typing import Any

from mediaprep.errors import Cancelled, EnvironmentProblem
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.run.dispatch import Dispatcher
from mediaprep.jobs.run.events import (
    JobEvent,
    JobInspected,
    JobListener,
    JobProgress,
    JobStarted,
)
from mediaprep.jobs.run.finish import JobFinisher, status_of
from mediaprep.jobs.run.inflight import DuplicateQueue, InFlightJob
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.run.output_folder import OutputFolder, remove_folder
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.workers.encode import copy_outputs, encode_job
from mediaprep.jobs.workers.inspect import inspect_job
from mediaprep.jobs.workers.pool import WorkerPool
from mediaprep.jobs.workers.records import JobInspection, JobResult, JobTask, RunSettings
from mediaprep.model.events import Event, Progress
from mediaprep.runtime.crashpoints import step

TURN_SECONDS = 0.5
QUEUED_PER_WORKER = 4  # jobs that are claimed for each one that can run at once
IDLE_SECONDS = 0.1  # between two looks for jobs that pause before their next attempt


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
    _finisher: JobFinisher = field(init=False)
    _dispatcher: Dispatcher = field(init=False)
    _packed_settings: bytes = field(init=False)
    _duplicates: DuplicateQueue = field(default_factory=DuplicateQueue)
    _jobs: dict[int, InFlightJob] = field(default_factory=dict)
    _listener_lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._packed_settings = self.settings.pack()
        self._dispatcher = Dispatcher(self.pool)
        self._finisher = JobFinisher(
            ledger=self.ledger,
            settings=self.settings,
            folder=self.folder,
            options=self.options,
            notify=self._notify,
            on_end=self._drop,
            quarantine=self.quarantine,
        )

    @property
    def counts(self) -> Counter[str]:
        """Jobs that ended in this run, by status."""
        return self._finisher.counts

    @property
    def is_busy(self) -> bool:
        """Whether a job is in flight."""
        return bool(self._jobs)

    def recover(self) -> None:
        """Take over the jobs of dead processes. Raises: EnvironmentProblem."""
        self._finisher.recover()

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
        if not self._dispatcher:
            if not claim or not self.ledger.has_new(self.settings_id):
                return False
            self.cancel.wait(min(seconds, IDLE_SECONDS))
            return True
        completed = self._dispatcher.collect(seconds)
        self._raise_if_stopped()
        if completed:
            with self.ledger.transaction():
                for job, future in completed:
                    self._handle_completed(job, future)
            self._finisher.flush()
        self._stop_stalled_jobs()
        return True

    def stop(self) -> None:
        """Stop running jobs, and release every job that was not finished."""
        remove_folder(self.folder.work)
        self._dispatcher.cancel()
        with self.ledger.transaction():
            for job in self._jobs:
                self.ledger.release(job, count_attempt=False)
        self._duplicates.clear()
        self._jobs.clear()

    def on_worker_event(self, job_id: int, event: Event) -> None:
        """Take an event of a job from its worker."""
        job = self._jobs.get(job_id)
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
        in_flight = len(self._dispatcher) + len(self._duplicates)
        rows = self.ledger.claim(self.settings_id, QUEUED_PER_WORKER * self.pool.jobs - in_flight)
        if rows:
            step("claimed")
        jobs = [InFlightJob(row=row, folder=self.folder.work) for row in rows]
        self._jobs.update((job.row.id, job) for job in jobs)
        for job in jobs:
            row = job.row
            self._notify(
                JobStarted(
                    job=row.id, input=row.source, attempt=row.attempts, size_bytes=row.size_bytes
                )
            )
            self._dispatcher.submit(job, 1, inspect_job, self._task(job))

    def _task(self, job: InFlightJob, threads: int = 1) -> JobTask:
        options = self.options
        return JobTask(
            job=job.row.id,
            run=self.folder.run,
            source=job.row.source,
            folder=str(job.folder),
            settings=self._packed_settings,
            stamp=job.row.stamp if options.watched else None,
            follow_links=not options.watched,
            dry_run=options.dry_run,
            timeout=options.timeout,
            threads=threads,
            ffmpeg=options.ffmpeg,
            sandbox=options.sandbox,
        )

    def _handle_completed(self, job: InFlightJob, future: Future[Any]) -> None:
        try:
            result = future.result()
        except CancelledError as problem:
            raise EnvironmentProblem(
                self.pool.lost() or "a job was cancelled from outside"
            ) from problem
        except (
            Exception
        ) as problem:  # a worker that died, or an error of ours: only this file fails
            lost = self.pool.lost()
            if lost is not None:
                raise EnvironmentProblem(lost) from problem
            first_line = f"{type(problem).__name__}: {problem}".splitlines()[0]
            self._finisher.fail_attempt(job, first_line)
            return
        job.work_seconds += result.seconds
        if job.stalled:
            self._finisher.fail_attempt(job, f"no progress for {self.options.stall:g} s")
        elif isinstance(result, JobInspection):
            self._handle_inspection(job, result)
        else:
            self._handle_result(job, result)

    def _handle_inspection(self, job: InFlightJob, inspection: JobInspection) -> None:
        step("inspected")
        job.inspection = inspection
        job.work_files = (inspection.copy,) if inspection.copy else ()
        match inspection.status:
            case "changed" if self.options.watched:
                self._discard(job)
            case "changed" | "stopped" | "failed":
                self._finisher.fail_attempt(job, inspection.problem or inspection.status)
            case "vanished":
                self._finisher.end_without_output(job, "vanished", inspection.problem)
            case _:
                if not self._is_redundant(job, inspection):
                    self._continue(job, inspection)

    def _is_redundant(self, job: InFlightJob, inspection: JobInspection) -> bool:
        """Record the content; end the job if its content was processed or is our own output."""
        stamp, sha256 = inspection.stamp, inspection.sha256
        if stamp is None or sha256 is None:
            return False
        job.row = row = replace(job.row, stamp=stamp, sha256=sha256)
        same = self.ledger.record_content(row.id, self.settings_id, row.source, stamp, sha256)
        if same is not None:
            self._finisher.end_without_output(job, "same", f"same content as job {same.id}")
            return True
        if self.options.watched and self.ledger.is_fixed_output(sha256):
            self._finisher.end_without_output(job, "own", "an output of this output folder")
            return True
        return False

    def _continue(self, job: InFlightJob, inspection: JobInspection) -> None:
        """Decide what happens to an inspected file."""
        status = inspection.status
        self._notify(
            JobInspected(
                job=job.row.id,
                input=job.row.source,
                status=status,
                media_seconds=inspection.media_seconds,
                plan=inspection.plan,
            )
        )
        copy_refused = status == "refused" and self.options.on_refused == "copy"
        if self.options.dry_run:
            ending = "fixed" if status == "planned" else status_of(inspection)
            self._finisher.end_without_output(job, ending, inspection.problem)
        elif inspection.copy is not None:
            copied = JobResult(
                status="already_ok", work_files=(inspection.copy,), outcome=inspection.outcome
            )
            self._finisher.add_result(job, copied)
        elif status == "planned":
            self._encode_or_copy(job, inspection)
        elif status == "already_ok" or copy_refused:
            self._encode(job, inspection)
        else:
            self._finisher.end_without_output(job, status_of(inspection), inspection.problem)

    def _encode_or_copy(self, job: InFlightJob, inspection: JobInspection) -> None:
        """Encode, or copy the outputs of a job of the same content, or wait for such a job."""
        if not self._duplicates.lead_or_wait(job):
            return
        outputs = None
        if job.strategy is None:
            outputs = self.ledger.outputs_of_duplicate(
                job.row.id, self.settings_id, job.source_sha256
            )
        if outputs is None:
            self._encode(job, inspection)
            return
        job.strategy = "copy"
        job.folder = self.folder.create_job_folder(job.row)
        paths = tuple((str(self.folder.out / output.name), output.sha256) for output in outputs)
        self._dispatcher.submit(job, 1, copy_outputs, self._task(job), paths)

    def _encode(self, job: InFlightJob, inspection: JobInspection) -> None:
        job.strategy = "encode"
        job.folder = self.folder.create_job_folder(job.row)
        threads = self.pool.threads(inspection.threads, len(self._dispatcher) + 1)
        self._dispatcher.submit(job, threads, encode_job, self._task(job, threads), inspection)

    def _handle_result(self, job: InFlightJob, result: JobResult) -> None:
        if result.work_files:
            job.work_files = result.work_files
            self._finisher.add_result(job, result)
        elif job.strategy == "copy" and result.status == "failed":
            # The outputs of the other job have changed or do not exist any more: encode.
            self._resume([job, *self._duplicates.release(job)])
        elif result.status in ("refused", "unreadable", "vanished"):
            self._finisher.end_without_output(
                job, status_of(result), result.problem, result.outcome
            )
        elif result.status == "changed" and self.options.watched:
            self._discard(job)
        else:
            self._finisher.fail_attempt(job, result.problem or result.status, result.outcome)

    def _resume(self, jobs: list[InFlightJob]) -> None:
        for job in jobs:
            if job.inspection is not None:
                self._encode_or_copy(job, job.inspection)

    def _discard(self, job: InFlightJob) -> None:
        """Drop a job of a watched folder whose file had not settled; it is found again."""
        self.ledger.discard(job.row.id)
        self._drop(job)

    def _drop(self, job: InFlightJob) -> None:
        """Delete the work files of a job that ended; jobs that waited for it go on."""
        self._jobs.pop(job.row.id, None)
        if job.folder != self.folder.work:
            remove_folder(job.folder)
        for work_file in job.work_files:
            Path(work_file.path).unlink(missing_ok=True)
        if job.is_leader:
            self._resume(self._duplicates.release(job))

    def _stop_stalled_jobs(self) -> None:
        if self.options.stall is None:
            return
        limit = time.monotonic() - self.options.stall
        for job in self._dispatcher.jobs:
            has_own_folder = job.folder != self.folder.work
            is_late = job.last_event is not None and job.last_event < limit
            if is_late and has_own_folder and not job.stalled:
                job.stalled = True
                remove_folder(job.folder)
