"""The files below a folder, as a stream: no list of them is ever held."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mediaprep.errors import UsageProblem
from mediaprep.jobs.ledger.records import FoundFile
from mediaprep.runtime.source import display_name

IGNORED = (
    ".*",
    "*.part",
    "*.tmp",
    "*.crdownload",
    "*.filepart",
    "~*",
    "_UNPACK_*",
)  # hidden, and what browsers and copiers write first


def ignored(name: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in IGNORED)


def walk(root: Path, problem: Callable[[str], None]) -> Iterator[FoundFile]:
    """Every regular file below ``root``; symbolic links are not followed. ``problem`` gets one line about each folder that cannot be read.

    A folder that disappears meanwhile is nobody's fault, and so is a file.
    """
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            with os.scandir(root / below if below else root) as entries:
                for entry in entries:
                    if ignored(entry.name):
                        continue
                    place = os.path.join(below, entry.name) if below else entry.name  # noqa: PTH118 (a million times)
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(place)
                    elif (
                        entry.is_file(follow_symlinks=False)
                        and (found := entry_of(entry, place)) is not None
                    ):
                        yield found
        except FileNotFoundError:
            if not below:
                problem(f"{display_name(root)}: no such folder")
        except OSError as refused:
            problem(
                f"{display_name(root / below)}: cannot be read ({(refused.strerror or '').lower()})"
            )


def entry_of(path: os.PathLike[str], place: str) -> FoundFile | None:
    """What is known of one file; None where it is gone."""
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    stamp = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
    return FoundFile(source=os.path.abspath(path), place=place, stamp=stamp)  # noqa: PTH100 (not resolved: a link stays one)


def given(inputs: Sequence[str], problem: Callable[[str], None]) -> Iterator[FoundFile]:
    """The files that a batch was given: those below each folder, and single files, which go straight into the output folder."""
    for text in inputs:
        path = Path(text)
        if path.is_dir():
            yield from walk(path, problem)
            continue
        try:
            facts = path.stat()
        except OSError as refused:
            problem(f"{display_name(text)}: {(refused.strerror or 'cannot be read').lower()}")
            continue
        stamp = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
        yield FoundFile(source=os.path.abspath(text), place=path.name, stamp=stamp)  # noqa: PTH100


def refuse_loop(source: Path, out: Path) -> None:
    """Look before any work is done. Raises: UsageProblem where the output folder lies inside the input folder, by device and inode of all
    its parents, so through links and mounts too."""
    try:
        facts = source.stat()
    except OSError as problem:
        raise UsageProblem(
            f"{display_name(source)}: {(problem.strerror or 'cannot be read').lower()}"
        ) from problem
    place = Path(os.path.realpath(out))
    for folder in (place, *place.parents):
        try:
            parent = folder.stat()
        except OSError:
            continue
        if (parent.st_dev, parent.st_ino) == (facts.st_dev, facts.st_ino):
            raise UsageProblem(
                f"{display_name(out)}: lies inside the input folder {display_name(source)}, which would feed on its own output:"
                " choose a folder outside it"
            )
