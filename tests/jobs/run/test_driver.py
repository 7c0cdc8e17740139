"""Jobs that stall or fail are retried."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import pytest

from mediaprep.errors import Cancelled, EnvironmentProblem
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.workers.context import job_context
from mediaprep.jobs.workers.encode import encode_job
from mediaprep.jobs.workers.records import JobInspection, JobResult, JobTask, RunSettings
from mediaprep.jobs.workers.threads import ThreadPool
from mediaprep.model.events import StageStarted
from tests.jobs.conftest import EventLog


@pytest.mark.slow
def test_a_stalled_job_is_stopped_and_retried(
    drop: Callable[..., Path],
    settings: RunSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop("ac3.mp4", "in/a.mp4")
    drop("base.mp4", "in/b.mp4")
    log, stalled = EventLog(), list[int]()

    def encode(task: JobTask, inspection: JobInspection) -> JobResult:
        if stalled:
            return encode_job(task, inspection)
        stalled.append(task.job)
        context = job_context(task)
        context.listener(StageStarted(path=task.source, stage="encode"))
        while True:  # until its folder is deleted
            try:
                context.check()
            except Cancelled:
                return JobResult(status="stopped", problem="stopped")

    monkeypatch.setattr("mediaprep.jobs.run.stages.encode_job", encode)
    pool = ThreadPool(2)
    with batch.open_driver(
        tmp_path / "out", settings, pool, RunOptions(stall=1.0, pause=0.0), log
    ) as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"fixed": 1, "already_ok": 1}
    pool.close()
    (retry,) = log.of("job.retry")
    assert getattr(retry, "problem", "") == "no progress for 1 s"


@pytest.mark.slow
def test_the_pauses_between_attempts_grow(
    drop: Callable[..., Path],
    settings: RunSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop("ac3.mp4", "in/a.mp4")
    log = EventLog()
    monkeypatch.setattr(
        "mediaprep.jobs.run.stages.encode_job",
        lambda task, inspection: JobResult(status="failed", problem="no space left on device"),
    )
    pool = ThreadPool(2)
    with batch.open_driver(
        tmp_path / "out", settings, pool, RunOptions(retries=3, pause=0.01), log
    ) as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"failed": 1}
    pool.close()
    assert [getattr(event, "pause_seconds", None) for event in log.of("job.retry")] == [
        0.01,
        0.04,
        0.16,
    ]
    assert [getattr(event, "attempt", None) for event in log.of("job.done")] == [4]


def test_a_pool_that_accepts_no_work_releases_every_claimed_job(
    settings: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text("x")

    def executor(threads: int) -> Executor:
        raise RuntimeError("no more threads")

    pool = ThreadPool(2)
    monkeypatch.setattr(pool, "executor", executor)
    inputs = [str(tmp_path / f"{number}.txt") for number in range(4)]
    with batch.open_driver(tmp_path / "out", settings, pool, RunOptions(), EventLog()) as driver:
        with pytest.raises(EnvironmentProblem, match="no more threads"):
            batch.run(driver, inputs)
        assert [(row.state, row.attempts) for row in driver.ledger.jobs()] == [("new", 0)] * 4
    pool.close()
