"""The README's two commands are those that CI runs, to the letter."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_ci_runs_the_commands_that_the_readme_leads_with() -> None:
    readme, ci = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()
    commands = [
        line
        for block in readme.split("```sh\n")[1:3]
        for line in block.split("```")[0].splitlines()
    ]
    assert len(commands) == 2
    for command in commands:
        assert command in ci


def test_every_page_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    named = [part.split(")")[0] for part in readme.split("](")[1:]]
    missing = [name for name in named if "://" not in name and not (ROOT / name).exists()]
    assert missing == []
