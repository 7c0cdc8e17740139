"""Bounded random reads for the walkers: small reads share one cached block; no file is mapped."""

from __future__ import annotations

from mediaprep.runtime.source import Readable

BLOCK = 2**16


class InMemoryFile:
    """Bytes in memory, to be walked like a file."""

    __slots__ = ("data", "size_bytes")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size_bytes = len(data)

    def read_at(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes from ``offset``."""
        return self.data[offset : offset + n] if offset >= 0 and n > 0 else b""


class Window:
    """Reads from a source with one block cached.

    ``bytes_read`` counts the bytes that came from the source; tests limit a walker's cost by it.
    """

    __slots__ = ("_block", "_data", "_source", "_start", "bytes_read", "size")

    def __init__(self, source: Readable, block: int = BLOCK) -> None:
        self._source = source
        self._block = block
        self._data = b""
        self._start = 0
        self.size = source.size_bytes
        self.bytes_read = 0

    def at(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes from ``offset``; fewer only at the end of the source."""
        if n <= 0 or not 0 <= offset < self.size:
            return b""
        skip = offset - self._start
        if skip >= 0 and skip + n <= len(self._data):
            return self._data[skip : skip + n]
        data = self._source.read_at(offset, max(n, self._block))
        self.bytes_read += len(data)
        if n > self._block:
            return data
        self._data, self._start = data, offset
        return data[:n]

    def block(self, offset: int) -> tuple[bytes, int]:
        """Return (block, index of ``offset`` in it), for loops over many small items.

        The block is empty at the end of the source.
        """
        if not self._start <= offset < self._start + len(self._data):
            self.at(offset, 1)
            if not self._start <= offset < self._start + len(self._data):
                return b"", 0
        return self._data, offset - self._start

    def holds_data(self, offset: int) -> bool:
        """Return True if a byte other than zero follows within 64 KB of ``offset``."""
        return bool(self.at(offset, BLOCK).strip(b"\0"))
