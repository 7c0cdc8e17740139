"""Digests of files, and moving and copying them without overwriting others."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from mediaprep.errors import SourceUnreadable
from mediaprep.runtime.atomic import (
    create_work_file,
    publish,
    remove_work_file,
    rename_without_replacing,
)
from mediaprep.runtime.paths import fit_name
from mediaprep.runtime.source import open_source

COPY_BYTES = 2**20


def digest_of(path: Path) -> str | None:
    """Return the sha256 of a regular file; None if there is none."""
    try:
        with open_source(path, follow=False) as source:
            return source.sha256()
    except SourceUnreadable:
        return None


def move_file(source: Path, target: Path) -> Path:
    """Move a file, numbered if the name is taken; return its new path.

    Raises: OSError, MediaPrepError.
    """
    for path in _numbered(target):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            rename_without_replacing(source, path)
        except FileExistsError:
            continue
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                raise
            _copy_new(source, path)
            source.unlink()
        return path
    raise AssertionError("count() is infinite")


def copy_file(source: Path, target: Path) -> Path:
    """Copy a file, numbered if another content has the name; return the path of the copy.

    Raises: OSError, MediaPrepError.
    """
    digest = digest_of(source)
    for path in _numbered(target):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            _copy_new(source, path)
            return path
        if digest is not None and digest_of(path) == digest:
            return path
    raise AssertionError("count() is infinite")


def _copy_new(source: Path, target: Path) -> None:
    part, descriptor = create_work_file(target.parent)
    try:
        with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
            shutil.copyfileobj(reader, writer, COPY_BYTES)
        publish(part, target, force=False)
    except BaseException:
        remove_work_file(part)
        raise


def _numbered(target: Path) -> Iterator[Path]:
    """Yield ``clip.mp4``, ``clip.2.mp4``, ``clip.3.mp4`` and so on."""
    yield target
    for number in count(2):
        yield target.with_name(fit_name(target.stem, f".{number}{target.suffix}"))
