"""The documentation: generated parts are current, links lead somewhere, no word of the old language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import generated

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "fixtures").glob("*.md"),
    )
    if ".venv" not in path.parts
)
WRITTEN = [path for path in PAGES if path.name not in ("RECIPES.md",)]
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)

# The left column of the glossary, as far as the words have no meaning of their own in English prose.
OLD_WORDS = (
    *("wishes", "ways out", "way out", "witness", "witnesses", "handoff", "hand-off", "shortfall"),
    *(
        "anew",
        "mended",
        "mends",
        "doubted",
        "cannot be told",
        "homing",
        "storey",
        "storeys",
        "kitchen",
    ),
    *(
        "came to nothing",
        "comes to nothing",
        "is no program",
        "adopts",
        "adopted",
        "either way round",
    ),
)
# Keys of JSON documents and of ledgers that were written before, and what the comparison reads.
CONTRACT = re.compile(r'"(anew|wishes|witnesses|ways_out)"|"either way round":')
OLD = re.compile(r"\b(" + "|".join(map(re.escape, OLD_WORDS)) + r")\b", re.IGNORECASE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sorted(generated()), ids=name_of)
def test_generated_files_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], "run: python docs/generate.py"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    text = CODE.sub("", path.read_text(encoding="utf-8"))
    broken = [
        target
        for target, _ in LINK.findall(text)
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_lines_are_wrapped(path: Path) -> None:
    """At 100 columns, but for tables, links and code, which have no place to break."""
    inside, long = False, []
    for line in path.read_text(encoding="utf-8").splitlines():
        inside ^= line.startswith("```")
        code = line.startswith("    ") or line.lstrip().startswith("```")
        breakable = " " in line.strip() and not code and not line.lstrip().startswith(("|", "["))
        if len(line) > 100 and breakable and not inside:
            long.append(line)
    assert long == []


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_pages_use_the_words_of_the_glossary(path: Path) -> None:
    assert OLD.findall(CODE.sub("", path.read_text(encoding="utf-8"))) == []


def test_code_uses_the_words_of_the_glossary() -> None:
    """In docstrings, comments and messages alike; JSON documents keep their keys."""
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for folder in ("mediaprep", "profiles", "fixtures", "benchmarks", "tests")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".toml") and path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if OLD.search(CONTRACT.sub("", line))
    ]
    assert found == []
