"""When a file in a watched folder has settled: no process writes to it any more.

A file has settled if it was unchanged for some time and at least two checks, no process has it open
for writing, its structure is complete, and it is still unchanged after all that. Its size and
modification time alone prove nothing: a copy that preallocates has its final size at once, and
``cp -p`` sets an old time. A file that stays unchanged but incomplete for long is accepted.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import SourceUnreadable
from mediaprep.jobs.ledger.discover import found_file
from mediaprep.jobs.ledger.records import FoundFile, stamp_text
from mediaprep.jobs.watch.writers import OpenWriters, is_leased_to_writer
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.source import open_source

MAX_CHECK_INTERVAL = 30.0  # seconds
# Quiet time of a complete file whose writer was reported to have closed it.
CLOSED_SECONDS = 1.0
CHECKED_AT_ONCE = 500
MIN_CHECKS = 2
# A known file that is unchanged keeps its values; a changed one starts again.
_INSERT = """
INSERT INTO file VALUES (?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET
  unchanged_since = iif(stamp = excluded.stamp, unchanged_since, excluded.unchanged_since),
  checks = iif(stamp = excluded.stamp, checks, 0),
  next_check = iif(
    stamp = excluded.stamp, min(next_check, excluded.next_check), excluded.next_check),
  check_interval = iif(stamp = excluded.stamp, check_interval, excluded.check_interval),
  closed = max(excluded.closed, iif(stamp = excluded.stamp, closed, 0)),
  stamp = excluded.stamp
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleOptions:
    """When a file has settled, in seconds.

    settle             that a file must be unchanged
    check_interval     between two checks of one file
    incomplete_after   that an incomplete file must be unchanged to be accepted as it is
    """

    settle: float = 5.0
    check_interval: float = 1.0
    incomplete_after: float = 600.0


class UnsettledFiles:
    """The files that have not settled yet.

    They are kept in a temporary database, which SQLite writes to disk as it grows and deletes when
    it is closed, so that memory does not grow with their number.
    """

    def __init__(self, options: SettleOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options, self._clock = options, clock
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA cache_size = -4096")
        self._db.execute(
            "CREATE TABLE file (source BLOB PRIMARY KEY, relative_path BLOB, stamp TEXT,"
            " unchanged_since REAL, checks INTEGER, closed INTEGER, next_check REAL,"
            " check_interval REAL) WITHOUT ROWID"
        )
        self._db.execute("CREATE INDEX file_next_check ON file(next_check)")

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM file").fetchone()[0])

    def close(self) -> None:
        """Delete the database."""
        self._db.close()

    def add(self, file: FoundFile, *, closed: bool = False) -> None:
        """Add a file, or restart its quiet time if it has changed.

        ``closed``: a writer was reported to have closed it.
        """
        now, interval = self._clock(), self._options.check_interval
        self._db.execute(
            _INSERT,
            (
                os.fsencode(file.source),
                os.fsencode(file.relative_path),
                stamp_text(file.stamp),
                now,
                closed,
                now + interval,
                interval,
            ),
        )

    def settled(self) -> Iterator[FoundFile]:
        """Check the files that are due, and yield those that have settled.

        They stay here until ``remove``.
        """
        now = self._clock()
        rows = self._db.execute(
            "SELECT source, relative_path, stamp, unchanged_since, checks, closed, check_interval"
            " FROM file WHERE next_check <= ? ORDER BY next_check LIMIT ?",
            (now, CHECKED_AT_ONCE),
        ).fetchall()
        writers = OpenWriters()
        for source, relative_path, stamp, since, checks, closed, interval in rows:
            quiet = now - since
            file = found_file(Path(os.fsdecode(source)), os.fsdecode(relative_path))
            if file is None:
                self._delete(source)
            elif stamp_text(file.stamp) != stamp:
                self.add(file)
            elif checks + 1 >= MIN_CHECKS and self._has_settled(file, quiet, closed, writers):
                yield file
            else:
                self._check_later(source, now, self._next_interval(interval, quiet))

    def _has_settled(
        self, file: FoundFile, quiet: float, closed: bool, writers: OpenWriters
    ) -> bool:
        """Return True if a file that was unchanged for ``quiet`` seconds has settled."""
        options = self._options
        required = min(CLOSED_SECONDS, options.settle) if closed else options.settle
        if quiet < required or writers.has_writer(file.source):
            return False
        match is_complete(file.source):
            case None:  # the format has no end mark: being closed does not shorten the wait
                required = options.settle
            case False:
                required = options.incomplete_after
        if quiet < required:
            return False
        again = found_file(Path(file.source), file.relative_path)
        is_unchanged = again is not None and again.stamp == file.stamp
        return is_unchanged and not is_leased_to_writer(file.source)

    def _next_interval(self, interval: float, quiet: float) -> float:
        """Double the interval for a file that only waits to be complete."""
        options = self._options
        if quiet < options.settle:
            return interval
        longest = max(options.check_interval, options.incomplete_after / 4)
        return min(interval * 2, MAX_CHECK_INTERVAL, longest)

    def _check_later(self, source: bytes, now: float, interval: float) -> None:
        self._db.execute(
            "UPDATE file SET checks = checks + 1, next_check = ?, check_interval = ?"
            " WHERE source = ?",
            (now + interval, interval, source),
        )

    def remove(self, file: FoundFile) -> None:
        """Remove a file that was added to the ledger."""
        self._delete(os.fsencode(file.source))

    def _delete(self, source: bytes) -> None:
        self._db.execute("DELETE FROM file WHERE source = ?", (source,))


def is_complete(path: str) -> bool | None:
    """Return whether a file's structure is complete; None if its format has no end mark.

    A file that is not recognised as media counts as incomplete.
    """
    try:
        with open_source(path, follow=False) as source:
            return completeness(source, sniff(source))[0]
    except SourceUnreadable:
        return False
