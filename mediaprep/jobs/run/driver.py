"""The driver: takes jobs from the ledger, has them looked at and made by any ``concurrent.futures.Executor``, has what was made published.

Only this side writes: the ledger, and the final names. A job is looked at, then made (or copied, where it is fine as it is or where a file
of the same content was made before), then ended (``endings``).
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Lock
from typing import Any

from mediaprep.errors import Cancelled, EnvironmentProblem
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.run.events import Heard, JobLooked, JobProgress, JobStarted
from mediaprep.jobs.run.finish import JobFinisher, status_of
from mediaprep.jobs.run.inflight import InFlightJob, RunOptions
from mediaprep.jobs.run.publish import OutputFolder, remove
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.workers.threads import WINDOW, WorkerPool
from mediaprep.jobs.workers.worker import (
    JobInspection,
    JobResult,
    JobTask,
    RunSettings,
    clone,
    look,
    make,
)
from mediaprep.model.events import Event, Progress
from mediaprep.runtime.crashpoints import step

STOP_SECONDS = 10.0
GATHER_SECONDS = 0.02  # after a job came back others are waited for, which share its transactions; far less than WINDOW jobs take


@dataclass(slots=True, kw_only=True)
class Driver:
    """One run over one recipe. ``turn`` does what there is to do and returns; used by one thread."""

    ledger: Ledger
    recipe: RunSettings
    number: int
    places: OutputFolder
    crew: WorkerPool
    options: RunOptions
    tell: Heard
    cancel: Flag = field(default_factory=Flag)
    quarantine: Quarantine | None = None
    _ends: JobFinisher = field(init=False)
    _flights: dict[Future[Any], InFlightJob] = field(default_factory=dict)
    _landings: SimpleQueue[Future[Any]] = field(default_factory=SimpleQueue)
    _making: dict[str, list[InFlightJob]] = field(default_factory=dict)
    _by_job: dict[int, InFlightJob] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _packed: bytes = b""

    def __post_init__(self) -> None:
        self._packed = self.recipe.packed
        self._ends = JobFinisher(
            ledger=self.ledger,
            recipe=self.recipe,
            places=self.places,
            options=self.options,
            say=self._say,
            over=self._over,
            quarantine=self.quarantine,
        )

    @property
    def counts(self) -> Counter[str]:
        """Jobs that ended in this run, by status."""
        return self._ends.counts

    @property
    def busy(self) -> bool:
        """Whether something is being worked on."""
        return bool(self._by_job)

    def recover(self) -> int:
        """Take over what dead processes left; how many jobs. Raises: EnvironmentProblem."""
        return self._ends.recover()

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
            if not take or not self.ledger.waiting(self.number):
                return False
            self.cancel.wait(min(seconds, 0.1))  # they are tried again after a pause
            return True
        landed = self._landed(seconds)
        self._check()
        if landed:
            with self.ledger.transaction():
                for flight, future in landed:
                    self._judge(flight, future)
            self._ends.settle()
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
                self.ledger.release(job, counted=False)
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
            told = JobProgress(
                job=job,
                input=flight.row.source,
                stage=event.stage,
                fraction=event.fraction,
                speed=event.speed,
                eta_seconds=event.eta_seconds,
            )
            self._say(told)

    def _say(self, event: Any) -> None:
        with self._lock:
            self.tell(event)

    def _claim(self) -> None:
        parked = sum(map(len, self._making.values()))
        rows = self.ledger.claim(self.number, WINDOW * self.crew.jobs - len(self._flights) - parked)
        if rows:
            step("claimed")
        for row in rows:
            self._say(
                JobStarted(job=row.id, input=row.source, attempt=row.tries, size_bytes=row.size)
            )
            flight = InFlightJob(row=row, folder=self.places.work)
            self._submit(flight, 1, look, self._task(flight))

    def _task(self, flight: InFlightJob, slots: int = 1) -> JobTask:
        return JobTask(
            job=flight.row.id,
            run=self.places.run,
            source=flight.row.source,
            folder=str(flight.folder),
            recipe=self._packed,
            stamp=flight.row.stamp if self.options.settled else None,
            follow=self.options.follow,
            dry=self.options.dry,
            seconds=self.options.timeout,
            threads=slots,
            ffmpeg=self.options.ffmpeg,
            sandbox=self.options.sandbox,
        )

    def _submit(self, flight: InFlightJob, slots: int, function: Any, *words: Any) -> None:
        self._by_job[flight.row.id] = flight
        flight.heard = None
        try:
            future = self.crew.executor(slots).submit(function, *words)
        except (RuntimeError, OSError) as problem:
            raise EnvironmentProblem(
                self.crew.lost() or f"work cannot be handed over: {problem}"
            ) from problem
        self._flights[future] = flight
        future.add_done_callback(self._landings.put)

    def _landed(self, seconds: float) -> list[tuple[InFlightJob, Future[Any]]]:
        """Those that come back within ``seconds``: the first, and what follows closely."""
        until, landed = time.monotonic() + seconds, list[tuple[InFlightJob, Future[Any]]]()
        while self._flights:
            try:
                future = self._landings.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            if not landed:
                until = time.monotonic() + GATHER_SECONDS
            if (flight := self._flights.pop(future, None)) is not None:
                landed.append((flight, future))
        return landed

    def _judge(self, flight: InFlightJob, future: Future[Any]) -> None:
        try:
            result = future.result()
        except CancelledError as problem:
            raise EnvironmentProblem(
                self.crew.lost() or "a job was cancelled from outside"
            ) from problem
        except Exception as problem:  # the edge: whatever ended a worker, or a bug of ours, is charged to this one file
            if (lost := self.crew.lost()) is not None:
                raise EnvironmentProblem(lost) from problem
            self._ends.failed(flight, f"{type(problem).__name__}: {problem}".splitlines()[0])
            return
        flight.seconds += result.seconds
        if flight.stalled:
            self._ends.failed(flight, f"no sign of progress for {self.options.stall:g} s")
        elif isinstance(result, JobInspection):
            self._seen(flight, result)
        else:
            self._made(flight, result)

    def _seen(self, flight: InFlightJob, seen: JobInspection) -> None:
        step("looked")
        flight.seen = seen
        flight.parts = (seen.copy,) if seen.copy else ()
        match seen.status:
            case "changed" if self.options.settled:
                self._anew(flight)
            case "changed" | "stopped" | "failed":
                self._ends.failed(flight, seen.problem or seen.status)
            case "vanished":
                self._ends.nothing(flight, "vanished", seen.problem)
            case _:
                self._planned(flight, seen)

    def _anew(self, flight: InFlightJob) -> None:
        """A file that was not settled after all is to be found once more."""
        self.ledger.forget(flight.row.id)
        self._over(flight)

    def _planned(self, flight: InFlightJob, seen: JobInspection) -> None:
        row = flight.row
        if seen.stamp is not None and seen.sha256 is not None:
            flight.row = row = replace(row, stamp=seen.stamp, sha256=seen.sha256)
            same = self.ledger.probed(row.id, self.number, row.source, seen.stamp, seen.sha256)
            if same is not None:
                self._ends.nothing(flight, "same", f"done as job {same.id}")
                return
            if self.options.settled and self.ledger.own(seen.sha256):
                self._ends.nothing(flight, "own", "an output of this very ledger")
                return
        self._say(
            JobLooked(
                job=row.id,
                input=row.source,
                status=seen.status,
                media_seconds=seen.media_seconds,
                plan=seen.plan,
            )
        )
        if self.options.dry:
            self._ends.nothing(
                flight, "fixed" if seen.status == "planned" else status_of(seen), seen.problem
            )
        elif seen.copy is not None:
            self._ends.made(
                flight, JobResult(status="already_ok", parts=(seen.copy,), outcome=seen.outcome)
            )
        elif seen.status in ("planned", "already_ok") or (
            seen.status == "refused" and self.options.on_refused == "copy"
        ):
            self._make(flight, seen)
        else:
            self._ends.nothing(flight, status_of(seen), seen.problem)

    def _make(self, flight: InFlightJob, seen: JobInspection) -> None:
        """Hand over; a file whose content is being made, or was, waits for that and is a copy of it."""
        key = seen.sha256 or ""
        if seen.status == "planned":
            if key in self._making:
                self._making[key].append(flight)
                return
            twin = self.ledger.twin(flight.row.id, self.number, key)
            self._making[key], flight.maker = [], True
            if twin is not None and flight.way is None:
                flight.way = "copied"
                flight.folder = self.places.job_folder(flight.row.id, flight.row.tries)
                paths = tuple(
                    (str(self.places.out / output.name), output.sha256) for output in twin[1]
                )
                self._submit(flight, 1, clone, self._task(flight), paths)
                return
        flight.way = "made"
        flight.folder = self.places.job_folder(flight.row.id, flight.row.tries)
        slots = self.crew.threads(seen.slots, len(self._flights) + 1)
        self._submit(flight, slots, make, self._task(flight, slots), seen)

    def _made(self, flight: InFlightJob, result: JobResult) -> None:
        seen = flight.seen
        if result.parts:
            flight.parts = result.parts
            self._ends.made(flight, result)
        elif (
            flight.way == "copied" and result.status == "failed" and seen is not None
        ):  # the outputs are not there any more
            self._unpark(seen.sha256, flight)
        elif result.status in ("refused", "unreadable", "vanished"):
            self._ends.nothing(flight, status_of(result), result.problem, result.outcome)
        elif result.status == "changed" and self.options.settled:
            self._anew(flight)
        else:
            self._ends.failed(flight, result.problem or result.status, result.outcome)

    def _unpark(self, key: str | None, *first: InFlightJob) -> None:
        """Those who waited for a content go on: the first of them makes it, or copies what is there now."""
        for flight in (*first, *self._making.pop(key or "", [])):
            if flight.seen is not None:
                self._make(flight, flight.seen)

    def _over(self, flight: InFlightJob) -> None:
        """Nobody works on it any more: its folder goes, and those who waited for its content go on."""
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
            if (
                not flight.stalled
                and flight.heard is not None
                and flight.heard < late
                and flight.folder != self.places.work
            ):
                flight.stalled = True
                remove(flight.folder)
