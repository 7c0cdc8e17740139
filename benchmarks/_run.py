"""Time whole processes side by side: each command in turn, for several rounds."""

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
    """One command line; ``prepare`` is called before each run, to remove its output."""

    name: str
    argv: Sequence[str]
    prepare: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The measurements of one command.

    wall, cpu   seconds of each round
    peak        bytes of the largest process of all rounds
    """

    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    peak: int

    @property
    def median(self) -> float:
        return statistics.median(self.wall)


def ffmpeg() -> str:
    """Return the path of the ffmpeg that mediaprep runs."""
    from mediaprep.tools.ffmpeg_program import locate

    return locate()


def mediaprep() -> list[str]:
    """Return the command line that starts mediaprep: the console script, if it is installed."""
    script = Path(sys.executable).with_name("mediaprep")
    return [str(script)] if script.exists() else [sys.executable, "-m", "mediaprep"]


def installed(name: str) -> str | None:
    """Return the path of a program, None if it is not installed."""
    return shutil.which(name)


def compare(
    contenders: Sequence[Contender], rounds: int, *, warm: bool = True
) -> dict[str, Timing]:
    """Run all commands in turn, ``rounds`` times, so that a change of load affects all.

    ``warm``: run one more round first, which does not count.
    """
    times: dict[str, list[tuple[float, float, int]]] = {c.name: [] for c in contenders}
    for number in range(rounds + warm):
        for contender in contenders:
            contender.prepare()
            measured = run_once(contender.argv)
            if number >= warm:
                times[contender.name].append(measured)
    return {
        name: Timing(
            wall=tuple(w for w, _, _ in rows),
            cpu=tuple(c for _, c, _ in rows),
            peak=max(p for _, _, p in rows),
        )
        for name, rows in times.items()
    }


def run_once(argv: Sequence[str]) -> tuple[float, float, int]:
    """Run a command; return wall seconds, CPU seconds of all its processes, and peak bytes.

    Raises: CalledProcessError for an exit code other than 0 and 1.
    """
    started = time.monotonic()
    child = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ
    )
    assert child.stderr is not None
    stderr = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise subprocess.CalledProcessError(child.returncode, argv, stderr=stderr)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def ratio(one: Timing, other: Timing) -> float:
    """Return the median of the rounds' ratios, one / other."""
    return statistics.median(a / b for a, b in zip(one.wall, other.wall, strict=True))


def table(title: str, timings: dict[str, Timing], base: str) -> str:
    """Return a Markdown table: median seconds, peak memory, and the ratio to ``base``."""
    rows = [
        f"### {title}",
        "",
        "| command | wall s | CPU s | peak MB | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, timing in timings.items():
        cpu = statistics.median(timing.cpu)
        rows.append(
            f"| {name} | {timing.median:.2f} | {cpu:.2f} | {timing.peak / 1e6:.0f} | "
            f"{ratio(timing, timings[base]):.2f} |"
        )
    return "\n".join(rows)


def build_input(name: str, argv: Sequence[str]) -> Path:
    """Return an input under ``.cache``, made by ffmpeg on first use.

    ``argv``: the arguments, without program and output.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / name
    if not path.exists():
        part = path.with_name(f"part.{name}")
        subprocess.run([ffmpeg(), "-v", "error", "-y", *argv, str(part)], check=True)
        part.rename(path)
    return path


def self_peak() -> int:
    """Return the peak resident bytes of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
