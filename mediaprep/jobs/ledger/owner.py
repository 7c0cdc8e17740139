"""Who works on a job: pid, boot and start of the process, since a pid is reused, and a lock that it holds as long as it lives."""

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
    """One user of a ledger. ``boot``: the kernel's boot id, ``space``: its pid namespace, ``start`` of the process: clock ticks since boot;
    "" where the host does not tell. ``mark``: which one of that process."""

    boot: str
    space: str
    pid: int
    start: str
    mark: str

    @classmethod
    def me(cls) -> Owner:
        """A new one of this process."""
        return cls(_boot(), _space(), os.getpid(), _start(os.getpid()) or "", secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> Owner:
        """What ``str`` gave. Raises: ValueError."""
        boot, space, pid, start, mark = text.split(":")
        return cls(boot, space, int(pid), start, mark)

    def __str__(self) -> str:
        return f"{self.boot}:{self.space}:{self.pid}:{self.start}:{self.mark}"

    @property
    def run(self) -> str:
        """A name for files of this process."""
        return f"{self.pid}-{self.start or 0}-{self.mark}"

    def alive(self, lock: Path) -> bool:
        """Whether it still is at work: its process runs (where that can be looked up from here) and holds ``lock``, which the kernel gives
        back at its end."""
        return self.boot == _boot() and self._runs() is not False and held(lock)

    def _runs(self) -> bool | None:
        if self.space != _space() or not self.start:
            return None
        return _start(self.pid) == self.start


def hold(lock: Path) -> int:
    """Take a lock that the kernel gives back when this process ends; the descriptor. Raises: OSError."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), lock.stat()):
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass  # somebody looks whether it is held, or has just cleared it away as not held
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
        time.sleep(0.001)


def held(lock: Path) -> bool:
    """Whether some process holds it."""
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


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _space() -> str:
    with contextlib.suppress(OSError):
        return "".join(filter(str.isdigit, str(Path("/proc/self/ns/pid").readlink())))
    return ""


def _start(pid: int) -> str | None:
    """The 22nd field of /proc/PID/stat (proc(5)); None for no such process; a zombie counts as none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
