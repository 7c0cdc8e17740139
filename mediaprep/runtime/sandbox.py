"""What this host can confine a child with, and the words that make the launcher do it.

strict  no file but the ones named can be opened, nothing is contacted, no process is started (Linux: Landlock, seccomp and limits)
basic   limits of memory, time, file size and descriptors, an empty environment, an own process group (Linux, macOS)
none    nothing of this: such a host is refused, never quietly accepted

A level that was asked for and cannot be had is an error; nothing here falls back by itself except ``auto``, which says what it took.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import marshal
import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mediaprep.errors import EnvironmentProblem
from mediaprep.runtime import launcher as _launch

Level = Literal["strict", "basic", "none"]

DESCRIPTORS = 64  # ffmpeg needs 8; hostile-input notes, section 6
_LIBRARIES = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
)
_SYSTEMS = {"darwin": "macOS"}
_HARMLESS = (
    "/dev/urandom",
    "/dev/zero",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxReport:
    """``level``: the best this host has; ``landlock_abi`` 0 = none; ``seccomp``: a filter can be loaded and its numbers are known for this
    machine; ``reasons``: one line for each thing that is missing."""

    level: Level
    landlock_abi: int
    seccomp: bool
    reasons: tuple[str, ...]

    @property
    def bubblewrap(self) -> str | None:
        """The path of bwrap, for information only; None: not installed."""
        import shutil

        return shutil.which("bwrap")


@functools.cache
def available() -> SandboxReport:
    """Ask this host what it offers. Changes nothing."""
    if os.name != "posix":
        return SandboxReport(
            level="none",
            landlock_abi=0,
            seccomp=False,
            reasons=(f"{sys.platform}: no process limits are set here",),
        )
    reasons = []
    abi, seccomp = _launch.landlock_abi(), _has_seccomp()
    if sys.platform != "linux":
        system = _SYSTEMS.get(sys.platform, sys.platform)
        reasons.append(
            f"{system} has no Landlock and no seccomp: children are limited in time and file size, not confined"
        )
    else:
        if abi == 0:
            reasons.append("this kernel has no Landlock (Linux 5.13 or later, enabled at boot)")
        if os.uname().machine not in _launch.MACHINES:
            reasons.append(
                f"the seccomp filter knows {' and '.join(_launch.MACHINES)}, not {os.uname().machine}"
            )
        elif not seccomp:
            reasons.append("this kernel has no seccomp filters")
    level: Level = "strict" if abi and seccomp else "basic"
    return SandboxReport(level=level, landlock_abi=abi, seccomp=seccomp, reasons=tuple(reasons))


def _has_seccomp() -> bool:
    if sys.platform != "linux" or os.uname().machine not in _launch.MACHINES:
        return False
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    return (
        "\nSeccomp:" in status
    )  # the line is there exactly where the kernel was built with seccomp


def choose(asked: str) -> Level:
    """The level to use where ``asked`` is auto, strict or basic. Raises: EnvironmentProblem when it cannot be had."""
    report = available()
    if asked not in ("auto", "strict", "basic"):
        raise EnvironmentProblem(f"sandbox level {asked!r}: want auto, strict or basic")
    if report.level == "none":
        raise EnvironmentProblem(f"no tool can be run safely here: {'; '.join(report.reasons)}")
    if asked == "strict" and report.level != "strict":
        raise EnvironmentProblem(f"sandbox 'strict' is not available: {'; '.join(report.reasons)}")
    return "basic" if asked == "basic" else report.level


@functools.cache
def interpreter() -> str:
    """A Python to run the launcher with: ``sys.executable`` is none where a program embeds Python. Raises: EnvironmentProblem."""
    beside = (
        Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    )
    for path in (sys.executable, str(beside)):
        if path and Path(path).name.startswith(("python", "pypy")) and os.access(path, os.X_OK):
            return path
    raise EnvironmentProblem(
        f"no Python interpreter found to start tools with (looked at {sys.executable!r} and {beside})"
    )


@functools.cache
def _launcher() -> tuple[str, ...]:
    """How Python is told to run the launcher: compiled once where the interpreter is ours (it saves 4 ms a start), else its file."""
    if interpreter() != sys.executable:
        return (_launch.__file__,)
    code = compile(
        Path(_launch.__file__).read_text(encoding="utf-8"),
        _launch.__file__,
        "exec",
        dont_inherit=True,
        optimize=2,
    )
    return (
        "-c",
        "import marshal, sys; exec(marshal.loads(bytes.fromhex(sys.argv.pop(1))))",
        marshal.dumps(code).hex(),
    )


def library_folders() -> list[str]:
    """The folders that a program's shared libraries come from; those that exist here."""
    return _existing(_LIBRARIES)


def python_folders(modules: Sequence[str]) -> list[str]:
    """The folders that Python's imports come from: standard library, installed packages, this package, and wherever ``modules`` lie.

    Imports nothing, and names no folder of ``sys.path`` that holds none of these: it may be a user's.
    """
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders.append(str(Path(__file__).resolve().parents[1]))
    for module in modules:
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(module.partition(".")[0])
            if (
                spec is not None
                and spec.origin is not None
                and not any(spec.origin.startswith(f"{folder}/") for folder in folders)
            ):
                place = Path(spec.origin).parent
                folders.append(str(place.parent if spec.submodule_search_locations else place))
    return _existing(dict.fromkeys(folders))


def _existing(paths: Sequence[str] | dict[str, None]) -> list[str]:
    return [path for path in paths if Path(path).exists()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """Limits of one child: address space and largest written file in bytes (None: not limited), CPU seconds over all threads."""

    memory_bytes: int | None
    file_bytes: int | None
    cpu_seconds: int
    descriptors: int = DESCRIPTORS


def harmless() -> list[str]:
    """What any program may read: the random source and the machine's size; those that exist here."""
    return _existing(_HARMLESS)


def confine(
    argv: Sequence[str],
    *,
    level: Level,
    reads: Sequence[str],
    writes: Sequence[str],
    ceilings: Ceilings,
) -> list[str]:
    """The command line that runs ``argv`` (its first word an absolute path) confined, to be started by this very process.

    ``reads``: files or folders that it may read; ``writes``: folders (or devices) that it may write in. Raises: EnvironmentProblem.
    """
    words = [
        f"parent={os.getpid()}",
        f"cpu={ceilings.cpu_seconds}",
        f"nofile={ceilings.descriptors}",
    ]
    if ceilings.memory_bytes is not None:
        words.append(f"as={ceilings.memory_bytes}")
    if ceilings.file_bytes is not None:
        words.append(f"fsize={ceilings.file_bytes}")
    if level == "strict":
        program = Path(argv[0]).resolve()
        runs = dict.fromkeys(
            [str(program), *library_folders(), *_existing((str(program.parent.parent / "lib"),))]
        )
        words.append("strict=1")
        words += [f"run={path}" for path in runs]
        words += [f"read={path}" for path in (*harmless(), *reads)]
        words += [f"write={path}" for path in ("/dev/null", *writes)]
    return [interpreter(), "-I", "-S", "-B", *_launcher(), *words, "--", *argv]
