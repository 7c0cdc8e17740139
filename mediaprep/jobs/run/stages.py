"""The stages of a job: inspected, then encoded or copied, then finished.

A file that is already accepted is copied. A file with the content of another job gets copies of
that job's outputs.
"""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.run.dispatch import Dispatcher
from mediaprep.jobs.run.events import JobInspected, JobListener
from mediaprep.jobs.run.finish import JobFinisher, status_of
from mediaprep.jobs.run.inflight import DuplicateQueue, InFlightJob
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.run.output_folder import OutputFolder, remove_folder
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.workers.encode import copy_outputs, encode_job
from mediaprep.jobs.workers.inspect import inspect_job
from mediaprep.jobs.workers.pool import WorkerPool
from mediaprep.jobs.workers.records import JobInspection, JobResult, JobTask, RunSettings
from mediaprep.runtime.crashpoints import crashpoint


@dataclass(slots=True, kw_only=True)
class JobStages:
    """The jobs in flight, by id, and what happens to each of them next."""

    ledger: Ledger
    settings: RunSettings
    settings_id: int
    folder: OutputFolder
    pool: WorkerPool
    options: RunOptions
    notify: JobListener
    quarantine: Quarantine | None = None
    jobs: dict[int, InFlightJob] = field(default_factory=dict)
    dispatcher: Dispatcher = field(init=False)
    finisher: JobFinisher = field(init=False)
    _packed_settings: bytes = field(init=False)
    _duplicates: DuplicateQueue = field(default_factory=DuplicateQueue)

    def __post_init__(self) -> None:
        self._packed_settings = self.settings.pack()
        self.dispatcher = Dispatcher(self.pool)
        self.finisher = JobFinisher(
            ledger=self.ledger,
            settings=self.settings,
            settings_id=self.settings_id,
            folder=self.folder,
            options=self.options,
            notify=self.notify,
            on_end=self._drop,
            quarantine=self.quarantine,
        )

    @property
    def queued(self) -> int:
        """Jobs that were submitted or wait for another job of the same content."""
        return len(self.dispatcher) + len(self._duplicates)

    def clear(self) -> None:
        """Drop all jobs."""
        self._duplicates.clear()
        self.jobs.clear()

    def inspect(self, job: InFlightJob) -> None:
        """Submit the inspection of a claimed job. Raises: EnvironmentProblem."""
        self.dispatcher.submit(job, 1, inspect_job, self._task(job))

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

    def handle_completed(self, job: InFlightJob, future: Future[Any]) -> None:
        """Handle the result of a job's inspection or encode.

        Raises: EnvironmentProblem if the pool is lost.
        """
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
            self.finisher.fail_attempt(job, first_line)
            return
        job.work_seconds += result.seconds
        if job.stalled:
            self.finisher.fail_attempt(job, f"no progress for {self.options.stall:g} s")
        elif isinstance(result, JobInspection):
            self._handle_inspection(job, result)
        else:
            self._handle_result(job, result)

    def _handle_inspection(self, job: InFlightJob, inspection: JobInspection) -> None:
        crashpoint("inspected")
        job.inspection = inspection
        job.work_files = (inspection.copy,) if inspection.copy else ()
        match inspection.status:
            case "changed" if self.options.watched:
                self._discard(job)
            case "changed" | "stopped" | "failed":
                self.finisher.fail_attempt(job, inspection.problem or inspection.status)
            case "vanished":
                self.finisher.end_without_output(job, "vanished", inspection.problem)
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
            self.finisher.end_without_output(job, "same", f"same content as job {same.id}")
            return True
        if self.options.watched and self.ledger.is_fixed_output(sha256):
            self.finisher.end_without_output(job, "own", "an output of this output folder")
            return True
        return False

    def _continue(self, job: InFlightJob, inspection: JobInspection) -> None:
        """Decide what happens to an inspected file."""
        status = inspection.status
        self.notify(
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
            self.finisher.end_without_output(job, ending, inspection.problem)
        elif inspection.copy is not None:
            copied = JobResult(
                status="already_ok", work_files=(inspection.copy,), outcome=inspection.outcome
            )
            self.finisher.add_result(job, copied)
        elif status == "planned":
            self._encode_or_copy(job, inspection)
        elif status == "already_ok" or copy_refused:
            self._encode(job, inspection)
        else:
            self.finisher.end_without_output(job, status_of(inspection), inspection.problem)

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
        self.dispatcher.submit(job, 1, copy_outputs, self._task(job), paths)

    def _encode(self, job: InFlightJob, inspection: JobInspection) -> None:
        job.strategy = "encode"
        job.folder = self.folder.create_job_folder(job.row)
        threads = self.pool.threads(inspection.threads, len(self.dispatcher) + 1)
        self.dispatcher.submit(job, threads, encode_job, self._task(job, threads), inspection)

    def _handle_result(self, job: InFlightJob, result: JobResult) -> None:
        if result.work_files:
            job.work_files = result.work_files
            self.finisher.add_result(job, result)
        elif job.strategy == "copy" and result.status == "failed":
            # The outputs of the other job have changed or do not exist any more: encode.
            self._resume([job, *self._duplicates.release(job)])
        elif result.status in ("refused", "unreadable", "vanished"):
            self.finisher.end_without_output(job, status_of(result), result.problem, result.outcome)
        elif result.status == "changed" and self.options.watched:
            self._discard(job)
        else:
            self.finisher.fail_attempt(job, result.problem or result.status, result.outcome)

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
        self.jobs.pop(job.row.id, None)
        if job.folder != self.folder.work:
            remove_folder(job.folder)
        for work_file in job.work_files:
            Path(work_file.path).unlink(missing_ok=True)
        if job.is_leader:
            self._resume(self._duplicates.release(job))
