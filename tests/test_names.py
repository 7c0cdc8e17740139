"""Names: one class name a file, no helper of one letter, one place for the version."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

import mediaprep

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "mediaprep").rglob("*.py"))
PYTHON = [
    *MODULES,
    *(
        path
        for folder in ("tests", "fixtures", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    ),
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_class_name_stands_in_two_files() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].add(name_of(path))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_functions_and_constants_have_names_in_full(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    short = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and len(node.name.strip("_")) == 1
    ]
    assert [name for name in short if name not in BIT_READS] == []


BIT_READS = {"u"}  # u(n): the descriptor of ITU-T H.264, 7.2, under its own name


def test_the_version_is_stated_in_one_place() -> None:
    stated = re.compile(r'["\']' + re.escape(mediaprep.__version__) + r'["\']')
    places = [
        name_of(path)
        for path in (*MODULES, ROOT / "pyproject.toml")
        if stated.search(path.read_text(encoding="utf-8"))
    ]
    assert places == ["mediaprep/__init__.py"]
