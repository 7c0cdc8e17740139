"""The job ledger: which files were found, which process works on them, and how they ended.

It is the only record of a batch or watch, and only coordinators write it. One row is one source
file with one content under one name, for one set of run settings. Its state goes from ``new`` over
``run`` and ``publish`` to ``done``. In ``publish`` the ledger holds name and sha256 of every output
before that name exists, so the next run completes what a killed one was publishing and never
repeats it. The file must lie on a local disk, because SQLite's WAL does not work over a network
(https://www.sqlite.org/wal.html).
"""

from __future__ import annotations

import glob
import json
import math
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import PurePath
from typing import Any

from mediaprep.jobs.ledger.database import CACHE_KIB, Database
from mediaprep.jobs.ledger.owner import Owner, is_locked
from mediaprep.jobs.ledger.records import (
    JOB_COLUMNS,
    NEW_JOB_COLUMNS,
    OUTPUT_COLUMNS,
    FoundFile,
    JobCount,
    JobRow,
    Publication,
    SettingsRow,
    folded_name,
    job_from_row,
    job_key,
    new_job_values,
    publication_from_row,
    publication_values,
    stamp_text,
)
from mediaprep.runtime.source import Stamp

# Files are inserted in transactions of limited time, so that other processes get their turn.
INSERT_SECONDS = 2.0
INSERT_ROWS = 20_000
# Keys are random, so that every transaction rewrites most of their index. From this many files on
# it pays to keep that index in memory, and to commit less often.
MANY_FILES = 200_000
MANY_FILES_INSERT_ROWS = 100_000
MANY_FILES_CACHE_KIB = 64 * 1024


class NameTaken(Exception):
    """Raised if another process has claimed the name of an output first."""


class Ledger(Database):
    """The jobs, their run settings and their outputs. Every method commits what it changes.

    Raises: EnvironmentProblem, LedgerDamaged; every method may.
    """

    # Run settings

    def register_settings(self, digest: str, content: dict[str, Any], tools: dict[str, str]) -> int:
        """Return the id of these run settings, and record the versions of the tools used now."""
        with self.transaction():
            values = (
                digest,
                json.dumps(content, sort_keys=True),
                json.dumps(tools, sort_keys=True),
                time.time(),
            )
            self.db.execute(
                "INSERT INTO settings (digest, content, tools, added_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET tools = excluded.tools",
                values,
            )
            query = "SELECT id FROM settings WHERE digest = ?"
            return int(self.db.execute(query, (digest,)).fetchone()[0])

    def all_settings(self) -> tuple[SettingsRow, ...]:
        """Return every set of run settings."""
        query = "SELECT id, digest, content, tools FROM settings ORDER BY id"
        with self.translated_errors():
            rows = self.db.execute(query).fetchall()
        return tuple(
            SettingsRow(id=id_, digest=digest, content=json.loads(content), tools=json.loads(tools))
            for id_, digest, content, tools in rows
        )

    # Adding and claiming jobs

    def add(
        self, settings_id: int, files: Iterable[FoundFile], *, fresh: bool = False
    ) -> tuple[int, int]:
        """Add a job for each file; return the number of files and of new jobs.

        A file that is known with this name and stamp keeps its job; with ``fresh`` a job that is
        done starts again.
        """
        restart = (
            "UPDATE SET state = 'new', attempts = 0, not_before = 0, status = NULL, problem = NULL,"
            " cleaned_up = 0 WHERE job.state = 'done'"
        )
        statement = (
            f"INSERT INTO job ({NEW_JOB_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
            f" ON CONFLICT (job_key) DO {restart if fresh else 'NOTHING'}"
        )
        found = new = 0
        stream = iter(files)
        while (first := next(stream, None)) is not None:
            rows = INSERT_ROWS
            if found >= MANY_FILES:
                rows = MANY_FILES_INSERT_ROWS
                self.set_cache_size(MANY_FILES_CACHE_KIB)
            batch = _InsertBatch(settings_id, chain([first], stream), rows)
            with self.transaction():
                new += self.db.executemany(statement, batch).rowcount
            found += batch.count
        self.set_cache_size(CACHE_KIB)
        return found, new

    def contains(self, settings_id: int, source: str, stamp: Stamp) -> bool:
        """Return True if a job exists for this file with this stamp."""
        key = job_key(settings_id, os.fsencode(source), stamp_text(stamp))
        return self._exists("SELECT 1 FROM job WHERE job_key = ?", key)

    def has_new(self, settings_id: int) -> bool:
        """Return True if some job is new."""
        return self._has_due(settings_id, math.inf)

    def _has_due(self, settings_id: int, now: float) -> bool:
        query = "SELECT 1 FROM job WHERE state = 'new' AND settings_id = ? AND not_before <= ?"
        return self._exists(query, settings_id, now)

    def claim(self, settings_id: int, count: int) -> tuple[JobRow, ...]:
        """Take up to ``count`` new jobs that are due, those with the fewest attempts first."""
        now = time.time()
        if count <= 0 or not self._has_due(settings_id, now):
            return ()
        with self.transaction():
            cursor = self.db.execute(
                "UPDATE job SET state = 'run', owner = ?, attempts = attempts + 1 WHERE id IN"
                " (SELECT id FROM job WHERE state = 'new' AND settings_id = ? AND not_before <= ?"
                f" ORDER BY attempts, id LIMIT ?) RETURNING {JOB_COLUMNS}",
                (str(self.owner), settings_id, now, count),
            )
            rows = [job_from_row(values) for values in cursor.fetchall()]
        return tuple(sorted(rows, key=lambda row: (row.attempts, row.id)))

    def release(self, job: int, *, count_attempt: bool = True, pause: float = 0.0) -> None:
        """Make a claimed job new again; it may be claimed after ``pause`` seconds."""
        not_before = time.time() + pause if pause else 0.0
        with self.transaction():
            self.db.execute(
                "UPDATE job SET state = 'new', owner = NULL, attempts = attempts - ?,"
                " not_before = ? WHERE id = ? AND state = 'run'",
                (0 if count_attempt else 1, not_before, job),
            )

    def discard(self, job: int) -> None:
        """Delete a claimed job whose file has changed, so that it is added again."""
        with self.transaction():
            self.db.execute("DELETE FROM job WHERE id = ? AND state = 'run'", (job,))

    def retry(self, jobs: Sequence[int] | None = None) -> int:
        """Restart jobs that ended without an output (None: all of them); return how many."""
        statement = (
            "UPDATE job SET state = 'new', attempts = 0, not_before = 0, status = NULL,"
            " problem = NULL WHERE state = 'done'"
            " AND status NOT IN ('fixed', 'already_ok', 'same', 'own')"
        )
        with self.transaction():
            if jobs is None:
                return self.db.execute(statement).rowcount
            statement += f" AND id IN ({_placeholders(jobs)})"
            return self.db.execute(statement, tuple(jobs)).rowcount

    # The content of a source

    def record_content(
        self, job: int, settings_id: int, source: str, stamp: Stamp, sha256: str
    ) -> JobRow | None:
        """Record stamp and digest of a job's source.

        Return the job that makes this one unnecessary, if there is one: a finished job of the same
        name and content, or a job that was added for this stamp of the file meanwhile.
        """
        name, text = os.fsencode(source), stamp_text(stamp)
        key = job_key(settings_id, name, text)
        with self.transaction():
            newer = self.db.execute(
                f"SELECT {JOB_COLUMNS} FROM job WHERE job_key = ? AND id != ?", (key, job)
            ).fetchone()
            if newer is not None:
                return job_from_row(newer)
            self.db.execute(
                "UPDATE job SET job_key = ?, stamp = ?, size_bytes = ?, sha256 = ? WHERE id = ?",
                (key, text, stamp[0], sha256, job),
            )
            same = self.db.execute(
                f"SELECT {JOB_COLUMNS} FROM job WHERE sha256 = ? AND settings_id = ?"
                " AND source = ? AND id != ? AND state = 'done'"
                " AND status IN ('fixed', 'already_ok') LIMIT 1",
                (sha256, settings_id, name, job),
            ).fetchone()
        return None if same is None else job_from_row(same)

    def outputs_of_duplicate(
        self, job: int, settings_id: int, sha256: str
    ) -> tuple[Publication, ...] | None:
        """Return the outputs of another fixed job with this content; None if there is none."""
        query = (
            "SELECT id FROM job WHERE sha256 = ? AND settings_id = ? AND id != ?"
            " AND state = 'done' AND status = 'fixed' LIMIT 1"
        )
        with self.translated_errors():
            row = self.db.execute(query, (sha256, settings_id, job)).fetchone()
        return None if row is None else self.outputs(row[0])

    def is_fixed_output(self, sha256: str) -> bool:
        """Return True if this is the content of an output that was fixed, not merely copied."""
        return self._exists("SELECT 1 FROM output WHERE sha256 = ? AND fixed", sha256)

    # Publishing

    def begin_publishing(self, job: int, outputs: Sequence[Publication]) -> None:
        """Record name and digest of each output before any of the names exists.

        Raises: NameTaken.
        """
        with self.transaction():
            self.db.execute("UPDATE job SET state = 'publish' WHERE id = ?", (job,))
            self._replace_outputs(job, outputs)

    def cancel_publishing(self, job: int) -> None:
        """Return a job whose outputs cannot be published to the state ``run``."""
        with self.transaction():
            self.db.execute("DELETE FROM output WHERE job_id = ?", (job,))
            self.db.execute(
                "UPDATE job SET state = 'run' WHERE id = ? AND state = 'publish'", (job,)
            )

    def _replace_outputs(self, job: int, outputs: Sequence[Publication]) -> None:
        self.db.execute("DELETE FROM output WHERE job_id = ?", (job,))
        statement = (
            f"INSERT INTO output (job_id, number, folded_name, {OUTPUT_COLUMNS})"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        rows = [
            (job, number, folded_name(output.name), *publication_values(output))
            for number, output in enumerate(outputs)
        ]
        try:
            self.db.executemany(statement, rows)
        except sqlite3.IntegrityError as problem:
            raise NameTaken(str(problem)) from problem

    def is_name_taken(self, name: str, job: int) -> bool:
        """Return True if an output of another job collides with ``name`` on some file system."""
        query = "SELECT 1 FROM output WHERE folded_name = ? AND job_id != ?"
        return self._exists(query, folded_name(name), job)

    def suffixes_of_stem(self, settings_id: int, relative_path: str) -> frozenset[str]:
        """Return the suffixes of all files in the same folder that have the same stem."""
        path = PurePath(relative_path)
        start = os.fsencode(path.with_name(f"{path.stem}."))
        end = start[:-1] + b"/"  # the byte after "."
        query = (
            "SELECT relative_path FROM job"
            " WHERE settings_id = ? AND relative_path > ? AND relative_path < ?"
        )
        with self.translated_errors():
            rows = self.db.execute(query, (settings_id, start, end))
            paths = [PurePath(os.fsdecode(found)) for (found,) in rows]
        return frozenset(found.suffix for found in paths if found.stem == path.stem)

    def outputs(self, job: int) -> tuple[Publication, ...]:
        """Return the outputs that a job has published or is about to publish."""
        query = f"SELECT {OUTPUT_COLUMNS} FROM output WHERE job_id = ? ORDER BY number"
        with self.translated_errors():
            rows = self.db.execute(query, (job,)).fetchall()
        return tuple(map(publication_from_row, rows))

    # The end of a job

    def finish(
        self,
        job: int,
        status: str,
        *,
        problem: str | None = None,
        media_seconds: float | None = None,
        work_seconds: float | None = None,
    ) -> None:
        """Record the end of a job, whose outputs are published."""
        with self.transaction():
            self.db.execute(
                "UPDATE job SET state = 'done', owner = NULL, status = ?, problem = ?,"
                " media_seconds = ?, work_seconds = ?, ended_at = ? WHERE id = ?",
                (status, problem, media_seconds, work_seconds, time.time(), job),
            )
            self.db.execute(
                "UPDATE output SET work_file = NULL, replaces_sha256 = NULL WHERE job_id = ?",
                (job,),
            )

    def mark_cleaned_up(self, job: int) -> None:
        """Record that the source of a finished job was left, moved or deleted as requested."""
        with self.transaction():
            self.db.execute("UPDATE job SET cleaned_up = 1 WHERE id = ?", (job,))

    def jobs_to_clean_up(self, settings_id: int, after: int, count: int) -> tuple[JobRow, ...]:
        """Return up to ``count`` finished jobs with an id above ``after`` to be cleaned up."""
        query = (
            f"SELECT {JOB_COLUMNS} FROM job WHERE id > ? AND settings_id = ? AND state = 'done'"
            " AND NOT cleaned_up ORDER BY id LIMIT ?"
        )
        with self.translated_errors():
            rows = self.db.execute(query, (after, settings_id, count)).fetchall()
        return tuple(map(job_from_row, rows))

    # Recovery

    def claim_orphans(self) -> tuple[JobRow, ...]:
        """Claim the unfinished jobs of owners that are not alive, and delete their lock files."""
        orphans: list[JobRow] = []
        for owner in self._dead_owners():
            with self.transaction():
                cursor = self.db.execute(
                    "UPDATE job SET owner = ? WHERE owner = ? AND state IN ('run', 'publish')"
                    f" RETURNING {JOB_COLUMNS}",
                    (str(self.owner), owner),
                )
                orphans += map(job_from_row, cursor.fetchall())
        for lock in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.lock"):
            if not is_locked(lock):
                lock.unlink(missing_ok=True)
        return tuple(sorted(orphans, key=lambda row: row.id))

    def _dead_owners(self) -> list[str]:
        query = "SELECT DISTINCT owner FROM job WHERE state IN ('run', 'publish')"
        with self.translated_errors():
            texts = [text for (text,) in self.db.execute(query)]
        dead = []
        for text in texts:
            if text is None or text == str(self.owner):
                continue
            owner = Owner.parse(text)
            if not owner.is_alive(self.lock_path(owner)):
                dead.append(text)
        return dead

    def restore(
        self,
        settings_id: int,
        file: FoundFile,
        sha256: str,
        status: str,
        outputs: Sequence[Publication],
    ) -> bool:
        """Add a finished job from its receipt; return False if it exists or a name is taken."""
        with self.transaction():
            cursor = self.db.execute(
                f"INSERT INTO job ({NEW_JOB_COLUMNS}, state, status, sha256, ended_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'done', ?, ?, ?) ON CONFLICT (job_key) DO NOTHING",
                (*new_job_values(settings_id, file, time.time()), status, sha256, time.time()),
            )
            if cursor.rowcount < 1:
                return False
            job = int(cursor.lastrowid or 0)
            try:
                self._replace_outputs(job, outputs)
            except NameTaken:
                self.db.execute("DELETE FROM output WHERE job_id = ?", (job,))
                self.db.execute("DELETE FROM job WHERE id = ?", (job,))
                return False
        return True

    # Listing

    def job(self, job: int) -> JobRow | None:
        """Return one job by its id."""
        query = f"SELECT {JOB_COLUMNS} FROM job WHERE id = ?"
        with self.translated_errors():
            row = self.db.execute(query, (job,)).fetchone()
        return None if row is None else job_from_row(row)

    def jobs(
        self, *, states: Sequence[str] = (), statuses: Sequence[str] = (), limit: int = -1
    ) -> Iterator[JobRow]:
        """Yield jobs in the order in which they were added."""
        conditions = []
        if states:
            conditions.append(f"state IN ({_placeholders(states)})")
        if statuses:
            conditions.append(f"status IN ({_placeholders(statuses)})")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {JOB_COLUMNS} FROM job {where} ORDER BY id LIMIT ?"
        with self.translated_errors():
            yield from map(job_from_row, self.db.execute(query, (*states, *statuses, limit)))

    def counts(self, settings_id: int | None = None) -> tuple[JobCount, ...]:
        """Count the jobs (of all settings, or of some) by state and status."""
        query = (
            "SELECT state, status, count(*), sum(size_bytes), total(media_seconds) FROM job"
            " WHERE ?1 IS NULL OR settings_id = ?1 GROUP BY state, status"
        )
        with self.translated_errors():
            rows = self.db.execute(query, (settings_id,)).fetchall()
        return tuple(
            JobCount(state=state, status=status, jobs=jobs, size_bytes=size, media_seconds=seconds)
            for state, status, jobs, size, seconds in rows
        )

    def unfinished(self, settings_id: int) -> int:
        """Return the number of jobs that are not done."""
        counts = self.counts(settings_id)
        return sum(count.jobs for count in counts if count.state != "done")

    def _exists(self, query: str, *values: object) -> bool:
        with self.translated_errors():
            return self.db.execute(f"{query} LIMIT 1", values).fetchone() is not None


class _InsertBatch:
    """The rows of one transaction, built while they are inserted so that no list is held."""

    def __init__(self, settings_id: int, files: Iterator[FoundFile], rows: int) -> None:
        self.count = 0
        self._settings_id, self._files, self._rows = settings_id, files, rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        now, deadline = time.time(), time.monotonic() + INSERT_SECONDS
        while self.count < self._rows and time.monotonic() < deadline:
            file = next(self._files, None)
            if file is None:
                return
            self.count += 1
            yield new_job_values(self._settings_id, file, now)


def _placeholders(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
