"""Layers: upper packages import lower ones, never the reverse; some modules have one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "mediaprep"
# From the ground up. Packages of one layer may import each other only where PEERS says so.
LAYERS: list[set[str]] = [
    {"errors"},
    {"model"},
    {"runtime", "targets"},
    {"rules", "tools"},
    {"profile", "probing"},
    {"planning", "config"},
    {"transcoding", "comparing"},
    {"pipeline"},
    {"doctor", "jobs"},
    {"report", "api", ""},  # "": the public face
    {"cli"},
    {"__main__"},
]
PEERS = {("doctor", ""), ("", "api")}
PURE = ("model", "targets", "rules", "planning")
EFFECTS = {
    "os",
    "pathlib",
    "subprocess",
    "time",
    "shutil",
    "tempfile",
    "socket",
    "threading",
    "logging",
    "io",
    "random",
    "signal",
}
NATIVE = {"av", "PIL", "pymediainfo", "ffmpeg", "imageio_ffmpeg", "pi_heif"}
STARTERS = {"subprocess", "multiprocessing", "pty"}
STARTING_CALLS = {
    "fork",
    "forkpty",
    "posix_spawn",
    "posix_spawnp",
    "system",
    "popen",
    "spawnv",
    "spawnve",
    "execv",
    "execve",
    "execvp",
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """mediaprep/rules/video/gop.py -> rules.video.gop; the package itself is ""."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(module: str) -> str:
    """rules.video.gop -> rules"""
    return module.partition(".")[0]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, inside functions and for type checkers too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                place = PACKAGE.parent / Path(*whole.split("."))
                is_module = place.is_dir() or place.with_suffix(".py").is_file()
                yield whole if is_module else node.module


def own(path: Path) -> set[str]:
    """The packages of ours that a file imports."""
    names = (name for name in imports(path) if name.split(".")[0] == "mediaprep")
    return {package_of(name.removeprefix("mediaprep").lstrip(".")) for name in names}


def layer(package: str) -> int:
    return next(level for level, packages in enumerate(LAYERS) if package in packages)


def modules_of(*packages: str) -> list[Path]:
    return [path for path in MODULES if package_of(name_of(path)) in packages]


def calls(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_the_top_of_the_package_shows_the_design() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {
        *("__init__", "__main__", "api", "errors", "config", "doctor")
    }
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == {
        *("model", "targets", "rules", "planning", "profile", "runtime", "tools"),
        *("probing", "transcoding", "comparing", "pipeline", "jobs", "report", "cli"),
    }


def test_each_package_has_a_layer() -> None:
    packages = {package_of(name_of(path)) for path in MODULES}
    assert packages - set().union(*LAYERS) == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path) or "mediaprep")
def test_only_lower_layers_are_imported(path: Path) -> None:
    package = package_of(name_of(path))
    upward = {
        other
        for other in own(path) - {package}
        if layer(other) >= layer(package) and (package, other) not in PEERS
    }
    assert upward == set()


def test_no_import_cycle() -> None:
    """Imports for type checkers alone do not count: they are not run."""
    graph = {name_of(path): set(run_at_import(path)) for path in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for other in graph.get(name, ()):
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def run_at_import(path: Path) -> Iterator[str]:
    """The modules of ours that importing a file imports (its own packages excepted)."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mediaprep"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                place = PACKAGE.parent / Path(*whole.split("."))
                is_module = place.is_dir() or place.with_suffix(".py").is_file()
                name = (whole if is_module else str(node.module)).removeprefix("mediaprep")
                yield name.lstrip(".")


@pytest.mark.parametrize("path", modules_of("tools"), ids=name_of)
def test_tools_know_no_rule_and_no_plan(path: Path) -> None:
    assert own(path) <= {"tools", "runtime", "model", "errors"}
    inner = {name for name in imports(path) if name.startswith("mediaprep.model")}
    assert inner <= {f"mediaprep.model.{name}" for name in ("containers", "events", "units")}


def test_probing_and_transcoding_do_not_know_each_other() -> None:
    for path in modules_of("probing", "transcoding"):
        others = {"probing", "transcoding"} - {package_of(name_of(path))}
        assert others & own(path) == set(), name_of(path)


@pytest.mark.parametrize("path", modules_of(*PURE), ids=name_of)
def test_pure_packages_touch_nothing(path: Path) -> None:
    """No path, clock, thread or tool: check, plan and verify run without ffmpeg."""
    assert {name.split(".")[0] for name in imports(path)} & (EFFECTS | NATIVE) == set()
    names = {call.func.id for call in calls(path) if isinstance(call.func, ast.Name)}
    assert names & {"open", "print", "input", "exec", "eval"} == set()


@pytest.mark.parametrize("path", modules_of("rules"), ids=name_of)
def test_rules_see_facts_limits_and_options_alone(path: Path) -> None:
    assert own(path) <= {"rules", "targets", "model"}


def test_only_the_tools_import_native_readers_and_encoders() -> None:
    """PyAV, Pillow, MediaInfo and ffmpeg's wrappers have one home."""
    homes = {
        name_of(path) for path in MODULES if {name.split(".")[0] for name in imports(path)} & NATIVE
    }
    assert {home for home in homes if package_of(home) != "tools"} == set()


def test_only_process_py_starts_processes() -> None:
    """One place with a deadline, a group, limits and a drained stderr. ``runtime.launcher`` is what
    it starts to confine the child; ``runtime.prefork`` forks this process."""
    starters = set()
    for path in MODULES:
        started = {name.split(".")[0] for name in imports(path)} & STARTERS
        names = {
            call.func.attr
            for call in calls(path)
            if isinstance(call.func, ast.Attribute)
            and ast.unparse(call.func.value) in ("os", "asyncio")
        }
        asynchronous = {"create_subprocess_exec", "create_subprocess_shell"}
        if started or names & (STARTING_CALLS | asynchronous):
            starters.add(name_of(path))
    assert starters <= {f"runtime.{name}" for name in ("process", "launcher", "child", "prefork")}
    assert "runtime.process" in starters


def test_workers_of_a_batch_know_no_ledger() -> None:
    """They run on other hosts; results return as values, and only coordinators record them."""
    for path in MODULES:
        if name_of(path).startswith("jobs.workers"):
            coordinators = [n for n in imports(path) if n.startswith("mediaprep.jobs.ledger")]
            coordinators += [n for n in imports(path) if n == "mediaprep.jobs.run.driver"]
            assert coordinators == [], name_of(path)


def test_the_ledger_has_one_way_to_its_file() -> None:
    """``settle`` keeps a temporary database of its own."""
    homes = {name_of(path) for path in MODULES if "sqlite3" in imports(path)}
    assert homes <= {"jobs.ledger.database", "jobs.ledger.ledger", "jobs.watch.settle"}


def test_heavy_modules_are_imported_where_they_are_used() -> None:
    """The library starts without numpy, PyAV, Pillow and the rest."""
    heavy = sorted(
        NATIVE | {"numpy", "rich", "pydantic", "distributed", "dask", "watchdog", "typer"}
    )
    code = (
        "import sys, mediaprep, mediaprep.pipeline.prepare, mediaprep.planning.plan;"
        f" print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
