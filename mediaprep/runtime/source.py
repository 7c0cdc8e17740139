"""Source files: opened once, read through the descriptor, never written to.

No tool gets a user's file name. A tool gets a descriptor with an open file description of its own,
because consumers that share a file offset disturb each other.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, TypeAlias

from mediaprep.errors import SourceUnreadable, UsageProblem
from mediaprep.model.units import bytes_text
from mediaprep.runtime.atomic import writing
from mediaprep.runtime.context import MAX_SOURCE_BYTES
from mediaprep.runtime.paths import (
    AnyPath,
    collision_key,
    display_name,
    is_folder,
    os_error_text,
    target_exists,
)

Stamp: TypeAlias = tuple[int, int, int, int]
_CHUNK_BYTES = 2**20
_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_SPECIAL_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Readable(Protocol):
    """What is needed to read bytes: a ``Source``, or bytes in memory."""

    @property
    def size_bytes(self) -> int:
        """Size in bytes."""

    def read_at(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes from ``offset``; fewer only at the end."""


class Source:
    """One regular file, opened once; a context manager.

    fd           descriptor, owned by this object until ``close``
    path         as the caller wrote it (``os.fsdecode``); "" for a stream without a name
    name         ``path`` for messages
    identity     device and inode
    size_bytes   size at opening
    stamp        size, mtime_ns, ctime_ns and inode at opening; see ``unchanged``
    """

    __slots__ = ("_real_path", "fd", "identity", "name", "path", "size_bytes", "stamp")

    def __init__(self, fd: int, *, path: str, real_path: str | None) -> None:
        status = os.fstat(fd)
        self.fd = fd
        self.path = path
        self.name = display_name(path) if path else "stream"
        self.identity = (status.st_dev, status.st_ino)
        self.size_bytes = status.st_size
        self.stamp = _stamp(status)
        self._real_path = real_path

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptor; repeated calls do nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def read_at(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes from ``offset``; fewer only at the end of the file.

        Raises: SourceUnreadable on a read error.
        """
        n = min(n, self.size_bytes - offset)
        if offset < 0 or n <= 0:
            return b""
        try:
            data = os.pread(self.fd, n, offset)
            while len(data) < n:
                more = os.pread(self.fd, n - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as problem:
            raise SourceUnreadable(
                f"reading failed at byte {offset} ({os_error_text(problem)})", rule="file-complete"
            ) from problem
        return data

    def sha256(self, check: Callable[[], None] | None = None) -> str:
        """Return the hexadecimal digest of the bytes that the file had at opening.

        ``check`` is called before each chunk and may raise.
        Raises: SourceUnreadable if the file shrank.
        """
        import hashlib

        digest, offset = hashlib.sha256(), 0
        while offset < self.size_bytes:
            if check is not None:
                check()
            data = self.read_at(offset, _CHUNK_BYTES)
            if not data:
                raise SourceUnreadable(
                    "the file shrank while it was read; wait until it is complete",
                    rule="file-complete",
                )
            digest.update(data)
            offset += len(data)
        return digest.hexdigest()

    def reopen(self) -> int:
        """Return a new descriptor with its own offset, close-on-exec; the caller closes it.

        Raises: SourceUnreadable if the system cannot open this very file again.
        """
        for path in (f"/proc/self/fd/{self.fd}", self._real_path):
            if path is None:
                continue
            try:
                fd = os.open(path, _READ_FLAGS)
            except OSError:
                continue
            status = os.fstat(fd)
            if (status.st_dev, status.st_ino) == self.identity:
                return fd
            os.close(fd)
        raise SourceUnreadable(
            "the file was replaced while it was read; wait until it is complete",
            rule="file-complete",
        )

    def unchanged(self) -> bool:
        """Return True if size, times, inode and the file behind the name are as at opening."""
        if _stamp(os.fstat(self.fd)) != self.stamp:
            return False
        if self._real_path is None:
            return True
        try:
            status = Path(self._real_path).stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.identity

    def is_same_file(self, path: Path) -> bool:
        """Return True if ``path`` exists and refers to this file, directly or through links."""
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.identity

    def collides_with(self, target: Path) -> bool:
        """Return True if ``target`` is this file, or has its name on some file system."""
        if self.is_same_file(target):
            return True
        if self._real_path is None:
            return False
        real = Path(self._real_path)
        if collision_key(real.name) != collision_key(target.name):
            return False
        try:
            return real.parent.samefile(target.parent)
        except OSError:
            return False


def open_source(
    path: AnyPath | BinaryIO,
    *,
    max_bytes: int = MAX_SOURCE_BYTES,
    follow: bool = True,
    check: Callable[[], None] | None = None,
) -> Source:
    """Open a file for reading, once.

    path      a path, or a binary file object. A plain file is reopened by its descriptor; any other
              stream is copied into a temporary file, from its start if it can seek
    follow    resolve a symbolic link before opening; False refuses a link
    check     called before each chunk of a stream; may raise

    Raises: SourceUnreadable with one line: missing, no permission, not a regular file, empty, or
    larger than ``max_bytes``.
    """
    source = _open(path, max_bytes, follow=follow, check=check)
    problem = _unusable(os.fstat(source.fd), max_bytes)
    if problem is not None:
        source.close()
        raise problem
    return source


def _open(
    path: AnyPath | BinaryIO, max_bytes: int, *, follow: bool, check: Callable[[], None] | None
) -> Source:
    if isinstance(path, str | bytes | os.PathLike):
        return _open_path(path, follow=follow)
    return _open_stream(path, max_bytes, check)


def _open_path(path: AnyPath, *, follow: bool) -> Source:
    try:
        text = os.fsdecode(path)
        # os.path: pathlib would drop a trailing slash
        real = os.path.realpath(text, strict=True) if follow else os.path.abspath(text)  # noqa: PTH100
        fd = os.open(real, _READ_FLAGS | os.O_NOFOLLOW)
    except ValueError as problem:
        raise SourceUnreadable("the name contains a NUL byte; pass a valid file name") from problem
    except OSError as problem:
        raise SourceUnreadable(_why_not_opened(problem, follow=follow)) from problem
    return Source(fd, path=text, real_path=real)


def _why_not_opened(problem: OSError, *, follow: bool) -> str:
    match problem.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return "no such file; pass the path of an existing file"
        case errno.EACCES | errno.EPERM:
            return "no permission to read; make the file readable for this user"
        case errno.ELOOP if not follow:
            return "a symbolic link, which is not followed here; pass the file itself"
        case errno.ELOOP:
            return "a loop of symbolic links; pass the file itself"
        case errno.ENXIO:
            return "a socket or device, not a regular file; save the content to a file first"
        case _:
            return f"cannot be opened ({os_error_text(problem)})"


def _open_stream(stream: BinaryIO, max_bytes: int, check: Callable[[], None] | None) -> Source:
    name = getattr(stream, "name", None)
    path = os.fsdecode(name) if isinstance(name, str | bytes) else ""
    descriptor = _plain_descriptor(stream)
    if descriptor is None or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return Source(_copy_to_temporary_file(stream, max_bytes, check), path=path, real_path=None)
    try:
        fd = os.open(f"/proc/self/fd/{descriptor}", _READ_FLAGS)
    except OSError:
        fd = os.dup(descriptor)
    real_path = os.path.realpath(path) if path and _refers_to(path, fd) else None
    return Source(fd, path=path, real_path=real_path)


def _copy_to_temporary_file(
    stream: BinaryIO, max_bytes: int, check: Callable[[], None] | None
) -> int:
    """Copy a stream into an unlinked temporary file and return its descriptor."""
    import tempfile

    place = Path(tempfile.gettempdir(), "stream")
    with tempfile.TemporaryFile(prefix="mediaprep-") as copy:
        if stream.seekable():
            stream.seek(0)
        size = 0
        while chunk := _read(stream):
            if check is not None:
                check()
            size += len(chunk)
            if size > max_bytes:
                raise SourceUnreadable(_too_large(size, max_bytes))
            with writing(place):
                copy.write(chunk)
        with writing(place):
            copy.flush()
        return os.dup(copy.fileno())


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(_CHUNK_BYTES)
    except OSError as problem:
        raise SourceUnreadable(
            f"reading failed ({os_error_text(problem)})", rule="file-complete"
        ) from problem


def _plain_descriptor(stream: object) -> int | None:
    """Return the descriptor of one of Python's plain file objects, None for any other stream.

    Wrappers are excluded: ``fileno`` of a gzip stream is the compressed file's.
    """
    stream = getattr(stream, "file", stream)  # tempfile's wrappers
    raw = stream
    if isinstance(stream, io.BufferedReader | io.BufferedRandom | io.BufferedWriter):
        raw = stream.raw
    if not isinstance(raw, io.FileIO):
        return None
    if isinstance(stream, io.BufferedRandom | io.BufferedWriter):
        stream.flush()
    return raw.fileno()


def _refers_to(path: str, fd: int) -> bool:
    try:
        return os.path.samestat(Path(path).stat(), os.fstat(fd))
    except (OSError, ValueError):
        return False


def _unusable(status: os.stat_result, max_bytes: int) -> SourceUnreadable | None:
    for is_special, kind in _SPECIAL_FILES:
        if is_special(status.st_mode):
            return SourceUnreadable(f"{kind}, not a regular file; pass the path of one file")
    if status.st_size == 0:
        return SourceUnreadable(
            "the file is empty (0 bytes); copy or download it again", rule="file-complete"
        )
    if status.st_size > max_bytes:
        return SourceUnreadable(_too_large(status.st_size, max_bytes))
    return None


def _too_large(size: int, max_bytes: int) -> str:
    return (
        f"more than {bytes_text(max_bytes)} ({bytes_text(size)}), the largest size that is read;"
        " raise the limit or cut the file"
    )


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def refuse_target(source: Source, target: Path, force: bool) -> None:
    """Raise UsageProblem if an output must not get the name ``target``.

    It must not be the input (by name, link, hard link, or letter case), must not exist (with
    ``force``: must not be anything but a file), and its folder must exist and be writable.
    """
    name, folder = display_name(target), target.parent
    if not is_folder(folder):
        raise UsageProblem(f"{name}: the folder {display_name(folder)} does not exist; create it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageProblem(
            f"{name}: the folder {display_name(folder)} is not writable;"
            " choose another name with -o"
        )
    target_is_folder = is_folder(target)  # before the rest: raises for an invalid name
    if source.collides_with(target):
        raise UsageProblem(
            f"{name}: is the input, which is never written to; choose another name with -o"
        )
    if not os.path.lexists(target):
        return
    if target_is_folder or not (target.is_file() or target.is_symlink()):
        raise UsageProblem(f"{name}: exists and is not a file; choose another name with -o")
    if not force:
        raise target_exists(target)
