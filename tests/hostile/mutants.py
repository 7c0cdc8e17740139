"""Run damaged files through ``check`` and ``fix``: guarantees 1, 2, 3, 5, 6, 7 and 13."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from tests.hostile.guarantees import Measurement
from tests.hostile.oracles import (
    JOB_BYTES,
    PROBE_BYTES,
    PROBE_SECONDS,
    CallOutcome,
    PeakMemory,
    file_state,
    leak_check,
    run_check,
    run_prepare,
    snapshot,
)
from tests.hostile.seeds import Seed, seeds

JOB_SECONDS = 60.0  # for a small file: the time limit of an encode before its length counts
THREADS = 2
Job = tuple[Seed, int]


def jobs(count: int, first: int = 1) -> list[Job]:
    """Return ``count`` damaged files, all seeds in turn, starting with the number ``first``."""

    def endless() -> Iterator[Job]:
        number = first
        while True:
            yield from ((seed, number) for seed in seeds())
            number += 1

    return list(islice(endless(), count))


def through_check(work: Path, selected: Sequence[Job]) -> list[Measurement]:
    """Check each mutant, and every fiftieth twice: both reports must be equal."""
    violations: dict[int, list[str]] = {1: [], 2: [], 3: [], 13: []}
    statuses: Counter[str] = Counter()

    def check(job: Job) -> None:
        seed, number = job
        path = work / f"{seed.name}.{number}{seed.suffix}"
        path.write_bytes(seed.mutant(number))
        outcome = run_check(path)
        again = run_check(path) if number % 50 == 1 else outcome
        statuses[outcome.status] += 1
        label = f"check {seed.name} {number}"
        if outcome.unexpected:
            violations[13].append(f"{label}: {outcome.text}")
        if outcome.seconds > PROBE_SECONDS + 1:
            violations[2].append(f"{label}: {outcome.seconds:.1f} s")
        if (again.status, again.text) != (outcome.status, outcome.text):
            violations[13].append(f"{label}: reports differ: {outcome.status}, {again.status}")
        path.unlink()

    with leak_check() as leaks, PeakMemory() as peak:
        _run_all(check, selected)
    violations[1] += leaks.violations
    if peak.bytes >= PROBE_BYTES:
        violations[3].append(f"a reader used {peak.bytes} bytes")
    count = len(selected)
    texts = {
        1: f"{len(violations[1])} leaks by {count} mutants checked ({_counts(statuses)})",
        2: f"{len(violations[2])} of {count} checks over {PROBE_SECONDS:.0f} s + 1",
        3: f"probe peak {peak.bytes / 2**20:.0f} MB",
        13: f"{count - len(violations[13])} of {count} checks typed",
    }
    return _measurements(texts, violations)


def through_fix(work: Path, selected: Sequence[Job]) -> list[Measurement]:
    """Fix each mutant into its own folder, where only outputs that pass may remain."""
    violations: dict[int, list[str]] = {1: [], 2: [], 3: [], 5: [], 6: [], 7: [], 13: []}
    statuses: Counter[str] = Counter()

    def fix(job: Job) -> None:
        seed, number = job
        place = work / f"{seed.name}.{number}"
        path, out = place / "in" / f"x{seed.suffix}", place / "out"
        path.parent.mkdir(parents=True)
        out.mkdir()
        path.write_bytes(seed.mutant(number))
        before, sources = file_state(path), snapshot(path.parent)
        outcome = run_prepare(path, out)
        statuses[outcome.status] += 1
        label = f"fix {seed.name} {number}"
        _check_outputs(label, outcome, out, violations)
        if file_state(path) != before:
            violations[6].append(f"{label}: the source changed")
        entries = len(sources) + 2 + len(outcome.outputs)
        if snapshot(path.parent) != sources or len(snapshot(place)) != entries:
            violations[5].append(f"{label}: {sorted(snapshot(place))}")
        shutil.rmtree(place)

    with leak_check() as leaks, PeakMemory() as peak:
        _run_all(fix, selected)
    violations[1] += leaks.violations
    if peak.bytes >= JOB_BYTES:
        violations[3].append(f"a child used {peak.bytes} bytes")
    count = len(selected)
    texts = {
        1: f"{len(violations[1])} leaks by {count} mutants fixed ({_counts(statuses)})",
        2: f"{len(violations[2])} of {count} fixes over {JOB_SECONDS:.0f} s",
        3: f"job peak {peak.bytes / 2**20:.0f} MB",
        5: f"{len(violations[5])} of {count} wrote elsewhere",
        6: f"{len(violations[6])} of {count} sources changed",
        7: f"{len(violations[7])} bad outputs of {statuses['fixed']} published",
        13: f"{count - len(violations[13])} of {count} fixes typed",
    }
    return _measurements(texts, violations)


def _check_outputs(
    label: str, outcome: CallOutcome, out: Path, violations: dict[int, list[str]]
) -> None:
    if outcome.unexpected:
        violations[13].append(f"{label}: {outcome.text}")
    if outcome.seconds > JOB_SECONDS:
        violations[2].append(f"{label}: {outcome.seconds:.1f} s")
    for output in outcome.outputs:
        verified = run_check(Path(output))
        if verified.status != "pass":
            text = f"published, but {verified.status}: {verified.text[:300]}"
            violations[7].append(f"{label}: {text}")
    if sorted(str(path) for path in out.iterdir()) != sorted(outcome.outputs):
        violations[7].append(f"{label}: left {sorted(path.name for path in out.iterdir())}")


def _counts(statuses: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in statuses.most_common())


def _measurements(texts: dict[int, str], violations: dict[int, list[str]]) -> list[Measurement]:
    return [
        Measurement(guarantee=number, measured=text, violations=tuple(violations[number]))
        for number, text in texts.items()
    ]


def _run_all(work: Callable[[Job], None], selected: Sequence[Job]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, selected):
            pass
