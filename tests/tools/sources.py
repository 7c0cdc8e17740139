"""Sources in memory for the tests of readers."""

from __future__ import annotations


class BytesSource:
    """Bytes, readable like a ``Source``."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size_bytes = len(data)

    def read_at(self, offset: int, n: int) -> bytes:
        return self.data[offset : offset + n]
