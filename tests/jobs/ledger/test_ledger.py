"""The ledger: atomic claims, jobs of dead processes, migrations, and files that cannot be used."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaprep.jobs.ledger import ledger as ledgers
from mediaprep.jobs.ledger.ledger import Ledger, NameTaken
from mediaprep.jobs.ledger.records import FoundFile
from tests.jobs.conftest import found_files, published


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


def test_a_released_job_is_not_claimed_during_its_pause(ledger: Ledger) -> None:
    settings = ledger.register_settings("r", {}, {})
    ledger.add(settings, found_files(2))
    first, second = ledger.claim(settings, 2)
    ledger.release(first.id, pause=60)
    ledger.release(second.id)
    assert [row.id for row in ledger.claim(settings, 2)] == [second.id]
    assert ledger.claim(settings, 2) == ()
    assert ledger.has_new(settings)


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


def test_suffixes_of_files_with_the_same_stem(ledger: Ledger) -> None:
    settings, others = ledger.register_settings("r", {}, {}), ledger.register_settings("s", {}, {})
    names = ["a/x.MOV", "a/x.jpg", "a/x.part.jpg", "a/x-1.gif", "a/x", "a/x/y.png", "b/x.heic"]
    for number, name in enumerate(names):
        file = FoundFile(source=f"/in/{name}", relative_path=name, stamp=(1, 1, 1, number))
        ledger.add(settings, [file])
    assert ledger.suffixes_of_stem(settings, "a/x.MOV") == {".MOV", ".jpg"}
    assert ledger.suffixes_of_stem(settings, "a/x.part.jpg") == {".jpg"}
    assert ledger.suffixes_of_stem(others, "a/x.MOV") == frozenset()
