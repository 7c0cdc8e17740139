"""The ledger: what was found, who works on it, and what became of it. The truth of batch and watch; only coordinators write it.

One row is one source file of one content under one name for one recipe (profile, category, wishes, plan version). A row goes from ``new``
through ``run`` and ``publish`` to ``done``; ``publish`` knows name and sha256 of each output before that name exists, so that a killed run
is finished forwards, never done again. On a local disk only: SQLite's WAL does not work over a network.
"""

from __future__ import annotations

import glob
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from mediaprep.errors import UsageProblem
from mediaprep.jobs.ledger.database import CACHE, LedgerUnusable, set_aside
from mediaprep.jobs.ledger.owner import Owner, held
from mediaprep.jobs.ledger.queries import Queries, marks
from mediaprep.jobs.ledger.records import (
    COLUMNS,
    FoundFile,
    JobRow,
    Publication,
    entered,
    fold,
    ident,
    row_of,
    stamp_text,
)
from mediaprep.runtime.source import Stamp, display_name

CHUNK_SECONDS = 2.0  # of one transaction, so that other processes get their turn
SMALL, LARGE = (
    (20_000, CACHE),
    (100_000, 64 * 1024),
)  # rows of one transaction, KiB of cache: the index, in random order, is written
GROWN = 200_000  # nearly whole with each; beyond so many new files in one go it pays to hold it


class NameTaken(Exception):
    """Another process was quicker with an output's name."""


class Ledger(Queries):
    """What changes it: jobs are entered, claimed, given back, published, ended, recovered."""

    def recipe(self, digest: str, content: dict[str, Any], tools: dict[str, str]) -> int:
        """The number of a recipe, entered on first use. ``tools``: the versions that work on it now, recorded, never compared."""
        with self.transaction():
            words = (
                digest,
                json.dumps(content, sort_keys=True),
                json.dumps(tools, sort_keys=True),
                time.time(),
            )
            self.db.execute(
                "INSERT INTO recipe (digest, content, tools, added) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET tools = excluded.tools",
                words,
            )
            return int(
                self.db.execute("SELECT id FROM recipe WHERE digest = ?", (digest,)).fetchone()[0]
            )

    def add(
        self, recipe: int, entries: Iterable[FoundFile], *, fresh: bool = False
    ) -> tuple[int, int]:
        """Enter what was found; (found, new). What is known under that name with that stamp stays as it is; ``fresh``: is done again."""
        again = "UPDATE SET state = 'new', tries = 0, due = 0, status = NULL, problem = NULL, tidied = 0 WHERE job.state = 'done'"
        statement = (
            "INSERT INTO job (recipe, source, place, ident, size, stamp, added) VALUES (?, ?, ?, ?, ?, ?, ?)"
            f" ON CONFLICT (ident) DO {again if fresh else 'NOTHING'}"
        )
        found = new = 0
        stream = iter(entries)
        while (first := next(stream, None)) is not None:
            rows, cache = LARGE if found >= GROWN else SMALL
            chunk = _InsertBatch(recipe, first, stream, rows)
            self.db.execute(f"PRAGMA cache_size = -{cache}")
            with self.transaction():
                new += self.db.executemany(statement, chunk).rowcount
            found += chunk.count
        self.db.execute(f"PRAGMA cache_size = -{SMALL[1]}")
        return found, new

    def claim(self, recipe: int, count: int) -> tuple[JobRow, ...]:
        """Take up to so many new jobs that are due, those tried least first."""
        now = time.time()
        if count <= 0 or not self.due(recipe, now):
            return ()
        with self.transaction():
            cursor = self.db.execute(
                "UPDATE job SET state = 'run', owner = ?, tries = tries + 1 WHERE id IN"
                f" (SELECT id FROM job WHERE state = 'new' AND recipe = ? AND due <= ? ORDER BY tries, id LIMIT ?) RETURNING {COLUMNS}",
                (str(self.owner), recipe, now, count),
            )
            rows = sorted(map(row_of, cursor.fetchall()), key=lambda row: (row.tries, row.id))
        return tuple(rows)

    def release(self, job: int, *, counted: bool = True, pause: float = 0.0) -> None:
        """Give a job back; not ``counted``: as if it had not been tried; ``pause``: seconds until it may be begun again."""
        with self.transaction():
            self.db.execute(
                "UPDATE job SET state = 'new', owner = NULL, tries = tries - ?, due = ? WHERE id = ? AND state = 'run'",
                (0 if counted else 1, time.time() + pause if pause else 0.0, job),
            )

    def forget(self, job: int) -> None:
        """Drop a job that is to be found anew, such as a file that was not settled after all."""
        with self.transaction():
            self.db.execute("DELETE FROM job WHERE id = ? AND state = 'run'", (job,))

    def probed(
        self, job: int, recipe: int, source: str, stamp: Stamp, sha256: str
    ) -> JobRow | None:
        """Note the content. Answers another job of this name that holds the same content (or a later one that has taken this state of the
        file over): then there is nothing to do here."""
        raw, text = os.fsencode(source), stamp_text(stamp)
        key = ident(recipe, raw, text)
        with self.transaction():
            rival = self.db.execute(
                "SELECT id FROM job WHERE ident = ? AND id != ?", (key, job)
            ).fetchone()
            if rival is not None:
                return self.row(rival[0])
            self.db.execute(
                "UPDATE job SET ident = ?, stamp = ?, size = ?, sha256 = ? WHERE id = ?",
                (key, text, stamp[0], sha256, job),
            )
            same = self.db.execute(
                f"SELECT {COLUMNS} FROM job WHERE sha256 = ? AND recipe = ? AND source = ? AND id != ? AND state = 'done'"
                " AND status IN ('fixed', 'already_ok') LIMIT 1",
                (sha256, recipe, raw, job),
            ).fetchone()
        return None if same is None else row_of(same)

    def intend(self, job: int, outputs: Sequence[Publication]) -> None:
        """Write name and digest of each output, before any of the names exists. Raises: NameTaken."""
        with self.transaction():
            self.db.execute("UPDATE job SET state = 'publish' WHERE id = ?", (job,))
            self._put_outputs(job, outputs)

    def _put_outputs(self, job: int, outputs: Sequence[Publication]) -> None:
        self.db.execute("DELETE FROM output WHERE job = ?", (job,))
        try:
            self.db.executemany(
                "INSERT INTO output (job, number, name, fold, sha256, size, part, made, replaces) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        job,
                        i,
                        os.fsencode(o.name),
                        fold(o.name),
                        o.sha256,
                        o.size,
                        o.part and os.fsencode(o.part),
                        o.made,
                        o.replaces,
                    )
                    for i, o in enumerate(outputs)
                ],
            )
        except sqlite3.IntegrityError as problem:
            raise NameTaken(str(problem)) from problem

    def done(
        self,
        job: int,
        status: str,
        *,
        problem: str | None = None,
        media_seconds: float | None = None,
        work_seconds: float | None = None,
    ) -> None:
        """The end of a job. Its outputs, if any, have their names."""
        with self.transaction():
            self.db.execute(
                "UPDATE job SET state = 'done', owner = NULL, status = ?, problem = ?, media_seconds = ?, work_seconds = ?, ended = ?"
                " WHERE id = ?",
                (status, problem, media_seconds, work_seconds, time.time(), job),
            )
            self.db.execute("UPDATE output SET part = NULL, replaces = NULL WHERE job = ?", (job,))

    def unintend(self, job: int) -> None:
        """A publication that could not be finished: as if nothing had come back yet."""
        with self.transaction():
            self.db.execute("DELETE FROM output WHERE job = ?", (job,))
            self.db.execute(
                "UPDATE job SET state = 'run' WHERE id = ? AND state = 'publish'", (job,)
            )

    def tidied(self, job: int) -> None:
        """The source was dealt with."""
        with self.transaction():
            self.db.execute("UPDATE job SET tidied = 1 WHERE id = ?", (job,))

    def orphans(self) -> tuple[JobRow, ...]:
        """Jobs whose owner is gone; from now on they are ours, so that nobody else recovers them too."""
        with self.told():
            texts = [
                row[0]
                for row in self.db.execute(
                    "SELECT DISTINCT owner FROM job WHERE state IN ('run', 'publish')"
                )
            ]
        gone = [
            text
            for text in texts
            if text is not None and text != str(self.owner) and not self._alive(text)
        ]
        rows: list[JobRow] = []
        for text in gone:
            with self.transaction():
                statement = f"UPDATE job SET owner = ? WHERE owner = ? AND state IN ('run', 'publish') RETURNING {COLUMNS}"
                rows += map(row_of, self.db.execute(statement, (str(self.owner), text)).fetchall())
        for lock in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.lock"):
            if not held(lock):
                lock.unlink(missing_ok=True)
        return tuple(sorted(rows, key=lambda row: row.id))

    def _alive(self, text: str) -> bool:
        owner = Owner.parse(text)
        return owner.alive(self.lock_of(owner))

    def retry(self, jobs: Sequence[int] | None = None) -> int:
        """Begin jobs again that ended without an output, all of them or those of these numbers; how many."""
        statement = (
            "UPDATE job SET state = 'new', tries = 0, due = 0, status = NULL, problem = NULL"
            " WHERE state = 'done' AND status NOT IN ('fixed', 'already_ok', 'same', 'own')"
        )
        with self.transaction():
            if jobs is None:
                return self.db.execute(statement).rowcount
            return self.db.execute(f"{statement} AND id IN ({marks(jobs)})", tuple(jobs)).rowcount

    def restore(
        self,
        recipe: int,
        entry: FoundFile,
        sha256: str,
        status: str,
        outputs: Sequence[Publication],
    ) -> bool:
        """Enter a job that is known to be done, from its receipt; False where it is there already."""
        with self.transaction():
            try:
                cursor = self.db.execute(
                    "INSERT INTO job (recipe, source, place, ident, size, stamp, added, state, status, sha256, ended) VALUES"
                    " (?, ?, ?, ?, ?, ?, ?, 'done', ?, ?, ?) ON CONFLICT (ident) DO NOTHING",
                    (*entered(recipe, entry, time.time()), status, sha256, time.time()),
                )
                if cursor.rowcount < 1:
                    return False
                self._put_outputs(int(cursor.lastrowid or 0), outputs)
            except NameTaken:
                self.db.execute("DELETE FROM job WHERE id = last_insert_rowid()")
                return False
        return True


def open_ledger(
    path: Path, notice: Callable[[str], None], rebuild: Callable[[Ledger], int]
) -> Ledger:
    """A ledger that works: one that is damaged or of a newer version is set aside, and a new one rebuilt from the outputs' receipts; so is
    one that is missing. Raises: EnvironmentProblem."""
    existed = path.exists()
    try:
        ledger = Ledger(path)
    except LedgerUnusable as problem:
        aside = set_aside(problem)
        ledger = Ledger(path)
        kept = rebuild(ledger)
        notice(
            f"{problem}: set aside as {display_name(aside.name)}; rebuilt from the outputs: {kept} jobs that are done and verified"
        )
        return ledger
    if not existed and (kept := rebuild(ledger)):
        notice(
            f"ledger {display_name(path)}: not there, rebuilt from the outputs: {kept} jobs that are done and verified"
        )
    return ledger


def existing(path: Path) -> Ledger:
    """A ledger that is there. Raises: UsageProblem where it is not, EnvironmentProblem where it cannot be used."""
    if not path.is_file():
        raise UsageProblem(
            f"no ledger at {display_name(path)}: name the output folder of a batch or a watch, or its ledger"
        )
    return Ledger(path)


class _InsertBatch:
    """The rows of one transaction, made as they are entered, so that no list of them is held."""

    def __init__(
        self, recipe: int, first: FoundFile, stream: Iterator[FoundFile], rows: int
    ) -> None:
        self.count, self._rows = 0, rows
        self._recipe, self._entries = recipe, chain([first], stream)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        now, until = time.time(), time.monotonic() + CHUNK_SECONDS
        while (
            self.count < self._rows
            and time.monotonic() < until
            and (entry := next(self._entries, None)) is not None
        ):
            self.count += 1
            yield entered(self._recipe, entry, now)
