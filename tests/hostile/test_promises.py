"""The suites of the harness at the size of the ordinary run, each in a process of its own: its children's memory and descriptors are then
nobody else's. The long run is ``python -m tests.hostile``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.__main__ import CI, suites
from tests.hostile.figures import PROMISES, Figure, table
from tests.hostile.mutators import mutant
from tests.hostile.seeds import seeds

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {
    "cost",
    "suites",
    "memory",
}  # timed, the ordinary tests of other rooms, and a long encode


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the oracles look into /proc")
@pytest.mark.parametrize("name", [name for name in suites(CI, 1) if name not in ELSEWHERE])
def test_the_promises_hold(name: str) -> None:
    argv = [sys.executable, "-m", "tests.hostile", "--ci", "--only", name]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def test_every_promise_is_tested() -> None:
    assert {number for tolerances, _ in suites(CI, 1).values() for number in tolerances} == set(
        PROMISES
    )


def test_a_mutant_is_made_again_from_its_number() -> None:
    for seed in seeds()[:5]:
        assert [seed.mutant(number) for number in range(1, 6)] == [
            seed.mutant(number) for number in range(1, 6)
        ]
        assert len({seed.mutant(number) for number in range(1, 30)}) > 25
        assert mutant(seed.data, "other", 1) != mutant(seed.data, seed.name, 1)


def test_the_table_tells_what_was_not_run_or_is_broken() -> None:
    rows = table(
        [
            Figure(tolerance=1, found="0 of 5"),
            Figure(tolerance=2, found="1 of 5", broken=("x",)),
            Figure(tolerance=4, found="", skipped="no strace"),
        ]
    )
    words = {
        line.split("|")[1].strip(): line.split("|")[-2].strip() for line in rows.splitlines()[2:]
    }
    assert len(words) == 18
    assert (words["1"], words["2"], words["3"], words["4"]) == (
        "reached",
        "BROKEN",
        "not told",
        "not told",
    )
