"""The driver: takes jobs from the ledger, has them looked at and made by any ``concurrent.futures.Executor``, publishes what was made.

Only this side writes: the ledger, and the final names. A job is looked at, then made (or copied, where it is fine as it is or where a file
of the same content was made before), then published: the ledger learns name and sha256, the name is linked, the ledger says done.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from typing import Any, Literal

from mediaprep import faults
from mediaprep.errors import Cancelled, EnvironmentProblem, MediaPrepError, UsageProblem
from mediaprep.events import Event, Progress
from mediaprep.files import display_name
from mediaprep.jobs import work
from mediaprep.jobs.events import Heard, JobAgain, JobDone, JobLooked, JobProgress, JobStarted, Notice, Status
from mediaprep.jobs.ledger import Ledger, NameTaken
from mediaprep.jobs.publish import Places, receipt_of, remove
from mediaprep.jobs.quarantine import Quarantine
from mediaprep.jobs.records import Publication, Row
from mediaprep.jobs.slots import WINDOW, Crew
from mediaprep.jobs.work import Made, Part, Recipe, Seen, Task, said
from mediaprep.outcome import Outcome

OnRefused = Literal["skip", "copy", "quarantine"]
MOST_DEATHS = 10  # processes that may die with a job in hand before the job is held to be the cause
STOP_SECONDS = 10.0
FAILURES = frozenset({"refused", "unreadable", "failed", "vanished"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run goes.

    retries       times that a failed job is tried again; timeout: seconds that a job may take
    stall         seconds without a sign of progress after which a job is stopped, and counts as failed
    on_refused    what becomes of a file that is refused: nothing, a copy in the output folder, a copy and its report in the quarantine
    settled       a file must be as it was found, else it is to be found anew (a watched folder)
    follow        symbolic links that were given by name
    dry           look and plan only
    """

    retries: int = 2
    timeout: float | None = None
    stall: float | None = None
    on_refused: OnRefused = "skip"
    settled: bool = False
    follow: bool = False
    dry: bool = False
    ffmpeg: str | None = None
    sandbox: str = "auto"


@dataclass(slots=True, kw_only=True)
class _Flight:
    """A job that is being worked on."""

    row: Row
    folder: Path
    seen: Seen | None = None
    seconds: float = 0.0
    heard: float | None = None
    stalled: bool = False
    maker: bool = False
    cloned: bool = False
    made: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """A job that ends without an output."""

    flight: _Flight
    status: Status
    problem: str | None
    outcome: Outcome | None


@dataclass(slots=True, kw_only=True)
class Driver:
    """One run over one recipe. ``turn`` does what there is to do and returns; used by one thread."""

    ledger: Ledger
    recipe: Recipe
    number: int
    places: Places
    crew: Crew
    options: Options
    tell: Heard
    cancel: Flag = field(default_factory=Flag)
    quarantine: Quarantine | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _flights: dict[Future[Any], _Flight] = field(default_factory=dict)
    _making: dict[str, list[_Flight]] = field(default_factory=dict)
    _by_job: dict[int, _Flight] = field(default_factory=dict)
    _ends: list[_End] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _packed: bytes = b""

    def __post_init__(self) -> None:
        self._packed = self.recipe.packed

    def recover(self) -> int:
        """Take over what dead processes left: finish publications, give the rest back; how many jobs."""
        orphans = self.ledger.orphans()
        for row in orphans:
            faults.step("recovering")
            if row.state == "publish":
                self._finish(row)
            elif row.tries > MOST_DEATHS:
                self._end(_Flight(row=row, folder=self.places.work), "failed", f"{row.tries} processes died while they worked on it")
            else:
                self.ledger.release(row.id, counted=True)
        self._close_ends()
        self.places.clear()
        return len(orphans)

    def _finish(self, row: Row) -> None:
        outputs = self.ledger.outputs(row.id)
        try:
            self.places.give(outputs, doubt=True)
            self.places.synced(outputs)
            status = "fixed" if any(output.made for output in outputs) else "already_ok"
            self.places.receipt([receipt_of(row, self.recipe, status, outputs)])
        except (MediaPrepError, OSError):
            self.ledger.undone(row.id)
        else:
            self.ledger.done(row.id, status, media_seconds=row.media_seconds)

    @property
    def busy(self) -> bool:
        """Whether something is being worked on."""
        return bool(self._by_job)

    def run(self) -> None:
        """Until there is nothing left to do. Raises: Cancelled, EnvironmentProblem; what was not finished is given back."""
        try:
            while self.turn(0.5):
                pass
        except BaseException:
            self.stop()
            raise

    def turn(self, seconds: float, *, take: bool = True) -> bool:
        """Claim, hand over, wait for at most so long, settle what came back; False: nothing is left to do. ``take``: new jobs too.
        Raises: Cancelled, EnvironmentProblem."""
        self._check()
        if take:
            self._claim()
        if not self._flights:
            return False
        done, _ = wait(self._flights, timeout=seconds, return_when=FIRST_COMPLETED)
        self._check()
        landed = [(self._flights.pop(future), future) for future in done]
        made: list[tuple[_Flight, Made]] = []
        with self.ledger.transaction():
            for flight, future in landed:
                self._landed(flight, future, made)
        if made:
            self._publish(made)
        self._close_ends()
        self._watch_stalls()
        return True

    def _check(self) -> None:
        if self.cancel.is_set():
            raise Cancelled("cancelled by the caller")
        if (lost := self.crew.lost()) is not None:
            raise EnvironmentProblem(lost)

    def stop(self) -> None:
        """Stop what runs, and give back every job that was not finished."""
        remove(self.places.work)
        for future in self._flights:
            future.cancel()
        wait([future for future in self._flights if not future.cancelled()], timeout=STOP_SECONDS)
        with self.ledger.transaction():
            for job in self._by_job:
                self.ledger.release(job)
        self._flights.clear()
        self._making.clear()
        self._by_job.clear()

    def hear(self, job: int, event: Event) -> None:
        """A worker tells how far it is; called from any thread."""
        flight = self._by_job.get(job)
        if flight is None:
            return
        flight.heard = time.monotonic()
        if isinstance(event, Progress):
            with self._lock:
                self.tell(
                    JobProgress(
                        job=job,
                        input=flight.row.source,
                        stage=event.stage,
                        fraction=event.fraction,
                        speed=event.speed,
                        eta_seconds=event.eta_seconds,
                    )
                )

    def _claim(self) -> None:
        parked = sum(map(len, self._making.values()))
        window = WINDOW * self.crew.jobs
        rows = self.ledger.claim(self.number, window - len(self._flights) - parked)
        if rows:
            faults.step("claimed")
        for row in rows:
            self._say(JobStarted(job=row.id, input=row.source, attempt=row.tries, size_bytes=row.size))
            flight = _Flight(row=row, folder=self.places.work)
            self._submit(flight, 1, work.look, self._task(flight))

    def _say(self, event: Any) -> None:
        with self._lock:
            self.tell(event)

    def _task(self, flight: _Flight, slots: int = 1) -> Task:
        return Task(
            job=flight.row.id,
            run=self.places.run,
            source=flight.row.source,
            folder=str(flight.folder),
            recipe=self._packed,
            stamp=flight.row.stamp if self.options.settled else None,
            follow=self.options.follow,
            copy=not self.options.dry,
            seconds=self.options.timeout,
            threads=slots,
            ffmpeg=self.options.ffmpeg,
            sandbox=self.options.sandbox,
        )

    def _submit(self, flight: _Flight, slots: int, function: Any, *words: Any) -> None:
        self._by_job[flight.row.id] = flight
        flight.heard = None
        try:
            self._flights[self.crew.executor(slots).submit(function, *words)] = flight
        except (RuntimeError, OSError) as problem:
            raise EnvironmentProblem(self.crew.lost() or f"work cannot be handed over: {problem}") from problem

    def _landed(self, flight: _Flight, future: Future[Any], made: list[tuple[_Flight, Made]]) -> None:
        try:
            result = future.result()
        except CancelledError as problem:
            raise EnvironmentProblem(self.crew.lost() or "a job was cancelled from outside") from problem
        except Exception as problem:  # the edge: whatever ended a worker, or a bug of ours, is charged to this one file
            if (lost := self.crew.lost()) is not None:
                raise EnvironmentProblem(lost) from problem
            self._failed(flight, f"{type(problem).__name__}: {problem}".splitlines()[0])
            return
        flight.seconds += result.seconds
        if flight.stalled:
            self._failed(flight, f"no sign of progress for {self.options.stall:.0f} s")
        elif isinstance(result, Seen):
            self._seen(flight, result, made)
        else:
            self._made(flight, result, made)

    def _seen(self, flight: _Flight, seen: Seen, made: list[tuple[_Flight, Made]]) -> None:
        faults.step("looked")
        row = flight.row
        flight.seen = seen
        flight.parts = (seen.copy,) if seen.copy else ()
        match seen.status:
            case "changed" if self.options.settled:
                self.ledger.forget(row.id)
                self._drop(flight)
            case "changed" | "stopped" | "failed":
                self._failed(flight, seen.problem or seen.status)
            case "vanished":
                self._end(flight, "vanished", seen.problem)
            case _:
                self._judged(flight, seen, made)

    def _judged(self, flight: _Flight, seen: Seen, made: list[tuple[_Flight, Made]]) -> None:
        row = flight.row
        if seen.stamp is not None and seen.sha256 is not None:
            flight.row = row = replace(row, stamp=seen.stamp, sha256=seen.sha256)
            same = self.ledger.looked(row.id, self.number, row.source, seen.stamp, seen.sha256)
            if same is not None:
                self._end(flight, "same", f"done as job {same.id}")
                return
            if self.options.settled and self.ledger.own(seen.sha256):
                self._end(flight, "own", "an output of this very ledger")
                return
        plan = seen.plan if self.options.dry else None
        self._say(JobLooked(job=row.id, input=row.source, status=seen.status, media_seconds=seen.media_seconds, plan=plan))
        if self.options.dry:
            self._end(flight, "fixed" if seen.status == "planned" else _ended(seen), seen.problem)
        elif seen.copy is not None:
            made.append((flight, Made(status="already_ok", parts=(seen.copy,), outcome=seen.outcome)))
        elif seen.status in ("planned", "already_ok") or (seen.status == "refused" and self.options.on_refused == "copy"):
            self._make(flight, seen)
        else:
            self._end(flight, _ended(seen), seen.problem)

    def _make(self, flight: _Flight, seen: Seen) -> None:
        """Hand over; a file whose content is being made, or was, waits for that and is a copy of it."""
        key = seen.sha256 or ""
        if seen.status == "planned":
            if key in self._making:
                self._making[key].append(flight)
                return
            twin = self.ledger.twin(flight.row.id, self.number, key)
            self._making[key], flight.maker = [], True
            if twin is not None and not flight.cloned:
                flight.cloned = True
                flight.folder = self.places.job_folder(flight.row.id, flight.row.tries)
                paths = tuple((str(self.places.out / output.name), output.sha256) for output in twin[1])
                self._submit(flight, 1, work.clone, self._task(flight), paths)
                return
        flight.folder = self.places.job_folder(flight.row.id, flight.row.tries)
        slots = self.crew.threads(seen.slots, len(self._flights) + 1)
        self._submit(flight, slots, work.make, self._task(flight, slots), replace(seen, plan=None))

    def _made(self, flight: _Flight, result: Made, made: list[tuple[_Flight, Made]]) -> None:
        seen = flight.seen
        if result.parts:
            flight.parts = result.parts
            made.append((flight, result))
        elif flight.cloned and not flight.made and result.status == "failed" and seen is not None:  # the outputs are not there any more
            flight.made = True
            self._unpark(seen.sha256, flight)
        elif result.status in ("refused", "unreadable", "vanished"):
            self._end(flight, _ended(result), result.problem, outcome=result.outcome)
        elif result.status == "changed" and self.options.settled:
            self.ledger.forget(flight.row.id)
            self._drop(flight)
        else:
            self._failed(flight, result.problem or result.status, outcome=result.outcome)

    def _unpark(self, key: str | None, *first: _Flight) -> None:
        """Those who waited for a content go on: the first of them makes it, or copies what is there now."""
        for flight in (*first, *self._making.pop(key or "", [])):
            if flight.seen is not None:
                self._make(flight, flight.seen)

    def _failed(self, flight: _Flight, problem: str, outcome: Outcome | None = None) -> None:
        row = flight.row
        if row.tries > self.options.retries:
            self._end(flight, "failed", problem, outcome=outcome)
            return
        self.ledger.release(row.id, counted=True)
        self._say(JobAgain(job=row.id, input=row.source, attempt=row.tries, problem=problem))
        self._drop(flight)

    def _end(self, flight: _Flight, status: Status, problem: str | None = None, *, outcome: Outcome | None = None) -> None:
        """A job ends without an output, as soon as the transaction is over: the quarantine may have to copy the file."""
        outcome = outcome or (flight.seen.outcome if flight.seen else None)
        self._ends.append(_End(flight=flight, status=status, problem=problem, outcome=outcome))

    def _close_ends(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            bad = end.status in ("unreadable", "failed") or (end.status == "refused" and self.options.on_refused == "quarantine")
            if self.quarantine is not None and bad and not self.options.dry:
                self._quarantined(self.quarantine, end)
        with self.ledger.transaction():
            for end in ends:
                flight, seen = end.flight, end.flight.seen
                seconds = seen.media_seconds if seen else None
                self.ledger.done(flight.row.id, end.status, problem=end.problem, media_seconds=seconds, work_seconds=flight.seconds)
        for end in ends:
            self._over(end.flight, end.status, (), [end.problem] if end.problem else [], end.outcome)

    def _quarantined(self, quarantine: Quarantine, end: _End) -> None:
        row = end.flight.row
        try:
            quarantine.take(row, end.status, [end.problem] if end.problem else [], end.outcome)
        except (MediaPrepError, OSError) as problem:
            self._say(Notice(message=f"{display_name(row.source)}: cannot be quarantined: {said(problem)}", failure=True))
        faults.step("quarantined")

    def _publish(self, made: Sequence[tuple[_Flight, Made]]) -> None:
        """All that came back in one turn: intended in one transaction, named, synced once for each folder, done in one transaction."""
        intended: list[tuple[_Flight, Made, tuple[Publication, ...]]] = []
        with self.ledger.transaction():
            for flight, result in made:
                if (outputs := self._intended(flight, result)) is not None:
                    intended.append((flight, result, outputs))
        faults.step("intended")
        named: list[tuple[_Flight, Made, tuple[Publication, ...]]] = []
        for item in intended:
            flight, _, outputs = item
            try:
                self.places.give(outputs)
            except UsageProblem:  # somebody was quicker with that name: choose another, next time
                self._undone(flight, "the output's name was taken meanwhile")
            except (MediaPrepError, OSError) as problem:
                self._undone(flight, said(problem))
            else:
                named.append(item)
        self._kept(named)
        faults.step("receipted")
        with self.ledger.transaction():
            for flight, result, _ in named:
                seconds = flight.seen.media_seconds if flight.seen else None
                remarks = "; ".join(result.outcome.problems) if result.outcome and result.outcome.problems else None
                self.ledger.done(flight.row.id, result.status, problem=remarks, media_seconds=seconds, work_seconds=flight.seconds)
        faults.step("done")
        for flight, result, outputs in named:
            problems = list(result.outcome.problems) if result.outcome else []
            self._over(flight, _ended(result), outputs, problems, result.outcome)

    def _kept(self, named: Sequence[tuple[_Flight, Made, tuple[Publication, ...]]]) -> None:
        """The names made durable, and the receipts written. Raises: EnvironmentProblem; the next run finishes what was named."""
        try:
            self.places.synced([output for _, _, outputs in named for output in outputs])
            faults.step("named")
            self.places.receipt([receipt_of(flight.row, self.recipe, result.status, outputs) for flight, result, outputs in named])
        except OSError as problem:
            raise EnvironmentProblem(f"outputs cannot be made durable: {said(problem)}") from problem

    def _intended(self, flight: _Flight, result: Made) -> tuple[Publication, ...] | None:
        try:
            outputs = self.places.named(self.ledger, flight.row, result.parts, made=result.status == "fixed")
            self.ledger.intend(flight.row.id, outputs)
        except NameTaken:
            self._undone(flight, "the output's name was taken meanwhile")
            return None
        except OSError as problem:
            self._undone(flight, said(problem))
            return None
        return outputs

    def _undone(self, flight: _Flight, problem: str) -> None:
        """What was made cannot be published."""
        self.ledger.undone(flight.row.id)
        if flight.row.tries > self.options.retries:
            self._end(flight, "failed", problem)
            return
        self._say(JobAgain(job=flight.row.id, input=flight.row.source, attempt=flight.row.tries, problem=problem))
        self._drop(flight)

    def _over(
        self, flight: _Flight, status: Status, outputs: Sequence[Publication], problems: Sequence[str], outcome: Outcome | None
    ) -> None:
        row = flight.row
        self.counts[status] += 1
        self._say(
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
        self._drop(flight)

    def _drop(self, flight: _Flight) -> None:
        """A flight is over: its folder goes, and those who waited for its content go on."""
        self._by_job.pop(flight.row.id, None)
        if flight.folder != self.places.work:
            remove(flight.folder)
        for part in flight.parts:
            Path(part.path).unlink(missing_ok=True)
        if flight.maker and flight.seen is not None:
            self._unpark(flight.seen.sha256)

    def _watch_stalls(self) -> None:
        if self.options.stall is None:
            return
        late = time.monotonic() - self.options.stall
        for flight in self._flights.values():
            if not flight.stalled and flight.heard is not None and flight.heard < late and flight.folder != self.places.work:
                flight.stalled = True
                remove(flight.folder)


def _ended(result: Seen | Made) -> Status:
    match result.status:
        case "fixed" | "already_ok" | "refused" | "unreadable" | "vanished":
            return result.status
        case _:
            return "failed"
