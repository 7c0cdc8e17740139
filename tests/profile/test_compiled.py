"""Compiled profiles: equal to their TOML files, and ignored once a TOML file is edited."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mediaprep.profile import bundled, compiled, folder
from mediaprep.profile.build import derived_files
from mediaprep.profile.load import load

DERIVED = derived_files()


def toml(name: str) -> Path:
    return folder() / f"{name}.toml"


@pytest.mark.parametrize("path", DERIVED, ids=lambda path: path.name)
def test_derived_files_are_current(path: Path) -> None:
    """The schema, the compiled profiles and the tables of the guide follow from rules and TOML."""
    assert path.read_text(encoding="utf-8") == DERIVED[path], (
        "run: python -m mediaprep.profile.build"
    )


@pytest.mark.parametrize("name", bundled())
def test_a_compiled_profile_equals_its_toml_file(name: str) -> None:
    assert compiled.read(toml(name)) == load(toml(name))


@pytest.mark.parametrize(
    ("edited", "stale"),
    [("x-2026.toml", {"x-2026", "x-2026-premium"}), ("discord.toml", {"discord"})],
)
def test_an_edit_makes_every_profile_stale_that_builds_on_the_file(
    tmp_path: Path, edited: str, stale: set[str]
) -> None:
    copy = tmp_path / "profiles"
    shutil.copytree(folder(), copy)
    with (copy / edited).open("a") as file:
        file.write("# edited\n")
    ignored = {name for name in bundled() if compiled.read(copy / f"{name}.toml") is None}
    assert ignored == stale


def test_a_profile_without_a_compiled_file_is_not_found(tmp_path: Path) -> None:
    shutil.copy(toml("discord"), tmp_path)
    assert compiled.read(tmp_path / "discord.toml") is None


def test_bundled_profiles_load_without_pydantic() -> None:
    code = (
        "import sys; from mediaprep.profile import bundled, find_profile;"
        " print([find_profile(name).name for name in bundled()], 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{list(bundled())} False"
