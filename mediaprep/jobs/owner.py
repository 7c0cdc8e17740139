"""Who works on a job: pid, boot and start of the process, since a pid is reused; and, for processes of other containers, a held lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """A process. ``boot``: the kernel's boot id, ``space``: its pid namespace, ``start``: clock ticks since boot; "" where the host does
    not tell."""

    boot: str
    space: str
    pid: int
    start: str

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(_boot(), _space(), os.getpid(), _start(os.getpid()) or "")

    @classmethod
    def parse(cls, text: str) -> Owner:
        """What ``str`` gave. Raises: ValueError."""
        boot, space, pid, start = text.split(":")
        return cls(boot, space, int(pid), start)

    def __str__(self) -> str:
        return f"{self.boot}:{self.space}:{self.pid}:{self.start}"

    @property
    def run(self) -> str:
        """A name for files of this process."""
        return f"{self.pid}-{self.start or 0}-{self.space}{self.boot[:8]}"

    def alive(self, lock: Path) -> bool:
        """Whether it still runs. Where its pid cannot be looked up from here, ``lock`` tells: it is held as long as the process lives."""
        if self.boot != _boot():
            return False
        if self.space != _space():
            return held(lock)
        if self.start:
            return _start(self.pid) == self.start
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def hold(lock: Path) -> int:
    """Take a lock that the kernel gives back when this process ends; the descriptor. Raises: OSError."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


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
