"""A new option is one field of ``Options``: nothing else has to be edited."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mediaprep

CHECKOUT = Path(mediaprep.__file__).parent.parent
FIELD = """
    speed: int | None = option(
        None,
        "Encoder speed from 1 to 9.",
        metavar="N",
        type=int,
        minimum=1,
        maximum=9,
        configurable=True,
    )
"""
COMMANDS = ("fix", "plan", "batch", "watch")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``python`` with a copy of the package in which ``Options`` has one more field."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "mediaprep", tmp_path / "mediaprep", ignore=ignored)
    if (CHECKOUT / "profiles").is_dir():
        shutil.copytree(CHECKOUT / "profiles", tmp_path / "profiles")
        shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    declared = tmp_path / "mediaprep" / "model" / "options.py"
    text = declared.read_text(encoding="utf-8")
    first = text.index("    trim: ", text.index("class Options"))
    declared.write_text(text[:first] + FIELD.lstrip("\n") + text[first:], encoding="utf-8")

    def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "100", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return python


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_a_repair_has_it(run: Run, command: str) -> None:
    shown = run("-m", "mediaprep", command, "--help").stdout
    assert "--speed" in shown
    assert "Encoder speed from 1 to 9." in shown


def test_the_library_the_settings_and_the_command_line_set_it(
    run: Run, make: Callable[[str], Path]
) -> None:
    source = str(make("base.mp4"))
    library = run("-c", "import mediaprep; print(mediaprep.Options(speed=3).speed)")
    assert library.stdout == "3\n"
    for words, environment in (
        (("fix", source, "-n", "--json", "--speed", "12"), {}),
        (("fix", source, "-n", "--json"), {"MEDIAPREP_SPEED": "12"}),
    ):
        refused = run("-m", "mediaprep", *words, **environment)
        assert (refused.returncode, "12" in refused.stderr) == (2, True), refused
        assert "speed" in refused.stderr.lower()
    accepted = run("-m", "mediaprep", "plan", source, "--json", "--speed", "3")
    assert json.loads(accepted.stdout)["files"][0]["status"] == "already_ok", accepted.stderr


def test_the_tables_of_the_documentation_have_it(run: Run) -> None:
    code = (
        "from mediaprep.model.option_spec import option_specs;"
        "from mediaprep.model.options import Options;"
        "spec = option_specs(Options)['speed']; print(spec.flag, spec.key, spec.help)"
    )
    assert run("-c", code).stdout == "--speed speed Encoder speed from 1 to 9.\n"
