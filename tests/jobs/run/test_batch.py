"""A batch over threads and over a Dask cluster: every file once, mirrored, and nothing else touched."""

from __future__ import annotations

import errno
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
from mediaprep.jobs.ledger import discover as scan
from mediaprep.jobs.ledger.discover import given
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.events import JobDone, JobStarted, RunStarted
from mediaprep.jobs.run.inflight import RunOptions
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.runtime.source import folded
from tests.jobs.conftest import Heard, visible

Drop = Callable[..., Path]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def statuses(heard: Heard) -> dict[str, str]:
    return {
        Path(event.input).name: event.status
        for event in heard.of("job.done")
        if isinstance(event, JobDone)
    }


@pytest.mark.slow
def test_every_file_has_its_result_in_a_mirrored_folder(drop: Drop, opened, tmp_path: Path) -> None:
    drop("r60.mkv", "in/a.mkv")
    drop("ac3.mp4", "in/sub/deep/b.mp4")
    drop("base.mp4", "in/fine.mp4")
    (tmp_path / "in" / "notes.bin").write_bytes(b"no media" * 100)
    (tmp_path / "in" / ".hidden.mp4").write_bytes(b"x")
    (tmp_path / "in" / "half.mp4.part").write_bytes(b"x")
    before = digests(tmp_path / "in")
    heard = Heard()
    with opened(heard) as driver:
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
def test_a_second_run_does_nothing_and_a_fresh_one_replaces_only_our_own(
    drop: Drop, opened, tmp_path: Path
) -> None:
    drop("r60.mkv", "in/a.mkv")
    with opened() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    first = (tmp_path / "out" / "a.mp4").stat()
    again = Heard()
    with opened(again) as driver:
        batch.run(driver, [str(tmp_path / "in")])
    (started,) = again.of("batch.start")
    assert isinstance(started, RunStarted)
    assert (started.jobs, started.skipped) == (0, 1)
    assert (tmp_path / "out" / "a.mp4").stat() == first
    (tmp_path / "out" / "a.mp4").write_bytes(b"what an older mediaprep made")
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        (made,) = ledger.outputs(1)
        digest = hashlib.sha256(b"what an older mediaprep made").hexdigest()
        ledger.intend(1, [replace(made, sha256=digest)])
        ledger.done(1, "fixed")
    with opened() as driver:
        assert batch.run(driver, [str(tmp_path / "in")], fresh=True).counts == {"fixed": 1}
    assert visible(tmp_path / "out") == {"a.mp4"}
    assert (tmp_path / "out" / "a.mp4").stat().st_size == first.st_size
    (tmp_path / "out" / "a.mp4").write_bytes(b"somebody has edited it")
    with opened() as driver:
        batch.run(driver, [str(tmp_path / "in")], fresh=True)
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}
    assert (tmp_path / "out" / "a.mp4").read_bytes() == b"somebody has edited it"


@pytest.mark.slow
def test_names_that_collide_are_numbered_and_nothing_is_overwritten(
    drop: Drop, opened, tmp_path: Path
) -> None:
    drop("r60.mkv", "in/clip.mkv")
    drop("r60.ts", "in/clip.ts")
    drop("ac3.mp4", "in/Clip.mp4")
    drop("base.mp4", "in/cafe\u0301.mp4")
    drop("base.mp4", "in/caf\u00e9.mp4", salt=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "clip.mp4").write_bytes(b"mine")
    with opened() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    made = visible(tmp_path / "out")
    assert len(made) == 6
    assert (tmp_path / "out" / "clip.mp4").read_bytes() == b"mine"
    keys = [folded(name) for name in made]
    assert (
        len(set(keys)) >= 5
    )  # only the stranger's name, which the ledger does not know, may differ in case alone
    assert sum("cafe" in folded(name) or "caf\u00e9" in folded(name) for name in made) == 2


@pytest.mark.slow
def test_a_twin_is_copied_not_encoded_again(drop: Drop, opened, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        drop("ac3.mp4", f"in/{name}.mp4")
    heard = Heard()
    with opened(heard) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"fixed": 3}
    made = {(tmp_path / "out" / f"{name}.mp4").read_bytes() for name in "abc"}
    assert len(made) == 1
    assert len({(tmp_path / "out" / f"{name}.mp4").stat().st_ino for name in "abc"}) == 3


@pytest.mark.slow
def test_same_name_new_content_is_a_new_job(drop: Drop, opened, tmp_path: Path) -> None:
    drop("base.mp4", "in/a.mp4")
    with opened() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    drop("base.mp4", "in/a.mp4", salt=7)
    with opened() as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"already_ok": 1}
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}
    os.utime(tmp_path / "in" / "a.mp4")
    with opened() as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {
            "same": 1
        }  # touched, not changed
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["skip", "copy", "quarantine"])
def test_what_is_refused_goes_where_it_was_told(
    drop: Drop, opened, tmp_path: Path, policy: str
) -> None:
    source = drop("d140_2997.mp4", "in/long.mp4")
    quarantine = Quarantine(
        folder=tmp_path / "bad",
        move=False,
        report=lambda path, status, problems, outcome: {"status": status, "problems": problems},
    )
    with opened(options=RunOptions(on_refused=policy), quarantine=quarantine) as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"refused": 1}
    assert visible(tmp_path / "out") == ({"long.mp4"} if policy == "copy" else set())
    bad = visible(tmp_path / "bad") if (tmp_path / "bad").exists() else set()
    assert bad == ({"long.mp4", "long.mp4.report.json"} if policy == "quarantine" else set())
    assert source.exists()


@pytest.mark.slow
def test_a_file_that_changes_while_it_is_worked_on_is_done_as_it_is_in_the_end(
    drop: Drop, opened, tmp_path: Path
) -> None:
    path = drop("ac3.mp4", "in/a.mp4")
    heard = Heard()

    def tell(event: object) -> None:
        heard(event)  # type: ignore[arg-type]
        if getattr(event, "event", "") == "job.look" and len(heard.of("job.look")) == 1:
            shutil.copyfile(tmp_path / "other.mp4", path)

    drop("base.mp4", "other.mp4")
    with opened(tell) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1}
    assert (tmp_path / "out" / "a.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


@pytest.mark.slow
def test_a_vanished_file_an_unreadable_folder_and_a_missing_input_are_one_line_each(
    drop: Drop, opened, tmp_path: Path
) -> None:
    drop("base.mp4", "in/a.mp4")
    gone = drop("base.mp4", "in/b.mp4", salt=1)
    heard = Heard()

    def tell(event: object) -> None:
        heard(event)  # type: ignore[arg-type]
        if isinstance(event, RunStarted):
            gone.unlink()

    with opened(tell) as driver:
        end = batch.run(driver, [str(tmp_path / "in"), str(tmp_path / "nothing.mp4")])
    assert end.counts == {"already_ok": 1, "vanished": 1, "problems": 1}
    assert batch.failures(end.counts) == 2
    (notice,) = heard.of("notice")
    assert "nothing.mp4" in notice.message


def test_an_unreadable_folder_is_one_line_and_its_neighbours_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the refusal is played."""
    for name in ("a/1.mp4", "secret/2.mp4", "z/3.mp4", "4.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    lines: list[str] = []
    assert {entry.place for entry in scan.walk(tmp_path, lines.append)} == {
        "a/1.mp4",
        "z/3.mp4",
        "4.mp4",
    }
    assert lines == [f"{tmp_path}/secret: cannot be read (permission denied)"]


@pytest.mark.slow
def test_a_target_that_cannot_be_written_fails_that_file_only(
    drop: Drop, opened, tmp_path: Path
) -> None:
    drop("base.mp4", "in/sub/a.mp4")
    drop("base.mp4", "in/b.mp4", salt=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").write_text("a file where a folder is needed")
    heard = Heard()
    with opened(heard, options=RunOptions(retries=1)) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1, "failed": 1}
    assert len(heard.of("job.retry")) == 1
    (failed,) = [
        event
        for event in heard.of("job.done")
        if isinstance(event, JobDone) and event.status == "failed"
    ]
    assert "\n" not in failed.problems[0]
    assert visible(tmp_path / "out") == {"b.mp4", "sub"}


def test_an_output_folder_that_is_a_file_is_told_at_once(opened, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(EnvironmentProblem, match="nothing can be written"), opened():
        pass


@pytest.mark.slow
def test_stopping_gives_everything_back(drop: Drop, opened, tmp_path: Path) -> None:
    drop("d140_2997.mp4", "in/a.mp4")
    for number in range(4):
        drop("base.mp4", f"in/{number}.mp4", salt=number)
    flag = threading.Event()

    def tell(event: object) -> None:
        if isinstance(event, JobStarted):
            flag.set()

    with pytest.raises(Cancelled), opened(tell, cancel=flag) as driver:
        batch.run(driver, [str(tmp_path / "in")])
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert {(count.state, count.jobs) for count in ledger.counts()} == {("new", 5)}
        assert all(row.tries == 0 for row in ledger.rows())
    with opened() as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"already_ok": 4, "refused": 1}


def test_the_output_inside_the_input_is_refused_through_links_too(opened, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "in")
    from mediaprep.jobs.ledger import discover as scan

    for out in (tmp_path / "in" / "out", tmp_path / "alias" / "deep" / "out", tmp_path / "in"):
        with pytest.raises(UsageProblem, match="feed on its own output"):
            scan.refuse_loop(tmp_path / "in", out)
    scan.refuse_loop(tmp_path / "in", tmp_path / "beside")


def test_another_ledger_for_the_same_output_is_refused(opened, tmp_path: Path) -> None:
    with opened():
        pass
    with pytest.raises(UsageProblem, match="--state"), opened(state=tmp_path / "other.db"):
        pass


@pytest.mark.slow
def test_two_drivers_on_one_ledger_share_the_work(drop: Drop, opened, tmp_path: Path) -> None:
    for number in range(12):
        drop("base.mp4", f"in/{number}.mp4", salt=number)
    first, second = Heard(), Heard()
    with opened(first) as one, opened(second) as two:
        one.ledger.add(one.number, given([str(tmp_path / "in")], print))
        while one.turn(0.05) | two.turn(0.05):
            pass
    done = [event.job for heard in (first, second) for event in heard.of("job.done")]
    assert sorted(done) == list(range(1, 13))
    assert visible(tmp_path / "out") == {f"{number}.mp4" for number in range(12)}


class Dying(Executor):
    """An executor whose worker dies on one file, as Dask's ``KilledWorker`` tells it."""

    def __init__(self, inner: Executor, poison: str) -> None:
        self._inner, self._poison = inner, poison

    def submit(self, fn, /, *words, **more):  # type: ignore[no-untyped-def]
        if words[0].source.endswith(self._poison):
            future: Future[object] = Future()
            future.set_exception(RuntimeError("worker tcp://10.0.0.7:4711 died"))
            return future
        return self._inner.submit(fn, *words, **more)


@pytest.mark.slow
def test_a_poison_file_is_quarantined_and_the_rest_goes_on(
    drop: Drop, opened, crew, tmp_path: Path, monkeypatch
) -> None:
    drop("base.mp4", "in/a.mp4")
    drop("base.mp4", "in/poison.mp4", salt=1)
    inner = crew.executor
    monkeypatch.setattr(crew, "executor", lambda slots: Dying(inner(slots), "poison.mp4"))
    quarantine = Quarantine(
        folder=tmp_path / "bad", move=False, report=lambda *words: {"problems": list(words[2])}
    )
    heard = Heard()
    with opened(heard, quarantine=quarantine) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1, "failed": 1}
    assert statuses(heard) == {"a.mp4": "already_ok", "poison.mp4": "failed"}
    assert len(heard.of("job.retry")) == 2
    assert visible(tmp_path / "bad") == {"poison.mp4", "poison.mp4.report.json"}


@pytest.mark.slow
def test_a_dry_run_writes_nothing(drop: Drop, crew, recipe, tmp_path: Path) -> None:
    drop("r60.mkv", "in/a.mkv")
    drop("base.mp4", "in/b.mp4")
    before = digests(tmp_path)
    heard = Heard()
    end = batch.dry_run(recipe, crew, RunOptions(), [str(tmp_path / "in")], heard)
    assert end.counts == {"fixed": 1, "already_ok": 1}
    assert digests(tmp_path) == before
    plans = [event.plan for event in heard.of("job.look")]
    assert sorted(len(plan.outputs) for plan in plans) == [0, 1]


@pytest.mark.slow
def test_progress_comes_back_from_the_workers(drop: Drop, opened, tmp_path: Path) -> None:
    drop("ac3.mp4", "in/a.mp4")
    heard = Heard()
    with opened(heard) as driver:
        batch.run(driver, [str(tmp_path / "in")])
    progress = heard.of("job.progress")
    assert progress
    assert {event.input for event in progress} == {str(tmp_path / "in" / "a.mp4")}
    assert progress[-1].fraction == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["damaged", "removed"])
def test_a_lost_ledger_is_rebuilt_and_nothing_proven_is_done_again(
    drop: Drop, opened, tmp_path: Path, harm: str
) -> None:
    drop("r60.mkv", "in/a.mkv")
    drop("ac3.mp4", "in/sub/b.mp4")
    drop("base.mp4", "in/c.mp4")
    with opened() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    before = {
        name: (tmp_path / "out" / name).stat().st_mtime_ns for name in visible(tmp_path / "out")
    }
    ledger = tmp_path / "out" / ".mediaprep" / "ledger.db"
    if harm == "damaged":
        ledger.write_bytes(b"no database" * 999)
    else:
        ledger.unlink()
    (tmp_path / "out" / "c.mp4").unlink()
    heard = Heard()
    with opened(heard) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    assert end.counts == {"already_ok": 1}  # only the one whose output is gone
    (notice,) = heard.of("notice")
    assert "2 jobs" in notice.message
    after = {
        name: (tmp_path / "out" / name).stat().st_mtime_ns for name in visible(tmp_path / "out")
    }
    assert {name: time for name, time in after.items() if name != "c.mp4"} == {
        n: t for n, t in before.items() if n != "c.mp4"
    }
