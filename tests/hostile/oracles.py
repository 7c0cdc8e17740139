"""What must hold for any input: typed results, unchanged sources, no strays or leaks, bounded
memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import mediaprep
from mediaprep.errors import MediaPrepError
from mediaprep.probing.reader import pool

PROBE_SECONDS = 10.0  # for one probe; a hanging reader is killed within one second more
PROBE_BYTES = 512 * 2**20
JOB_BYTES = 2 * 2**30
VERDICTS = ("pass", "fail", "undecided", "unreadable")
STATUSES = ("already_ok", "fixed", "refused", "unreadable", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """The outcome of one call.

    status       a verdict, a status, or the class of the error
    unexpected   True for an exception that is not a MediaPrepError, or an unknown status
    """

    status: str
    text: str
    seconds: float
    outputs: tuple[str, ...] = ()
    unexpected: bool = False


def run_check(path: Path, **options: object) -> CallOutcome:
    """Call ``mediaprep.check``."""

    def call(started: float) -> CallOutcome:
        report = mediaprep.check(str(path), **options)  # type: ignore[arg-type]
        return CallOutcome(
            status=report.verdict,
            text=" | ".join(finding.message for finding in report.findings),
            seconds=time.monotonic() - started,
            unexpected=report.verdict not in VERDICTS,
        )

    return _outcome(call)


def run_prepare(path: Path, folder: Path, **options: object) -> CallOutcome:
    """Call ``mediaprep.prepare`` with an output folder."""

    def call(started: float) -> CallOutcome:
        outcome = mediaprep.prepare(str(path), f"{folder}/", **options)  # type: ignore[arg-type]
        return CallOutcome(
            status=outcome.status,
            text=" | ".join(outcome.problems),
            seconds=time.monotonic() - started,
            outputs=outcome.outputs,
            unexpected=outcome.status not in STATUSES,
        )

    return _outcome(call)


def _outcome(call: Callable[[float], CallOutcome]) -> CallOutcome:
    started = time.monotonic()
    try:
        return call(started)
    except MediaPrepError as problem:
        seconds = time.monotonic() - started
        return CallOutcome(status=type(problem).__name__, text=str(problem), seconds=seconds)
    except Exception:  # what the tests search for
        return CallOutcome(
            status="exception",
            text=traceback.format_exc(limit=-3),
            seconds=time.monotonic() - started,
            unexpected=True,
        )


def file_state(path: Path) -> tuple[object, ...]:
    """Return what must not change in a source: content, mtime, mode, inode, number of links."""
    status = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return digest, status.st_mtime_ns, status.st_mode, status.st_ino, status.st_nlink


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return mode, size and mtime of everything below a folder, by relative name.

    Links are not followed.
    """
    entries: dict[str, tuple[object, ...]] = {}
    base = os.fsencode(folder)
    for root, folders, files in os.walk(base):
        for name in (*folders, *files):
            path = os.path.join(root, name)
            status = os.lstat(path)
            entries[os.fsdecode(os.path.relpath(path, base))] = (
                status.st_mode,
                status.st_size,
                status.st_mtime_ns,
            )
    return entries


def open_descriptors() -> int:
    """Return the number of open descriptors of this process."""
    return len(os.listdir("/proc/self/fd")) - 1


def descendants(pid: int | None = None) -> set[int]:
    """Return the running descendants of a process (default: this one), without zombies."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if status not in "ZX":
                parents.setdefault(int(parent), []).append(int(entry.name))
    found: set[int] = set()
    queue = [os.getpid() if pid is None else pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found.update(children)
        queue.extend(children)
    return found


class PeakMemory:
    """Records the largest resident size of any descendant of this process while it is entered.

    Each process reports its own high-water mark, which is read every 50 ms and before the readers
    are stopped. The inputs are built before the block, so that their tools do not count.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sample()
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self._sample()

    def _sample(self) -> None:
        for pid in _children(os.getpid()):
            with contextlib.suppress(OSError, IndexError, ValueError):
                status = Path(f"/proc/{pid}/status").read_text()
                peak = 1024 * int(status.partition("\nVmHWM:")[2].split()[0])
                self.bytes = max(self.bytes, peak)


def _children(pid: int) -> Iterator[int]:
    """Yield the descendants of a process, from the kernel's lists of children."""
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                yield int(child)
                yield from _children(int(child))


def stop_readers() -> None:
    """Stop the idle readers of this process, so that none counts as a stray process."""
    if pool._shared is not None:
        pool._shared.close()


@dataclass(slots=True)
class Leaks:
    """What a block left behind; filled at its end."""

    strays: set[int] = field(default_factory=set)
    descriptors: int = 0

    @property
    def violations(self) -> list[str]:
        lines = [f"stray process {pid}" for pid in self.strays]
        if self.descriptors:
            lines.append(f"{self.descriptors} descriptors leaked")
        return lines


@contextmanager
def leak_check() -> Iterator[Leaks]:
    """Record processes and descriptors that the block leaves behind."""
    leaks = Leaks()
    run_check(Path(__file__))  # opens what stays open for the whole process
    stop_readers()
    processes, descriptors = descendants(), open_descriptors()
    yield leaks
    stop_readers()
    until = time.monotonic() + 1.0
    while (strays := descendants() - processes) and time.monotonic() < until:
        time.sleep(0.02)
    leaks.strays, leaks.descriptors = strays, open_descriptors() - descriptors
