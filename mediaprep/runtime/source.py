"""Files at the edge: names, and a source that is opened once and held by its descriptor.

A user's name never reaches a tool: what is handed on is a descriptor (each consumer its own open file description, a shared
offset makes them fail).
"""

from __future__ import annotations

import errno
import io
import mmap
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, TypeAlias

from mediaprep.errors import EnvironmentProblem, MediaPrepError, SourceUnreadable, UsageProblem
from mediaprep.model.units import bytes_text
from mediaprep.runtime.context import MAX_SOURCE_BYTES

AnyPath: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Stamp: TypeAlias = tuple[int, int, int, int]
_CHUNK = 2**20
NAME_BYTES = 255  # of one name, on every common file system
_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_SPECIAL = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def display_name(path: AnyPath) -> str:
    """A name as it may be shown in one line of a terminal or a log: bytes that are not UTF-8 as ``\\xff``, control, bidirectional
    and line-breaking characters as escapes; spaces stay."""

    def shown(char: str) -> str:
        if char.isprintable() or unicodedata.category(char) == "Zs":
            return char
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:  # PEP 383: an undecodable byte
            return f"\\x{code - 0xDC00:02x}"
        return char.encode("unicode_escape", "backslashreplace").decode("ascii")

    return "".join(map(shown, os.fsdecode(path)))


class Readable(Protocol):
    """What is needed to read bytes: a ``Source``, or bytes in memory."""

    @property
    def size_bytes(self) -> int:
        """Size in bytes."""

    def read_at(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes from ``offset``; fewer only at the end."""


class Source:
    """One regular file, opened once; a context manager.

    ``fd`` is ours until ``close``; ``path`` as given (``os.fsdecode``; "" for a stream without a name) and for messages ``name``.
    ``identity`` is (device, inode), ``size_bytes`` and ``stamp`` (size, mtime_ns, ctime_ns, inode) are those of the moment of
    opening: ``unchanged`` compares.
    """

    __slots__ = ("_map", "_real", "fd", "identity", "name", "path", "size_bytes", "stamp")

    def __init__(self, fd: int, *, path: str, real: str | None) -> None:
        facts = os.fstat(fd)
        self.fd = fd
        self.path = path
        self.name = display_name(path) if path else "stream"
        self.identity = (facts.st_dev, facts.st_ino)
        self.size_bytes = facts.st_size
        self.stamp = _stamp(facts)
        self._real = real
        self._map: mmap.mmap | None = None

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
        """Give the descriptor back; harmless when repeated."""
        if self._map is not None:
            self._map.close()
            self._map = None
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    @property
    def folder(self) -> Path | None:
        """The real folder that the file lies in; None for a stream."""
        return None if self._real is None else Path(self._real).parent

    def read_at(self, offset: int, n: int) -> bytes:
        """Up to ``n`` bytes from ``offset``; fewer only at the end of the file. Raises: SourceUnreadable on a read error."""
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
                f"reading failed at byte {offset} ({reason(problem)})", rule="file-complete"
            ) from problem
        return data

    def map(self) -> mmap.mmap:
        """The whole file, read-only. If somebody truncates the file meanwhile, touching the lost pages kills the process (SIGBUS):
        only for a child that may die; the walkers here use ``read_at``."""
        if self._map is None:
            self._map = mmap.mmap(self.fd, self.size_bytes, access=mmap.ACCESS_READ)
        return self._map

    def sha256(self, check: Callable[[], None] | None = None) -> str:
        """Digest in hexadecimal of the bytes that were there at opening; ``check`` is called between chunks and may raise.
        Raises: SourceUnreadable where the file shrank."""
        import hashlib

        digest, offset = hashlib.sha256(), 0
        while offset < self.size_bytes:
            if check is not None:
                check()
            data = self.read_at(offset, _CHUNK)
            if not data:
                raise SourceUnreadable(
                    "the file shrank while it was read: wait until it is complete",
                    rule="file-complete",
                )
            digest.update(data)
            offset += len(data)
        return digest.hexdigest()

    def reopen(self) -> int:
        """A new descriptor with an open file description (and offset, 0) of its own, close-on-exec. The caller closes it.
        Raises: SourceUnreadable where the system offers no way back to this very file."""
        for path in (f"/proc/self/fd/{self.fd}", self._real):
            if path is None:
                continue
            try:
                fd = os.open(path, _READ_FLAGS)
            except OSError:
                continue
            facts = os.fstat(fd)
            if (facts.st_dev, facts.st_ino) == self.identity:
                return fd
            os.close(fd)
        raise SourceUnreadable(
            "the file was replaced while it was read: wait until it is complete",
            rule="file-complete",
        )

    def unchanged(self) -> bool:
        """Whether size, times and inode are still those of opening, and the name (where there is one) still leads to this file."""
        if _stamp(os.fstat(self.fd)) != self.stamp:
            return False
        if self._real is None:
            return True
        try:
            facts = Path(self._real).stat()
        except OSError:
            return False
        return (facts.st_dev, facts.st_ino) == self.identity


def open_source(
    path: AnyPath | BinaryIO,
    *,
    max_bytes: int = MAX_SOURCE_BYTES,
    follow: bool = True,
    check: Callable[[], None] | None = None,
) -> Source:
    """Open a file for reading, once.

    ``follow``: a symbolic link is resolved once, before opening; False (a watched folder) refuses it. A binary file object works
    too: that of a plain file by its descriptor, any other is copied into a temporary file from its start (or, where it
    cannot seek, from where it stands); ``check`` is called between its pieces and may raise.
    Raises: SourceUnreadable with one line: missing, no permission, a folder, FIFO or device, empty, over ``max_bytes``.
    """
    source = (
        _open_path(path, follow=follow)
        if isinstance(path, str | bytes | os.PathLike)
        else _open_stream(path, max_bytes, check)
    )
    problem = _unusable(os.fstat(source.fd), max_bytes)
    if problem is not None:
        source.close()
        raise problem
    return source


def _open_path(path: AnyPath, *, follow: bool) -> Source:
    try:
        given = os.fsdecode(path)
        real = os.path.realpath(given, strict=True) if follow else os.path.abspath(given)  # noqa: PTH100 (Path would drop a trailing slash)
        fd = os.open(real, _READ_FLAGS | os.O_NOFOLLOW)
    except ValueError as problem:
        raise SourceUnreadable("the name holds a NUL byte: give the name of a file") from problem
    except OSError as problem:
        raise SourceUnreadable(_why_not_opened(problem, follow=follow)) from problem
    return Source(fd, path=given, real=real)


def _why_not_opened(problem: OSError, *, follow: bool) -> str:
    match problem.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return "no such file: give the path of an existing file"
        case errno.EACCES | errno.EPERM:
            return "no permission to read: make the file readable for this user"
        case errno.ELOOP if not follow:
            return "a symbolic link, which is not followed here: give the file itself"
        case errno.ELOOP:
            return "symbolic links that lead in a circle: give the file itself"
        case errno.ENXIO:
            return "a socket or device, want a regular file: save the content to a file first"
        case _:
            return f"cannot be opened ({reason(problem)})"


def _open_stream(file: BinaryIO, max_bytes: int, check: Callable[[], None] | None) -> Source:
    name = getattr(file, "name", None)
    path = os.fsdecode(name) if isinstance(name, str | bytes) else ""
    plain = _plain_descriptor(file)
    if plain is not None and stat.S_ISREG(os.fstat(plain).st_mode):
        try:
            fd = os.open(f"/proc/self/fd/{plain}", _READ_FLAGS)
        except OSError:
            fd = os.dup(plain)
        real = os.path.realpath(path) if path and _leads_to(path, fd) else None
        return Source(fd, path=path, real=real)
    return Source(_spooled(file, max_bytes, check), path=path, real=None)


def _spooled(file: BinaryIO, max_bytes: int, check: Callable[[], None] | None) -> int:
    """The descriptor of an unlinked temporary file with the stream's bytes."""
    import tempfile

    with tempfile.TemporaryFile(prefix="mediaprep-") as spool:
        if file.seekable():
            file.seek(0)
        size = 0
        while chunk := _read(file):
            if check is not None:
                check()
            size += len(chunk)
            if size > max_bytes:
                raise SourceUnreadable(_too_large(size, max_bytes))
            with writing(Path(tempfile.gettempdir(), "stream")):
                spool.write(chunk)
        with writing(Path(tempfile.gettempdir(), "stream")):
            spool.flush()
        return os.dup(spool.fileno())


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as problem:
        raise SourceUnreadable(
            f"reading failed ({reason(problem)})", rule="file-complete"
        ) from problem


def _plain_descriptor(file: object) -> int | None:
    """The descriptor behind Python's own plain file objects. Others may give the one of what they wrap: gzip's is the compressed file's."""
    file = getattr(file, "file", file)  # tempfile's wrappers
    raw = (
        file.raw
        if isinstance(file, io.BufferedReader | io.BufferedRandom | io.BufferedWriter)
        else file
    )
    if not isinstance(raw, io.FileIO):
        return None
    if isinstance(file, io.BufferedRandom | io.BufferedWriter):
        file.flush()
    return raw.fileno()


def _leads_to(path: str, fd: int) -> bool:
    try:
        return os.path.samestat(Path(path).stat(), os.fstat(fd))
    except (OSError, ValueError):
        return False


def _unusable(facts: os.stat_result, max_bytes: int) -> SourceUnreadable | None:
    for test, what in _SPECIAL:
        if test(facts.st_mode):
            return SourceUnreadable(f"{what}, want a regular file: give one file's path")
    if facts.st_size == 0:
        return SourceUnreadable(
            "the file is empty (0 bytes): copy or download it again", rule="file-complete"
        )
    if facts.st_size > max_bytes:
        return SourceUnreadable(_too_large(facts.st_size, max_bytes))
    return None


def _too_large(size: int, max_bytes: int) -> str:
    return f"more than {bytes_text(max_bytes)} ({bytes_text(size)}), the most that is read: raise the limit or cut the file"


def _stamp(facts: os.stat_result) -> Stamp:
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino


def reason(problem: OSError) -> str:
    """What the file system says, in a few words."""
    return (problem.strerror or type(problem).__name__).lower()


@contextmanager
def writing(part: Path) -> Iterator[None]:
    """Around writing to a file. Raises: EnvironmentProblem in place of what the file system says, such as that it is full."""
    try:
        yield
    except OSError as problem:
        if isinstance(problem, MediaPrepError):
            raise
        raise EnvironmentProblem(
            f"{display_name(part.parent)}: writing failed ({reason(problem)})"
        ) from problem


def same_file(a: AnyPath | Source, b: AnyPath | Source) -> bool:
    """Whether both are one file: by device and inode (so through links of either sort), or, where one does not exist, by name."""
    return _identity(a) == _identity(b)


def _identity(item: AnyPath | Source) -> tuple[int, int] | str:
    if isinstance(item, Source):
        return item.identity
    path = os.fsdecode(item)
    try:
        facts = Path(path).stat()
    except OSError:
        return os.path.realpath(path)
    return facts.st_dev, facts.st_ino


def is_folder(path: Path) -> bool:
    """Whether a folder is there. Raises: UsageProblem for what is no name on this system: too long, a NUL byte, links in a circle."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as problem:
        why = reason(problem) if isinstance(problem, OSError) else "a NUL byte, or half a character"
        raise UsageProblem(
            f"{display_name(path)}: no file can have this name ({why}): choose another with -o"
        ) from problem


def fitting(stem: str, tail: str) -> str:
    """A file's name of both, the stem shortened where that would be too long."""
    while len(os.fsencode(stem + tail)) > NAME_BYTES and len(stem) > 1:
        stem = stem[:-1]
    return stem + tail


def folded(name: str) -> str:
    """The key under which two file names collide on some file system: NFC and case-folded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def refuse_target(source: Source, target: Path, force: bool) -> None:
    """Look before any work is done. Raises: UsageProblem where ``target`` is the input by name, link, hard link or folded name, where
    it exists (with ``force``: exists and is no file), or where its folder is missing or not writable."""
    shown, folder = display_name(target), target.parent
    if not is_folder(folder):
        raise UsageProblem(
            f"{shown}: its folder {display_name(folder)} does not exist: create it first"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageProblem(
            f"{shown}: its folder {display_name(folder)} is not writable: choose another with -o"
        )
    real = None if source._real is None else Path(source._real)
    is_one = is_folder(target)
    by_name = (
        real is not None
        and folded(real.name) == folded(target.name)
        and same_file(real.parent, folder)
    )
    if by_name or same_file(source, target):
        raise UsageProblem(
            f"{shown}: is the input itself, which is never written to: choose another name with -o"
        )
    if not os.path.lexists(target):
        return
    if is_one or not (target.is_file() or target.is_symlink()):
        raise UsageProblem(f"{shown}: exists and is not a file: choose another name with -o")
    if not force:
        raise UsageProblem(
            f"{shown}: exists: choose another name with -o, or replace it with --force"
        )
