"""The files that a command is given: names, ``-`` for stdin, and lists of names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from mediaprep.errors import UsageProblem
from mediaprep.runtime.source import display_name, folded

STDIN = "-"


def collect(given: Sequence[str], files_from: str | None = None) -> tuple[str, ...]:
    """The names in order, those of ``--files-from`` after the others. Raises: UsageProblem for none, or stdin twice."""
    names = [*given, *(_listed(files_from) if files_from is not None else ())]
    if not names:
        raise UsageProblem(
            "no input: name a file"
            + (
                f", or put names into {display_name(files_from)}"
                if files_from
                else " or use --files-from"
            )
        )
    if names.count(STDIN) + (files_from == STDIN) > 1:
        raise UsageProblem("stdin ('-') can be read once only: name it once")
    return tuple(names)


def _listed(path: str) -> list[str]:
    """One name a line, or NUL-separated; bytes that are not UTF-8 stay as they are."""
    try:
        data = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
    except OSError as problem:
        raise UsageProblem(
            f"--files-from {display_name(path)}: cannot be read: {problem.strerror}"
        ) from problem
    separator = b"\0" if b"\0" in data else b"\n"
    return [
        os.fsdecode(name)
        for line in data.split(separator)
        if (name := line if separator == b"\0" else line.rstrip(b"\r"))
    ]


def captions_for(names: Sequence[str], captions: str | None) -> str | None:
    """The captions asked for. Raises: UsageProblem where several inputs could be meant."""
    if captions is not None and len(names) != 1:
        raise UsageProblem("--captions: goes with one video; name one input")
    return captions


def source_of(name: str) -> str | BinaryIO:
    """What the library opens: the name, or stdin."""
    return open(0, "rb", closefd=False) if name == STDIN else name


def refuse_collisions(names: Sequence[str], folder: Path | None, to: str) -> None:
    """Look before any work is done: two inputs whose outputs would have one name. ``folder``: where outputs go; None: beside each source.

    Raises: UsageProblem. Which suffix an output gets depends on the kind of its source: the bytes are asked, but only where names collide.
    """
    seen: dict[tuple[str, str], list[str]] = {}
    for name in names:
        path = Path("upload" if name == STDIN else name)
        place = os.path.realpath(folder) if folder else os.path.dirname(os.path.realpath(path))  # noqa: PTH120
        others = seen.setdefault((place, folded(path.stem)), [])
        for other in others:
            if other == name or to != "auto" or _of_one_kind(other, name):
                remedy = (
                    "give it once"
                    if other == name
                    else "run them one at a time, each with its own -o"
                )
                raise UsageProblem(
                    f"{display_name(other)} and {display_name(name)}: would be written under one name; {remedy}"
                )
        others.append(name)


def _of_one_kind(a: str, b: str) -> bool:
    kind = _kind(a)
    return kind is not None and kind == _kind(b)


def _kind(name: str) -> str | None:
    """The kind by its bytes; None for what cannot be read (then nothing is written for it)."""
    from mediaprep.errors import SourceUnreadable
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.runtime.source import open_source

    if name == STDIN:
        return None
    try:
        with open_source(name) as source:
            return sniff(source).kind_hint
    except SourceUnreadable:
        return None
