"""The ffmpeg program: find the binary, and ask it what it supports."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import EnvironmentProblem
from mediaprep.runtime import process
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context

ENVIRONMENT = "MEDIAPREP_FFMPEG"
_SECONDS = 20  # deadline of one question


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a binary reports about itself: its version, encoders and filters by name."""

    version: str
    encoders: frozenset[str]
    filters: frozenset[str]


def locate(override: str | None = None) -> str:
    """Return the absolute path of the binary.

    It is the first of ``override`` (--ffmpeg), $MEDIAPREP_FFMPEG, the imageio-ffmpeg wheel, PATH.
    Raises: EnvironmentProblem if there is none, or if the one requested is not executable.
    """
    requested = override or os.environ.get(ENVIRONMENT)
    if requested:
        found = shutil.which(requested)
        if found is None:
            raise EnvironmentProblem(
                f"ffmpeg: {requested!r} is not an executable; pass the path of an ffmpeg binary, "
                "or omit --ffmpeg"
            )
        return str(Path(found).resolve())
    return _bundled() or _on_path()


def preload(override: str | None = None) -> None:
    """Do what the first encode needs: locate the binary, import the builder of command lines."""
    import ffmpeg  # noqa: F401

    with contextlib.suppress(EnvironmentProblem):  # reported when the binary is needed
        locate(override)


def capabilities(binary: str, context: Context) -> Capabilities:
    """Ask the binary once for each path and modification time.

    Raises: EnvironmentProblem, ToolError.
    """
    return _capabilities(binary, Path(binary).stat().st_mtime_ns, context.sandbox)


@functools.lru_cache(maxsize=8)
def _capabilities(binary: str, mtime_ns: int, sandbox: str) -> Capabilities:
    def ask(option: str) -> str:
        command = Command(
            argv=(binary, "-hide_banner", "-nostdin", option),
            what="ask ffmpeg",
            seconds=_SECONDS,
            capture=True,
        )
        return process.run(command, Context(sandbox=sandbox)).stdout.decode(errors="replace")

    version = ask("-version").split("\n")[0].removeprefix("ffmpeg version ").split(" Copyright")[0]
    return Capabilities(
        version=version, encoders=_names(ask("-encoders")), filters=_names(ask("-filters"))
    )


def _names(listing: str) -> frozenset[str]:
    """Return the second column of a listing; ffmpeg has no other machine-readable one."""
    rows = (line.split() for line in listing.splitlines())
    return frozenset(row[1] for row in rows if len(row) >= 3 and row[1] != "=")


def _bundled() -> str | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    try:
        found: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        return None
    return found if Path(found).is_absolute() else shutil.which(found)


def _on_path() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        raise EnvironmentProblem(
            "no ffmpeg: imageio-ffmpeg has none for this platform, and there is none on PATH; "
            "install ffmpeg or name it with --ffmpeg"
        )
    return str(Path(found).resolve())
