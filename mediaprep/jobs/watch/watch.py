"""A watched folder: what is dropped into it is converted, once, as soon as it is whole.

Events of the file system are hints that shorten the wait; a full look through the folder, repeated, is the truth, so nothing that was there
before, came while nobody listened, or was lost in a full queue is missed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mediaprep.errors import Cancelled, MediaPrepError, UsageProblem
from mediaprep.jobs.ledger.discover import entry_of, ignored, refuse_loop, walk
from mediaprep.jobs.ledger.records import FoundFile, JobRow
from mediaprep.jobs.run import publish
from mediaprep.jobs.run.driver import Driver
from mediaprep.jobs.run.events import Heard, JobDone, JobEvent, JobFound, Notice, RunDone
from mediaprep.jobs.watch.settle import SettleOptions, UnsettledFiles
from mediaprep.jobs.workers.worker import said
from mediaprep.runtime.crashpoints import step
from mediaprep.runtime.source import display_name

OnDone = Literal["leave", "move", "delete"]
TICK_SECONDS = 0.2
SPACE_SECONDS = 5.0
HINTS = 10_000  # of events that wait to be looked at; more are dropped, the next look through the folder finds them
SCAN_SHARE = (
    10  # a look through the folder is repeated no sooner than after so many times what it took
)
TOLD = 100  # problems that are remembered, so that they are told once
NO_EVENTS = (*publish.NETWORK, "overlay")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How a folder is watched.

    rescan     seconds between two looks through the folder
    poll       look through the folder so often, and listen to no events; None: where the file system gives none
    on_done    what becomes of a source that has its result; done: where to it is moved
    min_free   bytes on the output's file system below which no job is begun
    once       end as soon as everything that is there is done
    hints      events that may wait
    """

    rescan: float = 30.0
    poll: float | None = None
    on_done: OnDone = "leave"
    done: Path | None = None
    min_free: int = 2**30
    once: bool = False
    hints: int = HINTS
    rules: SettleOptions = field(default_factory=SettleOptions)


class Watch:
    """One folder and its driver. ``told`` must be the driver's listener, so that ends of jobs are seen."""

    def __init__(self, folder: Path, habits: WatchOptions) -> None:
        self.folder, self.habits = folder.absolute(), habits
        self._settling = UnsettledFiles(habits.rules)
        self._hints: queue.Queue[tuple[str, bool]] = queue.Queue(habits.hints)
        self._done: list[int] = []
        self._told: dict[str, None] = {}
        self._scanned, self._next_scan, self._next_space, self._paused = False, 0.0, 0.0, False

    def listening(self, tell: Heard) -> Heard:
        """The listener for the driver: what it hears is told on, and sources of finished jobs are dealt with."""

        def heard(event: JobEvent) -> None:
            if isinstance(event, JobDone):
                self._done.append(event.job)
            tell(event)

        return heard

    def run(self, driver: Driver) -> RunDone:
        """Until it is cancelled, or with ``once`` until all is done. Raises: Cancelled, EnvironmentProblem; what runs is given back."""
        began = time.monotonic()
        with contextlib.ExitStack() as leaving:
            leaving.callback(self._settling.close)
            events = leaving.enter_context(self._observing(driver))
            interval = (
                self.habits.rescan
                if events
                else min(self.habits.rescan, self.habits.poll or self.habits.rules.settle)
            )
            try:
                self._sweep(driver)
                while not self._turn(driver, interval):
                    pass
            except BaseException:
                driver.stop()
                raise
        left = sum(
            count.jobs for count in driver.ledger.counts(driver.number) if count.state != "done"
        )
        end = RunDone(counts=dict(driver.counts), left=left, seconds=time.monotonic() - began)
        driver.tell(end)
        return end

    def _turn(self, driver: Driver, interval: float) -> bool:
        """One round; True: all is done (``once``)."""
        if driver.cancel.is_set():
            raise Cancelled("cancelled by the caller")
        now = time.monotonic()
        if now >= self._next_scan:
            self._scan(driver)
            self._next_scan = max(
                now + interval, time.monotonic() + SCAN_SHARE * (time.monotonic() - now)
            )
        self._take_hints(driver)
        self._take_settled(driver)
        took = time.monotonic()
        if (
            not driver.turn(TICK_SECONDS, take=self._room(driver))
            and time.monotonic() - took < TICK_SECONDS
        ):
            driver.cancel.wait(TICK_SECONDS)
        self._tidy_done(driver)
        return (
            self.habits.once
            and self._scanned
            and not len(self._settling)
            and not driver.busy
            and not driver.ledger.waiting(driver.number)
        )

    @contextlib.contextmanager
    def _observing(self, driver: Driver) -> Iterator[bool]:
        """Listen to the file system; False where it gives no events."""
        if self.habits.poll is not None or publish.on_network(self.folder, NO_EVENTS):
            yield False
            return
        observer = _observer(self.folder, self._hint)
        if observer is None:
            driver.tell(
                Notice(
                    message=f"{display_name(self.folder)}: the host has no more file events to give; it is polled instead"
                )
            )
            yield False
            return
        try:
            yield True
        finally:
            observer.stop()
            observer.join()

    def _hint(self, path: str | bytes, closed: bool) -> None:
        with contextlib.suppress(queue.Full):
            self._hints.put_nowait((os.fsdecode(path), closed))

    def _scan(self, driver: Driver) -> None:
        """The truth: everything that is there and not known."""
        ledger, problems = driver.ledger, list[str]()
        for entry in walk(self.folder, problems.append):
            if driver.cancel.is_set():
                return
            if not ledger.knows(driver.number, entry.source, entry.stamp):
                self._settling.saw(entry)
        for line in problems:
            if line not in self._told:
                driver.tell(Notice(message=line, failure=True))
        self._told = dict.fromkeys(problems[:TOLD])
        self._scanned = True

    def _take_hints(self, driver: Driver) -> None:
        for _ in range(self.habits.hints):
            try:
                path, closed = self._hints.get_nowait()
            except queue.Empty:
                return
            place = os.path.relpath(path, self.folder)
            if any(map(ignored, Path(place).parts)) or not _plain(path):
                continue
            entry = entry_of(Path(path), place)
            if entry is not None and not driver.ledger.knows(
                driver.number, entry.source, entry.stamp
            ):
                self._settling.saw(entry, closed=closed)

    def _take_settled(self, driver: Driver) -> None:
        entries = list(self._settling.settled())
        if not entries:
            return
        step("settled")
        _, new = driver.ledger.add(driver.number, entries)
        step("entered")
        for entry in entries:
            self._settling.taken(entry)
        if new:
            driver.tell(JobFound(jobs=new, size_bytes=sum(entry.stamp[0] for entry in entries)))

    def _room(self, driver: Driver) -> bool:
        """Whether there is space enough to begin a job."""
        now = time.monotonic()
        if now >= self._next_space:
            self._next_space = now + SPACE_SECONDS
            try:
                short = shutil.disk_usage(driver.places.out).free < self.habits.min_free
            except OSError:
                short = True
            if short != self._paused:
                where = display_name(driver.places.out)
                driver.tell(
                    Notice(
                        message=f"{where}: too little space, no job is begun until there is more"
                        if short
                        else f"{where}: goes on"
                    )
                )
            self._paused = short
        return not self._paused

    def _sweep(self, driver: Driver) -> None:
        """Sources of jobs that an earlier run has done, but not dealt with."""
        after = 0
        while self.habits.on_done != "leave" and (
            rows := driver.ledger.untidy(driver.number, after, 100)
        ):
            for row in rows:
                self._tidy(driver, row)
                after = row.id

    def _tidy_done(self, driver: Driver) -> None:
        jobs, self._done = self._done, []
        for job in jobs if self.habits.on_done != "leave" else ():
            row = driver.ledger.row(job)
            if row is not None and row.state == "done":
                self._tidy(driver, row)

    def _tidy(self, driver: Driver, row: JobRow) -> None:
        """Move or delete a source that has its result and is still what it was. What failed is in the quarantine, or stays."""
        source = Path(row.source)
        there: FoundFile | None = entry_of(source, row.place)
        step("tidying")
        if (
            row.status in ("fixed", "already_ok", "same")
            and there is not None
            and there.stamp == row.stamp
        ):
            try:
                if self.habits.on_done == "delete":
                    source.unlink()
                else:
                    publish.moved(source, self.habits.done or self.folder / ".done", row.place)
            except (MediaPrepError, OSError) as problem:
                driver.tell(
                    Notice(
                        message=f"{display_name(source)}: cannot be {_PAST[self.habits.on_done]}: {said(problem)}",
                        failure=True,
                    )
                )
                return
        step("tidied")
        driver.ledger.tidied(row.id)


_PAST = {"move": "moved", "delete": "deleted", "leave": "left"}


def refuse_folders(folder: Path, out: Path, *others: Path | None) -> None:
    """Look before any work is done. Raises: UsageProblem where the watched folder is none, or would feed on what is written."""
    if not folder.is_dir():
        raise UsageProblem(f"{display_name(folder)}: no such folder: name the folder to watch")
    refuse_loop(folder, out)
    for other in others:
        if other is not None and not any(
            part.startswith(".")
            for part in Path(os.path.relpath(other, folder)).parts
            if part != ".."
        ):
            refuse_loop(folder, other)


def _plain(path: str) -> bool:
    import stat

    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _observer(folder: Path, hint: Any) -> Any:
    """A running observer; None where the host gives none (its limit of watches is used up)."""
    import logging

    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class EventHandler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.is_directory or event.event_type not in (
                "created",
                "modified",
                "moved",
                "closed",
            ):
                return
            hint(event.dest_path or event.src_path, event.event_type in ("moved", "closed"))

    logging.getLogger("watchdog").setLevel(
        logging.ERROR
    )  # it warns of events that come while it is stopped
    observer = Observer()
    observer.schedule(EventHandler(), str(folder), recursive=True)
    try:
        observer.start()
    except OSError:
        return None
    return observer
