"""What the ledger holds, as records: a file that was found, a job, an output, counts of jobs; and how they are written into its columns."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mediaprep.runtime.source import Stamp, folded

State = Literal["new", "run", "publish", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that was found: absolute path, its path below the output folder (with its own file name), and its stamp."""

    source: str
    place: str
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job as the ledger knows it. ``status``: of a job that is done; ``tries``: how often it was begun."""

    id: int
    source: str
    place: str
    size: int
    stamp: Stamp
    state: State
    tries: int
    owner: str | None
    sha256: str | None
    status: str | None
    problem: str | None
    media_seconds: float | None
    work_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One output: its name below the output folder, digest and size; ``part``: the work file that holds it until then; ``made``: False for
    a copy of the source; ``replaces``: digest of our own earlier output of that name."""

    name: str
    sha256: str
    size: int
    part: str | None
    made: bool
    replaces: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCount:
    """Jobs of one state and status, their bytes and media seconds."""

    state: State
    status: str | None
    jobs: int
    size: int
    media_seconds: float


COLUMNS = "id, source, place, size, stamp, state, tries, owner, sha256, status, problem, media_seconds, work_seconds"


def entered(recipe: int, entry: FoundFile, now: float) -> tuple[Any, ...]:
    """A new job's columns: recipe, source, place, ident, size, stamp, added."""
    raw, stamp = os.fsencode(entry.source), stamp_text(entry.stamp)
    return (
        recipe,
        raw,
        os.fsencode(entry.place),
        ident(recipe, raw, stamp),
        entry.stamp[0],
        stamp,
        now,
    )


def ident(recipe: int, source: bytes, stamp: str) -> bytes:
    """The key of a job; ``stamp``: as in its column."""
    return hashlib.blake2b(
        b"%d\0%b\0%b" % (recipe, source, stamp.encode()), digest_size=16
    ).digest()


def fold(name: str) -> bytes:
    """The key under which two names collide on some file system."""
    return os.fsencode(folded(name))


def stamp_text(stamp: Stamp) -> str:
    """A stamp in its column."""
    return "{}.{}.{}.{}".format(*stamp)


def row_of(values: Sequence[Any]) -> JobRow:
    """A job from ``COLUMNS``."""
    size, mtime, ctime, inode = map(int, values[4].split("."))
    return JobRow(
        id=values[0], source=os.fsdecode(values[1]), place=os.fsdecode(values[2]), size=values[3], stamp=(size, mtime, ctime, inode),
        state=values[5], tries=values[6], owner=values[7], sha256=values[8], status=values[9], problem=values[10], media_seconds=values[11],
        work_seconds=values[12],
    )  # fmt: skip
