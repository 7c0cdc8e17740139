"""What every test may ask for: ``make`` builds a fixture by its recipe, ``corpus`` is the folder of
real files or a skip.
"""

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
    """``make("open.mp4")`` is the path of that fixture, built on first use. Only read it; copy it
    before you change it.
    """
    import fixtures

    return fixtures.make


@pytest.fixture(scope="session")
def input_mov() -> Path:
    """The committed example: what a phone records."""
    return ROOT / "fixtures" / "input.mov"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files beside the checkout (``../shared/corpus``); the test is skipped
    where it is absent.
    """
    folder = ROOT.parent / "shared" / "corpus"
    if not (folder / "truth.tsv").is_file():
        pytest.skip("the corpus of real files is not beside this checkout")
    return folder
