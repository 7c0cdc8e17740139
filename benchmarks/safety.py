"""What confinement costs: a probe and a job, each with and without it.

    python benchmarks/safety.py [--rounds 60]

The probe is the same reader, in the confined child and in this process; the job is the same command
line, under limits, Landlock and seccomp, and started directly. Both ways run in turn, so that a
busy machine is busy for both.
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

PROBE_MS, JOB_MS = 10.0, 20.0  # the most that confinement may add
WARM_UP_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds of both ways, as the first decile over the rounds.

    added   confined - direct
    level   sandbox level
    """

    what: str
    direct: float
    confined: float
    added: float
    level: str


def measure(
    what: str, level: str, direct: Callable[[], object], confined: Callable[[], object], rounds: int
) -> Cost:
    """Run both ways in turn, in alternating order, after a few rounds of warm-up."""
    times: dict[str, list[float]] = {"direct": [], "confined": []}
    ways = [("direct", direct), ("confined", confined)]
    for number in range(WARM_UP_ROUNDS + rounds):
        for name, act in ways if number % 2 else reversed(ways):
            started = time.perf_counter()
            act()
            if number >= WARM_UP_ROUNDS:
                times[name].append(1000 * (time.perf_counter() - started))
    one, other = (statistics.quantiles(times[name], n=10)[0] for name in ("direct", "confined"))
    return Cost(what=what, direct=one, confined=other, added=other - one, level=level)


def probing(path: Path, rounds: int) -> Cost:
    """Measure a probe of the same opened file."""
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.probing.read import read
    from mediaprep.probing.reader.pool import effective_sandbox, read_steps
    from mediaprep.probing.request import ReadRequest
    from mediaprep.runtime.context import Context
    from mediaprep.runtime.effects import drive
    from mediaprep.runtime.source import open_source

    with open_source(path) as source:
        sniffed = sniff(source)
        request = ReadRequest(sniffed=sniffed)
        return measure(
            "probe",
            effective_sandbox("auto"),
            lambda: read(source, sniffed, request),
            lambda: drive(read_steps(source, request, Context()), Context()),
            rounds,
        )


def job(path: Path, rounds: int) -> Cost:
    """Measure a remux by ffmpeg, as the pipeline starts it and by subprocess."""
    from mediaprep.runtime import process, sandbox
    from mediaprep.runtime.command import Command
    from mediaprep.runtime.context import Context

    with tempfile.TemporaryDirectory() as folder, path.open("rb") as source:
        descriptor = source.fileno()
        options = f"-nostdin -v error -y -f mov -fd {descriptor} -i fd: -c copy -f mp4"
        argv = (ffmpeg(), *options.split(), f"file:{folder}/out.mp4")
        command = Command(
            argv=argv,
            what="remux",
            seconds=60,
            pass_fds=(descriptor,),
            reads=(argv[0],),
            writes=(folder,),
            memory_bytes=3 * 2**30,
            file_bytes=2**30,
        )

        def direct() -> None:
            os.lseek(descriptor, 0, os.SEEK_SET)
            subprocess.run(
                argv,
                check=True,
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )

        def confined() -> None:
            os.lseek(descriptor, 0, os.SEEK_SET)
            process.run(command, Context())

        return measure("job", sandbox.resolve_level("auto"), direct, confined, rounds)


def costs(rounds: int) -> tuple[Cost, Cost]:
    """Measure a probe and a job for a clip of 200 kB."""
    import fixtures

    path = fixtures.make("base.mp4")
    return probing(path, rounds), job(path, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    measured = list(zip(costs(parser.parse_args().rounds), (PROBE_MS, JOB_MS), strict=True))
    print("| | direct, ms | confined, ms | added, ms | allowed, ms | level |")
    print("| --- | --- | --- | --- | --- | --- |")
    for cost, most in measured:
        times = f"{cost.direct:.1f} | {cost.confined:.1f} | {cost.added:.1f} | {most:.0f}"
        print(f"| {cost.what} | {times} | {cost.level} |")
    return int(any(cost.added > most for cost, most in measured))


if __name__ == "__main__":
    sys.exit(main())
