"""The empty working directory of child processes, one for each process that starts them.

On Linux the folder is already deleted and only held open: nothing can be created in it, and nothing
is left of it however this process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import stat
import sys
from pathlib import Path


def empty_folder() -> str:
    """Return the path of an empty folder in which nothing can be created."""
    path = _own_empty_folder(os.getpid())
    if not _usable(path):  # somebody removed it, or closed our descriptor
        _own_empty_folder.cache_clear()
        path = _own_empty_folder(os.getpid())
    return path


def _usable(path: str) -> bool:
    try:
        status = Path(path).stat()
    except OSError:
        return False
    is_deleted = status.st_nlink == 0
    return stat.S_ISDIR(status.st_mode) and (is_deleted or not path.startswith("/proc"))


@functools.cache
def _own_empty_folder(pid: int) -> str:
    import tempfile

    path = tempfile.mkdtemp(prefix="mediaprep-")
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        Path(path).rmdir()
        return f"/proc/self/fd/{descriptor}"  # valid in the child until it calls exec
    Path(path).chmod(0o500)
    atexit.register(_remove_folder, path, pid)
    return path


def _remove_folder(path: str, pid: int) -> None:
    if os.getpid() == pid:
        with contextlib.suppress(OSError):
            Path(path).rmdir()
