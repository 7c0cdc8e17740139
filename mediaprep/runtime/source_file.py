"""A source as the file object that PyAV, Pillow and MediaInfo read from."""

from __future__ import annotations

import os

from mediaprep.runtime.source import Readable


class SourceFile:
    """A read-only, seekable file object with a position of its own.

    It reads with ``read_at`` alone: no two readers share an offset, and it works in a sandbox that
    forbids opening files.
    """

    __slots__ = ("_at", "_read_at", "_size")

    def __init__(self, source: Readable) -> None:
        self._read_at = source.read_at
        self._size = source.size_bytes
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        data = self._read_at(self._at, self._size - self._at if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; beyond the end there is nothing to read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._at

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True
