"""What a worker does by itself: copies that share blocks where the file system can, and never an inode; a job that hangs is stopped."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaprep.errors import Cancelled
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.inflight import RunOptions
from mediaprep.jobs.workers import worker as work
from mediaprep.jobs.workers.threads import ThreadPool
from mediaprep.jobs.workers.worker import JobInspection, JobResult, JobTask, RunSettings
from mediaprep.model.events import StageStarted
from mediaprep.runtime.context import Context
from mediaprep.runtime.source import open_source
from tests.jobs.conftest import Heard

CONTENT = bytes(range(256)) * 20_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(CONTENT)
    return path


def copy_of(path: Path) -> Path:
    with open_source(path) as source:
        return work._copied(source, path.parent, Context())


def test_a_copy_is_a_clone_where_the_file_system_clones(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's call is played by a double: what it is asked, and that nothing is read or written besides."""
    asked: list[int] = []

    def ioctl(descriptor: int, request: int, source: int) -> int:
        asked.append(request)
        assert os.fstat(source).st_ino == file.stat().st_ino
        os.pwrite(descriptor, b"cloned", 0)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    copy = copy_of(file)
    assert asked == [0x40049409]  # FICLONE: ioctl_ficlone(2)
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
def test_elsewhere_it_is_copied(file: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def ioctl(*words: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    copy = copy_of(file)
    assert copy.read_bytes() == CONTENT
    assert copy.stat().st_ino != file.stat().st_ino
    assert copy.stat().st_nlink == 1


def test_a_full_disk_is_told_while_cloning_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ioctl(*words: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    with pytest.raises(OSError, match="No space"):
        copy_of(file)


def test_whatever_this_file_system_does_the_source_does_not_change_with_its_copy(
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
def test_a_job_that_gives_no_sign_is_stopped_and_tried_again(
    drop: Callable[..., Path], recipe: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("ac3.mp4", "in/a.mp4")
    drop("base.mp4", "in/b.mp4")
    heard, really, hung = Heard(), work.make, list[int]()

    def make(task: JobTask, seen: JobInspection) -> JobResult:
        if hung:
            return really(task, seen)
        hung.append(task.job)
        context = work._context(task)
        context.listener(StageStarted(path=task.source, stage="encode"))
        while True:  # until its folder is taken away
            try:
                context.check()
            except Cancelled:
                return JobResult(status="stopped", problem="stopped")

    monkeypatch.setattr("mediaprep.jobs.run.driver.make", make)
    crew = ThreadPool(2)
    with batch.opened(
        tmp_path / "out", recipe, crew, RunOptions(stall=0.3, pause=0.0), heard
    ) as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"fixed": 1, "already_ok": 1}
    crew.close()
    (again,) = heard.of("job.retry")
    assert getattr(again, "problem", "") == "no sign of progress for 0.3 s"


@pytest.mark.slow
def test_a_job_that_fails_is_tried_again_after_pauses_that_grow(
    drop: Callable[..., Path], recipe: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("ac3.mp4", "in/a.mp4")
    heard = Heard()
    monkeypatch.setattr(
        "mediaprep.jobs.run.driver.make",
        lambda task, seen: JobResult(status="failed", problem="no space left on device"),
    )
    crew = ThreadPool(2)
    with batch.opened(
        tmp_path / "out", recipe, crew, RunOptions(retries=3, pause=0.01), heard
    ) as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"failed": 1}
    crew.close()
    assert [getattr(event, "pause_seconds", None) for event in heard.of("job.retry")] == [
        0.01,
        0.04,
        0.16,
    ]
    assert [getattr(event, "attempt", None) for event in heard.of("job.done")] == [4]
