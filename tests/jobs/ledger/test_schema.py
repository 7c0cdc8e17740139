"""Ledgers of older schema versions are migrated."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.ledger import database
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.ledger.records import folded_name, job_key
from mediaprep.jobs.ledger.schema import MIGRATIONS, SCHEMA_VERSION
from tests.jobs.conftest import found_files, published


def write_old_ledger(path: Path, version: int) -> None:
    """Write a ledger of an older schema, by plain SQL: a new job, and one with outputs."""
    with sqlite3.connect(path) as db:
        for migration in MIGRATIONS[:version]:
            db.executescript(migration)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("INSERT INTO recipe VALUES (1, 'r', '{\"a\": 1}', '{}', 0)")
        db.execute(
            "INSERT INTO job (recipe, source, place, ident, size, stamp, added)"
            " VALUES (1, ?, ?, ?, 10, '10.1.1.0', 0)",
            (b"/in/0.mov", b"0.mov", job_key(1, b"/in/0.mov", "10.1.1.0")),
        )
        db.execute(
            "INSERT INTO job (recipe, source, place, ident, size, stamp, state, tries, sha256,"
            " status, added, ended) VALUES"
            " (1, ?, ?, ?, 10, '10.1.1.1', 'done', 3, 'cd', 'fixed', 0, 1)",
            (b"/in/1.mov", b"sub/1.mov", job_key(1, b"/in/1.mov", "10.1.1.1")),
        )
        db.execute(
            "INSERT INTO output VALUES (2, 0, ?, ?, 'ab', 7, NULL, 1, NULL)",
            (b"sub/1.mp4", folded_name("sub/1.mp4")),
        )


def schema_of(path: Path) -> dict[str, list[tuple[str, str, int, int]]]:
    """Return name, type, NOT NULL and primary key of every column, by table."""
    with sqlite3.connect(path) as db:
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'index')"
        names = [name for (name,) in db.execute(query)]
        return {
            name: [
                (row[1], row[2], row[3], row[5]) for row in db.execute(f"PRAGMA table_info({name})")
            ]
            for name in names
        }


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_an_older_ledger_is_migrated(version: int, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    write_old_ledger(path, version)
    for _ in range(2):
        with Ledger(path) as ledger:
            (settings,) = ledger.all_settings()
            assert (settings.digest, settings.content) == ("r", {"a": 1})
            first, second = ledger.jobs()
            assert (first.source, first.state, first.attempts) == ("/in/0.mov", "new", 0)
            assert (second.relative_path, second.status) == ("sub/1.mov", "fixed")
            assert (second.sha256, second.attempts, second.size_bytes) == ("cd", 3, 10)
            assert ledger.outputs(2) == (replace(published("sub/1.mp4"), size_bytes=7),)
            assert ledger.add(1, found_files(2)) == (2, 0)
            assert ledger.is_name_taken("SUB/1.mp4", 1)
    with Ledger(path) as ledger:
        assert [row.source for row in ledger.claim(1, 9)] == ["/in/0.mov"]
        ledger.release(1, pause=60)
    with Ledger(tmp_path / "new.db"):
        pass
    assert schema_of(path) == schema_of(tmp_path / "new.db")


def test_a_migration_that_is_interrupted_leaves_the_older_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    write_old_ledger(path, SCHEMA_VERSION - 1)
    broken = (*MIGRATIONS[:-1], MIGRATIONS[-1] + "ALTER TABLE missing RENAME TO other")
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", broken)
        with pytest.raises(EnvironmentProblem, match="no such table: missing"):
            Ledger(path)
    with Ledger(path) as ledger:
        assert len(list(ledger.jobs())) == 2
