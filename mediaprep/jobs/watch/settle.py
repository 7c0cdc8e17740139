"""When a file in a watched folder is whole: quiet for at least two looks, no writer, structurally complete, and the same after all that.

Sizes and old modification times prove nothing: a preallocating copy has its final size at once, ``cp -p`` an old time in mid-copy. What
is quiet and incomplete for long is taken as it is. Waiting files are kept in a temporary database, so that memory does not grow with them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import SourceUnreadable
from mediaprep.jobs.ledger.discover import entry_of
from mediaprep.jobs.ledger.records import FoundFile
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.source import Stamp, open_source

LONGEST_DELAY = 30.0
CLOSED_SECONDS = (
    1.0  # of quiet, where a writer was seen to close the file and its structure is complete
)
AT_A_TIME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleOptions:
    """``settle``: seconds of quiet; ``poll``: between two looks; ``incomplete_after``: seconds of quiet after which an incomplete file is
    judged as it is."""

    settle: float = 5.0
    poll: float = 1.0
    incomplete_after: float = 600.0


class UnsettledFiles:
    """The files that are not settled yet."""

    def __init__(self, rules: SettleOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules, self._clock = rules, clock
        self._db = sqlite3.connect(
            "", isolation_level=None
        )  # SQLite's temporary database: on disk as it grows, gone when closed
        self._db.execute("PRAGMA cache_size = -4096")
        self._db.execute(
            "CREATE TABLE seen (source BLOB PRIMARY KEY, place BLOB, stamp TEXT, since REAL, looks INTEGER, closed INTEGER, due REAL,"
            " delay REAL) WITHOUT ROWID"
        )
        self._db.execute("CREATE INDEX seen_due ON seen(due)")

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM seen").fetchone()[0])

    def close(self) -> None:
        """Forget all."""
        self._db.close()

    def saw(self, entry: FoundFile, *, closed: bool = False) -> None:
        """A file is there (or was just ``closed`` by a writer); what is waiting already goes on waiting unless it has changed."""
        now = self._clock()
        words = (
            os.fsencode(entry.source),
            os.fsencode(entry.place),
            _text(entry.stamp),
            now,
            closed,
            now + self._rules.poll,
            self._rules.poll,
        )
        self._db.execute(
            "INSERT INTO seen VALUES (?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET"
            " since = CASE WHEN stamp = excluded.stamp THEN since ELSE excluded.since END,"
            " looks = CASE WHEN stamp = excluded.stamp THEN looks ELSE 0 END,"
            " due = CASE WHEN stamp = excluded.stamp THEN min(due, excluded.due) ELSE excluded.due END,"
            " delay = CASE WHEN stamp = excluded.stamp THEN delay ELSE excluded.delay END,"
            " closed = max(excluded.closed, CASE WHEN stamp = excluded.stamp THEN closed ELSE 0 END), stamp = excluded.stamp",
            words,
        )

    def settled(self) -> Iterator[FoundFile]:
        """Those that are settled now; they are still known until ``taken``."""
        now = self._clock()
        rows = self._db.execute(
            "SELECT source, place, stamp, since, looks, closed, delay FROM seen WHERE due <= ? ORDER BY due LIMIT ?",
            (now, AT_A_TIME),
        ).fetchall()
        writers = OpenWriters()
        for raw, place, stamp, since, looks, closed, delay in rows:
            entry = entry_of(Path(os.fsdecode(raw)), os.fsdecode(place))
            if entry is None:
                self._db.execute("DELETE FROM seen WHERE source = ?", (raw,))
            elif _text(entry.stamp) != stamp:
                self.saw(entry)
            elif self._whole(entry, now - since, looks + 1, bool(closed), writers):
                yield entry
            else:
                quiet = now - since >= self._rules.settle
                delay = (
                    min(
                        delay * 2,
                        LONGEST_DELAY,
                        max(self._rules.poll, self._rules.incomplete_after / 4),
                    )
                    if quiet
                    else delay
                )
                self._db.execute(
                    "UPDATE seen SET looks = looks + 1, due = ?, delay = ? WHERE source = ?",
                    (now + delay, delay, raw),
                )

    def _whole(
        self, entry: FoundFile, quiet: float, looks: int, closed: bool, writers: OpenWriters
    ) -> bool:
        rules = self._rules
        if (
            looks < 2
            or quiet < (min(CLOSED_SECONDS, rules.settle) if closed else rules.settle)
            or writers.writes(entry.source, entry.stamp)
        ):
            return False
        whole = complete(entry.source)
        if whole is None and quiet < rules.settle:
            return False
        if whole is False and quiet < rules.incomplete_after:
            return False
        again = entry_of(Path(entry.source), entry.place)
        return again is not None and again.stamp == entry.stamp and not writers.leased(entry.source)

    def taken(self, entry: FoundFile) -> None:
        """It was entered elsewhere."""
        self._db.execute("DELETE FROM seen WHERE source = ?", (os.fsencode(entry.source),))


def complete(path: str) -> bool | None:
    """Whether the structure ends where it says; None where the format has no mark of its end. What is no media (yet) is not complete."""
    try:
        with open_source(path, follow=False) as source:
            return completeness(source, sniff(source))[0]
    except SourceUnreadable:
        return False


class OpenWriters:
    """Who has a file open for writing, at one moment. A lease tells, where the file is ours and the file system local; else the descriptors
    of all processes that we may look at; else nobody knows."""

    def __init__(self) -> None:
        self._open: frozenset[tuple[int, int]] | None = None

    def writes(self, path: str, stamp: Stamp) -> bool:
        """Whether somebody is known to."""
        refused = _lease(path)
        if refused is not None:
            return refused
        if self._open is None:
            self._open = _open_for_writing()
        try:
            facts = os.lstat(path)
        except OSError:
            return False
        return (facts.st_dev, facts.st_ino) in self._open

    def leased(self, path: str) -> bool:
        """As ``writes`` by the lease alone: the last look."""
        return bool(_lease(path))


def _lease(path: str) -> bool | None:
    """fcntl(2): a read lease is refused while the file is open for writing, mapped files included. None: it cannot tell here."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.fcntl(
            descriptor, fcntl.F_SETSIG, signal.SIGURG
        )  # whoever opens it meanwhile must not end us: SIGURG is ignored by default
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as problem:
        return (
            True
            if problem.errno in (errno.EAGAIN, errno.EACCES) and _may_lease(descriptor)
            else None
        )
    finally:
        os.close(descriptor)
    return False


def _may_lease(descriptor: int) -> bool:
    """A lease wants the file's owner (or root): for others its refusal means nothing."""
    return os.geteuid() in (0, os.fstat(descriptor).st_uid)


def _open_for_writing() -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    with contextlib.suppress(OSError):
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                for descriptor in (process / "fd").iterdir():
                    with contextlib.suppress(OSError, ValueError, StopIteration):
                        lines = (process / "fdinfo" / descriptor.name).read_text().splitlines()
                        flags = int(
                            next(line.split()[1] for line in lines if line.startswith("flags:")), 8
                        )
                        if flags & os.O_ACCMODE != os.O_RDONLY:
                            facts = descriptor.stat()
                            found.add((facts.st_dev, facts.st_ino))
    return frozenset(found)


def _text(stamp: Stamp) -> str:
    return ".".join(map(str, stamp))
