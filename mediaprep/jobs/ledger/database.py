"""The SQLite file under the ledger: opening, checking, migrating and transactions."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.ledger.owner import Owner, acquire_lock
from mediaprep.jobs.ledger.schema import MIGRATIONS, SCHEMA_VERSION
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.paths import display_name, os_error_text

BUSY_TIMEOUT_SECONDS = 60
CACHE_KIB = 4 * 1024
JOURNAL_LIMIT_BYTES = 16 * 2**20


class LedgerUnusable(EnvironmentProblem):
    """Raised for a ledger that cannot be used as it is, but can be set aside."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"ledger {display_name(path)}: {reason}")


class LedgerDamaged(LedgerUnusable):
    """The file is not a valid SQLite database."""


class LedgerTooNew(LedgerUnusable):
    """The file was written by a later version of mediaprep."""


class Database:
    """The open SQLite file; a context manager.

    One thread may use it at a time; any number of processes may share the file. Two locks are held
    until ``close``: a shared one that keeps other processes from setting the file aside, and an
    exclusive one by which they see that this owner is alive.
    """

    def __init__(self, path: Path) -> None:
        """Raises: EnvironmentProblem; its subclasses LedgerDamaged and LedgerTooNew."""
        self.path = path
        self.owner = Owner.new()
        self._in_transaction = False
        self._shared_lock = self._owner_lock = -1
        with self.translated_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._shared_lock = open_lock_file(path)
            fcntl.flock(self._shared_lock, fcntl.LOCK_SH)
            self.db = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
            self._owner_lock = acquire_lock(self.lock_path(self.owner))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and release the locks; may be repeated."""
        self.db.close()
        if self._owner_lock >= 0:
            self.lock_path(self.owner).unlink(missing_ok=True)
        for descriptor in (self._owner_lock, self._shared_lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._owner_lock = self._shared_lock = -1

    def lock_path(self, owner: Owner) -> Path:
        """Return the lock file that an owner holds as long as it lives."""
        return self.path.with_name(f"{self.path.name}.{owner.file_name}.lock")

    def _prepare(self) -> None:
        with self.translated_errors():
            self.set_cache_size(CACHE_KIB)
            version = self._schema_version()
            if version > SCHEMA_VERSION:
                raise LedgerTooNew(
                    self.path, f"has schema version {version}; mediaprep supports {SCHEMA_VERSION}"
                )
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}")
            if version < SCHEMA_VERSION:
                self._migrate()
            result = self.db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if result != "ok":
                raise LedgerDamaged(self.path, f"is damaged ({result.splitlines()[-1]})")

    def _schema_version(self) -> int:
        return int(self.db.execute("PRAGMA user_version").fetchone()[0])

    def set_cache_size(self, kib: int) -> None:
        """Limit the pages that SQLite keeps in memory."""
        self.db.execute(f"PRAGMA cache_size = -{kib}")

    def _migrate(self) -> None:
        with self.transaction():
            # Read again inside of the transaction: another process may have migrated meanwhile.
            for migration in MIGRATIONS[self._schema_version() :]:
                for statement in migration.split(";\n"):
                    self.db.execute(statement)
            self.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            crashpoint("ledger-migrated")

    @contextlib.contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Raise EnvironmentProblem or LedgerDamaged instead of sqlite3.Error and OSError."""
        try:
            yield
        except sqlite3.OperationalError as problem:
            raise EnvironmentProblem(f"ledger {display_name(self.path)}: {problem}") from problem
        except sqlite3.DatabaseError as problem:
            raise LedgerDamaged(self.path, f"is damaged ({problem})") from problem
        except OSError as problem:
            raise EnvironmentProblem(
                f"ledger {display_name(self.path)}: {os_error_text(problem)}"
            ) from problem

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside at once, or roll it back. A nested transaction joins the outer.

        Raises: EnvironmentProblem, LedgerDamaged.
        """
        if self._in_transaction:
            yield
            return
        with self.translated_errors():
            self.db.execute("BEGIN IMMEDIATE")
            self._in_transaction = True
            try:
                yield
                crashpoint("ledger-commit")
                self.db.execute("COMMIT")
                crashpoint("ledger-committed")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.db.execute("ROLLBACK")
                raise
            finally:
                self._in_transaction = False


def open_lock_file(path: Path) -> int:
    """Open the lock file that guards the ledger at ``path`` and return its descriptor."""
    return os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
