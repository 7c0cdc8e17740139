"""Which files are open for writing.

A read lease answers that where the file is ours and the file system is local. Otherwise the
descriptors of all processes that we may inspect are searched. Writers on other hosts are unknown.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path


class OpenWriters:
    """The files that are open for writing at one moment."""

    def __init__(self) -> None:
        self._open: frozenset[tuple[int, int]] | None = None

    def has_writer(self, path: str) -> bool:
        """Return True if a process is known to have the file open for writing."""
        by_lease = is_leased_to_writer(path)
        if by_lease is not None:
            return by_lease
        if self._open is None:
            self._open = frozenset(_open_for_writing())
        try:
            facts = os.lstat(path)
        except OSError:
            return False
        return (facts.st_dev, facts.st_ino) in self._open


def is_leased_to_writer(path: str) -> bool | None:
    """Return True if a read lease is refused because the file is open for writing; None: unknown.

    fcntl(2): this includes files that are mapped into memory. Only the owner of a file, or root,
    may lease it, so for others a refusal means nothing.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        # A process that opens the file meanwhile sends us this signal instead of SIGIO, which would
        # end us. SIGURG is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as problem:
        is_refused = problem.errno in (errno.EAGAIN, errno.EACCES)
        may_lease = os.geteuid() in (0, os.fstat(descriptor).st_uid)
        return True if is_refused and may_lease else None
    finally:
        os.close(descriptor)
    return False


def _open_for_writing() -> Iterator[tuple[int, int]]:
    """Yield device and inode of every file that a process has open for writing."""
    with contextlib.suppress(OSError):
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                yield from _opened_by(process)


def _opened_by(process: Path) -> Iterator[tuple[int, int]]:
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if _is_writable(process / "fdinfo" / descriptor.name):
                    facts = descriptor.stat()
                    yield facts.st_dev, facts.st_ino


def _is_writable(fdinfo: Path) -> bool:
    for line in fdinfo.read_text().splitlines():
        if line.startswith("flags:"):  # proc_pid_fdinfo(5): octal
            return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False
