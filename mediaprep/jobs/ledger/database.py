"""The ledger's file: opened, migrated, checked, locked against being set aside while it is used, and written in transactions."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.ledger.owner import Owner, hold
from mediaprep.runtime.crashpoints import step
from mediaprep.runtime.source import display_name

BUSY_SECONDS = 60
CACHE = 4 * 1024  # KiB of pages in memory
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
    "ALTER TABLE job ADD COLUMN due REAL NOT NULL DEFAULT 0",  # when a job may be tried again, seconds since 1970
)
SCHEMA = len(MIGRATIONS)


class LedgerUnusable(EnvironmentProblem):
    """A ledger that cannot be used as it is, and can be set aside."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"ledger {display_name(path)}: {reason}")


class LedgerDamaged(LedgerUnusable):
    """It is no ledger any more."""


class LedgerTooNew(LedgerUnusable):
    """A later version of mediaprep has written it."""


class Database:
    """A context manager. Used by one thread at a time, by any number of processes."""

    def __init__(self, path: Path, *, owner: Owner | None = None) -> None:
        """Raises: EnvironmentProblem where it cannot be used, Damaged, Newer."""
        self.path, self.owner = path, owner or Owner.me()
        self._depth = 0
        self._guard, self._mine = -1, -1
        with self.told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            fcntl.flock(self._guard, fcntl.LOCK_SH)
            self.db = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
            self._mine = hold(self.lock_of(self.owner))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is held; harmless when repeated."""
        self.db.close()
        if self._mine >= 0:
            self.lock_of(self.owner).unlink(missing_ok=True)
        for descriptor in (self._mine, self._guard):
            if descriptor >= 0:
                os.close(descriptor)
        self._mine = self._guard = -1

    def lock_of(self, owner: Owner) -> Path:
        """What an owner holds as long as it lives."""
        return self.path.with_name(f"{self.path.name}.{owner.run}.lock")

    def _prepare(self) -> None:
        with self.told():
            self.db.execute(f"PRAGMA cache_size = -{CACHE}")
            version = self.db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA:
                raise LedgerTooNew(
                    self.path, f"is of version {version}, this mediaprep knows {SCHEMA}"
                )
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute("PRAGMA journal_size_limit = 16777216")
            if version < SCHEMA:
                self._migrate()
            sound = self.db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if sound != "ok":
                raise LedgerDamaged(self.path, f"is damaged ({sound.splitlines()[-1]})")

    def _migrate(self) -> None:
        with self.transaction():
            for number in range(self.db.execute("PRAGMA user_version").fetchone()[0], SCHEMA):
                for statement in MIGRATIONS[number].split(";\n"):
                    self.db.execute(statement)
            self.db.execute(f"PRAGMA user_version = {SCHEMA}")
            step("ledger-migrated")

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Raises: EnvironmentProblem, Damaged for what SQLite or the file system says."""
        try:
            yield
        except sqlite3.OperationalError as problem:
            raise EnvironmentProblem(f"ledger {display_name(self.path)}: {problem}") from problem
        except sqlite3.DatabaseError as problem:
            raise LedgerDamaged(self.path, f"is damaged ({problem})") from problem
        except OSError as problem:
            raise EnvironmentProblem(
                f"ledger {display_name(self.path)}: {(problem.strerror or str(problem)).lower()}"
            ) from problem

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens inside is written at once or not at all; may be nested. Raises: EnvironmentProblem, Damaged."""
        if self._depth:
            yield
            return
        with self.told():
            self.db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                step("ledger-commit")
                self.db.execute("COMMIT")
                step("ledger-committed")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.db.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0


def set_aside(problem: LedgerUnusable) -> Path:
    """Rename a ledger that cannot be used; its new name. Raises: EnvironmentProblem where some process is using it."""
    path = problem.path
    guard = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        word = "newer" if isinstance(problem, LedgerTooNew) else "damaged"
        aside = next(
            p
            for n in range(1, 10_000)
            if not (p := path.with_name(f"{path.name}.{word}.{n}")).exists()
        )
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
        return aside
    except BlockingIOError:
        raise EnvironmentProblem(
            f"{problem}, and another process is using it: stop that one first"
        ) from problem
    except OSError as refused:
        raise EnvironmentProblem(
            f"{problem}, and cannot be set aside: {(refused.strerror or '').lower()}"
        ) from refused
    finally:
        os.close(guard)
