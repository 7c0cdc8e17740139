"""A watched folder: every file gets its result once, and outputs are not processed again."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mediaprep.errors import Cancelled, UsageProblem
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.events import JobDone
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.watch import observer
from mediaprep.jobs.watch.observer import Observer
from mediaprep.jobs.watch.settle import SettleOptions
from mediaprep.jobs.watch.source_cleanup import OnDone
from mediaprep.jobs.watch.watch import Watch, WatchOptions, refuse_unusable_folders
from mediaprep.jobs.workers.pool import WorkerPool
from mediaprep.jobs.workers.threads import ThreadPool
from tests.jobs.conftest import EventLog, visible

Drop = Callable[..., Path]
ONCE = WatchOptions(
    rescan=0.3,
    once=True,
    min_free=0,
    settle=SettleOptions(settle=0.2, check_interval=0.05, incomplete_after=1.0),
)
OPTIONS = RunOptions(on_refused="quarantine", watched=True)


@pytest.fixture(params=["threads", pytest.param("dask", marks=pytest.mark.long)])
def pool(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    """Watching does not depend on the kind of pool: only long runs use a cluster."""
    if request.param == "dask":
        yield request.getfixturevalue("dask_pool")
        return
    threads = ThreadPool(2)
    yield threads
    threads.close()


@pytest.fixture
def watched(open_driver, tmp_path: Path):  # type: ignore[no-untyped-def]
    """``watched(options)`` watches ``tmp_path/in`` until all is done; returns events and end."""
    (tmp_path / "in").mkdir(exist_ok=True)

    def run(
        watch_options: WatchOptions = ONCE,
        listener: Callable[[object], None] | None = None,
        **arguments: object,
    ):  # type: ignore[no-untyped-def]
        log = EventLog()

        def both(event: object) -> None:
            log(event)  # type: ignore[arg-type]
            if listener is not None:
                listener(event)

        watching = Watch(tmp_path / "in", watch_options)
        report = {
            "report": lambda path, status, problems, outcome: {
                "status": status,
                "problems": list(problems),
            }
        }
        quarantine = Quarantine(
            folder=tmp_path / "bad", move=watch_options.on_done != "leave", **report
        )
        with open_driver(
            watching.listener(both), options=OPTIONS, quarantine=quarantine, **arguments
        ) as driver:
            return log, watching.run(driver)

    return run


SRT = "1\n00:00:0{0},000 --> 00:00:0{0},900\nline {1}\n"


@pytest.mark.slow
def test_earlier_and_later_files_are_processed(drop: Drop, watched, tmp_path: Path) -> None:
    drop("r60.mkv", "in/sub/a.mkv")
    drop("base.mp4", "in/b.mp4")
    cut = tmp_path / "in" / "cut.mp4"
    cut.write_bytes((tmp_path / "in" / "b.mp4").read_bytes()[:50_000])

    def later(event: object) -> None:
        if isinstance(event, JobDone) and event.input.endswith("b.mp4"):
            drop("ac3.mp4", "in/late.mp4")

    _, end = watched(listener=later)
    assert end.counts == {"fixed": 2, "already_ok": 1, "unreadable": 1}
    assert visible(tmp_path / "out") == {"sub/a.mp4", "b.mp4", "late.mp4"}
    assert visible(tmp_path / "in") == {"sub/a.mkv", "b.mp4", "cut.mp4", "late.mp4"}
    assert visible(tmp_path / "bad") == {"cut.mp4", "cut.mp4.report.json"}
    _, again = watched()
    assert again.counts == {}


@pytest.mark.slow
def test_a_full_event_queue_loses_no_file(watched, tmp_path: Path) -> None:
    """200 files at once and a queue of one event: scans find the other files."""
    for number in range(200):
        (tmp_path / "in" / f"{number}.srt").write_text(SRT.format(number % 9, number))
    _, end = watched(replace(ONCE, max_events=1))
    assert sum(end.counts.values()) == 200
    assert set(end.counts) <= {"already_ok", "fixed"}
    assert len(visible(tmp_path / "out")) == 200


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_3000_files_at_once_get_3000_results(watched, tmp_path: Path) -> None:
    def flood() -> None:
        for number in range(3000):
            (tmp_path / "in" / f"{number}.srt").write_text(SRT.format(number % 9, number))

    (tmp_path / "in" / "first.srt").write_text(SRT.format(1, "first"))
    thread = threading.Thread(target=flood)
    thread.start()
    _, end = watched(replace(ONCE, max_events=8))
    thread.join()
    _, rest = watched(replace(ONCE, max_events=8))
    assert sum(end.counts.values()) + sum(rest.counts.values()) == 3001
    assert len(visible(tmp_path / "out")) == 3001


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["move", "delete"])
def test_sources_with_a_result_are_moved_or_deleted(
    drop: Drop, watched, tmp_path: Path, policy: OnDone
) -> None:
    drop("r60.mkv", "in/sub/a.mkv")
    drop("base.mp4", "in/b.mp4")
    drop("d140_2997.mp4", "in/long.mp4")
    _, end = watched(replace(ONCE, on_done=policy))
    assert end.counts == {"fixed": 1, "already_ok": 1, "refused": 1}
    left = {"done/sub/a.mkv", "done/b.mp4"} if policy == "move" else set()
    assert visible(tmp_path / "in") == {f".{name}" for name in left}
    assert visible(tmp_path / "bad") == {"long.mp4", "long.mp4.report.json"}
    assert visible(tmp_path / "out") == {"sub/a.mp4", "b.mp4"}


@pytest.mark.slow
def test_new_content_is_processed_and_the_same_content_is_not(
    drop: Drop, watched, tmp_path: Path
) -> None:
    drop("base.mp4", "in/a.mp4")
    watched(replace(ONCE, on_done="delete"))
    drop("base.mp4", "in/a.mp4", salt=1)
    _, new = watched(replace(ONCE, on_done="delete"))
    assert new.counts == {"already_ok": 1}
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}
    drop("base.mp4", "in/a.mp4", salt=1)
    _, same = watched(replace(ONCE, on_done="delete"))
    assert same.counts == {"same": 1}
    assert visible(tmp_path / "in") == set()
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}


@pytest.mark.slow
def test_our_own_output_is_not_processed_again(drop: Drop, watched, tmp_path: Path) -> None:
    drop("ac3.mp4", "in/a.mp4")
    watched()
    shutil.copy(tmp_path / "out" / "a.mp4", tmp_path / "in" / "from-out.mp4")
    _, end = watched()
    assert end.counts == {"own": 1}
    assert visible(tmp_path / "out") == {"a.mp4"}


@pytest.mark.slow
def test_two_watchers_of_each_others_outputs_come_to_an_end(
    drop: Drop, pool, settings, tmp_path: Path
) -> None:
    """The output folder of each is the input folder of the other, which is allowed."""
    drop("ac3.mp4", "one/a.mp4")
    drop("base.mp4", "one/b.mp4")
    (tmp_path / "two").mkdir()
    for _ in range(4):
        for source, target in (("one", "two"), ("two", "one")):
            watching = Watch(tmp_path / source, ONCE)
            with batch.open_driver(
                tmp_path / target, settings, pool, OPTIONS, watching.listener(EventLog())
            ) as driver:
                watching.run(driver)
    assert len(visible(tmp_path / "one")) <= 3
    assert len(visible(tmp_path / "two")) <= 3


@pytest.mark.slow
def test_no_job_is_started_with_too_little_free_space(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("base.mp4", "in/a.mp4")
    flag, log = threading.Event(), EventLog()

    def listener(event: object) -> None:
        log(event)  # type: ignore[arg-type]
        if getattr(event, "event", "") == "jobs.found":
            flag.set()

    watching = Watch(tmp_path / "in", replace(ONCE, min_free=2**60, once=False))
    with (
        pytest.raises(Cancelled),
        open_driver(watching.listener(listener), options=OPTIONS, cancel=flag) as driver,
    ):
        watching.run(driver)
    assert not log.of("job.start")
    (notice,) = log.of("notice")
    assert "too little free space" in notice.message


@pytest.mark.slow
def test_a_folder_without_events_is_scanned(
    drop: Drop, watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def observing(self: object) -> None:
        raise AssertionError("events were used")

    monkeypatch.setattr(Observer, "observing", observing)
    drop("base.mp4", "in/a.mp4")
    assert watched(replace(ONCE, poll=0.2))[1].counts == {"already_ok": 1}
    monkeypatch.setattr(observer, "filesystem_of", lambda path: "nfs4")
    drop("base.mp4", "in/b.mp4", salt=1)
    assert watched(ledger_path=tmp_path / "out" / ".mediaprep" / "ledger.db")[1].counts == {
        "already_ok": 1
    }


def test_outputs_inside_of_the_watched_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageProblem, match="no such folder"):
        refuse_unusable_folders(tmp_path / "nothing", tmp_path / "out")
    with pytest.raises(UsageProblem, match="would become inputs"):
        refuse_unusable_folders(tmp_path / "in", tmp_path / "in" / "out")
    with pytest.raises(UsageProblem, match="would become inputs"):
        refuse_unusable_folders(tmp_path / "in", tmp_path / "out", tmp_path / "in" / "failed")
    refuse_unusable_folders(tmp_path / "in", tmp_path / "out", tmp_path / "in" / ".failed", None)


@pytest.mark.slow
def test_links_are_not_followed(drop: Drop, watched, tmp_path: Path) -> None:
    real = drop("base.mp4", "elsewhere/a.mp4")
    (tmp_path / "in" / "link.mp4").symlink_to(real)
    (tmp_path / "in" / "folder").symlink_to(real.parent)
    os.mkfifo(tmp_path / "in" / "pipe.mp4")
    assert watched()[1].counts == {}
