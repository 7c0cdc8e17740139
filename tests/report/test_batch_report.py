"""The progress of a run, weighted by seconds of media; the lines about its jobs."""

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
from mediaprep.report.batch import (
    PROBE_WEIGHT,
    BatchProgress,
    BatchTracker,
    batch_progress,
    job_line,
    retry_line,
    summary,
)
from mediaprep.report.lines import render
from mediaprep.report.progress import Bars, JsonLines, PlainLines


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
    progress = BatchProgress(clock)
    for event in (
        begun(2, 200),
        taken(1),
        probed(1, 90 - PROBE_WEIGHT),
        taken(2),
        probed(2, 10 - PROBE_WEIGHT),
    ):
        progress(event)
    clock.now = 10.0
    progress(done(2, 10 - PROBE_WEIGHT))
    assert progress.fraction == pytest.approx(0.1)
    progress(JobProgress(job=1, input="1.mov", stage="encode", fraction=0.5))
    assert progress.fraction == pytest.approx(0.1 + 0.9 * 0.5 * 0.9)
    assert progress.eta_seconds == pytest.approx(10 * (1 - progress.fraction) / progress.fraction)
    progress(done(1, 90))
    assert progress.fraction == 1.0


def test_a_file_that_was_not_probed_counts_by_its_bytes() -> None:
    progress = BatchProgress(Clock())
    for event in (begun(4, 400), taken(1), probed(1, 10 - PROBE_WEIGHT), done(1, 10)):
        progress(event)
    assert progress.fraction == pytest.approx(0.25)


def test_a_job_that_is_retried_counts_once() -> None:
    progress = BatchProgress(Clock())
    for event in (
        begun(1, 100),
        taken(1),
        probed(1, 10),
        JobRetry(job=1, input="1.mov", attempt=1, problem="x"),
        taken(1),
        probed(1, 10),
    ):
        progress(event)
    assert progress.fraction == 0.0
    progress(done(1, 10))
    assert (progress.done, progress.jobs, progress.fraction) == (1, 1, 1.0)


def test_a_refused_file_does_not_count_by_its_duration() -> None:
    clock = Clock()
    progress = BatchProgress(clock)
    for event in (begun(2, 200), taken(1), taken(2), probed(2, 10 - PROBE_WEIGHT)):
        progress(event)
    clock.now = 5.0
    progress(JobInspected(job=1, input="1.mov", status="refused", media_seconds=7200))
    progress(
        JobDone(
            job=1, input="1.mov", status="refused", attempt=1, media_seconds=7200, size_bytes=100
        )
    )
    assert progress.fraction == pytest.approx(PROBE_WEIGHT / (10 + PROBE_WEIGHT))
    assert progress.speed is None


def test_speed_and_eta_of_a_watched_folder_start_again_after_an_idle_time() -> None:
    clock = Clock()
    progress = BatchProgress(clock)
    for event in (JobFound(jobs=1, size_bytes=100), taken(1), probed(1, 10)):
        progress(event)
    clock.now = 5.0
    progress(done(1, 10))
    clock.now = 86_400.0
    for event in (JobFound(jobs=1, size_bytes=100), taken(2), probed(2, 10)):
        progress(event)
    clock.now += 4.0
    progress(JobProgress(job=2, input="2.mov", stage="encode", fraction=0.5))
    assert progress.eta_seconds == pytest.approx(4 * (1 - progress.fraction) / progress.fraction)
    assert progress.eta_seconds < 10
    assert progress.state().line().startswith("1/2 files")


def test_the_line_of_a_file_that_was_refused_and_copied(
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
        render([job_line(event)])
        == "in/a.mov  refused, copied unchanged  out/a.mov, /elsewhere/b.mov  2 MB  (1.0 s)\n"
    )


def test_the_line_of_a_failed_attempt_says_when_it_is_retried() -> None:
    again = JobRetry(job=1, input="/in/a\n.mov", attempt=2, problem="no space", pause_seconds=4.0)
    assert retry_line(again) == "/in/a\\n.mov: attempt 2 failed: no space; retrying in 4 s"


def test_events_are_json_lines_without_objects_of_this_process() -> None:
    stream = io.StringIO()
    lines = JsonLines(stream)
    lines(done(1, 3.0, outputs=("out/caf\udce9\n.mp4",)))
    lines(Notice(message="x"))
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["version"], first["event"], first["status"]) == (1, "job.done", "fixed")
    assert first["outputs"] == ["out/caf\udce9\n.mp4"]
    assert "outcome" not in first
    assert second == {"version": 1, "event": "notice", "message": "x", "failure": False}


def test_hostile_names_cannot_move_the_cursor() -> None:
    text = render([job_line(done(1, 1.0, outputs=("a\x1b[2J\n.mp4",), bytes=1, seconds=1.0))])
    assert "\x1b" not in text
    assert text.count("\n") == 1
    stream = io.StringIO()
    with Bars(stream, BatchTracker()) as bars:
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


def test_the_summary_counts_this_run_and_all_runs() -> None:
    end = RunDone(counts={"fixed": 2, "failed": 1}, left=3, seconds=61.0)
    text = render(summary(end, {"fixed": 5, "failed": 1}, "out"))
    assert [line.split() for line in text.splitlines()[1:3]] == [
        ["fixed", "2", "5"],
        ["failed", "1", "1"],
    ]
    assert "3 files in 1:01; 3 left for the next run" in text


def test_plain_lines_are_about_the_whole_run() -> None:
    stream, clock = io.StringIO(), Clock()
    plain = PlainLines(stream, BatchTracker(clock), clock)
    for event in (begun(2, 200), taken(1), probed(1, 10)):
        plain(event)
    clock.now = 11.0
    plain(JobProgress(job=1, input="1.mov", stage="encode", fraction=0.5))
    assert stream.getvalue() == "0/2 files  23%  ETA 0:37\n"


def test_the_display_of_mode_none_shows_nothing() -> None:
    stream = io.StringIO()
    with batch_progress("none", stream) as display:
        display(begun(1, 100))
    assert stream.getvalue() == ""
