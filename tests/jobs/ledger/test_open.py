"""Ledgers that are damaged, too new or missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaprep.errors import EnvironmentProblem, UsageProblem
from mediaprep.jobs.ledger.database import LedgerDamaged, LedgerTooNew
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.ledger.open import open_existing, open_or_rebuild
from tests.jobs.conftest import found_files


def set_newer_version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")


def overwrite_file(path: Path) -> None:
    path.write_bytes(b"\x00garbage" * 1000)


def damage_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (set_newer_version, LedgerTooNew),
        (overwrite_file, LedgerDamaged),
        (damage_pages, LedgerDamaged),
    ],
)
def test_an_unusable_ledger_is_set_aside_with_one_line(
    tmp_path: Path, damage: Callable[[Path], None], error: type[Exception]
) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.add(ledger.register_settings("r", {}, {}), found_files(300))
    damage(path)
    damaged = path.read_bytes()
    with pytest.raises(error):
        Ledger(path)
    lines: list[str] = []
    with open_or_rebuild(path, lines.append, lambda ledger: 7) as ledger:
        assert ledger.counts() == ()
    (line,) = lines
    assert "moved to ledger.db." in line
    assert "7 finished and verified jobs" in line
    assert "\n" not in line
    (aside,) = [
        p
        for p in tmp_path.iterdir()
        if p.name.startswith(("ledger.db.newer", "ledger.db.damaged")) and p.suffix == ".1"
    ]
    assert aside.read_bytes() == damaged


def test_a_newer_ledger_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path):
        set_newer_version(path)
        with pytest.raises(EnvironmentProblem, match="using it"):
            open_or_rebuild(path, print, lambda ledger: 0)
    assert path.exists()


def test_a_missing_ledger_is_a_usage_problem(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="no ledger"):
        open_existing(tmp_path / "ledger.db")
