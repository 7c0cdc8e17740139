"""Work files of a job: copies of a source, and finished outputs with their digest."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from mediaprep.jobs.workers.records import WorkFile
from mediaprep.runtime.atomic import create_work_file
from mediaprep.runtime.context import Context
from mediaprep.runtime.source import Source, open_source

FICLONE = 0x40049409  # linux/fs.h
COPY_BYTES = 16 * 2**20
# What ioctl_ficlone(2) and file systems without reflinks answer.
_CANNOT_CLONE = {
    errno.EOPNOTSUPP,
    errno.ENOTTY,
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOSYS,
    errno.EPERM,
    errno.ETXTBSY,
}


def copy_source(source: Source, folder: Path, context: Context) -> Path:
    """Copy a source into a new work file.

    The copy is a reflink where the file system supports it. It is never a hard link, because the
    source would change with it. Raises: OSError, Cancelled, DeadlineExceeded.
    """
    path, descriptor = create_work_file(folder)
    try:
        if not _clone(descriptor, source):
            for offset in range(0, source.size_bytes, COPY_BYTES):
                context.check()
                _write(descriptor, source.read_at(offset, COPY_BYTES))
    finally:
        os.close(descriptor)
    return path


def _clone(descriptor: int, source: Source) -> bool:
    try:
        fcntl.ioctl(descriptor, FICLONE, source.fd)
    except OSError as problem:
        if problem.errno not in _CANNOT_CLONE:
            raise
        return False
    return True


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def finish_work_file(path: Path, suffix: str, context: Context) -> WorkFile:
    """Sync a work file to disk and compute its digest."""
    with open_source(path, follow=False) as source:
        os.fsync(source.fd)
        digest = source.sha256(context.check)
        return WorkFile(path=str(path), sha256=digest, size_bytes=source.size_bytes, suffix=suffix)
