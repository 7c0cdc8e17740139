"""The table of promises: what is promised, the figure to reach, and what a run measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PROMISES = {
    1: ("no input kills the host", "0 of 10,000; next job ok 100 %"),
    2: ("no hang", "0 over the time; killed within it + 1 s"),
    3: ("bounded memory", "probe < 512 MB, job < 2 GB at 1080p"),
    4: ("opens nothing else", "0 opens, 0 connects in all cells"),
    5: ("writes only in the output directory", "0"),
    6: ("source unchanged", "0"),
    7: ("no partial output visible", "0 of 200 kills, 0 of 50 full disks"),
    8: ("every job finishes after restart", "100 %"),
    9: ("exactly once", "1,000 claims of 1,000 jobs by 4 processes"),
    10: ("ok means complete", "0 false ok but what has no end mark (documented)"),
    11: ("half-copied never taken", "0 early; all within quiet time + 1 poll"),
    12: ("no file missed", "3,000 of 3,000"),
    13: ("typed errors only", "100 %"),
    14: ("no private metadata", "0"),
    15: ("no orphans", "0 after 1 s"),
    16: ("protection visible", "always stated"),
    17: ("cost of safety", "probe +10 ms, job +20 ms at most"),
    18: ("poison file in a fleet", "0 workers lost, 1 job failed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measurement for one promise: ``found`` in words; ``broken``: each violation, one line that says how to make it again."""

    tolerance: int
    found: str
    broken: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def reached(self) -> bool:
        return not self.broken and not self.skipped


def table(figures: Iterable[Figure]) -> str:
    """All eighteen rows; a promise with several measurements names each, one without any says so."""
    rows = ["| # | promise | figure to reach | measured | |", "| --- | --- | --- | --- | --- |"]
    by_promise: dict[int, list[Figure]] = {}
    for figure in figures:
        by_promise.setdefault(figure.tolerance, []).append(figure)
    for number, (tolerance, wanted) in PROMISES.items():
        found = by_promise.get(number, [])
        words = (
            "; ".join((f.skipped and f"not run: {f.skipped}") or f.found for f in found)
            or "not run"
        )
        word = (
            "BROKEN"
            if any(f.broken for f in found)
            else "reached"
            if found and all(f.reached for f in found)
            else "not told"
        )
        rows.append(f"| {number} | {tolerance} | {wanted} | {words} | {word} |")
    return "\n".join(rows)
