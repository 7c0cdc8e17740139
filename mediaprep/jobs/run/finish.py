"""How jobs end: what was made is published, what came to nothing is told and quarantined, what failed is tried again after a pause.

Publishing: the ledger learns name and sha256 of every output, the name is linked and made durable, a receipt is written, the ledger says
done. A run that is killed in between is finished forwards by the next one. All that came back in one turn shares its transactions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mediaprep.errors import EnvironmentProblem, MediaPrepError, UsageProblem
from mediaprep.jobs.ledger.ledger import Ledger, NameTaken
from mediaprep.jobs.ledger.records import JobRow, Publication
from mediaprep.jobs.run.events import JobAgain, JobDone, Notice, Status
from mediaprep.jobs.run.inflight import InFlightJob, RunOptions
from mediaprep.jobs.run.publish import OutputFolder, receipt_of
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.workers.worker import JobInspection, JobResult, RunSettings, said
from mediaprep.pipeline.outcome import Outcome
from mediaprep.runtime.crashpoints import step
from mediaprep.runtime.source import display_name

MOST_DEATHS = 10  # processes that may die with a job in hand before the job is held to be the cause
PAUSE_FACTOR, LONGEST_PAUSE = 4, 60.0  # of the pauses before a job is tried again, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _FinishedJob:
    """A job that has outputs, on its way to their names."""

    flight: InFlightJob
    made: JobResult
    outputs: tuple[Publication, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _JobWithoutOutput:
    """A job that ends without an output."""

    flight: InFlightJob
    status: Status
    problem: str | None
    outcome: Outcome | None


@dataclass(slots=True, kw_only=True)
class JobFinisher:
    """Collects the ends of one turn; ``settle`` carries them out. ``over`` is called with each job that nobody works on any more."""

    ledger: Ledger
    recipe: RunSettings
    places: OutputFolder
    options: RunOptions
    say: Callable[[Any], None]
    over: Callable[[InFlightJob], None]
    quarantine: Quarantine | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _made: list[_FinishedJob] = field(default_factory=list)
    _nothing: list[_JobWithoutOutput] = field(default_factory=list)

    def made(self, flight: InFlightJob, made: JobResult) -> None:
        """A job has outputs."""
        self._made.append(_FinishedJob(flight=flight, made=made))

    def nothing(
        self,
        flight: InFlightJob,
        status: Status,
        problem: str | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        """A job ends without an output, as soon as the transaction is over: the quarantine may have to copy the file."""
        outcome = outcome or (flight.seen.outcome if flight.seen else None)
        self._nothing.append(
            _JobWithoutOutput(flight=flight, status=status, problem=problem, outcome=outcome)
        )

    def failed(self, flight: InFlightJob, problem: str, outcome: Outcome | None = None) -> None:
        """A job did not work out: it is tried again after a pause, or that was the last try."""
        row = flight.row
        if row.tries > self.options.retries:
            self.nothing(flight, "failed", problem, outcome)
            return
        pause = min(self.options.pause * PAUSE_FACTOR ** (row.tries - 1), LONGEST_PAUSE)
        self.ledger.release(row.id, pause=pause)
        self.say(
            JobAgain(
                job=row.id,
                input=row.source,
                attempt=row.tries,
                problem=problem,
                pause_seconds=pause,
            )
        )
        self.over(flight)

    def _unpublished(self, flight: InFlightJob, problem: Exception) -> None:
        """What was made cannot get its names: that, too, is a failure of the job."""
        self.ledger.unintend(flight.row.id)
        taken = isinstance(
            problem, NameTaken | UsageProblem
        )  # somebody was quicker: the next try takes another name
        self.failed(flight, "the output's name was taken meanwhile" if taken else said(problem))

    def settle(self) -> None:
        """Carry out what was collected. Raises: EnvironmentProblem."""
        made, self._made = self._made, []
        if made:
            self._publish(made)
        nothing, self._nothing = self._nothing, []
        if nothing:
            self._close(nothing)

    def recover(self) -> int:
        """Take over what dead processes left: finish publications, give the rest back; how many jobs."""
        orphans = self.ledger.orphans()
        for row in orphans:
            step("recovering")
            if row.state == "publish":
                self._finish(row)
            elif row.tries > MOST_DEATHS:
                self.nothing(
                    InFlightJob(row=row, folder=self.places.work),
                    "failed",
                    f"{row.tries} processes died while they worked on it",
                )
            else:
                self.ledger.release(row.id)
        self.settle()
        self.places.clear()
        return len(orphans)

    def _finish(self, row: JobRow) -> None:
        outputs = self.ledger.outputs(row.id)
        try:
            self.places.give(outputs, doubt=True)
            self.places.synced(outputs)
            status = "fixed" if any(output.made for output in outputs) else "already_ok"
            self.places.receipt([receipt_of(row, self.recipe, status, outputs)])
        except (MediaPrepError, OSError):
            self.ledger.unintend(row.id)
            self.ledger.release(row.id)
        else:
            self.ledger.done(row.id, status, media_seconds=row.media_seconds)

    def _publish(self, made: Sequence[_FinishedJob]) -> None:
        with self.ledger.transaction():
            intended = [
                replace(item, outputs=outputs)
                for item in made
                if (outputs := self._intended(item)) is not None
            ]
        step("intended")
        named = [item for item in intended if self._given(item)]
        self._kept(named)
        step("receipted")
        with self.ledger.transaction():
            for item in named:
                flight, outcome = item.flight, item.made.outcome
                seconds = flight.seen.media_seconds if flight.seen else None
                remarks = "; ".join(outcome.problems) if outcome and outcome.problems else None
                self.ledger.done(
                    flight.row.id,
                    item.made.status,
                    problem=remarks,
                    media_seconds=seconds,
                    work_seconds=flight.seconds,
                )
        step("done")
        for item in named:
            problems = item.made.outcome.problems if item.made.outcome else ()
            self._told(item.flight, status_of(item.made), item.outputs, problems, item.made.outcome)

    def _intended(self, item: _FinishedJob) -> tuple[Publication, ...] | None:
        """Names, written down before any of them exists; None: the job is tried again."""
        row = item.flight.row
        try:
            outputs = self.places.named(
                self.ledger, row, item.made.parts, made=item.made.status == "fixed"
            )
            self.ledger.intend(row.id, outputs)
        except (NameTaken, OSError) as problem:
            self._unpublished(item.flight, problem)
            return None
        return outputs

    def _given(self, item: _FinishedJob) -> bool:
        """Whether the outputs have their names now."""
        try:
            self.places.give(item.outputs)
        except (MediaPrepError, OSError) as problem:
            self._unpublished(item.flight, problem)
            return False
        return True

    def _kept(self, named: Sequence[_FinishedJob]) -> None:
        """The names made durable, and the receipts written. Raises: EnvironmentProblem; the next run finishes what was named."""
        try:
            self.places.synced([output for item in named for output in item.outputs])
            step("named")
            self.places.receipt(
                [
                    receipt_of(item.flight.row, self.recipe, item.made.status, item.outputs)
                    for item in named
                ]
            )
        except OSError as problem:
            raise EnvironmentProblem(
                f"outputs cannot be made durable: {said(problem)}"
            ) from problem

    def _close(self, nothing: Sequence[_JobWithoutOutput]) -> None:
        for end in nothing:
            bad = end.status in ("unreadable", "failed") or (
                end.status == "refused" and self.options.on_refused == "quarantine"
            )
            if self.quarantine is not None and bad and not self.options.dry:
                self._quarantined(self.quarantine, end)
        with self.ledger.transaction():
            for end in nothing:
                flight, seen = end.flight, end.flight.seen
                seconds = seen.media_seconds if seen else None
                self.ledger.done(
                    flight.row.id,
                    end.status,
                    problem=end.problem,
                    media_seconds=seconds,
                    work_seconds=flight.seconds,
                )
        for end in nothing:
            self._told(
                end.flight, end.status, (), [end.problem] if end.problem else [], end.outcome
            )

    def _quarantined(self, quarantine: Quarantine, end: _JobWithoutOutput) -> None:
        row = end.flight.row
        try:
            quarantine.take(row, end.status, [end.problem] if end.problem else [], end.outcome)
        except (MediaPrepError, OSError) as problem:
            self.say(
                Notice(
                    message=f"{display_name(row.source)}: cannot be quarantined: {said(problem)}",
                    failure=True,
                )
            )
        step("quarantined")

    def _told(
        self,
        flight: InFlightJob,
        status: Status,
        outputs: Sequence[Publication],
        problems: Sequence[str],
        outcome: Outcome | None,
    ) -> None:
        row = flight.row
        self.counts[status] += 1
        self.say(
            JobDone(
                job=row.id,
                input=row.source,
                status=status,
                attempt=row.tries,
                outputs=tuple(str(self.places.out / output.name) for output in outputs),
                bytes=sum(output.size for output in outputs),
                seconds=flight.seconds,
                media_seconds=flight.seen.media_seconds if flight.seen else 0.0,
                size_bytes=row.size,
                problems=tuple(problems),
                outcome=outcome,
            )
        )
        self.over(flight)


def status_of(result: JobInspection | JobResult) -> Status:
    """What a job is said to have come to."""
    match result.status:
        case "fixed" | "already_ok" | "refused" | "unreadable" | "vanished":
            return result.status
        case _:
            return "failed"
