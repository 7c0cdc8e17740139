"""What the ledger is asked; nothing here changes it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

from mediaprep.jobs.ledger.database import Database
from mediaprep.jobs.ledger.records import (
    COLUMNS,
    JobCount,
    JobRow,
    Publication,
    fold,
    ident,
    row_of,
    stamp_text,
)
from mediaprep.runtime.source import Stamp


class Queries(Database):
    """The questions."""

    def recipes(self) -> tuple[tuple[int, str, dict[str, Any], dict[str, str]], ...]:
        """Number, digest, content and tool versions of each."""
        with self.told():
            rows = self.db.execute(
                "SELECT id, digest, content, tools FROM recipe ORDER BY id"
            ).fetchall()
        return tuple((row[0], row[1], json.loads(row[2]), json.loads(row[3])) for row in rows)

    def knows(self, recipe: int, source: str, stamp: Stamp) -> bool:
        """Whether this very state of this file was entered."""
        with self.told():
            key = ident(recipe, os.fsencode(source), stamp_text(stamp))
            return (
                self.db.execute("SELECT 1 FROM job WHERE ident = ?", (key,)).fetchone() is not None
            )

    def waiting(self, recipe: int) -> bool:
        """Whether some job is new."""
        return self.due(recipe, math.inf)

    def due(self, recipe: int, now: float) -> bool:
        """Whether some new job may be begun at this time, seconds since 1970."""
        with self.told():
            query = "SELECT 1 FROM job WHERE state = 'new' AND recipe = ? AND due <= ? LIMIT 1"
            return self.db.execute(query, (recipe, now)).fetchone() is not None

    def twin(
        self, job: int, recipe: int, sha256: str
    ) -> tuple[JobRow, tuple[Publication, ...]] | None:
        """A job of another name with this content and recipe that is done, and its outputs."""
        with self.told():
            found = self.db.execute(
                f"SELECT {COLUMNS} FROM job WHERE sha256 = ? AND recipe = ? AND id != ? AND state = 'done' AND status = 'fixed' LIMIT 1",
                (sha256, recipe, job),
            ).fetchone()
        return None if found is None else (row_of(found), self.outputs(found[0]))

    def own(self, sha256: str) -> bool:
        """Whether this is the content of an output that was made here (not merely copied)."""
        with self.told():
            return (
                self.db.execute(
                    "SELECT 1 FROM output WHERE sha256 = ? AND made LIMIT 1", (sha256,)
                ).fetchone()
                is not None
            )

    def taken(self, name: str, but: int) -> bool:
        """Whether an output of another job has this name, or one that collides with it on some file system."""
        with self.told():
            row = self.db.execute(
                "SELECT 1 FROM output WHERE fold = ? AND job != ?", (fold(name), but)
            ).fetchone()
        return row is not None

    def outputs(self, job: int) -> tuple[Publication, ...]:
        """What was, or is about to be, published for a job."""
        with self.told():
            rows = self.db.execute(
                "SELECT name, sha256, size, part, made, replaces FROM output WHERE job = ? ORDER BY number",
                (job,),
            ).fetchall()
        return tuple(
            Publication(
                name=os.fsdecode(row[0]), sha256=row[1], size=row[2], part=None if row[3] is None else os.fsdecode(row[3]),
                made=bool(row[4]), replaces=row[5],
            )
            for row in rows
        )  # fmt: skip

    def untidy(self, recipe: int, after: int, count: int) -> tuple[JobRow, ...]:
        """Jobs that are done and whose source was not yet dealt with, from a number upwards."""
        with self.told():
            rows = self.db.execute(
                f"SELECT {COLUMNS} FROM job WHERE id > ? AND recipe = ? AND state = 'done' AND NOT tidied ORDER BY id LIMIT ?",
                (after, recipe, count),
            ).fetchall()
        return tuple(map(row_of, rows))

    def counts(self, recipe: int | None = None) -> tuple[JobCount, ...]:
        """How many jobs there are of each state and status."""
        with self.told():
            rows = self.db.execute(
                "SELECT state, status, count(*), sum(size), total(media_seconds) FROM job"
                " WHERE ?1 IS NULL OR recipe = ?1 GROUP BY state, status",
                (recipe,),
            ).fetchall()
        return tuple(
            JobCount(state=r[0], status=r[1], jobs=r[2], size=r[3], media_seconds=r[4])
            for r in rows
        )

    def row(self, job: int) -> JobRow | None:
        """One job by its number."""
        with self.told():
            found = self.db.execute(f"SELECT {COLUMNS} FROM job WHERE id = ?", (job,)).fetchone()
        return None if found is None else row_of(found)

    def rows(
        self, *, states: Sequence[str] = (), statuses: Sequence[str] = (), limit: int = -1
    ) -> Iterator[JobRow]:
        """Jobs in the order they were found."""
        tests = [
            f"{column} IN ({marks(words)})"
            for column, words in (("state", states), ("status", statuses))
            if words
        ]
        where = f"WHERE {' AND '.join(tests)}" if tests else ""
        with self.told():
            yield from map(
                row_of,
                self.db.execute(
                    f"SELECT {COLUMNS} FROM job {where} ORDER BY id LIMIT ?",
                    (*states, *statuses, limit),
                ),
            )


def marks(values: Sequence[Any]) -> str:
    """So many of SQLite's placeholders."""
    return ", ".join("?" * len(values))
