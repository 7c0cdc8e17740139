"""The ledger: what was found, who works on it, and what became of it. The truth of batch and watch; only coordinators write it.

One row is one source file of one content under one name for one recipe (profile, category, wishes, plan version). A row goes from ``new``
through ``run`` and ``publish`` to ``done``; ``publish`` knows name and sha256 of each output before that name exists, so that a killed run
is finished forwards, never done again. On a local disk only: SQLite's WAL does not work over a network.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from mediaprep import faults
from mediaprep.errors import EnvironmentProblem, UsageProblem
from mediaprep.files import Stamp, display_name, folded
from mediaprep.jobs import owner as owners
from mediaprep.jobs.owner import Owner

State = Literal["new", "run", "publish", "done"]
CHUNK_SECONDS = 2.0  # of one transaction, so that other processes get their turn
BUSY_SECONDS = 60
SMALL, LARGE = (20_000, 4 * 1024), (100_000, 64 * 1024)  # rows of one transaction, KiB of cache: the index, in random order, is written
GROWN = 200_000  # nearly whole with each; beyond so many new files in one go it pays to hold it
MIGRATIONS = (
    """
CREATE TABLE recipe (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, content TEXT NOT NULL, tools TEXT NOT NULL, added REAL NOT NULL);
CREATE TABLE job (
  id INTEGER PRIMARY KEY, recipe INTEGER NOT NULL REFERENCES recipe, source BLOB NOT NULL, place BLOB NOT NULL,
  ident BLOB NOT NULL, size INTEGER NOT NULL, stamp TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'new', tries INTEGER NOT NULL DEFAULT 0, owner TEXT, sha256 TEXT, status TEXT, problem TEXT,
  media_seconds REAL, work_seconds REAL, added REAL NOT NULL, ended REAL, tidied INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX job_ident ON job(ident);
CREATE INDEX job_new ON job(recipe, tries, id) WHERE state = 'new';
CREATE INDEX job_held ON job(owner) WHERE state IN ('run', 'publish');
CREATE INDEX job_content ON job(sha256, source) WHERE sha256 IS NOT NULL;
CREATE INDEX job_twin ON job(sha256, recipe) WHERE status = 'fixed';
CREATE TABLE output (
  job INTEGER NOT NULL REFERENCES job, number INTEGER NOT NULL, name BLOB NOT NULL, fold BLOB NOT NULL UNIQUE, sha256 TEXT NOT NULL,
  size INTEGER NOT NULL, part BLOB, made INTEGER NOT NULL, replaces TEXT, PRIMARY KEY (job, number)) WITHOUT ROWID;
CREATE INDEX output_content ON output(sha256) WHERE made;
""",
)
SCHEMA = len(MIGRATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file that was found: absolute path, its path below the output folder (with its own file name), and its stamp."""

    source: str
    place: str
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One job as the ledger knows it. ``status``: of a job that is done; ``tries``: how often it was begun."""

    id: int
    source: str
    place: str
    size: int
    stamp: Stamp
    state: State
    tries: int
    owner: str | None
    sha256: str | None
    status: str | None
    problem: str | None
    media_seconds: float | None
    work_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One output: its name below the output folder, digest and size; ``part``: the work file that holds it until then; ``made``: False for
    a copy of the source; ``replaces``: digest of our own earlier output of that name."""

    name: str
    sha256: str
    size: int
    part: str | None
    made: bool
    replaces: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Jobs of one state and status, their bytes and media seconds."""

    state: State
    status: str | None
    jobs: int
    size: int
    media_seconds: float


_COLUMNS = "id, source, place, size, stamp, state, tries, owner, sha256, status, problem, media_seconds, work_seconds"


class Ledger:
    """An opened ledger; a context manager. Used by one thread at a time, by any number of processes."""

    def __init__(self, path: Path, *, owner: Owner | None = None) -> None:
        """Raises: EnvironmentProblem where it cannot be used, Damaged, Newer."""
        self.path, self.owner = path, owner or Owner.me()
        self._depth = 0
        self._guard, self._mine = -1, -1
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            fcntl.flock(self._guard, fcntl.LOCK_SH)
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
            self._mine = owners.hold(self._lock_of(self.owner))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is held; harmless when repeated."""
        self._db.close()
        if self._mine >= 0:
            self._lock_of(self.owner).unlink(missing_ok=True)
        for descriptor in (self._mine, self._guard):
            if descriptor >= 0:
                os.close(descriptor)
        self._mine = self._guard = -1

    def _lock_of(self, owner: Owner) -> Path:
        return self.path.with_name(f"{self.path.name}.{owner.run}.lock")

    def _prepare(self) -> None:
        with self._told():
            self._db.execute(f"PRAGMA cache_size = -{SMALL[1]}")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA:
                raise Newer(self.path, f"is of version {version}, this mediaprep knows {SCHEMA}")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA journal_size_limit = 16777216")
            if version < SCHEMA:
                self._migrate()
            sound = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if sound != "ok":
                raise Damaged(self.path, f"is damaged ({sound.splitlines()[-1]})")

    def _migrate(self) -> None:
        with self.transaction():
            for number in range(self._db.execute("PRAGMA user_version").fetchone()[0], SCHEMA):
                for statement in MIGRATIONS[number].split(";\n"):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA}")
            faults.step("ledger-migrated")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Raises: EnvironmentProblem, Damaged for what SQLite or the file system says."""
        try:
            yield
        except sqlite3.OperationalError as problem:
            raise EnvironmentProblem(f"ledger {display_name(self.path)}: {problem}") from problem
        except sqlite3.DatabaseError as problem:
            raise Damaged(self.path, f"is damaged ({problem})") from problem
        except OSError as problem:
            raise EnvironmentProblem(f"ledger {display_name(self.path)}: {(problem.strerror or str(problem)).lower()}") from problem

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens inside is written at once or not at all; may be nested. Raises: EnvironmentProblem, Damaged."""
        if self._depth:
            yield
            return
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                faults.step("ledger-commit")
                self._db.execute("COMMIT")
                faults.step("ledger-committed")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0

    def recipe(self, digest: str, content: dict[str, Any], tools: dict[str, str]) -> int:
        """The number of a recipe, entered on first use. ``tools``: the versions that work on it now, recorded, never compared."""
        with self.transaction():
            words = (digest, json.dumps(content, sort_keys=True), json.dumps(tools, sort_keys=True), time.time())
            self._db.execute(
                "INSERT INTO recipe (digest, content, tools, added) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET tools = excluded.tools",
                words,
            )
            return int(self._db.execute("SELECT id FROM recipe WHERE digest = ?", (digest,)).fetchone()[0])

    def recipes(self) -> tuple[tuple[int, str, dict[str, Any], dict[str, str]], ...]:
        """Number, digest, content and tool versions of each."""
        with self._told():
            rows = self._db.execute("SELECT id, digest, content, tools FROM recipe ORDER BY id").fetchall()
        return tuple((row[0], row[1], json.loads(row[2]), json.loads(row[3])) for row in rows)

    def add(self, recipe: int, entries: Iterable[Entry], *, fresh: bool = False) -> tuple[int, int]:
        """Enter what was found; (found, new). What is known under that name with that stamp stays as it is; ``fresh``: is done again."""
        again = "UPDATE SET state = 'new', tries = 0, status = NULL, problem = NULL, tidied = 0 WHERE job.state = 'done'"
        statement = (
            "INSERT INTO job (recipe, source, place, ident, size, stamp, added) VALUES (?, ?, ?, ?, ?, ?, ?)"
            f" ON CONFLICT (ident) DO {again if fresh else 'NOTHING'}"
        )
        found = new = 0
        stream = iter(entries)
        while (first := next(stream, None)) is not None:
            rows, cache = LARGE if found >= GROWN else SMALL
            chunk = _Chunk(recipe, first, stream, rows)
            self._db.execute(f"PRAGMA cache_size = -{cache}")
            with self.transaction():
                new += self._db.executemany(statement, chunk).rowcount
            found += chunk.count
        self._db.execute(f"PRAGMA cache_size = -{SMALL[1]}")
        return found, new

    def knows(self, recipe: int, source: str, stamp: Stamp) -> bool:
        """Whether this very state of this file was entered."""
        with self._told():
            ident = _ident(recipe, os.fsencode(source), stamp)
            return self._db.execute("SELECT 1 FROM job WHERE ident = ?", (ident,)).fetchone() is not None

    def claim(self, recipe: int, count: int) -> tuple[Row, ...]:
        """Take up to so many new jobs, those tried least first."""
        if count <= 0 or not self.waiting(recipe):
            return ()
        with self.transaction():
            cursor = self._db.execute(
                "UPDATE job SET state = 'run', owner = ?, tries = tries + 1 WHERE id IN"
                f" (SELECT id FROM job WHERE state = 'new' AND recipe = ? ORDER BY tries, id LIMIT ?) RETURNING {_COLUMNS}",
                (str(self.owner), recipe, count),
            )
            rows = sorted(map(_row, cursor.fetchall()), key=lambda row: (row.tries, row.id))
        return tuple(rows)

    def waiting(self, recipe: int) -> bool:
        """Whether some job is new."""
        with self._told():
            return self._db.execute("SELECT 1 FROM job WHERE state = 'new' AND recipe = ? LIMIT 1", (recipe,)).fetchone() is not None

    def release(self, job: int, *, counted: bool = False) -> None:
        """Give a job back; not ``counted``: as if it had not been tried."""
        with self.transaction():
            self._db.execute(
                "UPDATE job SET state = 'new', owner = NULL, tries = tries - ? WHERE id = ? AND state = 'run'", (0 if counted else 1, job)
            )

    def forget(self, job: int) -> None:
        """Drop a job that is to be found anew, such as a file that was not settled after all."""
        with self.transaction():
            self._db.execute("DELETE FROM job WHERE id = ? AND state = 'run'", (job,))

    def looked(self, job: int, recipe: int, source: str, stamp: Stamp, sha256: str) -> Row | None:
        """Note the content. Answers another job of this name that holds the same content (or a later one that has taken this state of the
        file over): then there is nothing to do here."""
        raw = os.fsencode(source)
        with self.transaction():
            rival = self._db.execute("SELECT id FROM job WHERE ident = ? AND id != ?", (_ident(recipe, raw, stamp), job)).fetchone()
            if rival is not None:
                return self.row(rival[0])
            self._db.execute(
                "UPDATE job SET ident = ?, stamp = ?, size = ?, sha256 = ? WHERE id = ?",
                (_ident(recipe, raw, stamp), _stamp_text(stamp), stamp[0], sha256, job),
            )
            same = self._db.execute(
                f"SELECT {_COLUMNS} FROM job WHERE sha256 = ? AND recipe = ? AND source = ? AND id != ? AND state = 'done'"
                " AND status IN ('fixed', 'already_ok') LIMIT 1",
                (sha256, recipe, raw, job),
            ).fetchone()
        return None if same is None else _row(same)

    def twin(self, job: int, recipe: int, sha256: str) -> tuple[Row, tuple[Publication, ...]] | None:
        """A job of another name with this content and recipe that is done, and its outputs."""
        with self._told():
            found = self._db.execute(
                f"SELECT {_COLUMNS} FROM job WHERE sha256 = ? AND recipe = ? AND id != ? AND state = 'done' AND status = 'fixed' LIMIT 1",
                (sha256, recipe, job),
            ).fetchone()
        return None if found is None else (_row(found), self.outputs(found[0]))

    def own(self, sha256: str) -> bool:
        """Whether this is the content of an output that was made here (not merely copied)."""
        with self._told():
            return self._db.execute("SELECT 1 FROM output WHERE sha256 = ? AND made LIMIT 1", (sha256,)).fetchone() is not None

    def taken(self, name: str, but: int) -> bool:
        """Whether an output of another job has this name, or one that collides with it on some file system."""
        with self._told():
            row = self._db.execute("SELECT 1 FROM output WHERE fold = ? AND job != ?", (_fold(name), but)).fetchone()
        return row is not None

    def outputs(self, job: int) -> tuple[Publication, ...]:
        """What was, or is about to be, published for a job."""
        with self._told():
            rows = self._db.execute(
                "SELECT name, sha256, size, part, made, replaces FROM output WHERE job = ? ORDER BY number", (job,)
            ).fetchall()
        return tuple(
            Publication(
                name=os.fsdecode(row[0]), sha256=row[1], size=row[2], part=None if row[3] is None else os.fsdecode(row[3]),
                made=bool(row[4]), replaces=row[5],
            )
            for row in rows
        )  # fmt: skip

    def intend(self, job: int, outputs: Sequence[Publication]) -> None:
        """Write name and digest of each output, before any of the names exists. Raises: NameTaken."""
        with self.transaction():
            self._db.execute("UPDATE job SET state = 'publish' WHERE id = ?", (job,))
            self._put_outputs(job, outputs)

    def _put_outputs(self, job: int, outputs: Sequence[Publication]) -> None:
        self._db.execute("DELETE FROM output WHERE job = ?", (job,))
        try:
            self._db.executemany(
                "INSERT INTO output (job, number, name, fold, sha256, size, part, made, replaces) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (job, i, os.fsencode(o.name), _fold(o.name), o.sha256, o.size, o.part and os.fsencode(o.part), o.made, o.replaces)
                    for i, o in enumerate(outputs)
                ],
            )
        except sqlite3.IntegrityError as problem:
            raise NameTaken(str(problem)) from problem

    def done(
        self, job: int, status: str, *, problem: str | None = None, media_seconds: float | None = None, work_seconds: float | None = None
    ) -> None:
        """The end of a job. Its outputs, if any, have their names."""
        with self.transaction():
            self._db.execute(
                "UPDATE job SET state = 'done', owner = NULL, status = ?, problem = ?, media_seconds = ?, work_seconds = ?, ended = ?"
                " WHERE id = ?",
                (status, problem, media_seconds, work_seconds, time.time(), job),
            )
            self._db.execute("UPDATE output SET part = NULL, replaces = NULL WHERE job = ?", (job,))

    def undone(self, job: int) -> None:
        """A publication that could not be finished: begin again."""
        with self.transaction():
            self._db.execute("DELETE FROM output WHERE job = ?", (job,))
            self._db.execute("UPDATE job SET state = 'new', owner = NULL WHERE id = ?", (job,))

    def untidy(self, recipe: int, after: int, count: int) -> tuple[Row, ...]:
        """Jobs that are done and whose source was not yet dealt with, from a number upwards."""
        with self._told():
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM job WHERE id > ? AND recipe = ? AND state = 'done' AND NOT tidied ORDER BY id LIMIT ?",
                (after, recipe, count),
            ).fetchall()
        return tuple(map(_row, rows))

    def tidied(self, job: int) -> None:
        """The source was dealt with."""
        with self.transaction():
            self._db.execute("UPDATE job SET tidied = 1 WHERE id = ?", (job,))

    def orphans(self) -> tuple[Row, ...]:
        """Jobs whose owner is gone; from now on they are ours, so that nobody else recovers them too."""
        with self._told():
            texts = [row[0] for row in self._db.execute("SELECT DISTINCT owner FROM job WHERE state IN ('run', 'publish')")]
        gone = [text for text in texts if text is not None and text != str(self.owner) and not self._alive(text)]
        rows: list[Row] = []
        for text in gone:
            with self.transaction():
                statement = f"UPDATE job SET owner = ? WHERE owner = ? AND state IN ('run', 'publish') RETURNING {_COLUMNS}"
                rows += map(_row, self._db.execute(statement, (str(self.owner), text)).fetchall())
        for lock in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.lock"):
            if not owners.held(lock):
                lock.unlink(missing_ok=True)
        return tuple(sorted(rows, key=lambda row: row.id))

    def _alive(self, text: str) -> bool:
        owner = Owner.parse(text)
        return owner.alive(self._lock_of(owner))

    def counts(self, recipe: int | None = None) -> tuple[Count, ...]:
        """How many jobs there are of each state and status."""
        with self._told():
            rows = self._db.execute(
                "SELECT state, status, count(*), sum(size), total(media_seconds) FROM job"
                " WHERE ?1 IS NULL OR recipe = ?1 GROUP BY state, status",
                (recipe,),
            ).fetchall()
        return tuple(Count(state=r[0], status=r[1], jobs=r[2], size=r[3], media_seconds=r[4]) for r in rows)

    def row(self, job: int) -> Row | None:
        """One job by its number."""
        with self._told():
            found = self._db.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (job,)).fetchone()
        return None if found is None else _row(found)

    def rows(self, *, states: Sequence[str] = (), statuses: Sequence[str] = (), limit: int = -1) -> Iterator[Row]:
        """Jobs in the order they were found."""
        tests = [f"{column} IN ({_marks(words)})" for column, words in (("state", states), ("status", statuses)) if words]
        where = f"WHERE {' AND '.join(tests)}" if tests else ""
        with self._told():
            yield from map(_row, self._db.execute(f"SELECT {_COLUMNS} FROM job {where} ORDER BY id LIMIT ?", (*states, *statuses, limit)))

    def retry(self, jobs: Sequence[int] | None = None) -> int:
        """Begin jobs again that ended without an output, all of them or those of these numbers; how many."""
        statement = (
            "UPDATE job SET state = 'new', tries = 0, status = NULL, problem = NULL"
            " WHERE state = 'done' AND status NOT IN ('fixed', 'already_ok', 'same', 'own')"
        )
        with self.transaction():
            if jobs is None:
                return self._db.execute(statement).rowcount
            return self._db.execute(f"{statement} AND id IN ({_marks(jobs)})", tuple(jobs)).rowcount

    def restore(self, recipe: int, entry: Entry, sha256: str, status: str, outputs: Sequence[Publication]) -> bool:
        """Enter a job that is known to be done, from its receipt; False where it is there already."""
        with self.transaction():
            try:
                cursor = self._db.execute(
                    "INSERT INTO job (recipe, source, place, ident, size, stamp, added, state, status, sha256, ended) VALUES"
                    " (?, ?, ?, ?, ?, ?, ?, 'done', ?, ?, ?) ON CONFLICT (ident) DO NOTHING",
                    (*_entered(recipe, entry, time.time()), status, sha256, time.time()),
                )
                if cursor.rowcount < 1:
                    return False
                self._put_outputs(int(cursor.lastrowid or 0), outputs)
            except NameTaken:
                self._db.execute("DELETE FROM job WHERE id = last_insert_rowid()")
                return False
        return True


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


class NameTaken(Exception):
    """Another process was quicker with an output's name."""


class Unusable(EnvironmentProblem):
    """A ledger that cannot be used as it is, and can be set aside."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"ledger {display_name(path)}: {reason}")


class Damaged(Unusable):
    """It is no ledger any more."""


class Newer(Unusable):
    """A later version of mediaprep has written it."""


def set_aside(problem: Unusable) -> Path:
    """Rename a ledger that cannot be used; its new name. Raises: EnvironmentProblem where some process is using it."""
    path = problem.path
    guard = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        word = "newer" if isinstance(problem, Newer) else "damaged"
        aside = next(p for n in range(1, 10_000) if not (p := path.with_name(f"{path.name}.{word}.{n}")).exists())
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
        return aside
    except BlockingIOError:
        raise EnvironmentProblem(f"{problem}, and another process is using it: stop that one first") from problem
    except OSError as refused:
        raise EnvironmentProblem(f"{problem}, and cannot be set aside: {(refused.strerror or '').lower()}") from refused
    finally:
        os.close(guard)


def open_ledger(path: Path, notice: Callable[[str], None], rebuild: Callable[[Ledger], int]) -> Ledger:
    """A ledger that works: one that is damaged or of a newer version is set aside, and a new one rebuilt from the outputs' receipts; so is
    one that is missing. Raises: EnvironmentProblem."""
    existed = path.exists()
    try:
        ledger = Ledger(path)
    except Unusable as problem:
        aside = set_aside(problem)
        ledger = Ledger(path)
        kept = rebuild(ledger)
        notice(f"{problem}: set aside as {display_name(aside.name)}; rebuilt from the outputs: {kept} jobs that are done and verified")
        return ledger
    if not existed and (kept := rebuild(ledger)):
        notice(f"ledger {display_name(path)}: not there, rebuilt from the outputs: {kept} jobs that are done and verified")
    return ledger


def existing(path: Path) -> Ledger:
    """A ledger that is there. Raises: UsageProblem where it is not, EnvironmentProblem where it cannot be used."""
    if not path.is_file():
        raise UsageProblem(f"no ledger at {display_name(path)}: name the output folder of a batch or a watch, or give --state")
    return Ledger(path)


class _Chunk:
    """The rows of one transaction, made as they are entered, so that no list of them is held."""

    def __init__(self, recipe: int, first: Entry, stream: Iterator[Entry], rows: int) -> None:
        self.count, self._rows = 0, rows
        self._recipe, self._entries = recipe, chain([first], stream)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        now, until = time.time(), time.monotonic() + CHUNK_SECONDS
        while self.count < self._rows and time.monotonic() < until and (entry := next(self._entries, None)) is not None:
            self.count += 1
            yield _entered(self._recipe, entry, now)


def _entered(recipe: int, entry: Entry, now: float) -> tuple[Any, ...]:
    raw = os.fsencode(entry.source)
    return (
        recipe, raw, os.fsencode(entry.place), _ident(recipe, raw, entry.stamp), entry.stamp[0], _stamp_text(entry.stamp), now,
    )  # fmt: skip


def _ident(recipe: int, source: bytes, stamp: Stamp) -> bytes:
    return hashlib.blake2b(b"%d\0%b\0%b" % (recipe, source, _stamp_text(stamp).encode()), digest_size=16).digest()


def _fold(name: str) -> bytes:
    return os.fsencode(folded(name))


def _stamp_text(stamp: Stamp) -> str:
    return ".".join(map(str, stamp))


def _row(values: Sequence[Any]) -> Row:
    size, mtime, ctime, inode = map(int, values[4].split("."))
    return Row(
        id=values[0], source=os.fsdecode(values[1]), place=os.fsdecode(values[2]), size=values[3], stamp=(size, mtime, ctime, inode),
        state=values[5], tries=values[6], owner=values[7], sha256=values[8], status=values[9], problem=values[10], media_seconds=values[11],
        work_seconds=values[12],
    )  # fmt: skip
