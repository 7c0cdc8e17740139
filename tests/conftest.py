"""Fixtures of pytest for all tests: built test inputs, the committed clip, real files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `fixtures` is a folder of the checkout, not of the package


@pytest.fixture(scope="session")
def make() -> Callable[[str], Path]:
    """Return the function that builds a test input: ``make("open.mp4")`` is its path.

    The file is shared: only read it.
    """
    import fixtures

    return fixtures.make


@pytest.fixture(scope="session")
def input_mov() -> Path:
    """Return the committed clip, which resembles a phone recording."""
    return ROOT / "fixtures" / "input.mov"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real files beside the checkout; skip the test if there is none."""
    folder = ROOT.parent / "shared" / "corpus"
    if not (folder / "truth.tsv").is_file():
        pytest.skip("the corpus of real files is not beside this checkout")
    return folder
