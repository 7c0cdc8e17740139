"""Copies by workers, stalled jobs, and retries."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaprep.errors import Cancelled
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.workers.context import job_context
from mediaprep.jobs.workers.encode import encode_job
from mediaprep.jobs.workers.records import JobInspection, JobResult, JobTask, RunSettings
from mediaprep.jobs.workers.threads import ThreadPool
from mediaprep.jobs.workers.work_files import copy_source
from mediaprep.model.events import StageStarted
from mediaprep.runtime.context import Context
from mediaprep.runtime.source import open_source
from tests.jobs.conftest import EventLog

CONTENT = bytes(range(256)) * 20_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(CONTENT)
    return path


def copy_of(path: Path) -> Path:
    with open_source(path) as source:
        return copy_source(source, path.parent, Context())


def test_a_copy_is_a_reflink_where_the_file_system_supports_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system call is simulated; nothing else may be read or written."""
    requests: list[int] = []

    def ioctl(descriptor: int, request: int, source: int) -> int:
        requests.append(request)
        assert os.fstat(source).st_ino == file.stat().st_ino
        os.pwrite(descriptor, b"cloned", 0)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    copy = copy_of(file)
    assert requests == [0x40049409]  # FICLONE: ioctl_ficlone(2)
    assert copy.read_bytes() == b"cloned"


@pytest.mark.parametrize(
    "code",
    [
        errno.EOPNOTSUPP,
        errno.ENOTTY,
        errno.EXDEV,
        errno.EINVAL,
        errno.ENOSYS,
        errno.EPERM,
        errno.ETXTBSY,
    ],
)
def test_without_reflinks_the_content_is_copied(
    file: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def ioctl(*arguments: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    copy = copy_of(file)
    assert copy.read_bytes() == CONTENT
    assert copy.stat().st_ino != file.stat().st_ino
    assert copy.stat().st_nlink == 1


def test_a_full_disk_is_an_error_of_the_reflink_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ioctl(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    with pytest.raises(OSError, match="No space"):
        copy_of(file)


def test_source_and_copy_do_not_change_together(
    file: Path,
) -> None:
    copy = copy_of(file)
    assert copy.read_bytes() == CONTENT
    with file.open("r+b") as opened:
        opened.write(b"changed")
    assert copy.read_bytes() == CONTENT
    copy.write_bytes(b"")
    assert file.stat().st_size == len(CONTENT)


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
        tmp_path / "out", settings, pool, RunOptions(stall=0.3, pause=0.0), log
    ) as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"fixed": 1, "already_ok": 1}
    pool.close()
    (retry,) = log.of("job.retry")
    assert getattr(retry, "problem", "") == "no progress for 0.3 s"


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
