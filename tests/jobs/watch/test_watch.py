"""A watched folder: everything that is dropped gets its result once, whatever is lost or late; nothing is fed back."""

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
from mediaprep.jobs.run.inflight import RunOptions
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.watch import watch
from mediaprep.jobs.watch.settle import SettleOptions
from mediaprep.jobs.watch.watch import Watch, WatchOptions
from mediaprep.jobs.workers.threads import ThreadPool, WorkerPool
from tests.jobs.conftest import Heard, visible

Drop = Callable[..., Path]
HABITS = WatchOptions(
    rescan=0.3,
    once=True,
    min_free=0,
    rules=SettleOptions(settle=0.2, poll=0.05, incomplete_after=1.0),
)
OPTIONS = RunOptions(on_refused="quarantine", settled=True)


@pytest.fixture(params=["threads", pytest.param("dask", marks=pytest.mark.long)])
def crew(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    """Watching knows nothing of who does the work: over a cluster in the long run only."""
    if request.param == "dask":
        yield request.getfixturevalue("dask_crew")
        return
    threads = ThreadPool(2)
    yield threads
    threads.close()


@pytest.fixture
def watched(opened, tmp_path: Path):  # type: ignore[no-untyped-def]
    """``watched(habits)``: run it over ``tmp_path/in`` until it is done; the events and the end."""
    (tmp_path / "in").mkdir(exist_ok=True)

    def run(
        habits: WatchOptions = HABITS, tell: Callable[[object], None] | None = None, **words: object
    ):  # type: ignore[no-untyped-def]
        heard = Heard()

        def both(event: object) -> None:
            heard(event)  # type: ignore[arg-type]
            if tell is not None:
                tell(event)

        watching = Watch(tmp_path / "in", habits)
        report = {
            "report": lambda path, status, problems, outcome: {
                "status": status,
                "problems": list(problems),
            }
        }
        quarantine = Quarantine(folder=tmp_path / "bad", move=habits.on_done != "leave", **report)
        with opened(
            watching.listening(both), options=OPTIONS, quarantine=quarantine, **words
        ) as driver:
            return heard, watching.run(driver)

    return run


SRT = "1\n00:00:0{0},000 --> 00:00:0{0},900\nline {1}\n"


@pytest.mark.slow
def test_what_was_there_before_and_what_comes_later(drop: Drop, watched, tmp_path: Path) -> None:
    drop("r60.mkv", "in/sub/a.mkv")
    drop("base.mp4", "in/b.mp4")
    cut = tmp_path / "in" / "cut.mp4"
    cut.write_bytes((tmp_path / "in" / "b.mp4").read_bytes()[:50_000])

    def later(event: object) -> None:
        if isinstance(event, JobDone) and event.input.endswith("b.mp4"):
            drop("ac3.mp4", "in/late.mp4")

    _, end = watched(tell=later)
    assert end.counts == {"fixed": 2, "already_ok": 1, "unreadable": 1}
    assert visible(tmp_path / "out") == {"sub/a.mp4", "b.mp4", "late.mp4"}
    assert visible(tmp_path / "in") == {"sub/a.mkv", "b.mp4", "cut.mp4", "late.mp4"}
    assert visible(tmp_path / "bad") == {"cut.mp4", "cut.mp4.report.json"}
    _, again = watched()
    assert again.counts == {}


@pytest.mark.slow
def test_a_tiny_event_queue_loses_no_file(watched, tmp_path: Path) -> None:
    """200 at once, one event kept: the looks through the folder find the rest."""
    for number in range(200):
        (tmp_path / "in" / f"{number}.srt").write_text(SRT.format(number % 9, number))
    _, end = watched(replace(HABITS, hints=1))
    assert sum(end.counts.values()) == 200
    assert set(end.counts) <= {"already_ok", "fixed"}
    assert len(visible(tmp_path / "out")) == 200


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_3000_files_at_once_make_3000_results(watched, tmp_path: Path) -> None:
    def flood() -> None:
        for number in range(3000):
            (tmp_path / "in" / f"{number}.srt").write_text(SRT.format(number % 9, number))

    (tmp_path / "in" / "first.srt").write_text(SRT.format(1, "first"))
    thread = threading.Thread(target=flood)
    thread.start()
    _, end = watched(replace(HABITS, hints=8))
    thread.join()
    _, rest = watched(replace(HABITS, hints=8))
    assert sum(end.counts.values()) + sum(rest.counts.values()) == 3001
    assert len(visible(tmp_path / "out")) == 3001


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["move", "delete"])
def test_sources_that_have_their_result_are_moved_or_deleted(
    drop: Drop, watched, tmp_path: Path, policy: watch.OnDone
) -> None:
    drop("r60.mkv", "in/sub/a.mkv")
    drop("base.mp4", "in/b.mp4")
    drop("d140_2997.mp4", "in/long.mp4")
    _, end = watched(replace(HABITS, on_done=policy))
    assert end.counts == {"fixed": 1, "already_ok": 1, "refused": 1}
    left = {"done/sub/a.mkv", "done/b.mp4"} if policy == "move" else set()
    assert visible(tmp_path / "in") == {f".{name}" for name in left}
    assert visible(tmp_path / "bad") == {"long.mp4", "long.mp4.report.json"}
    assert visible(tmp_path / "out") == {"sub/a.mp4", "b.mp4"}


@pytest.mark.slow
def test_same_name_with_new_content_and_the_same_content_again(
    drop: Drop, watched, tmp_path: Path
) -> None:
    drop("base.mp4", "in/a.mp4")
    watched(replace(HABITS, on_done="delete"))
    drop("base.mp4", "in/a.mp4", salt=1)
    _, new = watched(replace(HABITS, on_done="delete"))
    assert new.counts == {"already_ok": 1}
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}
    drop("base.mp4", "in/a.mp4", salt=1)
    _, same = watched(replace(HABITS, on_done="delete"))
    assert same.counts == {"same": 1}
    assert visible(tmp_path / "in") == set()
    assert visible(tmp_path / "out") == {"a.mp4", "a.2.mp4"}


@pytest.mark.slow
def test_our_own_output_is_not_taken_again(drop: Drop, watched, tmp_path: Path) -> None:
    drop("ac3.mp4", "in/a.mp4")
    watched()
    shutil.copy(tmp_path / "out" / "a.mp4", tmp_path / "in" / "from-out.mp4")
    _, end = watched()
    assert end.counts == {"own": 1}
    assert visible(tmp_path / "out") == {"a.mp4"}


@pytest.mark.slow
def test_two_watchers_that_feed_each_other_come_to_rest(
    drop: Drop, crew, recipe, tmp_path: Path
) -> None:
    """The output folder of each is the input folder of the other: legal for both, and no loop."""
    drop("ac3.mp4", "one/a.mp4")
    drop("base.mp4", "one/b.mp4")
    (tmp_path / "two").mkdir()
    for _ in range(4):
        for source, target in (("one", "two"), ("two", "one")):
            watching = Watch(tmp_path / source, HABITS)
            with batch.opened(
                tmp_path / target, recipe, crew, OPTIONS, watching.listening(Heard())
            ) as driver:
                watching.run(driver)
    assert len(visible(tmp_path / "one")) <= 3
    assert len(visible(tmp_path / "two")) <= 3


@pytest.mark.slow
def test_too_little_space_begins_no_job(drop: Drop, opened, tmp_path: Path) -> None:
    drop("base.mp4", "in/a.mp4")
    flag, heard = threading.Event(), Heard()

    def tell(event: object) -> None:
        heard(event)  # type: ignore[arg-type]
        if getattr(event, "event", "") == "jobs.found":
            flag.set()

    watching = Watch(tmp_path / "in", replace(HABITS, min_free=2**60, once=False))
    with (
        pytest.raises(Cancelled),
        opened(watching.listening(tell), options=OPTIONS, cancel=flag) as driver,
    ):
        watching.run(driver)
    assert not heard.of("job.start")
    (notice,) = heard.of("notice")
    assert "too little space" in notice.message


@pytest.mark.slow
def test_it_is_polled_where_there_are_no_events(
    drop: Drop, watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(folder: Path, hint: object) -> None:
        raise AssertionError("events were asked for")

    monkeypatch.setattr(watch, "_observer", none)
    drop("base.mp4", "in/a.mp4")
    assert watched(replace(HABITS, poll=0.2))[1].counts == {"already_ok": 1}
    monkeypatch.setattr(watch.publish, "filesystem_of", lambda path: "nfs4")
    drop("base.mp4", "in/b.mp4", salt=1)
    assert watched(state=tmp_path / "out" / ".mediaprep" / "ledger.db")[1].counts == {
        "already_ok": 1
    }


def test_folders_that_would_feed_on_themselves_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageProblem, match="no such folder"):
        watch.refuse_folders(tmp_path / "nothing", tmp_path / "out")
    with pytest.raises(UsageProblem, match="feed on its own output"):
        watch.refuse_folders(tmp_path / "in", tmp_path / "in" / "out")
    with pytest.raises(UsageProblem, match="feed on its own output"):
        watch.refuse_folders(tmp_path / "in", tmp_path / "out", tmp_path / "in" / "failed")
    watch.refuse_folders(tmp_path / "in", tmp_path / "out", tmp_path / "in" / ".failed", None)


@pytest.mark.slow
def test_links_are_not_followed(drop: Drop, watched, tmp_path: Path) -> None:
    real = drop("base.mp4", "elsewhere/a.mp4")
    (tmp_path / "in" / "link.mp4").symlink_to(real)
    (tmp_path / "in" / "folder").symlink_to(real.parent)
    os.mkfifo(tmp_path / "in" / "pipe.mp4")
    assert watched()[1].counts == {}
