"""The ledger: claims are atomic, dead owners are found out, damage and newer versions are set aside, nothing proven is done again."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediaprep.errors import EnvironmentProblem, UsageProblem
from mediaprep.jobs.ledger import database
from mediaprep.jobs.ledger import ledger as ledgers
from mediaprep.jobs.ledger import owner as owners
from mediaprep.jobs.ledger.database import LedgerDamaged, LedgerTooNew
from mediaprep.jobs.ledger.ledger import Ledger, NameTaken, existing, open_ledger
from mediaprep.jobs.ledger.owner import Owner
from mediaprep.jobs.ledger.records import FoundFile, Publication


def entries(count: int, stamp: int = 1) -> Iterator[FoundFile]:
    for number in range(count):
        yield FoundFile(
            source=f"/in/{number}.mov", place=f"{number}.mov", stamp=(10, stamp, 1, number)
        )


def published(name: str, sha256: str = "ab", **more: object) -> Publication:
    return Publication(name=name, sha256=sha256, size=1, part=None, made=True, **more)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


def test_what_is_known_is_entered_once(ledger: Ledger) -> None:
    recipe, other = ledger.recipe("r", {}, {}), ledger.recipe("s", {}, {})
    assert ledger.add(recipe, entries(5)) == (5, 5)
    assert ledger.add(recipe, entries(6)) == (6, 1)
    assert ledger.add(recipe, entries(1, stamp=2)) == (1, 1)  # changed since
    assert ledger.add(other, entries(5)) == (5, 5)
    assert ledger.knows(recipe, "/in/0.mov", (10, 1, 1, 0))
    assert not ledger.knows(recipe, "/in/0.mov", (10, 9, 1, 0))


def test_names_are_bytes(ledger: Ledger) -> None:
    name = os.fsdecode(b"/in/caf\xe9\n.mov")
    recipe = ledger.recipe("r", {}, {})
    ledger.add(recipe, [FoundFile(source=name, place=os.path.basename(name), stamp=(1, 1, 1, 1))])
    (row,) = ledger.claim(recipe, 1)
    assert row.source == name


def test_a_claim_takes_what_was_tried_least(ledger: Ledger) -> None:
    recipe = ledger.recipe("r", {}, {})
    ledger.add(recipe, entries(3))
    (first,) = ledger.claim(recipe, 1)
    ledger.release(first.id)
    assert [row.id for row in ledger.claim(recipe, 2)] == [2, 3]
    assert [(row.id, row.tries) for row in ledger.claim(recipe, 2)] == [(1, 2)]
    assert ledger.claim(recipe, 2) == ()
    ledger.release(1, counted=False)
    assert [(row.id, row.tries) for row in ledger.claim(recipe, 2)] == [(1, 2)]


def claim_all(path: Path, answers: multiprocessing.Queue[list[int]]) -> None:
    with Ledger(path) as mine:
        taken: list[int] = []
        while rows := mine.claim(1, 1):
            taken += [row.id for row in rows]
        answers.put(taken)


def test_four_processes_claim_a_thousand_jobs_once_each(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.add(ledger.recipe("r", {}, {}), entries(1000))
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[list[int]] = context.Queue()
    workers = [
        context.Process(target=claim_all, args=(tmp_path / "ledger.db", answers)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    taken = [job for _ in workers for job in answers.get(timeout=120)]
    for worker in workers:
        worker.join()
    assert sorted(taken) == list(range(1, 1001))


def test_jobs_of_a_dead_process_are_found_and_those_of_a_living_one_left(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from mediaprep.jobs.ledger.ledger import Ledger;"
        "ledger = Ledger(Path(sys.argv[1])); ledger.claim(1, 2); print('ready', flush=True);"
        "os.kill(os.getpid(), int(sys.stdin.readline()))"
    )
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.add(ledger.recipe("r", {}, {}), entries(4))
        argv = [sys.executable, "-c", code, str(tmp_path / "ledger.db")]
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            assert ledger.orphans() == ()
            child.communicate("9\n")
        assert [row.id for row in ledger.orphans()] == [1, 2]
        assert ledger.orphans() == ()
        assert sorted(path.name for path in tmp_path.glob("*.lock")) == sorted(
            ["ledger.db.lock", f"ledger.db.{ledger.owner.run}.lock"]
        )


def test_a_reused_pid_is_not_the_owner(tmp_path: Path) -> None:
    mine = Owner.me()
    descriptor = owners.hold(tmp_path / "lock")
    assert mine.alive(tmp_path / "lock")
    assert not Owner(mine.boot, mine.space, mine.pid, "1", mine.mark).alive(tmp_path / "lock")
    assert not Owner("another boot", mine.space, mine.pid, mine.start, mine.mark).alive(
        tmp_path / "lock"
    )
    assert Owner(mine.boot, "another container", 1, "1", mine.mark).alive(tmp_path / "lock")
    os.close(descriptor)
    assert not mine.alive(tmp_path / "lock")
    assert Owner.parse(str(mine)) == mine


def test_two_outputs_never_get_one_name(ledger: Ledger) -> None:
    recipe = ledger.recipe("r", {}, {})
    ledger.add(recipe, entries(2))
    ledger.claim(recipe, 2)
    ledger.intend(1, [published("a/Clip.mp4")])
    assert ledger.taken("a/clip.mp4", 2)
    assert not ledger.taken("a/clip.mp4", 1)
    with pytest.raises(NameTaken):
        ledger.intend(2, [published("a/CLIP.mp4")])


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    recipe = ledger.recipe("r", {}, {})

    def failing() -> Iterator[FoundFile]:
        yield from entries(3)
        raise KeyError

    with pytest.raises(KeyError):
        ledger.add(recipe, failing())
    assert ledger.counts() == ()


def test_retry_takes_up_what_ended_without_an_output(ledger: Ledger) -> None:
    recipe = ledger.recipe("r", {}, {})
    ledger.add(recipe, entries(3))
    for row, status in zip(ledger.claim(recipe, 3), ("fixed", "failed", "refused"), strict=True):
        ledger.done(row.id, status)
    assert ledger.retry([1]) == 0
    assert ledger.retry() == 2
    assert [row.id for row in ledger.claim(recipe, 9)] == [2, 3]


@pytest.mark.parametrize("version", range(database.SCHEMA + 1))
def test_every_older_schema_is_carried_forward(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(database, "MIGRATIONS", database.MIGRATIONS[:version])
        then.setattr(database, "SCHEMA", version)
        with database.Database(tmp_path / "ledger.db") as old:
            if version:
                old.db.execute("INSERT INTO recipe VALUES (1, 'r', '{}', '{}', 0)")
                old.db.execute(
                    "INSERT INTO job (recipe, source, place, ident, size, stamp, added) VALUES (1, ?, ?, ?, 1, '1.1.1.1', 0)",
                    (b"/in/0.mov", b"0.mov", b"0"),
                )
    for _ in range(2):
        with Ledger(tmp_path / "ledger.db") as ledger:
            assert [(count.state, count.jobs) for count in ledger.counts()] == (
                [("new", 1)] if version else []
            )
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert [row.source for row in ledger.claim(1, 9)] == (["/in/0.mov"] if version else [])
        assert ledger.db.execute("PRAGMA user_version").fetchone() == (database.SCHEMA,)


def test_a_job_that_pauses_is_left_alone_until_it_is_due(ledger: Ledger) -> None:
    recipe = ledger.recipe("r", {}, {})
    ledger.add(recipe, entries(2))
    first, second = ledger.claim(recipe, 2)
    ledger.release(first.id, pause=60)
    ledger.release(second.id)
    assert [row.id for row in ledger.claim(recipe, 2)] == [second.id]
    assert ledger.claim(recipe, 2) == ()
    assert ledger.waiting(recipe)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")


def not_a_database(path: Path) -> None:
    path.write_bytes(b"\x00garbage" * 1000)


def one_page_damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "kind"),
    [(newer, LedgerTooNew), (not_a_database, LedgerDamaged), (one_page_damaged, LedgerDamaged)],
)
def test_what_cannot_be_used_is_set_aside_and_told_in_one_line(
    tmp_path: Path, harm: Callable[[Path], None], kind: type[Exception]
) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.add(ledger.recipe("r", {}, {}), entries(300))
    harm(path)
    harmed = path.read_bytes()
    with pytest.raises(kind):
        Ledger(path)
    told: list[str] = []
    with open_ledger(path, told.append, lambda ledger: 7) as ledger:
        assert ledger.counts() == ()
    (line,) = told
    assert "set aside" in line
    assert "7 jobs" in line
    assert "\n" not in line
    (aside,) = [
        p
        for p in tmp_path.iterdir()
        if p.name.startswith(("ledger.db.newer", "ledger.db.damaged")) and p.suffix == ".1"
    ]
    assert aside.read_bytes() == harmed


def test_a_newer_ledger_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path):
        newer(path)
        with pytest.raises(EnvironmentProblem, match="using it"):
            open_ledger(path, print, lambda ledger: 0)
    assert path.exists()


def test_a_ledger_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="no ledger"):
        existing(tmp_path / "ledger.db")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_memory_is_constant_and_a_million_rows_are_entered(tmp_path: Path) -> None:
    """The high-water mark of a process that enters 10^6 jobs is that of one that enters 2 x 10^5, but for some MB; see benchmarks/batch.py
    for the time."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mediaprep.jobs.ledger.ledger import Ledger\n"
        "from mediaprep.jobs.ledger.records import Entry\n"
        "with Ledger(Path(sys.argv[1])) as ledger:\n"
        "    many = (Entry(source=f'/in/{n}.mov', place=f'{n}.mov', stamp=(n, n, n, n)) for n in range(int(sys.argv[2])))\n"
        "    assert ledger.add(ledger.recipe('r', {}, {}), many)[1] == int(sys.argv[2])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (200_000, 1_000_000):
        argv = [sys.executable, "-c", code, str(tmp_path / f"{count}.db"), str(count)]
        peaks.append(int(subprocess.run(argv, capture_output=True, check=True, text=True).stdout))
    assert peaks[1] < peaks[0] + ledgers.LARGE[1]
