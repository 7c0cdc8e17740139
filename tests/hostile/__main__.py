"""Run the suites and print the table of guarantees with what was measured.

    python -m tests.hostile                      all suites at full size
    python -m tests.hostile --ci                 at the size of the ordinary tests
    python -m tests.hostile --only 4,14          suites that test these guarantees
    python -m tests.hostile --size check=100000 --size kills=40 --first 5000
    python -m tests.hostile --keep run.jsonl     in pieces: skip suites that this file contains
    python -m tests.hostile --exiftool           record where exiftool finds the canaries

The exit code is 1 if a guarantee is violated. Each violation is printed with what reproduces it. A
guarantee that no suite of the run measured is listed as not measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from tests.hostile import (
    bombs,
    canaries,
    interruptions,
    mutants,
    other_files,
    other_guarantees,
    truncation,
)
from tests.hostile.guarantees import GUARANTEES, Measurement, table

Suite = Callable[[Path], list[Measurement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of each to run.

    check, fix    mutants
    kills         kills at random times
    every         one in so many crash points of ``fix``
    batch_every   one in so many crash points of ``batch``
    disks         full disks of each kind of work
    cuts          truncation points of each seed
    cells         traced files; None: all
    names         generated file names
    rounds        rounds of timing
    long          include what takes long
    """

    check: int
    fix: int
    kills: int
    every: int
    batch_every: int
    disks: int
    cuts: int
    cells: int | None
    names: int
    rounds: int
    long: bool


# fmt: off
LONG = Sizes(check=10_000, fix=1_000, kills=200, every=1, batch_every=1, disks=50, cuts=100,
             cells=None, names=1_000, rounds=100, long=True)
CI = Sizes(check=1_000, fix=40, kills=4, every=16, batch_every=40, disks=3, cuts=20,
           cells=3, names=6, rounds=20, long=False)
# fmt: on
_COUNTS = sorted(field.name for field in fields(Sizes) if field.name != "long")


def suites(sizes: Sizes, first: int) -> dict[str, tuple[tuple[int, ...], Suite]]:
    """Return the guarantees that each suite tests, and how to run it in a folder, by name."""
    return {
        "check mutants": (
            (1, 2, 3, 13),
            lambda work: mutants.through_check(work, mutants.jobs(sizes.check, first)),
        ),
        "fix mutants": (
            (1, 2, 3, 5, 6, 7, 13),
            lambda work: mutants.through_fix(work, mutants.jobs(sizes.fix, first)),
        ),
        "bombs": ((2, 3, 13), lambda work: bombs.bombs(work, slow=sizes.long)),
        "memory": ((3,), other_guarantees.memory),
        "special files": ((2, 13), bombs.special_files),
        "other files": ((4,), lambda work: other_files.opens_nothing_else(work, sizes.cells)),
        "names": ((4, 5, 6), lambda work: other_files.names(work, sizes.names)),
        "links": ((6,), other_files.links),
        "truncation": ((10,), lambda work: truncation.grid(work, sizes.cuts)),
        "changing sources": ((10,), interruptions.changing_sources),
        "metadata": ((14,), canaries.left_in_outputs),
        "kill fix": (
            (6, 7, 8, 15),
            lambda work: interruptions.kills_of_fix(work, sizes.kills, sizes.every),
        ),
        "kill batch": (
            (6, 7, 8, 15),
            lambda work: interruptions.kills_of_batch(work, sizes.kills // 5, sizes.batch_every),
        ),
        "full disks": ((7,), lambda work: interruptions.full_disks(work, sizes.disks)),
        "full disk with ledger": (
            (8,),
            lambda work: interruptions.full_disk_with_ledger(work, max(2, sizes.disks // 3)),
        ),
        "suspended": ((8,), interruptions.suspended),
        "cancelled threads": (
            (15,),
            lambda work: interruptions.cancelled_threads(work, 24 if sizes.long else 4),
        ),
        "reported level": ((16,), other_guarantees.sandbox_reported),
        "cost": ((17,), lambda work: other_guarantees.cost(sizes.rounds)),
        "other tests": (
            (1, 8, 9, 11, 12, 15, 18),
            lambda work: other_guarantees.by_other_tests(long=sizes.long),
        ),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.exiftool:
        with tempfile.TemporaryDirectory() as folder:
            tags = canaries.record_exiftool(Path(folder))
        print(f"{len(tags)} canaries recorded in {canaries.EXIFTOOL}")
        return 0
    counts = dict(word.partition("=")[::2] for word in options.size)
    if counts.keys() - set(_COUNTS) or not all(value.isdigit() for value in counts.values()):
        parser.error(f"--size: pass NAME=N with one of {', '.join(_COUNTS)}")
    sizes = replace(
        CI if options.ci else LONG,
        **{name: int(value) for name, value in counts.items()},  # type: ignore[arg-type]
    )
    selected = {word.strip() for word in options.only.split(",") if word.strip()}
    done = _earlier_measurements(options.keep)
    measurements: list[Measurement] = []
    for name, (guarantees, suite) in suites(sizes, options.first).items():
        if name in done:
            measurements += done[name]
        elif not selected or name in selected or selected & set(map(str, guarantees)):
            measurements += _run(name, suite, options.keep)
    print(f"\n{table(measurements)}")
    return int(any(measurement.violations for measurement in measurements))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--ci", action="store_true", help="run at the size of the ordinary tests")
    parser.add_argument("--only", default="", help="guarantees, as 4,14, or names of suites")
    parser.add_argument(
        "--size",
        action="append",
        default=[],
        metavar="NAME=N",
        help=f"one of {', '.join(_COUNTS)}",
    )
    parser.add_argument("--first", type=int, default=1, help="number of the first mutant")
    parser.add_argument(
        "--keep",
        type=Path,
        help="file of measurements, one suite a line; suites with violations are run again",
    )
    parser.add_argument("--exiftool", action="store_true", help="write exiftool.json")
    return parser


def _run(name: str, suite: Suite, keep: Path | None) -> list[Measurement]:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mediaprep-hostile-") as folder:
        work = Path(folder, "work")
        work.mkdir()
        measurements = suite(work)
    print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    for measurement in measurements:
        guarantee = GUARANTEES[measurement.guarantee][0]
        for line in measurement.violations:
            print(f"  VIOLATED {measurement.guarantee} ({guarantee}): {line}", flush=True)
    if keep is not None and not any(measurement.violations for measurement in measurements):
        entry = {"suite": name, "measurements": [asdict(item) for item in measurements]}
        with keep.open("a") as file:
            file.write(json.dumps(entry) + "\n")
    return measurements


def _earlier_measurements(path: Path | None) -> dict[str, list[Measurement]]:
    """Return the measurements of an earlier run by suite; it has no violations."""
    if path is None or not path.exists():
        return {}
    return {
        entry["suite"]: [
            Measurement(**{**item, "violations": ()}) for item in entry["measurements"]
        ]
        for entry in map(json.loads, path.read_text().splitlines())
    }


if __name__ == "__main__":
    sys.exit(main())
