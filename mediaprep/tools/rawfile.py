"""A source as the file object that PyAV and MediaInfo read from: positional reads, so that no two consumers share an offset."""

from __future__ import annotations

import os
from typing import Protocol


class Bytes(Protocol):
    """What is needed of a ``files.Source``."""

    @property
    def size_bytes(self) -> int:
        """Bytes there are."""

    def read_at(self, offset: int, n: int) -> bytes:
        """Up to ``n`` bytes from ``offset``; fewer only at the end."""


class RawFile:
    """Read-only, seekable; reads with ``read_at`` alone, so it works where the sandbox lets nothing be opened."""

    __slots__ = ("_at", "_read_at", "_size")

    def __init__(self, source: Bytes) -> None:
        self._read_at = source.read_at
        self._size = source.size_bytes
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; fewer only at the end."""
        data = self._read_at(self._at, self._size - self._at if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; positions beyond the end are allowed and read as nothing."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The position in bytes."""
        return self._at

    def seekable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Always."""
        return True
