"""What must hold whatever the input was: typed endings, untouched sources, no strays, nothing left open, bounded memory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import mediaprep
from mediaprep.errors import MediaPrepError
from mediaprep.probing.reader import pool

PROBE_SECONDS = 10.0  # of one look; killed within a second more
PROBE_BYTES = 512 * 2**20
JOB_BYTES = 2 * 2**30
VERDICTS = ("pass", "fail", "undecided", "unreadable")
STATUSES = ("already_ok", "fixed", "refused", "unreadable", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What came of one call: a verdict, a status, or the class of the error; ``bare``: an exception that nobody meant to raise."""

    word: str
    text: str
    seconds: float
    outputs: tuple[str, ...] = ()
    bare: bool = False


def checked(path: Path, **options: object) -> Ending:
    """``mediaprep.check`` of the file."""
    began = time.monotonic()
    try:
        report = mediaprep.check(str(path), **options)  # type: ignore[arg-type]
    except MediaPrepError as problem:
        return Ending(
            word=type(problem).__name__, text=str(problem), seconds=time.monotonic() - began
        )
    except Exception:  # what the harness looks for
        return Ending(
            word="bare",
            text=traceback.format_exc(limit=-3),
            seconds=time.monotonic() - began,
            bare=True,
        )
    text = " | ".join(finding.message for finding in report.findings)
    return Ending(
        word=report.verdict,
        text=text,
        seconds=time.monotonic() - began,
        bare=report.verdict not in VERDICTS,
    )


def prepared(path: Path, folder: Path, **options: object) -> Ending:
    """``mediaprep.prepare`` of the file into the folder."""
    began = time.monotonic()
    try:
        outcome = mediaprep.prepare(str(path), f"{folder}/", **options)  # type: ignore[arg-type]
    except MediaPrepError as problem:
        return Ending(
            word=type(problem).__name__, text=str(problem), seconds=time.monotonic() - began
        )
    except Exception:  # what the harness looks for
        return Ending(
            word="bare",
            text=traceback.format_exc(limit=-3),
            seconds=time.monotonic() - began,
            bare=True,
        )
    return Ending(
        word=outcome.status,
        text=" | ".join(outcome.problems),
        seconds=time.monotonic() - began,
        outputs=outcome.outputs,
        bare=outcome.status not in STATUSES,
    )


def state(path: Path) -> tuple[object, ...]:
    """All that must not change of a source: bytes, time of change, mode, inode, number of names."""
    facts = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return digest, facts.st_mtime_ns, facts.st_mode, facts.st_ino, facts.st_nlink


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder, links not followed: relative name -> kind, size, time of change."""
    found: dict[str, tuple[object, ...]] = {}
    for root, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            path = os.path.join(root, name)
            facts = os.lstat(path)
            found[os.fsdecode(os.path.relpath(path, os.fsencode(folder)))] = (
                facts.st_mode,
                facts.st_size,
                facts.st_mtime_ns,
            )
    return found


def descriptors() -> int:
    """Open descriptors of this process."""
    return len(os.listdir("/proc/self/fd")) - 1


def descendants(pid: int | None = None) -> set[int]:
    """Live processes (no zombies) below this one, by /proc."""
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


class Peak:
    """The largest resident size of any process below this one while it is entered, bytes: each one's own high-water mark, looked at every
    50 ms and before the readers are ended (what builds the inputs beforehand does not count)."""

    def __init__(self) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._look()
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self._look()

    def _look(self) -> None:
        for pid in _below(os.getpid()):
            with contextlib.suppress(OSError, StopIteration, IndexError, ValueError):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                self.bytes = max(
                    self.bytes,
                    1024
                    * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]),
                )


def _below(pid: int) -> Iterator[int]:
    """The processes below one, by the kernel's lists of children."""
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                yield int(child)
                yield from _below(int(child))


def end_readers() -> None:
    """End the idle readers of this process, so that their peak is counted and none is a stray."""
    if pool._shared is not None:
        pool._shared.close()


@dataclass(slots=True)
class Leftovers:
    """Filled when the block ends: what was left behind. All empty: nothing."""

    strays: set[int] = field(default_factory=set)
    leaked: int = 0


@contextmanager
def nothing_left() -> Iterator[Leftovers]:
    """Around a block: descendants and descriptors that were not there before (O8, O9)."""
    left = Leftovers()
    checked(Path(__file__))  # what is opened once for the whole process
    end_readers()
    before, held = descendants(), descriptors()
    yield left
    end_readers()
    until = time.monotonic() + 1.0
    while (strays := descendants() - before) and time.monotonic() < until:
        time.sleep(0.02)
    left.strays, left.leaked = strays, descriptors() - held
