"""Copies of sources share blocks where the file system can, but never an inode."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from mediaprep.jobs.workers.work_files import copy_source
from mediaprep.runtime.context import Context
from mediaprep.runtime.source import open_source

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
