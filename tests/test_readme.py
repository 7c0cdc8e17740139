"""The README: its two commands are those that CI runs, and its example is real output."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mediaprep import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_runs_the_commands_that_the_readme_leads_with() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    commands = [
        line
        for block in README.split("```sh\n")[1:3]
        for line in block.split("```")[0].splitlines()
    ]
    assert len(commands) == 2
    for command in commands:
        assert command in ci


def test_every_page_that_the_readme_names_exists() -> None:
    named = [part.split(")")[0] for part in README.split("](")[1:]]
    missing = [name for name in named if "://" not in name and not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / "fixtures" / "input.mov").is_file(), reason="needs the clip of the example"
)
def test_the_example_is_real_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output sizes may differ by the build of the encoder, and are not compared."""
    example = README.split("```console\n")[1].split("```")[0]
    (tmp_path / "fixtures").mkdir()
    shutil.copy(ROOT / "fixtures" / "input.mov", tmp_path / "fixtures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    shown = ""
    for command in re.findall(r"^\$ mediaprep (.*)$", example, re.MULTILINE):
        cli.run(command.split())
        shown += f"$ mediaprep {command}\n{capsys.readouterr().out}\n"
    written = re.compile(r"\d+ kB(?=   verified)")
    assert written.sub("N kB", shown.rstrip()) == written.sub("N kB", example.rstrip())
