"""A watched folder: each file is processed once, as soon as it has settled.

Events of the file system only shorten the wait. The folder is scanned at intervals, which finds the
files that were there before, that were written while nobody listened, or whose events were lost.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mediaprep.errors import Cancelled, UsageProblem
from mediaprep.jobs.ledger.discover import found_file, is_ignored, refuse_nested_output, walk
from mediaprep.jobs.ledger.records import FoundFile
from mediaprep.jobs.run.driver import Driver
from mediaprep.jobs.run.events import JobDone, JobEvent, JobFound, JobListener, Notice, RunDone
from mediaprep.jobs.run.options import OnDone
from mediaprep.jobs.watch.observer import MAX_QUEUED_EVENTS, Observer, has_events
from mediaprep.jobs.watch.settle import SettleOptions, UnsettledFiles
from mediaprep.jobs.watch.source_cleanup import SourceCleanup
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.paths import display_name

TURN_SECONDS = 0.2
FREE_SPACE_SECONDS = 5.0  # between two checks of the free space
SCAN_SHARE = 10  # a scan that takes one second is repeated after ten at the earliest
MAX_REPORTED = 100  # problems of the last scan that are not reported again


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How a folder is watched.

    rescan        seconds between two scans of the folder
    poll          scan at this interval and use no events; None uses events where there are any
    on_done       what happens to a source that has a result
    done          folder for sources that are moved; None is ``.done`` in the watched folder
    min_free      bytes; with less free space in the output folder no job is started
    once          end when every file that is there is done
    max_events    events that are queued
    """

    rescan: float = 30.0
    poll: float | None = None
    on_done: OnDone = "leave"
    done: Path | None = None
    min_free: int = 2**30
    once: bool = False
    max_events: int = MAX_QUEUED_EVENTS
    settle: SettleOptions = field(default_factory=SettleOptions)


class Watch:
    """Watches one folder; the listener of its driver must be that of ``listener``."""

    def __init__(self, folder: Path, options: WatchOptions) -> None:
        self.folder, self.options = folder.absolute(), options
        self._unsettled = UnsettledFiles(options.settle)
        self._observer = Observer(self.folder, options.max_events)
        self._cleanup = SourceCleanup(
            on_done=options.on_done, done_folder=options.done or self.folder / ".done"
        )
        self._ended_jobs: list[int] = []
        self._reported: frozenset[str] = frozenset()
        self._was_scanned = False
        self._next_scan = self._next_space_check = 0.0
        self._is_paused = False

    def listener(self, inner: JobListener) -> JobListener:
        """Return a listener that notes which jobs end, and passes every event to ``inner``."""

        def listener(event: JobEvent) -> None:
            if isinstance(event, JobDone):
                self._ended_jobs.append(event.job)
            inner(event)

        return listener

    def run(self, driver: Driver) -> RunDone:
        """Watch until cancelled, or with ``once`` until everything is done.

        Raises: Cancelled, EnvironmentProblem; jobs that were not finished are released.
        """
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.callback(self._unsettled.close)
            uses_events = stack.enter_context(self._observing(driver))
            interval = self._scan_interval(uses_events)
            try:
                self._cleanup.clean_up_earlier(driver)
                while not self._turn(driver, interval):
                    pass
            except BaseException:
                driver.stop()
                raise
        end = RunDone(
            counts=dict(driver.counts),
            left=driver.ledger.unfinished(driver.settings_id),
            seconds=time.monotonic() - began,
        )
        driver.listener(end)
        return end

    def _scan_interval(self, uses_events: bool) -> float:
        options = self.options
        if uses_events:
            return options.rescan
        return min(options.rescan, options.poll or options.settle.settle)

    @contextlib.contextmanager
    def _observing(self, driver: Driver) -> Iterator[bool]:
        """Observe the folder; yields False if it is scanned only."""
        if self.options.poll is not None or not has_events(self.folder):
            yield False
            return
        with self._observer.observing() as uses_events:
            if not uses_events:
                message = (
                    f"{display_name(self.folder)}: the host's limit of file system watches is"
                    " reached; the folder is scanned at intervals instead"
                )
                driver.listener(Notice(message=message))
            yield uses_events

    def _turn(self, driver: Driver, interval: float) -> bool:
        """Do one round; return True if everything is done and ``once`` is set."""
        if driver.cancel.is_set():
            raise Cancelled("cancelled by the caller")
        now = time.monotonic()
        if now >= self._next_scan:
            self._scan(driver)
            scanned = time.monotonic()
            self._next_scan = max(now + interval, scanned + SCAN_SHARE * (scanned - now))
        self._take_events(driver)
        self._add_settled(driver)
        self._run_jobs(driver)
        ended, self._ended_jobs = self._ended_jobs, []
        self._cleanup.clean_up_jobs(driver, ended)
        return self.options.once and self._is_done(driver)

    def _is_done(self, driver: Driver) -> bool:
        has_files = bool(self._unsettled) or not self._was_scanned
        return not (has_files or driver.is_busy or driver.ledger.has_new(driver.settings_id))

    def _run_jobs(self, driver: Driver) -> None:
        began = time.monotonic()
        has_work = driver.turn(TURN_SECONDS, claim=self._has_space(driver))
        if not has_work and time.monotonic() - began < TURN_SECONDS:
            driver.cancel.wait(TURN_SECONDS)

    def _scan(self, driver: Driver) -> None:
        """Add every file that is not in the ledger."""
        problems: list[str] = []
        for file in walk(self.folder, problems.append):
            if driver.cancel.is_set():
                return
            self._add_unless_known(driver, file)
        for line in problems:
            if line not in self._reported:
                driver.listener(Notice(message=line, failure=True))
        self._reported = frozenset(problems[:MAX_REPORTED])
        self._was_scanned = True

    def _add_unless_known(self, driver: Driver, file: FoundFile, *, closed: bool = False) -> None:
        if not driver.ledger.contains(driver.settings_id, file.source, file.stamp):
            self._unsettled.add(file, closed=closed)

    def _take_events(self, driver: Driver) -> None:
        for path, closed in self._observer.take():
            relative_path = os.path.relpath(path, self.folder)
            if any(map(is_ignored, Path(relative_path).parts)) or not _is_regular_file(path):
                continue
            file = found_file(Path(path), relative_path)
            if file is not None:
                self._add_unless_known(driver, file, closed=closed)

    def _add_settled(self, driver: Driver) -> None:
        """Add the files that have settled to the ledger."""
        files = list(self._unsettled.settled())
        if not files:
            return
        crashpoint("settled")
        _, new = driver.ledger.add(driver.settings_id, files)
        crashpoint("added")
        for file in files:
            self._unsettled.remove(file)
        if new:
            size_bytes = sum(file.stamp[0] for file in files)
            driver.listener(JobFound(jobs=new, size_bytes=size_bytes))

    def _has_space(self, driver: Driver) -> bool:
        """Return True if the output folder has enough free space to start a job."""
        now = time.monotonic()
        if now >= self._next_space_check:
            self._next_space_check = now + FREE_SPACE_SECONDS
            self._pause_or_resume(driver)
        return not self._is_paused

    def _pause_or_resume(self, driver: Driver) -> None:
        out = driver.folder.out
        try:
            is_short = shutil.disk_usage(out).free < self.options.min_free
        except OSError:
            is_short = True
        if is_short == self._is_paused:
            return
        self._is_paused = is_short
        if is_short:
            message = (
                f"{display_name(out)}: too little free space; no job is started until there is more"
            )
        else:
            message = f"{display_name(out)}: enough free space again; jobs are started"
        driver.listener(Notice(message=message))


def refuse_unusable_folders(folder: Path, out: Path, *others: Path | None) -> None:
    """Raise UsageProblem if the watched folder does not exist or would contain what is written.

    ``others`` may lie in it below a hidden folder, which is not scanned.
    """
    if not folder.is_dir():
        raise UsageProblem(f"{display_name(folder)}: no such folder; pass the folder to watch")
    refuse_nested_output(folder, out)
    for other in others:
        if other is not None and not _has_hidden_part(other, folder):
            refuse_nested_output(folder, other)


def _has_hidden_part(path: Path, folder: Path) -> bool:
    parts = Path(os.path.relpath(path, folder)).parts
    return any(part.startswith(".") for part in parts if part != "..")


def _is_regular_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
