"""The ledger: atomic claims, jobs of dead processes, migrations, and files that cannot be used."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mediaprep.errors import EnvironmentProblem, UsageProblem
from mediaprep.jobs.ledger import database
from mediaprep.jobs.ledger import ledger as ledgers
from mediaprep.jobs.ledger import owner as owners
from mediaprep.jobs.ledger.database import LedgerDamaged, LedgerTooNew
from mediaprep.jobs.ledger.ledger import Ledger, NameTaken
from mediaprep.jobs.ledger.open import open_existing, open_or_rebuild
from mediaprep.jobs.ledger.owner import Owner
from mediaprep.jobs.ledger.records import FoundFile, Publication, folded_name, job_key
from mediaprep.jobs.ledger.schema import MIGRATIONS, SCHEMA_VERSION


def found_files(count: int, stamp: int = 1) -> Iterator[FoundFile]:
    for number in range(count):
        yield FoundFile(
            source=f"/in/{number}.mov", relative_path=f"{number}.mov", stamp=(10, stamp, 1, number)
        )


def published(name: str, sha256: str = "ab", **more: object) -> Publication:
    output = Publication(name=name, sha256=sha256, size_bytes=1, work_file=None, fixed=True)
    return replace(output, **more)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


def test_a_known_file_is_added_once(ledger: Ledger) -> None:
    settings, others = ledger.register_settings("r", {}, {}), ledger.register_settings("s", {}, {})
    assert ledger.add(settings, found_files(5)) == (5, 5)
    assert ledger.add(settings, found_files(6)) == (6, 1)
    assert ledger.add(settings, found_files(1, stamp=2)) == (1, 1)  # the file has changed
    assert ledger.add(others, found_files(5)) == (5, 5)
    assert ledger.contains(settings, "/in/0.mov", (10, 1, 1, 0))
    assert not ledger.contains(settings, "/in/0.mov", (10, 9, 1, 0))


def test_names_are_bytes(ledger: Ledger) -> None:
    name = os.fsdecode(b"/in/caf\xe9\n.mov")
    settings = ledger.register_settings("r", {}, {})
    ledger.add(
        settings, [FoundFile(source=name, relative_path=os.path.basename(name), stamp=(1, 1, 1, 1))]
    )
    (row,) = ledger.claim(settings, 1)
    assert row.source == name


def test_claim_prefers_jobs_with_the_fewest_attempts(ledger: Ledger) -> None:
    settings = ledger.register_settings("r", {}, {})
    ledger.add(settings, found_files(3))
    (first,) = ledger.claim(settings, 1)
    ledger.release(first.id)
    assert [row.id for row in ledger.claim(settings, 2)] == [2, 3]
    assert [(row.id, row.attempts) for row in ledger.claim(settings, 2)] == [(1, 2)]
    assert ledger.claim(settings, 2) == ()
    ledger.release(1, count_attempt=False)
    assert [(row.id, row.attempts) for row in ledger.claim(settings, 2)] == [(1, 2)]


def claim_all(path: Path, results: multiprocessing.Queue[list[int]]) -> None:
    with Ledger(path) as ledger:
        claimed: list[int] = []
        while rows := ledger.claim(1, 1):
            claimed += [row.id for row in rows]
        results.put(claimed)


def test_four_processes_claim_a_thousand_jobs_once_each(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.add(ledger.register_settings("r", {}, {}), found_files(1000))
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[int]] = context.Queue()
    workers = [
        context.Process(target=claim_all, args=(tmp_path / "ledger.db", results)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    claimed = [job for _ in workers for job in results.get(timeout=120)]
    for worker in workers:
        worker.join()
    assert sorted(claimed) == list(range(1, 1001))


def test_only_jobs_of_dead_processes_are_orphans(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from mediaprep.jobs.ledger.ledger import Ledger;"
        "ledger = Ledger(Path(sys.argv[1])); ledger.claim(1, 2); print('ready', flush=True);"
        "os.kill(os.getpid(), int(sys.stdin.readline()))"
    )
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.add(ledger.register_settings("r", {}, {}), found_files(4))
        argv = [sys.executable, "-c", code, str(tmp_path / "ledger.db")]
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            assert ledger.claim_orphans() == ()
            child.communicate("9\n")
        assert [row.id for row in ledger.claim_orphans()] == [1, 2]
        assert ledger.claim_orphans() == ()
        assert sorted(path.name for path in tmp_path.glob("*.lock")) == sorted(
            ["ledger.db.lock", f"ledger.db.{ledger.owner.file_name}.lock"]
        )


def test_a_process_with_a_reused_pid_is_not_the_owner(tmp_path: Path) -> None:
    mine = Owner.new()
    descriptor = owners.acquire_lock(tmp_path / "lock")
    assert mine.is_alive(tmp_path / "lock")
    assert not Owner(mine.boot, mine.namespace, mine.pid, "1", mine.token).is_alive(
        tmp_path / "lock"
    )
    assert not Owner("another boot", mine.namespace, mine.pid, mine.start, mine.token).is_alive(
        tmp_path / "lock"
    )
    assert Owner(mine.boot, "another container", 1, "1", mine.token).is_alive(tmp_path / "lock")
    os.close(descriptor)
    assert not mine.is_alive(tmp_path / "lock")
    assert Owner.parse(str(mine)) == mine


def test_colliding_names_are_refused(ledger: Ledger) -> None:
    settings = ledger.register_settings("r", {}, {})
    ledger.add(settings, found_files(2))
    ledger.claim(settings, 2)
    ledger.begin_publishing(1, [published("a/Clip.mp4")])
    assert ledger.is_name_taken("a/clip.mp4", 2)
    assert not ledger.is_name_taken("a/clip.mp4", 1)
    with pytest.raises(NameTaken):
        ledger.begin_publishing(2, [published("a/CLIP.mp4")])


def test_a_failed_transaction_is_rolled_back(ledger: Ledger) -> None:
    settings = ledger.register_settings("r", {}, {})

    def failing() -> Iterator[FoundFile]:
        yield from found_files(3)
        raise KeyError

    with pytest.raises(KeyError):
        ledger.add(settings, failing())
    assert ledger.counts() == ()


def test_retry_restarts_jobs_that_ended_without_an_output(ledger: Ledger) -> None:
    settings = ledger.register_settings("r", {}, {})
    ledger.add(settings, found_files(3))
    for row, status in zip(ledger.claim(settings, 3), ("fixed", "failed", "refused"), strict=True):
        ledger.finish(row.id, status)
    assert ledger.retry([1]) == 0
    assert ledger.retry() == 2
    assert [row.id for row in ledger.claim(settings, 9)] == [2, 3]


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


def test_a_released_job_is_not_claimed_during_its_pause(ledger: Ledger) -> None:
    settings = ledger.register_settings("r", {}, {})
    ledger.add(settings, found_files(2))
    first, second = ledger.claim(settings, 2)
    ledger.release(first.id, pause=60)
    ledger.release(second.id)
    assert [row.id for row in ledger.claim(settings, 2)] == [second.id]
    assert ledger.claim(settings, 2) == ()
    assert ledger.has_new(settings)


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


@pytest.mark.long
@pytest.mark.timeout(600)
def test_adding_a_million_jobs_takes_constant_memory(tmp_path: Path) -> None:
    """Peak memory does not grow from 200,000 jobs to 1,000,000."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mediaprep.jobs.ledger.ledger import Ledger\n"
        "from mediaprep.jobs.ledger.records import FoundFile\n"
        "with Ledger(Path(sys.argv[1])) as ledger:\n"
        "    count = int(sys.argv[2])\n"
        "    files = (FoundFile(source=f'/{n}.mov', relative_path=f'{n}.mov', stamp=(n, n, n, n))\n"
        "        for n in range(count))\n"
        "    settings = ledger.register_settings('r', {}, {})\n"
        "    assert ledger.add(settings, files)[1] == count\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (200_000, 1_000_000):
        argv = [sys.executable, "-c", code, str(tmp_path / f"{count}.db"), str(count)]
        peaks.append(int(subprocess.run(argv, capture_output=True, check=True, text=True).stdout))
    assert peaks[1] < peaks[0] + ledgers.MANY_FILES_CACHE_KIB
