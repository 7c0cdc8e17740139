"""What safety costs: a probe in the confined worker against the same reader in this process, a job under limits, Landlock and seccomp
against the same command line started bare. Each pair in turn, so that a busy machine is busy for both.

    python benchmarks/safety.py [--rounds 60]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from _run import ffmpeg

PROBE_MS, JOB_MS = 10.0, 20.0  # the most that may be added


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds of both ways: the tenth of the rounds that were disturbed least; ``added``: the difference."""

    what: str
    bare: float
    safe: float
    added: float
    level: str


def pairs(
    what: str, level: str, bare: Callable[[], object], safe: Callable[[], object], rounds: int
) -> Cost:
    """Both in turn, the order swapped each round, after three rounds that warm up."""
    taken: list[tuple[float, float]] = []
    for number in range(rounds + 3):
        times = {}
        for name, act in (("bare", bare), ("safe", safe))[:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            act()
            times[name] = 1000 * (time.perf_counter() - began)
        if number >= 3:
            taken.append((times["bare"], times["safe"]))
    one, other = (statistics.quantiles(column, n=10)[0] for column in zip(*taken, strict=True))
    return Cost(what=what, bare=one, safe=other, added=other - one, level=level)


def probing(path: Path, rounds: int) -> Cost:
    """The same reader over the same opened file."""
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.probing.read import read
    from mediaprep.probing.reader.pool import effective_sandbox, read_steps
    from mediaprep.probing.request import ReadRequest
    from mediaprep.runtime.context import Context
    from mediaprep.runtime.effects import drive
    from mediaprep.runtime.source import open_source

    with open_source(path) as source:
        request = ReadRequest(sniffed=sniff(source))
        return pairs(
            "probe",
            effective_sandbox("auto"),
            lambda: read(source, request.sniffed, request),
            lambda: drive(read_steps(source, request, Context()), Context()),
            rounds,
        )


def job(path: Path, rounds: int) -> Cost:
    """A remux by ffmpeg: through mediaprep's process module as the pipeline starts it, and by subprocess."""
    from mediaprep.runtime import process, sandbox
    from mediaprep.runtime.command import Command
    from mediaprep.runtime.context import Context

    with tempfile.TemporaryDirectory() as folder, path.open("rb") as source:
        target = f"file:{folder}/out.mp4"
        words = [
            ffmpeg(),
            "-nostdin",
            "-v",
            "error",
            "-y",
            "-f",
            "mov",
            "-fd",
            str(source.fileno()),
            "-i",
            "fd:",
            "-c",
            "copy",
            "-f",
            "mp4",
            target,
        ]
        command = Command(
            argv=tuple(words),
            what="remux",
            seconds=60,
            pass_fds=(source.fileno(),),
            reads=(words[0],),
            writes=(folder,),
            memory_bytes=3 * 2**30,
            file_bytes=2**30,
        )

        def bare() -> None:
            os.lseek(source.fileno(), 0, os.SEEK_SET)
            subprocess.run(
                words,
                check=True,
                pass_fds=(source.fileno(),),
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )

        def safe() -> None:
            os.lseek(source.fileno(), 0, os.SEEK_SET)
            process.run(command, Context())

        return pairs("job", sandbox.resolve_level("auto"), bare, safe, rounds)


def costs(rounds: int) -> tuple[Cost, Cost]:
    """Of a probe and of a job, for a clip of 200 kB."""
    import fixtures

    path = fixtures.make("base.mp4")
    return probing(path, rounds), job(path, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    both = costs(parser.parse_args().rounds)
    print(
        "| path | bare ms | safe ms | added ms | at most | level |\n| --- | --- | --- | --- | --- | --- |"
    )
    for cost, most in zip(both, (PROBE_MS, JOB_MS), strict=True):
        print(
            f"| {cost.what} | {cost.bare:.1f} | {cost.safe:.1f} | {cost.added:.1f} | {most:.0f} | {cost.level} |"
        )
    return int(any(cost.added > most for cost, most in zip(both, (PROBE_MS, JOB_MS), strict=True)))


if __name__ == "__main__":
    sys.exit(main())
