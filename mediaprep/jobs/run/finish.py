"""How jobs end: their outputs are published, or they are retried, quarantined and reported.

Everything that completed in one turn of the driver shares its transactions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mediaprep.errors import MediaPrepError, UsageProblem
from mediaprep.jobs.ledger.ledger import Ledger, NameTaken
from mediaprep.jobs.ledger.records import JobRow, Publication
from mediaprep.jobs.problem import problem_text
from mediaprep.jobs.run.events import JobDone, JobListener, JobRetry, JobStatus, Notice
from mediaprep.jobs.run.inflight import InFlightJob
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.run.output_folder import OutputFolder
from mediaprep.jobs.run.publish import Publisher, PublishTask
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.workers.records import JobInspection, JobResult, RunSettings
from mediaprep.pipeline.outcome import Outcome
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.paths import display_name

MAX_DEAD_PROCESSES = 10  # that worked on a job, until the job is assumed to be the cause
PAUSE_FACTOR = 4  # between the pauses before two attempts
MAX_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _JobWithoutOutput:
    job: InFlightJob
    status: JobStatus
    problem: str | None
    outcome: Outcome | None

    @property
    def problems(self) -> tuple[str, ...]:
        return () if self.problem is None else (self.problem,)


@dataclass(slots=True, kw_only=True)
class JobFinisher:
    """Collects the jobs that end in one turn; ``flush`` publishes and records them.

    ``on_end`` is called with each job that is no longer in flight.
    """

    ledger: Ledger
    settings: RunSettings
    settings_id: int
    folder: OutputFolder
    options: RunOptions
    notify: JobListener
    on_end: Callable[[InFlightJob], None]
    quarantine: Quarantine | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _publisher: Publisher = field(init=False)
    _results: list[PublishTask] = field(default_factory=list)
    _without_output: list[_JobWithoutOutput] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._publisher = Publisher(
            ledger=self.ledger,
            settings=self.settings,
            settings_id=self.settings_id,
            folder=self.folder,
            on_failure=self._retry_unpublished,
        )

    def add_result(self, job: InFlightJob, result: JobResult) -> None:
        """Add a job whose work files are to be published."""
        self._results.append(PublishTask(job=job, result=result))

    def end_without_output(
        self,
        job: InFlightJob,
        status: JobStatus,
        problem: str | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        """Add a job that ends without an output.

        It ends in ``flush``, outside of the transaction, because the quarantine may copy the file.
        """
        if outcome is None and job.inspection is not None:
            outcome = job.inspection.outcome
        self._without_output.append(
            _JobWithoutOutput(job=job, status=status, problem=problem or None, outcome=outcome)
        )

    def fail_attempt(self, job: InFlightJob, problem: str, outcome: Outcome | None = None) -> None:
        """Release a job after a pause for its next attempt; after the last one it fails."""
        row = job.row
        if row.attempts > self.options.retries:
            self.end_without_output(job, "failed", problem, outcome)
            return
        pause = min(self.options.pause * PAUSE_FACTOR ** (row.attempts - 1), MAX_PAUSE_SECONDS)
        self.ledger.release(row.id, pause=pause)
        self.notify(
            JobRetry(
                job=row.id,
                input=row.source,
                attempt=row.attempts,
                problem=problem,
                pause_seconds=pause,
            )
        )
        self.on_end(job)

    def _retry_unpublished(self, job: InFlightJob, problem: Exception) -> None:
        """Fail the attempt of a job whose outputs could not be published."""
        self.ledger.cancel_publishing(job.row.id)
        if isinstance(problem, NameTaken | UsageProblem):
            # The next attempt takes another name.
            self.fail_attempt(job, "another process took the name of the output")
        else:
            self.fail_attempt(job, problem_text(problem))

    def flush(self) -> None:
        """Publish and record the jobs that were added. Raises: EnvironmentProblem."""
        results, self._results = self._results, []
        if results:
            for task in self._publisher.publish(results):
                self._report_published(task)
        # Publishing may have failed a job for good.
        without_output, self._without_output = self._without_output, []
        if without_output:
            self._finish_without_output(without_output)

    def recover(self) -> None:
        """Take over the jobs of dead processes: complete their publications, release the others."""
        for row in self.ledger.claim_orphans():
            crashpoint("recovering")
            if row.state == "publish":
                self._publisher.complete(row)
            elif row.attempts > MAX_DEAD_PROCESSES:
                self._fail_after_deaths(row)
            else:
                self.ledger.release(row.id)
        self.flush()
        self.folder.remove_stale_work()

    def _fail_after_deaths(self, row: JobRow) -> None:
        job = InFlightJob(row=row, folder=self.folder.work)
        problem = f"{row.attempts} processes died while they worked on it"
        self.end_without_output(job, "failed", problem)

    def _finish_without_output(self, ended: Sequence[_JobWithoutOutput]) -> None:
        for item in ended:
            if self.quarantine is not None and self._is_quarantined(item.status):
                self._add_to_quarantine(self.quarantine, item)
        with self.ledger.transaction():
            for item in ended:
                job = item.job
                self.ledger.finish(
                    job.row.id,
                    item.status,
                    problem=item.problem,
                    media_seconds=job.media_seconds,
                    work_seconds=job.work_seconds,
                )
        for item in ended:
            self._report_done(item.job, item.status, (), item.problems, item.outcome)

    def _is_quarantined(self, status: JobStatus) -> bool:
        if self.options.dry_run:
            return False
        if status == "refused":
            return self.options.on_refused == "quarantine"
        return status in ("unreadable", "failed")

    def _add_to_quarantine(self, quarantine: Quarantine, item: _JobWithoutOutput) -> None:
        row = item.job.row
        try:
            quarantine.add(row, item.status, item.problems, item.outcome)
        except (MediaPrepError, OSError) as problem:
            message = f"{display_name(row.source)}: cannot be quarantined: {problem_text(problem)}"
            self.notify(Notice(message=message, failure=True))
        crashpoint("quarantined")

    def _report_published(self, task: PublishTask) -> None:
        outcome = task.result.outcome
        problems = () if outcome is None else outcome.problems
        status = status_of(task.result)
        self._report_done(task.job, status, task.outputs, problems, outcome)

    def _report_done(
        self,
        job: InFlightJob,
        status: JobStatus,
        outputs: Sequence[Publication],
        problems: tuple[str, ...],
        outcome: Outcome | None,
    ) -> None:
        row = job.row
        self.counts[status] += 1
        self.notify(
            JobDone(
                job=row.id,
                input=row.source,
                status=status,
                attempt=row.attempts,
                outputs=tuple(str(self.folder.out / output.name) for output in outputs),
                bytes=sum(output.size_bytes for output in outputs),
                seconds=job.work_seconds,
                media_seconds=job.media_seconds or 0.0,
                size_bytes=row.size_bytes,
                problems=problems,
                outcome=outcome,
            )
        )
        self.on_end(job)


def status_of(result: JobInspection | JobResult) -> JobStatus:
    """Return the status with which a job ends: ``failed`` unless the result has a better one."""
    match result.status:
        case "fixed" | "already_ok" | "refused" | "unreadable" | "vanished":
            return result.status
        case _:
            return "failed"
