"""Atomic output: a file is written under a hidden name and linked to its final name when complete.

The work file lies in the destination folder. Linking never overwrites; only ``force`` replaces.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mediaprep.errors import EnvironmentProblem, MediaPrepError, UsageProblem
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.paths import display_name, os_error_text, target_exists

_WORK_FILE = re.compile(r"\.[0-9a-f]{16}(\.[A-Za-z0-9]+)?\.part")
_NO_HARD_LINKS = {
    errno.EPERM,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EMLINK,
    errno.EINVAL,
}
_AT_FDCWD, _RENAME_NOREPLACE = -100, 1  # linux/fcntl.h, linux/fs.h


def create_work_file(folder: Path, suffix: str = "") -> tuple[Path, int]:
    """Create a work file in the folder; return its path and descriptor.

    Its name is ``.<16 hex digits><suffix>.part``. Raises: EnvironmentProblem if the folder refuses
    a new file.
    """
    import secrets

    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        path = folder / f".{secrets.token_hex(8)}{suffix}.part"
        try:
            return path, os.open(path, flags, 0o666)
        except FileExistsError:
            continue
        except OSError as problem:
            raise EnvironmentProblem(
                f"{display_name(folder)}: cannot create a file ({os_error_text(problem)})"
            ) from problem


def remove_work_file(path: Path) -> None:
    """Remove a work file if it still exists.

    Raises: ValueError for a name that ``create_work_file`` does not produce.
    """
    if not _WORK_FILE.fullmatch(path.name):
        raise ValueError(f"{display_name(path)}: not a work file")
    path.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise EnvironmentProblem in place of the OSErrors of the block, which writes to ``path``."""
    try:
        yield
    except OSError as problem:
        if isinstance(problem, MediaPrepError):
            raise
        raise EnvironmentProblem(
            f"{display_name(path.parent)}: writing failed ({os_error_text(problem)})"
        ) from problem


def publish(path: Path, final: Path, *, force: bool, durable: bool = True) -> None:
    """Give a finished work file its final name.

    The file is synced and linked, its folder synced, the work name removed. ``force`` replaces an
    existing file. On a file system without hard links the file is renamed without replacing.

    durable   False: the caller has synced the file, and will sync the folder (``sync_folder``) and
              remove the work name

    Raises: UsageProblem if the name is taken, EnvironmentProblem if the file system refuses; the
    work file then stays.
    """
    try:
        if durable:
            _fsync(path, os.O_RDONLY)
        crashpoint("publish-synced")
        if force:
            path.replace(final)
        else:
            _link(path, final)
        crashpoint("publish-named")
        if durable:
            sync_folder(final.parent)
    except FileExistsError as problem:
        raise target_exists(final) from problem
    except IsADirectoryError as problem:
        raise UsageProblem(
            f"{display_name(final)}: is a folder; choose another name with -o"
        ) from problem
    except OSError as problem:
        raise EnvironmentProblem(
            f"{display_name(final)}: cannot be published ({os_error_text(problem)})"
        ) from problem
    if durable:
        remove_work_file(path)


def rename_without_replacing(source: Path, target: Path) -> None:
    """Rename a file, never over another. Raises: FileExistsError, OSError."""
    if not _renameat2(source, target):
        os.link(source, target, follow_symlinks=False)
        source.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises: OSError."""
    _fsync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _link(path: Path, final: Path) -> None:
    """Link to a new name, or rename if there are no hard links.

    Raises: FileExistsError, OSError.
    """
    try:
        os.link(path, final, follow_symlinks=False)
    except OSError as problem:
        if problem.errno not in _NO_HARD_LINKS:
            raise
        if not _renameat2(path, final):
            _rename_over_placeholder(path, final)


def _renameat2(path: Path, final: Path) -> bool:
    """Rename with RENAME_NOREPLACE; return False if system or file system lacks it."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(final), _RENAME_NOREPLACE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(code, os.strerror(code), str(final))


def _rename_over_placeholder(path: Path, final: Path) -> None:
    """Create an empty file under the final name and rename over it: the last resort."""
    os.close(os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        path.replace(final)
    except OSError:
        final.unlink(missing_ok=True)
        raise


def _fsync(path: Path, flags: int) -> None:
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
