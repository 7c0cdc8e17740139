"""How far a run is, weighted by media seconds; and the words for it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from mediaprep.jobs.run.events import (
    JobDone,
    JobFound,
    JobInspected,
    JobProgress,
    JobRetry,
    JobStarted,
    Notice,
    RunDone,
    RunStarted,
)
from mediaprep.report import batch
from mediaprep.report.batch import (
    LOOK_WEIGHT,
    BatchBars,
    BatchJsonLines,
    BatchProgress,
    again_line,
    job_line,
    summary,
)
from mediaprep.report.lines import written


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def begun(jobs: int, size: int) -> RunStarted:
    return RunStarted(jobs=jobs, size_bytes=size, skipped=0, profile="twitter", ledger="x")


def taken(job: int, size: int = 100) -> JobStarted:
    return JobStarted(job=job, input=f"{job}.mov", attempt=1, size_bytes=size)


def probed(job: int, seconds: float) -> JobInspected:
    return JobInspected(job=job, input=f"{job}.mov", status="planned", media_seconds=seconds)


def done(job: int, media: float, **more: object) -> JobDone:
    return JobDone(
        job=job,
        input=f"{job}.mov",
        status="fixed",
        attempt=1,
        media_seconds=media,
        size_bytes=100,
        **more,
    )  # type: ignore[arg-type]


def test_a_long_file_counts_for_more_than_a_short_one() -> None:
    clock = Clock()
    tally = BatchProgress(clock)
    for event in (
        begun(2, 200),
        taken(1),
        probed(1, 90 - LOOK_WEIGHT),
        taken(2),
        probed(2, 10 - LOOK_WEIGHT),
    ):
        tally(event)
    clock.now = 10.0
    tally(done(2, 10 - LOOK_WEIGHT))
    assert tally.fraction == pytest.approx(0.1)
    tally(JobProgress(job=1, input="1.mov", stage="encode", fraction=0.5))
    assert tally.fraction == pytest.approx(0.1 + 0.9 * 0.5 * 0.9)
    assert tally.eta_seconds == pytest.approx(10 * (1 - tally.fraction) / tally.fraction)
    tally(done(1, 90))
    assert tally.fraction == 1.0


def test_what_was_not_looked_at_is_guessed_from_its_bytes() -> None:
    tally = BatchProgress(Clock())
    for event in (begun(4, 400), taken(1), probed(1, 10 - LOOK_WEIGHT), done(1, 10)):
        tally(event)
    assert tally.fraction == pytest.approx(0.25)


def test_a_job_that_is_tried_again_counts_once() -> None:
    tally = BatchProgress(Clock())
    for event in (
        begun(1, 100),
        taken(1),
        probed(1, 10),
        JobRetry(job=1, input="1.mov", attempt=1, problem="x"),
        taken(1),
        probed(1, 10),
    ):
        tally(event)
    assert tally.fraction == 0.0
    tally(done(1, 10))
    assert (tally.done, tally.jobs, tally.fraction) == (1, 1, 1.0)


def test_what_is_refused_or_fine_is_no_work_of_its_playing_time() -> None:
    clock = Clock()
    tally = BatchProgress(clock)
    for event in (begun(2, 200), taken(1), taken(2), probed(2, 10 - LOOK_WEIGHT)):
        tally(event)
    clock.now = 5.0
    tally(JobInspected(job=1, input="1.mov", status="refused", media_seconds=7200))
    tally(
        JobDone(
            job=1, input="1.mov", status="refused", attempt=1, media_seconds=7200, size_bytes=100
        )
    )
    assert tally.fraction == pytest.approx(LOOK_WEIGHT / (10 + LOOK_WEIGHT))
    assert tally.speed is None


def test_the_pace_of_a_watched_folder_counts_from_where_work_began_again() -> None:
    clock = Clock()
    tally = BatchProgress(clock)
    for event in (JobFound(jobs=1, size_bytes=100), taken(1), probed(1, 10)):
        tally(event)
    clock.now = 5.0
    tally(done(1, 10))
    clock.now = 86_400.0
    for event in (JobFound(jobs=1, size_bytes=100), taken(2), probed(2, 10)):
        tally(event)
    clock.now += 4.0
    tally(JobProgress(job=2, input="2.mov", stage="encode", fraction=0.5))
    assert tally.eta_seconds == pytest.approx(4 * (1 - tally.fraction) / tally.fraction)
    assert tally.eta_seconds < 10
    assert tally.words().startswith("1/2 files")


def test_a_file_that_was_refused_and_copied_says_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    event = JobDone(
        job=1,
        input=str(tmp_path / "in" / "a.mov"),
        status="refused",
        attempt=1,
        outputs=(str(tmp_path / "out" / "a.mov"), "/elsewhere/b.mov"),
        bytes=2_000_000,
        seconds=1.0,
    )
    assert (
        written([job_line(event)])
        == "in/a.mov  refused, copied as it is  out/a.mov, /elsewhere/b.mov  2 MB  (1.0 s)\n"
    )


def test_a_try_that_failed_says_when_the_next_one_is() -> None:
    again = JobRetry(job=1, input="/in/a\n.mov", attempt=2, problem="no space", pause_seconds=4.0)
    assert again_line(again) == "/in/a\\n.mov: attempt 2 failed: no space; it is tried again in 4 s"


def test_events_are_json_lines_without_what_only_this_process_can_use() -> None:
    stream = io.StringIO()
    lines = BatchJsonLines(stream)
    lines(done(1, 3.0, outputs=("out/caf\udce9\n.mp4",)))
    lines(Notice(message="x"))
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["version"], first["event"], first["status"]) == (1, "job.done", "fixed")
    assert first["outputs"] == ["out/caf\udce9\n.mp4"]
    assert "outcome" not in first
    assert second == {"version": 1, "event": "notice", "message": "x", "failure": False}


def test_hostile_names_cannot_move_the_cursor() -> None:
    text = written([job_line(done(1, 1.0, outputs=("a\x1b[2J\n.mp4",), bytes=1, seconds=1.0))])
    assert "\x1b" not in text
    assert text.count("\n") == 1
    stream = io.StringIO()
    with BatchBars(stream) as bars:
        bars(begun(1, 100))
        bars(taken(1))
        bars(
            JobProgress(
                job=1,
                input="a\x1b[2J\n.mp4",
                stage="encode",
                fraction=0.5,
                speed=2.0,
                eta_seconds=3.0,
            )
        )
        bars(done(1, 1.0))
    assert "\x1b[2J" not in stream.getvalue()


def test_the_summary_tells_this_run_and_all() -> None:
    end = RunDone(counts={"fixed": 2, "failed": 1}, left=3, seconds=61.0)
    text = written(summary(end, {"fixed": 5, "failed": 1}, "out"))
    assert [line.split() for line in text.splitlines()[1:3]] == [
        ["fixed", "2", "5"],
        ["failed", "1", "1"],
    ]
    assert "3 files in 1:01, 3 left for the next run" in text
    assert batch.drawer("none", io.StringIO(), terminal=True)(end) is None
