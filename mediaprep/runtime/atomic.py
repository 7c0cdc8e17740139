"""Outputs appear whole or not at all: written under a hidden name of our own in the destination folder, then linked to the final name,
which never overwrites; only ``force`` replaces.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from mediaprep.errors import EnvironmentProblem, UsageProblem
from mediaprep.runtime.crashpoints import step
from mediaprep.runtime.source import display_name, reason

_PART = re.compile(r"\.[0-9a-f]{16}(\.[A-Za-z0-9]+)?\.part")
_NO_HARD_LINKS = {
    errno.EPERM,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EMLINK,
    errno.EINVAL,
}
_AT_FDCWD, _RENAME_NOREPLACE = -100, 1  # linux/fcntl.h, linux/fs.h


def work_file(target_dir: Path, suffix: str = "") -> tuple[Path, int]:
    """A new file of our own in the destination folder: ``.<16 hex digits><suffix>.part``, created exclusively, and its descriptor.
    Raises: EnvironmentProblem where the folder takes no new file."""
    import secrets

    while True:
        part = target_dir / f".{secrets.token_hex(8)}{suffix}.part"
        try:
            return part, os.open(
                part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666
            )
        except FileExistsError:
            continue
        except OSError as problem:
            raise EnvironmentProblem(
                f"{display_name(target_dir)}: no new file can be written ({reason(problem)})"
            ) from problem


def remove_part(part: Path) -> None:
    """Remove a work file if it is still there. Raises: ValueError for a name that ``work_file`` does not give."""
    if not _PART.fullmatch(part.name):
        raise ValueError(f"{display_name(part)}: not a work file of ours")
    part.unlink(missing_ok=True)


def publish(part: Path, final: Path, *, force: bool, durably: bool = True) -> None:
    """Give a finished work file its final name, durably: fsync, link (never overwriting), fsync of the folder, unlink the work name.
    ``force`` replaces instead. Where the file system has no hard links: renamed without replacing. Not ``durably``: the file is synced
    already, and the caller sees to the folder (``sync_folder``) and to the work name.
    Raises: UsageProblem where the name is taken, EnvironmentProblem where the file system refuses; the work file then stays."""
    try:
        if durably:
            _fsync(part, os.O_RDONLY)
        step("publish-synced")
        if force:
            part.replace(final)
        else:
            _name_once(part, final)
        step("publish-named")
        if durably:
            sync_folder(final.parent)
    except FileExistsError as problem:
        raise UsageProblem(
            f"{display_name(final)}: exists: choose another name with -o, or replace it with --force"
        ) from problem
    except IsADirectoryError as problem:
        raise UsageProblem(
            f"{display_name(final)}: is a folder: choose another name with -o"
        ) from problem
    except OSError as problem:
        raise EnvironmentProblem(
            f"{display_name(final)}: cannot be published ({reason(problem)})"
        ) from problem
    if durably:
        remove_part(part)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file, never over another. Raises: FileExistsError, OSError."""
    if not _rename_without_replacing(source, target):
        os.link(source, target, follow_symlinks=False)
        source.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises: OSError."""
    _fsync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _name_once(part: Path, final: Path) -> None:
    """Raises: FileExistsError where ``final`` exists, OSError otherwise."""
    try:
        os.link(part, final, follow_symlinks=False)
    except OSError as problem:
        if problem.errno not in _NO_HARD_LINKS:
            raise
        if not _rename_without_replacing(part, final):
            _rename_over_own(part, final)


def _rename_without_replacing(part: Path, final: Path) -> bool:
    """renameat2(2) with RENAME_NOREPLACE; False where system or file system lacks it."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(part), _AT_FDCWD, os.fsencode(final), _RENAME_NOREPLACE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(code, os.strerror(code), str(final))


def _rename_over_own(part: Path, final: Path) -> None:
    """The last resort: take the name with an empty file, then rename over that."""
    os.close(os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        part.replace(final)
    except OSError:
        final.unlink(missing_ok=True)
        raise


def _fsync(path: Path, flags: int) -> None:
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
