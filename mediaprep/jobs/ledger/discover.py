"""The files below a folder, as a stream: no list of them is ever held in memory."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mediaprep.errors import UsageProblem
from mediaprep.jobs.ledger.records import FoundFile
from mediaprep.runtime.paths import display_name, os_error_text

# Hidden files, and the names under which browsers, unpackers and copiers write unfinished files.
IGNORED = (".*", "*.part", "*.tmp", "*.crdownload", "*.filepart", "~*", "_UNPACK_*")


def is_ignored(name: str) -> bool:
    """Return True if files and folders of this name are skipped."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in IGNORED)


def walk(root: Path, report: Callable[[str], None]) -> Iterator[FoundFile]:
    """Yield every regular file below ``root``, without following symbolic links.

    ``report`` gets one line about each folder that cannot be read. Files and folders that disappear
    meanwhile are not reported.
    """
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            with os.scandir(root / below if below else root) as entries:
                for entry in entries:
                    if is_ignored(entry.name):
                        continue
                    path = f"{below}/{entry.name}" if below else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(path)
                    elif entry.is_file(follow_symlinks=False):
                        file = found_file(entry, path)
                        if file is not None:
                            yield file
        except FileNotFoundError:
            if not below:
                report(f"{display_name(root)}: no such folder")
        except OSError as problem:
            report(f"{display_name(root / below)}: cannot be read ({os_error_text(problem)})")


def found_file(path: os.PathLike[str], relative_path: str) -> FoundFile | None:
    """Return one file with its stamp; None if it does not exist. Links are not followed."""
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return _with_stamp(os.fspath(path), relative_path, facts)


def _with_stamp(path: str, relative_path: str, facts: os.stat_result) -> FoundFile:
    stamp = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
    source = os.path.abspath(path)  # noqa: PTH100 (Path.resolve would replace a link by its target)
    return FoundFile(source=source, relative_path=relative_path, stamp=stamp)


def find_inputs(inputs: Sequence[str], report: Callable[[str], None]) -> Iterator[FoundFile]:
    """Yield the input files of a batch: those below each folder, and each file that is named.

    A named file has no folder of its own in the output. ``report`` gets one line about each input
    that cannot be read.
    """
    for text in inputs:
        path = Path(text)
        if path.is_dir():
            yield from walk(path, report)
            continue
        try:
            facts = path.stat()
        except OSError as problem:
            report(f"{display_name(text)}: {os_error_text(problem)}")
            continue
        yield _with_stamp(text, path.name, facts)


def refuse_nested_output(source: Path, out: Path) -> None:
    """Raise UsageProblem if the output folder lies inside the input folder.

    Device and inode of every parent are compared, so links and mounts do not hide it.
    """
    try:
        facts = source.stat()
    except OSError as problem:
        raise UsageProblem(f"{display_name(source)}: {os_error_text(problem)}") from problem
    real = Path(os.path.realpath(out))
    for folder in (real, *real.parents):
        try:
            parent = folder.stat()
        except OSError:
            continue
        if os.path.samestat(parent, facts):
            raise UsageProblem(
                f"{display_name(out)}: lies inside the input folder {display_name(source)},"
                " so outputs would become inputs: choose a folder outside of it"
            )
