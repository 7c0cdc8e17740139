"""The records of the ledger, and how they are stored in its columns."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mediaprep.runtime.paths import collision_key
from mediaprep.runtime.source import Stamp

State = Literal["new", "run", "publish", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A source file that was found.

    source          absolute path
    relative_path   path below the input folder, mirrored in the output folder; of a file that was
                    named directly, its name
    stamp           size, mtime_ns, ctime_ns, inode
    """

    source: str
    relative_path: str
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsRow:
    """One set of run settings.

    content   the settings as JSON, of which ``digest`` is the sha256
    tools     version by package of the tools that last worked with these settings
    """

    id: int
    digest: str
    content: dict[str, Any]
    tools: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job.

    attempts        how often it was begun
    owner           ``str`` of the Owner that works on it; None unless state is run or publish
    sha256          of the source; None until it was inspected
    status          how a job that is done ended; None for any other
    media_seconds   playing time of the source
    work_seconds    time that was spent on it
    """

    id: int
    source: str
    relative_path: str
    size_bytes: int
    stamp: Stamp
    state: State
    attempts: int
    owner: str | None
    sha256: str | None
    status: str | None
    problem: str | None
    media_seconds: float | None
    work_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One output that is published, or about to be.

    name              path below the output folder
    work_file         the file that is linked to this name; None once the job is done
    fixed             False for an unchanged copy of the source
    replaces_sha256   digest of our own earlier output of this name; None where there is none
    """

    name: str
    sha256: str
    size_bytes: int
    work_file: str | None
    fixed: bool
    replaces_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCount:
    """How many jobs have one state and status, their bytes and playing time in seconds."""

    state: State
    status: str | None
    jobs: int
    size_bytes: int
    media_seconds: float


JOB_COLUMNS = (
    "id, source, relative_path, size_bytes, stamp, state, attempts, owner, sha256, status, problem,"
    " media_seconds, work_seconds"
)
NEW_JOB_COLUMNS = "settings_id, source, relative_path, job_key, size_bytes, stamp, added_at"
OUTPUT_COLUMNS = "name, sha256, size_bytes, work_file, fixed, replaces_sha256"


def new_job_values(settings_id: int, file: FoundFile, now: float) -> tuple[Any, ...]:
    """Return the values of NEW_JOB_COLUMNS."""
    source = os.fsencode(file.source)
    stamp = stamp_text(file.stamp)
    key = job_key(settings_id, source, stamp)
    return settings_id, source, os.fsencode(file.relative_path), key, file.stamp[0], stamp, now


def job_key(settings_id: int, source: bytes, stamp: str) -> bytes:
    """Return the unique key of a job; ``stamp`` as ``stamp_text`` gives it."""
    text = b"%d\0%b\0%b" % (settings_id, source, stamp.encode())
    return hashlib.blake2b(text, digest_size=16).digest()


def folded_name(name: str) -> bytes:
    """Return the key under which two names collide on some file system."""
    return os.fsencode(collision_key(name))


def stamp_text(stamp: Stamp) -> str:
    """Return a stamp as it is stored."""
    return "{}.{}.{}.{}".format(*stamp)


def job_from_row(values: Sequence[Any]) -> JobRow:
    """Build a job from the values of JOB_COLUMNS."""
    id_, source, relative_path, size_bytes, stamp, *rest = values
    state, attempts, owner, sha256, status, problem, media_seconds, work_seconds = rest
    size, mtime, ctime, inode = map(int, stamp.split("."))
    return JobRow(
        id=id_,
        source=os.fsdecode(source),
        relative_path=os.fsdecode(relative_path),
        size_bytes=size_bytes,
        stamp=(size, mtime, ctime, inode),
        state=state,
        attempts=attempts,
        owner=owner,
        sha256=sha256,
        status=status,
        problem=problem,
        media_seconds=media_seconds,
        work_seconds=work_seconds,
    )


def publication_from_row(values: Sequence[Any]) -> Publication:
    """Build a publication from the values of OUTPUT_COLUMNS."""
    name, sha256, size_bytes, work_file, fixed, replaces_sha256 = values
    return Publication(
        name=os.fsdecode(name),
        sha256=sha256,
        size_bytes=size_bytes,
        work_file=None if work_file is None else os.fsdecode(work_file),
        fixed=bool(fixed),
        replaces_sha256=replaces_sha256,
    )


def publication_values(output: Publication) -> tuple[Any, ...]:
    """Return the values of OUTPUT_COLUMNS."""
    work_file = None if output.work_file is None else os.fsencode(output.work_file)
    return (
        os.fsencode(output.name),
        output.sha256,
        output.size_bytes,
        work_file,
        output.fixed,
        output.replaces_sha256,
    )
