"""The long run: every suite at full size, then the table of promises with the figures reached.

    python -m tests.hostile                      the long run
    python -m tests.hostile --ci                 what the ordinary tests run
    python -m tests.hostile --only 4,14          some promises
    python -m tests.hostile --size check=100000 --size kills=40 --first 5000      how many, and other mutants
    python -m tests.hostile --keep run.jsonl     the long run in pieces: a suite whose figures are kept there is not run again
    python -m tests.hostile --exiftool           ask exiftool anew where the canaries are

Exit code 1 where a figure is not reached. Each violation is printed with what makes it again. The table tells of each suite's figures only
what was run: numbers in it are those of the runs that are kept, one line of JSON for each suite.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.hostile import bombs, canaries, faults, mutants, opening, statements, truncation
from tests.hostile.figures import PROMISES, Figure, table

Suite = Callable[[Path], list[Figure]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of each: mutants, kills at random and at every so-manyth step, disks, cut points, traced cells, names, rounds of timing."""

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


LONG = Sizes(
    check=10_000,
    fix=1_000,
    kills=200,
    every=1,
    batch_every=1,
    disks=50,
    cuts=100,
    cells=None,
    names=1_000,
    rounds=100,
    long=True,
)
CI = Sizes(
    check=1_000,
    fix=40,
    kills=4,
    every=16,
    batch_every=40,
    disks=3,
    cuts=20,
    cells=3,
    names=6,
    rounds=20,
    long=False,
)


_COUNTS = {
    "check",
    "fix",
    "kills",
    "every",
    "batch_every",
    "disks",
    "cuts",
    "cells",
    "names",
    "rounds",
}


def suites(sizes: Sizes, first: int) -> dict[str, tuple[tuple[int, ...], Suite]]:
    """By name: the promises that it tests, and how it is run in a folder."""
    return {
        "mutants checked": (
            (1, 2, 3, 13),
            lambda work: mutants.through_check(work, mutants.jobs(sizes.check, first)),
        ),
        "mutants repaired": (
            (1, 2, 3, 5, 6, 7, 13),
            lambda work: mutants.through_fix(work, mutants.jobs(sizes.fix, first)),
        ),
        "bombs": ((2, 3, 13), lambda work: bombs.bombs(work, slow=sizes.long)),
        "memory": ((3,), statements.memory),
        "no files": ((2, 13), bombs.no_files),
        "cells": ((4,), lambda work: opening.opens_nothing_else(work, sizes.cells)),
        "names": ((4, 5, 6), lambda work: opening.names(work, sizes.names)),
        "links": ((6,), opening.links),
        "truncation": ((10,), lambda work: truncation.grid(work, sizes.cuts)),
        "changing sources": ((10,), faults.changing_sources),
        "canaries": ((14,), canaries.left_in_outputs),
        "kills of fix": (
            (6, 7, 8, 15),
            lambda work: faults.kills_of_fix(work, sizes.kills, sizes.every),
        ),
        "kills of batch": (
            (6, 7, 8, 15),
            lambda work: faults.kills_of_batch(work, sizes.kills // 5, sizes.batch_every),
        ),
        "full disks": ((7,), lambda work: faults.full_disks(work, sizes.disks)),
        "full disk with ledger": (
            (8,),
            lambda work: faults.full_disk_with_ledger(work, max(2, sizes.disks // 3)),
        ),
        "stopped": ((8,), faults.stopped),
        "callers in threads": (
            (15,),
            lambda work: faults.in_threads(work, 24 if sizes.long else 4),
        ),
        "stated": ((16,), statements.stated),
        "cost": ((17,), lambda work: statements.cost(sizes.rounds)),
        "suites": ((1, 8, 9, 11, 12, 15, 18), lambda work: statements.by_suites(long=sizes.long)),
    }


def main(words: list[str] | None = None) -> int:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile", description=__doc__, formatter_class=layout
    )
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("--only", default="", help="promises, as 4,14, or names of suites")
    parser.add_argument(
        "--size",
        action="append",
        default=[],
        metavar="NAME=N",
        help=f"one of {', '.join(sorted(_COUNTS))}",
    )
    parser.add_argument("--first", type=int, default=1, help="number of the first mutant")
    parser.add_argument(
        "--keep",
        type=Path,
        help="a file of figures, one suite a line; those with violations are run again",
    )
    parser.add_argument("--exiftool", action="store_true")
    asked = parser.parse_args(words)
    if asked.exiftool:
        with tempfile.TemporaryDirectory() as folder:
            print(
                f"{len(canaries.ask_exiftool(Path(folder)))} canaries told in {canaries.EXIFTOOL}"
            )
        return 0
    sizes = CI if asked.ci else LONG
    given = dict(word.partition("=")[::2] for word in asked.size)
    if given.keys() - _COUNTS or not all(value.isdigit() for value in given.values()):
        parser.error(f"--size: want NAME=N with one of {', '.join(sorted(_COUNTS))}")
    sizes = replace(sizes, **{name: int(value) for name, value in given.items()})  # type: ignore[arg-type]
    wanted = {word.strip() for word in asked.only.split(",") if word.strip()}
    kept = _kept(asked.keep)
    figures: list[Figure] = []
    for name, (tolerances, suite) in suites(sizes, asked.first).items():
        if name in kept:
            figures += kept[name]
            continue
        if wanted and name not in wanted and not wanted & set(map(str, tolerances)):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="mediaprep-hostile-") as folder:
            told = suite(Path(folder, "work")) if _made(Path(folder, "work")) else []
        figures += told
        if asked.keep is not None and not any(figure.broken for figure in told):
            with asked.keep.open("a") as file:
                file.write(
                    json.dumps({"suite": name, "figures": [asdict(figure) for figure in told]})
                    + "\n"
                )
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        for figure in told:
            for line in figure.broken:
                print(
                    f"  BROKEN {figure.tolerance} ({PROMISES[figure.tolerance][0]}): {line}",
                    flush=True,
                )
    print(f"\n{table(figures)}")
    return int(any(figure.broken for figure in figures))


def _kept(path: Path | None) -> dict[str, list[Figure]]:
    """The figures of suites that an earlier run reached, by name."""
    lines = path.read_text().splitlines() if path is not None and path.exists() else []
    return {
        one["suite"]: [Figure(**{**figure, "broken": ()}) for figure in one["figures"]]
        for one in map(json.loads, lines)
    }


def _made(folder: Path) -> bool:
    folder.mkdir()
    return True


if __name__ == "__main__":
    sys.exit(main())
