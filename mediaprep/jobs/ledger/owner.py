"""The process that works on a job, and how others find out whether it still runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """One user of a ledger: a process may have several.

    boot        the kernel's boot id
    namespace   the pid namespace of the process
    pid
    start       start of the process in clock ticks since boot, because pids are reused
    token       distinguishes the owners of one process

    ``boot``, ``namespace`` and ``start`` are "" where the host has no /proc.
    """

    boot: str
    namespace: str
    pid: int
    start: str
    token: str

    @classmethod
    def new(cls) -> Owner:
        """Return a new owner of this process."""
        pid = os.getpid()
        return cls(_boot_id(), _pid_namespace(), pid, _start_of(pid) or "", secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> Owner:
        """Parse what ``str`` wrote. Raises: ValueError."""
        boot, namespace, pid, start, token = text.split(":")
        return cls(boot, namespace, int(pid), start, token)

    def __str__(self) -> str:
        return f"{self.boot}:{self.namespace}:{self.pid}:{self.start}:{self.token}"

    @property
    def file_name(self) -> str:
        """A name for files and folders of this owner."""
        return f"{self.pid}-{self.start or 0}-{self.token}"

    def is_alive(self, lock: Path) -> bool:
        """Return True if the process runs and holds ``lock``, which the kernel releases at its end.

        Of a process in another pid namespace only the lock is checked.
        """
        return self.boot == _boot_id() and self._is_running() is not False and is_locked(lock)

    def _is_running(self) -> bool | None:
        if self.namespace != _pid_namespace() or not self.start:
            return None
        return _start_of(self.pid) == self.start


def acquire_lock(lock: Path) -> int:
    """Take a lock that the kernel releases when this process ends; return its descriptor.

    Raises: OSError.
    """
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), lock.stat()):
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass  # another process tests the lock, or has just deleted it as stale: try again
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
        time.sleep(0.001)


def is_locked(lock: Path) -> bool:
    """Return True if some process holds the lock."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _pid_namespace() -> str:
    with contextlib.suppress(OSError):
        return "".join(filter(str.isdigit, str(Path("/proc/self/ns/pid").readlink())))
    return ""


def _start_of(pid: int) -> str | None:
    """Return field 22 of /proc/PID/stat (proc(5)), or None if no such process runs.

    A zombie counts as ended.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
