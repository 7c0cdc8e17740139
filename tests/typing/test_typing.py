"""mypy accepts the uses of the public functions in ``api.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy comes with the extra 'lint'")


def test_the_public_functions_are_typed() -> None:
    here = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(here / "api.py")],
        capture_output=True,
        text=True,
        cwd=here.parent.parent,
    )
    assert run.stdout == ""
    assert run.returncode == 0
