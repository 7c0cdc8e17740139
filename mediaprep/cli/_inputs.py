"""The input files of a command: names, ``-`` for standard input, and lists of names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from mediaprep.errors import UsageProblem
from mediaprep.runtime.paths import display_name

STDIN = "-"


def collect(names: Sequence[str], files_from: str | None = None) -> tuple[str, ...]:
    """Return the names in order, followed by those that ``--files-from`` lists.

    Raises: UsageProblem if there is none, or if standard input is named twice.
    """
    collected = [*names, *(_read_names(files_from) if files_from is not None else ())]
    if not collected and files_from is not None:
        raise UsageProblem(f"no input: {display_name(files_from)} lists no file")
    if not collected:
        raise UsageProblem("no input: pass a file, or --files-from")
    if collected.count(STDIN) + (files_from == STDIN) > 1:
        raise UsageProblem("standard input ('-') can be read only once; pass it once")
    return tuple(collected)


def _read_names(path: str) -> list[str]:
    """Read one name per line, or NUL-separated names; bytes that are not UTF-8 are preserved."""
    try:
        data = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
    except OSError as problem:
        raise UsageProblem(
            f"--files-from {display_name(path)}: cannot be read: {problem.strerror}"
        ) from problem
    if b"\0" in data:
        return [os.fsdecode(name) for name in data.split(b"\0") if name]
    lines = (line.rstrip(b"\r") for line in data.split(b"\n"))
    return [os.fsdecode(line) for line in lines if line]


def captions_for(names: Sequence[str], captions: str | None) -> str | None:
    """Return the captions. Raises: UsageProblem if there are several inputs."""
    if captions is not None and len(names) != 1:
        raise UsageProblem("--captions belongs to one video; pass one input")
    return captions


def source_of(name: str) -> str | BinaryIO:
    """Return what the library opens: the name, or standard input."""
    return open(0, "rb", closefd=False) if name == STDIN else name
