"""The table of guarantees: what is guaranteed, the target, and what a run measured.

SECURITY.md states the guarantees in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GUARANTEES = {
    1: ("no input kills the host", "0 of 10,000; next job ok 100 %"),
    2: ("no hang", "0 over the time limit; killed within it + 1 s"),
    3: ("bounded memory", "probe < 512 MB, job < 2 GB at 1080p"),
    4: ("opens nothing else", "0 opens, 0 connects in all cells"),
    5: ("writes only in the output directory", "0"),
    6: ("source unchanged", "0"),
    7: ("no partial output visible", "0 of 200 kills, 0 of 50 full disks"),
    8: ("every job finishes after restart", "100 %"),
    9: ("exactly once", "1,000 claims of 1,000 jobs by 4 processes"),
    10: ("ok means complete", "0 false ok, except formats without an end mark"),
    11: ("half-copied files never taken", "0 early; all within quiet time + 1 poll"),
    12: ("no file missed", "3,000 of 3,000"),
    13: ("typed errors only", "100 %"),
    14: ("no private metadata", "0"),
    15: ("no orphans", "0 after 1 s"),
    16: ("protection visible", "always reported"),
    17: ("cost of safety", "probe +10 ms, job +20 ms at most"),
    18: ("poison file on a cluster", "0 workers lost, 1 job failed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement for one guarantee.

    measured     the result in words
    violations   one line each, with what reproduces it
    skipped      why it was not measured; "": it was
    """

    guarantee: int
    measured: str
    violations: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def met(self) -> bool:
        return not self.violations and not self.skipped


def table(measurements: Iterable[Measurement]) -> str:
    """Return all eighteen rows in Markdown; a row lists every measurement of its guarantee."""
    rows = ["| # | guarantee | target | measured | |", "| --- | --- | --- | --- | --- |"]
    by_guarantee: dict[int, list[Measurement]] = {}
    for measurement in measurements:
        by_guarantee.setdefault(measurement.guarantee, []).append(measurement)
    for number, (name, target) in GUARANTEES.items():
        own = by_guarantee.get(number, [])
        texts = [m.measured if not m.skipped else f"not run: {m.skipped}" for m in own]
        text = "; ".join(texts) or "not run"
        rows.append(f"| {number} | {name} | {target} | {text} | {_state(own)} |")
    return "\n".join(rows)


def _state(measurements: Sequence[Measurement]) -> str:
    if any(measurement.violations for measurement in measurements):
        return "VIOLATED"
    if measurements and all(measurement.met for measurement in measurements):
        return "met"
    return "not measured"
