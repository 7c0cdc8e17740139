"""Whole processes timed side by side: each command in turn, several rounds, medians and the ratio
of each round.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "benchmarks" / ".cache"
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One command line, and what to do before each run of it (remove its output)."""

    name: str
    argv: Sequence[str]
    before: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of wall and CPU time of each round; peak memory of the largest child of the round,
    bytes.
    """

    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    peak: int

    @property
    def median(self) -> float:
        return statistics.median(self.wall)


def ffmpeg() -> str:
    """The binary that mediaprep itself runs."""
    from mediaprep.tools.ffmpeg_program import locate

    return locate()


def mediaprep() -> str:
    """The console script of this interpreter's environment."""
    return str(Path(sys.executable).with_name("mediaprep"))


def judge(name: str) -> str | None:
    """A program of the host, where it is installed."""
    return shutil.which(name)


def compare(
    contenders: Sequence[Contender], rounds: int, *, warm: bool = True
) -> dict[str, Timing]:
    """Each in turn, ``rounds`` times (``warm``: after one more that does not count), so that a
    drifting machine drifts for all.
    """
    taken: dict[str, list[tuple[float, float, int]]] = {c.name: [] for c in contenders}
    for number in range(rounds + warm):
        for contender in contenders:
            contender.before()
            measured = once(contender.argv)
            if number >= warm:
                taken[contender.name].append(measured)
    return {
        name: Timing(
            wall=tuple(w for w, _, _ in rows),
            cpu=tuple(c for _, c, _ in rows),
            peak=max(p for _, _, p in rows),
        )
        for name, rows in taken.items()
    }


def once(argv: Sequence[str]) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds of the whole process tree, peak bytes of its largest process.
    Raises: CalledProcessError.
    """
    began = time.monotonic()
    child = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ
    )
    assert child.stderr is not None
    stderr = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise subprocess.CalledProcessError(child.returncode, argv, stderr=stderr)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def ratio(one: Timing, other: Timing) -> float:
    """The median of the rounds' ratios, one / other."""
    return statistics.median(a / b for a, b in zip(one.wall, other.wall, strict=True))


def table(title: str, timings: dict[str, Timing], base: str) -> str:
    """Markdown: median wall and CPU seconds, peak memory, and the ratio to ``base``."""
    rows = [
        f"### {title}",
        "",
        "| command | wall s | CPU s | peak MB | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, timing in timings.items():
        cpu = statistics.median(timing.cpu)
        rows.append(
            f"| {name} | {timing.median:.2f} | {cpu:.2f} | {timing.peak / 1e6:.0f} | {ratio(timing, timings[base]):.2f} |"
        )
    return "\n".join(rows)


def made(name: str, argv: Sequence[str]) -> Path:
    """A benchmark's input under ``.cache``, made once by ffmpeg: ``argv`` without program and
    output.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / name
    if not path.exists():
        part = path.with_name(f"part.{name}")
        subprocess.run([ffmpeg(), "-v", "error", "-y", *argv, str(part)], check=True)
        part.rename(path)
    return path


def self_peak() -> int:
    """Peak resident bytes of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
