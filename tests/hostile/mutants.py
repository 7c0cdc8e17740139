"""Mutants through ``check`` and through ``fix``: the first, second, third, fifth, sixth and thirteenth promise."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from tests.hostile.figures import Figure
from tests.hostile.oracles import (
    JOB_BYTES,
    PROBE_BYTES,
    PROBE_SECONDS,
    Ending,
    Peak,
    checked,
    nothing_left,
    prepared,
    state,
    tree,
)
from tests.hostile.seeds import Seed, seeds

JOB_SECONDS = 60.0  # of a small file: what execute allows before any length is counted
Job = tuple[Seed, int]


def jobs(count: int, first: int = 1) -> list[Job]:
    """So many damaged files, all seeds in turn, from the ``first`` number on."""

    def endless() -> Iterator[Job]:
        number = first
        while True:
            yield from ((seed, number) for seed in seeds())
            number += 1

    return list(islice(endless(), count))


def through_check(work: Path, wanted: Sequence[Job], *, threads: int = 2) -> list[Figure]:
    """Each mutant checked, every fiftieth twice: the second report must be the first's equal."""
    broken: dict[int, list[str]] = {1: [], 2: [], 13: []}
    words: Counter[str] = Counter()

    def one(job: Job) -> None:
        seed, number = job
        path = work / f"{seed.name}.{number}{seed.suffix}"
        path.write_bytes(seed.mutant(number))
        ending = checked(path)
        again = checked(path) if number % 50 == 1 else ending
        words[ending.word] += 1
        label = f"check {seed.name} {number}"
        if ending.bare:
            broken[13].append(f"{label}: {ending.text}")
        if ending.seconds > PROBE_SECONDS + 1:
            broken[2].append(f"{label}: {ending.seconds:.1f} s")
        if (again.word, again.text) != (ending.word, ending.text):
            broken[13].append(f"{label}: two looks differ: {ending.word}, {again.word}")
        path.unlink()

    with nothing_left() as left, Peak() as seen:
        _all(one, wanted, threads)
    broken[1] += [f"stray process {pid}" for pid in left.strays] + (
        [f"{left.leaked} descriptors leaked"] if left.leaked else []
    )
    peak = seen.bytes
    told = ", ".join(f"{count} {word}" for word, count in words.most_common())
    return [
        Figure(
            tolerance=1,
            found=f"0 crashes of the host in {len(wanted)} mutants checked ({told})",
            broken=tuple(broken[1]),
        ),
        Figure(
            tolerance=2,
            found=f"{len(broken[2])} of {len(wanted)} checks over {PROBE_SECONDS:.0f} s + 1",
            broken=tuple(broken[2]),
        ),
        Figure(
            tolerance=3,
            found=f"probe peak {peak / 2**20:.0f} MB",
            broken=() if peak < PROBE_BYTES else (f"{peak} bytes in a reader",),
        ),
        Figure(
            tolerance=13,
            found=f"{len(wanted) - len(broken[13])} of {len(wanted)} checks typed",
            broken=tuple(broken[13]),
        ),
    ]


def through_fix(work: Path, wanted: Sequence[Job], *, threads: int = 2) -> list[Figure]:
    """Each mutant repaired into a folder of its own; what is published must pass a check and be all that is there."""
    broken: dict[int, list[str]] = {1: [], 2: [], 5: [], 6: [], 7: [], 13: []}
    words: Counter[str] = Counter()

    def one(job: Job) -> None:
        seed, number = job
        place = work / f"{seed.name}.{number}"
        path, folder = place / "in" / f"x{seed.suffix}", place / "out"
        path.parent.mkdir(parents=True)
        folder.mkdir()
        path.write_bytes(seed.mutant(number))
        before, around = state(path), tree(path.parent)
        ending = prepared(path, folder)
        words[ending.word] += 1
        label = f"fix {seed.name} {number}"
        _judged(label, ending, folder, broken)
        if state(path) != before:
            broken[6].append(f"{label}: the source changed")
        if tree(path.parent) != around or len(tree(place)) != len(around) + 2 + len(ending.outputs):
            broken[5].append(f"{label}: {sorted(tree(place))}")
        shutil.rmtree(place)

    with nothing_left() as left, Peak() as seen:
        _all(one, wanted, threads)
    broken[1] += [f"stray process {pid}" for pid in left.strays] + (
        [f"{left.leaked} descriptors leaked"] if left.leaked else []
    )
    peak, count = seen.bytes, len(wanted)
    told = ", ".join(f"{number} {word}" for word, number in words.most_common())
    return [
        Figure(
            tolerance=1,
            found=f"0 crashes of the host in {count} mutants repaired ({told})",
            broken=tuple(broken[1]),
        ),
        Figure(
            tolerance=2,
            found=f"{len(broken[2])} of {count} repairs over {JOB_SECONDS:.0f} s",
            broken=tuple(broken[2]),
        ),
        Figure(
            tolerance=3,
            found=f"job peak {peak / 2**20:.0f} MB",
            broken=() if peak < JOB_BYTES else (f"{peak} bytes in a child",),
        ),
        Figure(
            tolerance=5,
            found=f"{len(broken[5])} of {count} wrote elsewhere",
            broken=tuple(broken[5]),
        ),
        Figure(
            tolerance=6,
            found=f"{len(broken[6])} of {count} sources changed",
            broken=tuple(broken[6]),
        ),
        Figure(
            tolerance=7,
            found=f"{len(broken[7])} bad outputs of {words['fixed']} published",
            broken=tuple(broken[7]),
        ),
        Figure(
            tolerance=13,
            found=f"{count - len(broken[13])} of {count} repairs typed",
            broken=tuple(broken[13]),
        ),
    ]


def _judged(label: str, ending: Ending, folder: Path, broken: dict[int, list[str]]) -> None:
    if ending.bare:
        broken[13].append(f"{label}: {ending.text}")
    if ending.seconds > JOB_SECONDS:
        broken[2].append(f"{label}: {ending.seconds:.1f} s")
    for output in ending.outputs:
        judged = checked(Path(output))
        if judged.word != "pass":
            broken[7].append(f"{label}: published, and {judged.word}: {judged.text[:300]}")
    if sorted(str(path) for path in folder.iterdir()) != sorted(ending.outputs):
        broken[7].append(f"{label}: left {sorted(path.name for path in folder.iterdir())}")


def _all(one: Callable[[Job], None], wanted: Sequence[Job], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(one, wanted):
            pass
