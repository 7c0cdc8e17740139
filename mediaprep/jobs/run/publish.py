"""Publishing the outputs of jobs, so that a process that is killed at any point loses nothing.

1. The ledger records name and sha256 of every output.
2. Each work file is linked to its name, which never overwrites a file.
3. The names are synced to disk.
4. A receipt is appended, from which a lost ledger can be rebuilt.
5. The ledger records the end of the job.

The next run completes what a killed one has begun.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mediaprep.errors import EnvironmentProblem, MediaPrepError
from mediaprep.jobs.ledger.ledger import Ledger, NameTaken
from mediaprep.jobs.ledger.records import JobRow, Publication
from mediaprep.jobs.problem import problem_text
from mediaprep.jobs.run.inflight import InFlightJob
from mediaprep.jobs.run.output_folder import OutputFolder
from mediaprep.jobs.run.output_names import choose_names
from mediaprep.jobs.run.receipts import append_receipts, receipt
from mediaprep.jobs.workers.records import JobResult, RunSettings
from mediaprep.runtime.crashpoints import crashpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishTask:
    """A job whose work files are to be published; ``outputs`` has their names once chosen."""

    job: InFlightJob
    result: JobResult
    outputs: tuple[Publication, ...] = ()


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Publishes the outputs of jobs. ``on_failure`` gets each job whose outputs cannot be."""

    ledger: Ledger
    settings: RunSettings
    settings_id: int
    folder: OutputFolder
    on_failure: Callable[[InFlightJob, Exception], None]

    def publish(self, tasks: Sequence[PublishTask]) -> list[PublishTask]:
        """Publish outputs and record the end of their jobs; return those that succeeded.

        Raises: EnvironmentProblem if names or receipts cannot be made durable.
        """
        recorded = self._record(tasks)
        crashpoint("outputs-recorded")
        linked = self._link(recorded)
        self._make_durable(linked)
        crashpoint("receipts-written")
        with self.ledger.transaction():
            for task in linked:
                self._record_end(task)
        crashpoint("done")
        return linked

    def complete(self, row: JobRow) -> None:
        """Complete the publication that a killed process began; otherwise release the job."""
        outputs = self.ledger.outputs(row.id)
        status = "fixed" if any(output.fixed for output in outputs) else "already_ok"
        try:
            self.folder.link(outputs, verify=True)
            self.folder.sync(outputs)
            append_receipts(self.folder.out, [receipt(row, self.settings, status, outputs)])
        except (MediaPrepError, OSError):
            self.ledger.cancel_publishing(row.id)
            self.ledger.release(row.id)
        else:
            self.ledger.finish(row.id, status, media_seconds=row.media_seconds)

    def _record(self, tasks: Sequence[PublishTask]) -> list[PublishTask]:
        recorded = []
        with self.ledger.transaction():
            for task in tasks:
                try:
                    outputs = choose_names(
                        self.folder,
                        self.ledger,
                        self.settings_id,
                        task.job.row,
                        task.result.work_files,
                        fixed=task.result.status == "fixed",
                    )
                    self.ledger.begin_publishing(task.job.row.id, outputs)
                except (NameTaken, OSError) as problem:
                    self.on_failure(task.job, problem)
                else:
                    recorded.append(replace(task, outputs=outputs))
        return recorded

    def _link(self, tasks: Sequence[PublishTask]) -> list[PublishTask]:
        linked = []
        for task in tasks:
            try:
                self.folder.link(task.outputs)
            except (MediaPrepError, OSError) as problem:
                self.on_failure(task.job, problem)
            else:
                linked.append(task)
        return linked

    def _make_durable(self, tasks: Sequence[PublishTask]) -> None:
        receipts = [
            receipt(task.job.row, self.settings, task.result.status, task.outputs) for task in tasks
        ]
        try:
            self.folder.sync([output for task in tasks for output in task.outputs])
            crashpoint("names-synced")
            append_receipts(self.folder.out, receipts)
        except OSError as problem:
            raise EnvironmentProblem(
                f"outputs cannot be made durable: {problem_text(problem)}"
            ) from problem

    def _record_end(self, task: PublishTask) -> None:
        job, outcome = task.job, task.result.outcome
        self.ledger.finish(
            job.row.id,
            task.result.status,
            problem=("; ".join(outcome.problems) or None) if outcome else None,
            media_seconds=job.media_seconds,
            work_seconds=job.work_seconds,
        )
