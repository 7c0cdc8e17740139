"""A batch over threads and over Dask: every file is processed once, and nothing else changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path

import pytest

import mediaprep
from mediaprep.errors import Cancelled, EnvironmentProblem, UsageProblem
from mediaprep.jobs.ledger.discover import find_inputs
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.events import JobDone, JobStarted, RunStarted
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.runtime.paths import collision_key
from tests.jobs.conftest import EventLog, visible

Drop = Callable[..., Path]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def statuses(log: EventLog) -> dict[str, str]:
    return {
        Path(event.input).name: event.status
        for event in log.of("job.done")
        if isinstance(event, JobDone)
    }


@pytest.mark.slow
def test_every_file_has_its_result_in_the_mirrored_folder(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("r60.mkv", "in/a.mkv")
    drop("ac3.mp4", "in/sub/deep/b.mp4")
    drop("base.mp4", "in/fine.mp4")
    (tmp_path / "in" / "notes.bin").write_bytes(b"no media" * 100)
    (tmp_path / "in" / ".hidden.mp4").write_bytes(b"x")
    (tmp_path / "in" / "half.mp4.part").write_bytes(b"x")
    before = digests(tmp_path / "in")
    log = EventLog()
    with open_driver(log) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"fixed": 2, "already_ok": 1, "unreadable": 1}
    assert end.left == 0
    assert visible(tmp_path / "out") == {"a.mp4", "sub/deep/b.mp4", "fine.mp4"}
    assert (tmp_path / "out" / "fine.mp4").read_bytes() == (
        tmp_path / "in" / "fine.mp4"
    ).read_bytes()
    assert not (tmp_path / "out" / "fine.mp4").samefile(tmp_path / "in" / "fine.mp4")
    assert {
        mediaprep.check(tmp_path / "out" / name).verdict for name in visible(tmp_path / "out")
    } == {"pass"}
    assert digests(tmp_path / "in") == before
    assert not list((tmp_path / "out" / ".mediaprep" / "work").iterdir())


@pytest.mark.slow
def test_a_fresh_run_replaces_only_unchanged_outputs_of_ours(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("r60.mkv", "in/a.mkv")
    with open_driver() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    first = (tmp_path / "out" / "a.mp4").stat()
    log = EventLog()
    with open_driver(log) as driver:
        batch.run(driver, [str(tmp_path / "in")])
    (started,) = log.of("batch.start")
    assert isinstance(started, RunStarted)
    assert (started.jobs, started.skipped) == (0, 1)
    assert (tmp_path / "out" / "a.mp4").stat() == first
    (tmp_path / "out" / "a.mp4").write_bytes(b"output of an older mediaprep")
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        (output,) = ledger.outputs(1)
        digest = hashlib.sha256(b"output of an older mediaprep").hexdigest()
        ledger.begin_publishing(1, [replace(output, sha256=digest)])
        ledger.finish(1, "fixed")
    with open_driver() as driver:
        assert batch.run(driver, [str(tmp_path / "in")], fresh=True).counts == {"fixed": 1}
    assert visible(tmp_path / "out") == {"a.mp4"}
    assert (tmp_path / "out" / "a.mp4").stat().st_size == first.st_size
    (tmp_path / "out" / "a.mp4").write_bytes(b"edited by the user")
    with open_driver() as driver:
        batch.run(driver, [str(tmp_path / "in")], fresh=True)
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}
    assert (tmp_path / "out" / "a.mp4").read_bytes() == b"edited by the user"


@pytest.mark.slow
def test_colliding_names_are_numbered_and_nothing_is_overwritten(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("r60.mkv", "in/clip.mkv")
    drop("r60.ts", "in/clip.ts")
    drop("ac3.mp4", "in/Clip.mp4")
    drop("base.mp4", "in/cafe\u0301.mp4")
    drop("base.mp4", "in/caf\u00e9.mp4", salt=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "clip.mp4").write_bytes(b"mine")
    with open_driver() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    outputs = visible(tmp_path / "out")
    assert len(outputs) == 6
    assert (tmp_path / "out" / "clip.mp4").read_bytes() == b"mine"
    keys = [collision_key(name) for name in outputs]
    assert (
        len(set(keys)) >= 5
    )  # only the existing file, which the ledger does not know, may differ in case alone
    assert (
        sum("cafe" in collision_key(name) or "caf\u00e9" in collision_key(name) for name in outputs)
        == 2
    )


@pytest.mark.slow
def test_a_duplicate_is_copied_not_encoded_again(drop: Drop, open_driver, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        drop("ac3.mp4", f"in/{name}.mp4")
    log = EventLog()
    with open_driver(log) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"fixed": 3}
    contents = {(tmp_path / "out" / f"{name}.mp4").read_bytes() for name in "abc"}
    assert len(contents) == 1
    assert len({(tmp_path / "out" / f"{name}.mp4").stat().st_ino for name in "abc"}) == 3


@pytest.mark.slow
def test_new_content_under_the_same_name_is_a_new_job(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("base.mp4", "in/a.mp4")
    with open_driver() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    drop("base.mp4", "in/a.mp4", salt=7)
    with open_driver() as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"already_ok": 1}
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}
    os.utime(tmp_path / "in" / "a.mp4")
    with open_driver() as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {
            "same": 1
        }  # touched, not changed
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["skip", "copy", "quarantine"])
def test_refused_files_are_skipped_copied_or_quarantined(
    drop: Drop, open_driver, tmp_path: Path, policy: str
) -> None:
    source = drop("d140_2997.mp4", "in/long.mp4")
    quarantine = Quarantine(
        folder=tmp_path / "bad",
        move=False,
        report=lambda path, status, problems, outcome: {"status": status, "problems": problems},
    )
    with open_driver(options=RunOptions(on_refused=policy), quarantine=quarantine) as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"refused": 1}
    assert visible(tmp_path / "out") == ({"long.mp4"} if policy == "copy" else set())
    bad = visible(tmp_path / "bad") if (tmp_path / "bad").exists() else set()
    assert bad == ({"long.mp4", "long.mp4.report.json"} if policy == "quarantine" else set())
    assert source.exists()


@pytest.mark.slow
def test_a_file_that_changes_during_its_job_is_processed_in_its_last_state(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    path = drop("ac3.mp4", "in/a.mp4")
    log = EventLog()

    def listener(event: object) -> None:
        log(event)  # type: ignore[arg-type]
        if getattr(event, "event", "") == "job.look" and len(log.of("job.look")) == 1:
            shutil.copyfile(tmp_path / "other.mp4", path)

    drop("base.mp4", "other.mp4")
    with open_driver(listener) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1}
    assert (tmp_path / "out" / "a.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


@pytest.mark.slow
def test_a_vanished_file_and_a_missing_input_are_one_line_each(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("base.mp4", "in/a.mp4")
    gone = drop("base.mp4", "in/b.mp4", salt=1)
    log = EventLog()

    def listener(event: object) -> None:
        log(event)  # type: ignore[arg-type]
        if isinstance(event, RunStarted):
            gone.unlink()

    with open_driver(listener) as driver:
        end = batch.run(driver, [str(tmp_path / "in"), str(tmp_path / "nothing.mp4")])
    assert end.counts == {"already_ok": 1, "vanished": 1, "problems": 1}
    assert batch.count_failures(end.counts) == 2
    (notice,) = log.of("notice")
    assert "nothing.mp4" in notice.message


@pytest.mark.slow
def test_an_output_that_cannot_be_written_fails_only_its_file(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("base.mp4", "in/sub/a.mp4")
    drop("base.mp4", "in/b.mp4", salt=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").write_text("a file where a folder is needed")
    log = EventLog()
    with open_driver(log, options=RunOptions(retries=1)) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1, "failed": 1}
    assert len(log.of("job.retry")) == 1
    (failed,) = [
        event
        for event in log.of("job.done")
        if isinstance(event, JobDone) and event.status == "failed"
    ]
    assert "\n" not in failed.problems[0]
    assert visible(tmp_path / "out") == {"b.mp4", "sub"}


def test_an_output_folder_that_is_a_file_is_refused_at_once(open_driver, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(EnvironmentProblem, match="not writable"), open_driver():
        pass


@pytest.mark.slow
def test_a_cancelled_run_releases_its_jobs(drop: Drop, open_driver, tmp_path: Path) -> None:
    drop("d140_2997.mp4", "in/a.mp4")
    for number in range(4):
        drop("base.mp4", f"in/{number}.mp4", salt=number)
    flag = threading.Event()

    def listener(event: object) -> None:
        if isinstance(event, JobStarted):
            flag.set()

    with pytest.raises(Cancelled), open_driver(listener, cancel=flag) as driver:
        batch.run(driver, [str(tmp_path / "in")])
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert {(count.state, count.jobs) for count in ledger.counts()} == {("new", 5)}
        assert all(row.attempts == 0 for row in ledger.jobs())
    with open_driver() as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"already_ok": 4, "refused": 1}


def test_another_ledger_for_the_same_output_is_refused(open_driver, tmp_path: Path) -> None:
    with open_driver():
        pass
    with (
        pytest.raises(UsageProblem, match="--state"),
        open_driver(ledger_path=tmp_path / "other.db"),
    ):
        pass


@pytest.mark.slow
def test_two_drivers_on_one_ledger_share_the_work(drop: Drop, open_driver, tmp_path: Path) -> None:
    for number in range(12):
        drop("base.mp4", f"in/{number}.mp4", salt=number)
    first, second = EventLog(), EventLog()
    with open_driver(first) as one, open_driver(second) as two:
        one.ledger.add(one.settings_id, find_inputs([str(tmp_path / "in")], print))
        while one.turn(0.05) | two.turn(0.05):
            pass
    done = [event.job for log in (first, second) for event in log.of("job.done")]
    assert sorted(done) == list(range(1, 13))
    assert visible(tmp_path / "out") == {f"{number}.mp4" for number in range(12)}


class DyingExecutor(Executor):
    """An executor whose worker dies on one file, reported as by Dask's ``KilledWorker``."""

    def __init__(self, inner: Executor, poison: str) -> None:
        self._inner, self._poison = inner, poison

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        if args[0].source.endswith(self._poison):
            future: Future[object] = Future()
            future.set_exception(RuntimeError("worker tcp://10.0.0.7:4711 died"))
            return future
        return self._inner.submit(fn, *args, **kwargs)


@pytest.mark.slow
def test_a_file_that_kills_workers_is_quarantined(
    drop: Drop, open_driver, pool, tmp_path: Path, monkeypatch
) -> None:
    drop("base.mp4", "in/a.mp4")
    drop("base.mp4", "in/poison.mp4", salt=1)
    inner = pool.executor
    monkeypatch.setattr(
        pool, "executor", lambda threads: DyingExecutor(inner(threads), "poison.mp4")
    )
    quarantine = Quarantine(
        folder=tmp_path / "bad",
        move=False,
        report=lambda *arguments: {"problems": list(arguments[2])},
    )
    log = EventLog()
    with open_driver(log, quarantine=quarantine) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1, "failed": 1}
    assert statuses(log) == {"a.mp4": "already_ok", "poison.mp4": "failed"}
    assert len(log.of("job.retry")) == 2
    assert visible(tmp_path / "bad") == {"poison.mp4", "poison.mp4.report.json"}


@pytest.mark.slow
def test_a_dry_run_writes_nothing(drop: Drop, pool, settings, tmp_path: Path) -> None:
    drop("r60.mkv", "in/a.mkv")
    drop("base.mp4", "in/b.mp4")
    before = digests(tmp_path)
    log = EventLog()
    end = batch.dry_run(settings, pool, RunOptions(), [str(tmp_path / "in")], log)
    assert end.counts == {"fixed": 1, "already_ok": 1}
    assert digests(tmp_path) == before
    plans = [event.plan for event in log.of("job.look")]
    assert sorted(len(plan.outputs) for plan in plans) == [0, 1]


@pytest.mark.slow
def test_workers_report_progress(drop: Drop, open_driver, tmp_path: Path) -> None:
    drop("ac3.mp4", "in/a.mp4")
    log = EventLog()
    with open_driver(log) as driver:
        batch.run(driver, [str(tmp_path / "in")])
    progress = log.of("job.progress")
    assert progress
    assert {event.input for event in progress} == {str(tmp_path / "in" / "a.mp4")}
    assert progress[-1].fraction == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["overwritten", "removed"])
def test_a_lost_ledger_is_rebuilt_from_the_outputs(
    drop: Drop, open_driver, tmp_path: Path, damage: str
) -> None:
    drop("r60.mkv", "in/a.mkv")
    drop("ac3.mp4", "in/sub/b.mp4")
    drop("base.mp4", "in/c.mp4")
    with open_driver() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    before = {
        name: (tmp_path / "out" / name).stat().st_mtime_ns for name in visible(tmp_path / "out")
    }
    ledger = tmp_path / "out" / ".mediaprep" / "ledger.db"
    if damage == "overwritten":
        ledger.write_bytes(b"no database" * 999)
    else:
        ledger.unlink()
    (tmp_path / "out" / "c.mp4").unlink()
    log = EventLog()
    with open_driver(log) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1}  # only the one whose output is gone
    (notice,) = log.of("notice")
    assert "2 finished and verified jobs" in notice.message
    after = {
        name: (tmp_path / "out" / name).stat().st_mtime_ns for name in visible(tmp_path / "out")
    }
    assert {name: time for name, time in after.items() if name != "c.mp4"} == {
        n: t for n, t in before.items() if n != "c.mp4"
    }
