"""Run the suites at the size of the ordinary tests; ``python -m tests.hostile`` is the long run.

Each suite runs in a process of its own, so that memory and descriptors are those of the suite.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.__main__ import CI, suites
from tests.hostile.guarantees import GUARANTEES, Measurement, table
from tests.hostile.mutators import mutant
from tests.hostile.other_guarantees import OTHER_TESTS
from tests.hostile.seeds import seeds

ROOT = Path(__file__).resolve().parents[2]
# Timed, run as ordinary tests, and a long encode.
NOT_HERE = {"cost", "other tests", "memory"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", [name for name in suites(CI, 1) if name not in NOT_HERE])
def test_the_guarantees_hold(name: str) -> None:
    argv = [sys.executable, "-m", "tests.hostile", "--ci", "--only", name]
    # Not measured: on a full disk the data file of coverage fails before the program does.
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("COVERAGE")}
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def test_every_guarantee_is_tested() -> None:
    tested = {number for numbers, _ in suites(CI, 1).values() for number in numbers}
    assert tested == set(GUARANTEES)


def test_the_other_tests_exist() -> None:
    assert [path for _, _, path in OTHER_TESTS if not (ROOT / path).is_file()] == []


def test_a_mutant_is_reproduced_by_its_number() -> None:
    for seed in seeds()[:5]:
        numbers = range(1, 6)
        assert list(map(seed.mutant, numbers)) == list(map(seed.mutant, numbers))
        assert len({seed.mutant(number) for number in range(1, 30)}) > 25
        assert mutant(seed.data, "other", 1) != mutant(seed.data, seed.name, 1)


def test_the_table_shows_what_was_violated_or_not_measured() -> None:
    rows = table(
        [
            Measurement(guarantee=1, measured="0 of 5"),
            Measurement(guarantee=2, measured="1 of 5", violations=("x",)),
            Measurement(guarantee=4, measured="", skipped="no strace"),
        ]
    )
    cells = [[cell.strip() for cell in line.split("|")] for line in rows.splitlines()[2:]]
    states = {row[1]: row[-2] for row in cells}
    assert len(states) == 18
    assert [states[number] for number in "1234"] == [
        "met",
        "VIOLATED",
        "not measured",
        "not measured",
    ]
