"""The storeys of the house: an upper room imports from lower ones, never the other way, and the dangerous modules have one home each."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "mediaprep"
# From the ground up. Rooms on one storey may know each other only where PEERS says so.
STOREYS: list[set[str]] = [
    {"errors", "faults"},
    {"media", "units", "files", "workfiles", "context", "events", "jsonable"},
    {"constraint"},
    {"finding", "promise", "evidence"},
    {"spec", "wishes"},
    {"profile", "config"},
    {"rules"},
    {"check", "changes"},
    {"plan", "tools"},
    {"verify", "treatments", "transcode", "probe"},
    {"look", "order", "shortfall"},
    {"outcome", "handoff", "making", "publishing"},
    {"pipeline", "posting", "doctor"},
    {"jobs", "report", "api", ""},  # "": the public face
    {"cli"},
    {"__main__"},
]
PEERS = {
    ("context", "events"), ("files", "units"), ("files", "context"), ("workfiles", "files"),
    ("wishes", "spec"),
    ("config", "profile"),
    ("handoff", "outcome"), ("making", "handoff"), ("publishing", "handoff"), ("doctor", ""), ("posting", "pipeline"),
    ("", "api"), ("report", "jobs"),
}  # fmt: skip
PURE = (
    *("rules", "check", "changes", "plan", "treatments", "verify", "promise", "constraint", "finding", "spec", "media", "units"),
    *("evidence", "wishes"),
)
EFFECTS = {"os", "pathlib", "subprocess", "time", "shutil", "tempfile", "socket", "threading", "logging", "io", "random", "signal"}
NATIVE = {"av", "PIL", "pymediainfo", "ffmpeg", "imageio_ffmpeg", "pi_heif"}
STARTERS = {"subprocess", "multiprocessing", "pty"}
STARTING_CALLS = {"fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "popen", "spawnv", "spawnve", "execv", "execve", "execvp"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """mediaprep/rules/video/gop.py -> rules.video.gop; the package itself is ""."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.partition(".")[0]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, inside functions too; names for type checkers alone count as well."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                place = PACKAGE.parent / Path(*whole.split("."))
                yield whole if place.is_dir() or place.with_suffix(".py").is_file() else node.module


def own(path: Path) -> set[str]:
    """The rooms of ours that a file imports."""
    return {room_of(name.removeprefix("mediaprep").lstrip(".")) for name in imports(path) if name.split(".")[0] == "mediaprep"}


def storey(room: str) -> int:
    return next(level for level, rooms in enumerate(STOREYS) if room in rooms)


def test_each_room_has_a_storey() -> None:
    rooms = {room_of(name_of(path)) for path in MODULES}
    assert rooms - set().union(*STOREYS) == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path) or "mediaprep")
def test_only_downstairs_is_imported(path: Path) -> None:
    room = room_of(name_of(path))
    upstairs = {other for other in own(path) - {room} if storey(other) >= storey(room) and (room, other) not in PEERS}
    assert upstairs == set()


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(name_of(path)) == "tools"], ids=name_of)
def test_tools_know_no_rule_and_no_plan(path: Path) -> None:
    assert own(path) <= {"tools", "faults", "files", "workfiles", "context", "events", "errors", "units"}


def test_probe_and_transcode_do_not_know_each_other() -> None:
    for path in MODULES:
        room = room_of(name_of(path))
        if room in ("probe", "transcode"):
            assert ({"probe", "transcode"} - {room}) & own(path) == set(), name_of(path)


def test_tools_are_used_by_those_who_do_the_work_alone() -> None:
    users = {room_of(name_of(path)) for path in MODULES if "tools" in own(path)}
    assert users <= {"tools", "probe", "transcode", "look", "making", "pipeline", "posting", "doctor", "report", "jobs", "api", "cli", ""}


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(name_of(path)) in PURE], ids=name_of)
def test_pure_rooms_touch_nothing(path: Path) -> None:
    """No path, clock, thread or tool: check, plan and verify run on a train without ffmpeg."""
    assert {name.split(".")[0] for name in imports(path)} & (EFFECTS | NATIVE) == set()
    calls = {
        node.func.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls & {"open", "print", "input", "exec", "eval"} == set()


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(name_of(path)) == "rules"], ids=name_of)
def test_rules_see_facts_limits_and_wishes_alone(path: Path) -> None:
    allowed = {"rules", "media", "constraint", "units", "spec", "finding", "promise", "wishes"}
    assert own(path) <= allowed


def test_only_the_tools_import_native_readers_and_encoders() -> None:
    """PyAV, Pillow, MediaInfo and ffmpeg's wrappers have one home."""
    homes = {name_of(path) for path in MODULES if {name.split(".")[0] for name in imports(path)} & NATIVE}
    assert {home for home in homes if room_of(home) != "tools"} == set()


def test_only_process_py_starts_processes() -> None:
    """One place with a deadline, a group, limits and a drained stderr; ``_launch`` is what it starts to confine the child. ``peer`` and
    ``early`` fork this very process."""
    starters = set()
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("os", "asyncio")
        }
        started = {name.split(".")[0] for name in imports(path)} & STARTERS
        if started or calls & (STARTING_CALLS | {"create_subprocess_exec", "create_subprocess_shell"}):
            starters.add(name_of(path))
    assert starters <= {"tools.process", "tools._launch", "tools.peer", "tools.early"}
    assert "tools.process" in starters


def test_workers_of_a_batch_know_no_ledger() -> None:
    """They run on other hosts; what they found comes back as values, and coordinators alone write it down."""
    coordinators = {f"mediaprep.jobs.{name}" for name in ("ledger", "database", "queries", "records", "endings", "driver", "publish")}
    for path in MODULES:
        if name_of(path) in ("jobs.work", "jobs.slots", "jobs.cluster"):
            assert coordinators & set(imports(path)) == set(), name_of(path)


def test_the_ledger_has_one_way_to_its_file() -> None:
    """``settle`` keeps a temporary database of its own."""
    homes = {name_of(path) for path in MODULES if "sqlite3" in imports(path)}
    assert homes <= {"jobs.database", "jobs.ledger", "jobs.settle"}


def test_heavy_modules_are_imported_where_they_are_used() -> None:
    """The library starts without numpy, PyAV, Pillow and the rest: what is imported at the top anywhere is not imported by the way in."""
    heavy = sorted(NATIVE | {"numpy", "rich", "pydantic", "distributed", "dask", "watchdog", "typer"})
    code = f"import sys, mediaprep, mediaprep.pipeline, mediaprep.plan; print([name for name in {heavy!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
