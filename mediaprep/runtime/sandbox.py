"""What this host can confine a child with, and the command line that confines it.

strict   only the named files can be opened, nothing is contacted, no process is started (Linux:
         Landlock, seccomp and limits)
basic    limits of memory, time, file size and descriptors, an empty environment, an own process
         group (Linux, macOS)
none     none of these; such a host is refused

A requested level that is not available is an error. Only ``auto`` chooses, and reports its choice.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import marshal
import os
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Literal

from mediaprep.errors import EnvironmentProblem
from mediaprep.runtime import launcher

Level = Literal["strict", "basic", "none"]

DESCRIPTORS = 64  # open files of one child; ffmpeg needs 8
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
_COMMON_FILES = (
    "/dev/urandom",
    "/dev/zero",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
_SYSTEM_NAMES = {"darwin": "macOS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxReport:
    """What this host offers.

    level          the best level
    landlock_abi   0: none
    seccomp        True if a filter can be loaded and its numbers are known for this machine
    reasons        one line for each thing that is missing
    """

    level: Level
    landlock_abi: int
    seccomp: bool
    reasons: tuple[str, ...]

    @property
    def bubblewrap(self) -> str | None:
        """The path of bwrap, for information only; None: not installed."""
        import shutil

        return shutil.which("bwrap")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """Limits of one child.

    memory_bytes   address space; None: not limited
    file_bytes     largest written file; None: not limited
    cpu_seconds    over all threads
    """

    memory_bytes: int | None
    file_bytes: int | None
    cpu_seconds: int


@functools.cache
def available() -> SandboxReport:
    """Return what this host offers. Changes nothing."""
    if os.name != "posix":
        return SandboxReport(
            level="none",
            landlock_abi=0,
            seccomp=False,
            reasons=(f"{sys.platform}: process limits are not supported",),
        )
    abi, seccomp = launcher.landlock_abi(), _has_seccomp()
    level: Level = "strict" if abi and seccomp else "basic"
    return SandboxReport(
        level=level, landlock_abi=abi, seccomp=seccomp, reasons=_missing(abi, seccomp)
    )


def _missing(abi: int, seccomp: bool) -> tuple[str, ...]:
    if sys.platform != "linux":
        system = _SYSTEM_NAMES.get(sys.platform, sys.platform)
        return (
            f"{system} has no Landlock and no seccomp:"
            " children are limited in time and file size, not confined",
        )
    reasons, machine = [], os.uname().machine
    if abi == 0:
        reasons.append("this kernel has no Landlock (Linux 5.13 or later, enabled at boot)")
    if machine not in launcher.MACHINES:
        known = " and ".join(launcher.MACHINES)
        reasons.append(f"the seccomp filter supports {known}, not {machine}")
    elif not seccomp:
        reasons.append("this kernel has no seccomp filters")
    return tuple(reasons)


def _has_seccomp() -> bool:
    if sys.platform != "linux" or os.uname().machine not in launcher.MACHINES:
        return False
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    return "\nSeccomp:" in status  # only kernels that were built with seccomp print this line


def resolve_level(requested: str) -> Level:
    """Return the level to use for ``requested``: auto, strict or basic.

    Raises: EnvironmentProblem if it is not available.
    """
    report = available()
    if requested not in ("auto", "strict", "basic"):
        raise EnvironmentProblem(
            f"invalid sandbox level {requested!r}; allowed: auto, strict, basic"
        )
    if report.level == "none":
        raise EnvironmentProblem(f"no program can be run safely here: {'; '.join(report.reasons)}")
    if requested == "strict" and report.level != "strict":
        raise EnvironmentProblem(f"sandbox 'strict' is not available: {'; '.join(report.reasons)}")
    return "basic" if requested == "basic" else report.level


@functools.cache
def interpreter() -> str:
    """Return the path of a Python interpreter to run the launcher with.

    ``sys.executable`` is something else where a program embeds Python. Raises: EnvironmentProblem.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    installed = str(Path(sys.base_prefix) / "bin" / f"python{version}")
    for path in (sys.executable, installed):
        if path and Path(path).name.startswith(("python", "pypy")) and os.access(path, os.X_OK):
            return path
    raise EnvironmentProblem(
        "no Python interpreter found to start programs with"
        f" (tried {sys.executable!r}, {installed!r})"
    )


@functools.cache
def _launcher_arguments() -> tuple[str, ...]:
    """Return the arguments that make the interpreter run the launcher.

    Its code is passed compiled if the interpreter is the running one, because compiling it takes a
    few milliseconds at each start; otherwise its file is named.
    """
    path = launcher.__file__
    if interpreter() != sys.executable:
        return (path,)
    source = Path(path).read_text(encoding="utf-8")
    code = compile(source, path, "exec", dont_inherit=True, optimize=2)
    return (
        "-c",
        "import marshal, sys; exec(marshal.loads(bytes.fromhex(sys.argv.pop(1))))",
        marshal.dumps(code).hex(),
    )


def library_folders() -> list[str]:
    """Return the folders of shared libraries that exist here."""
    return _existing(_LIBRARIES)


def common_files() -> list[str]:
    """Return files that every child may read: the random source and the machine's size."""
    return _existing(_COMMON_FILES)


def python_folders(modules: Sequence[str]) -> list[str]:
    """Return the folders that Python imports from.

    These are the standard library, installed packages, this package and the folders of ``modules``.
    Nothing is imported, and no other folder of ``sys.path`` is named: it may be the user's.
    """
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders.append(str(Path(__file__).resolve().parents[1]))
    for module in modules:
        spec = _find_spec(module.partition(".")[0])
        if spec is None or spec.origin is None:
            continue
        if not any(spec.origin.startswith(f"{folder}/") for folder in folders):
            folder = Path(spec.origin).parent
            folders.append(str(folder.parent if spec.submodule_search_locations else folder))
    return _existing(dict.fromkeys(folders))


def _find_spec(module: str) -> ModuleSpec | None:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(module)
    return None


def _existing(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if Path(path).exists()]


def confined_argv(
    argv: Sequence[str],
    *,
    level: Level,
    reads: Sequence[str],
    writes: Sequence[str],
    limits: ProcessLimits,
) -> list[str]:
    """Return the command line that runs ``argv`` confined; this very process has to start it.

    argv     the first word is an absolute path
    reads    files or folders that it may read
    writes   folders or devices that it may write in

    Raises: EnvironmentProblem.
    """
    settings = [
        f"parent={os.getpid()}",
        f"cpu={limits.cpu_seconds}",
        f"nofile={DESCRIPTORS}",
    ]
    if limits.memory_bytes is not None:
        settings.append(f"as={limits.memory_bytes}")
    if limits.file_bytes is not None:
        settings.append(f"fsize={limits.file_bytes}")
    if level == "strict":
        program = Path(argv[0]).resolve()
        own_libraries = _existing((str(program.parent.parent / "lib"),))
        runs = dict.fromkeys([str(program), *library_folders(), *own_libraries])
        settings.append("strict=1")
        settings += [f"run={path}" for path in runs]
        settings += [f"read={path}" for path in (*common_files(), *reads)]
        settings += [f"write={path}" for path in ("/dev/null", *writes)]
    return [interpreter(), "-I", "-S", "-B", *_launcher_arguments(), *settings, "--", *argv]
