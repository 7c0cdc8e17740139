"""Boxes of ISO base media and QuickTime files (ISO/IEC 14496-12, 4.2): the iterator, the bounds and the readers that all share."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from mediaprep.probing.formats.window import Window

MAX_BOXES = 200_000  # of one walk; a moov of a phone has some hundred, an hour in fragments of a second some 50,000
MAX_TABLE_BYTES = 2**26  # of one sample table: 16 million samples
MAX_PAYLOAD_BYTES = 2**20  # of any other box that is read whole


class Box(NamedTuple):
    """One box: ``kind`` its four characters, ``start`` of the header, ``body`` of the payload, ``end``; ``stated_end`` is larger
    where the box claims more than its parent holds."""

    kind: bytes
    start: int
    body: int
    end: int
    stated_end: int

    @property
    def name(self) -> str:
        """The four characters as text (QuickTime's © is 0xA9)."""
        return fourcc(self.kind)


def fourcc(kind: bytes) -> str:
    """Four characters as text, unprintable ones as ``?``."""
    return "".join(char if char.isprintable() else "?" for char in kind.decode("latin-1"))


class BoxReader:
    """Reads boxes of one source within the bounds; what is wrong with a box becomes a line of ``faults``."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.faults: list[str] = []
        self._left = MAX_BOXES

    def fault(self, text: str) -> None:
        """Note damage, each once, at most 50 lines of it."""
        if len(self.faults) < 50 and text not in self.faults:
            self.faults.append(text)

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        """The boxes from ``start`` to ``end``, in order. A size that cannot be ends the iteration with a fault; four zero bytes
        (QuickTime's terminator) or fewer than eight bytes end it quietly."""
        while end - start >= 8:
            if self._left <= 0:
                self.fault(f"more than {MAX_BOXES} boxes")
                return
            self._left -= 1
            head = self.window.at(start, 16)
            if len(head) < 8:
                return
            size, kind = struct.unpack_from(">I4s", head)
            body = start + 8
            if size == 1 and len(head) == 16:
                size = struct.unpack_from(">Q", head, 8)[0]
                body = start + 16
            elif size == 0:
                if kind == bytes(4):
                    return
                size = end - start
            if size < body - start:
                self.fault(
                    f"{fourcc(kind)} at byte {start}: size {size} is smaller than its header"
                )
                return
            yield Box(kind, start, body, min(start + size, end), start + size)
            start += size

    def child(self, box: Box, *path: bytes) -> Box | None:
        """The first box at ``path`` below ``box``."""
        found: Box | None = box
        for kind in path:
            if found is None:
                return None
            found = next(
                (inner for inner in self.boxes(found.body, found.end) if inner.kind == kind), None
            )
        return found

    def payload(self, box: Box, most: int = MAX_PAYLOAD_BYTES) -> bytes:
        """The payload, at most ``most`` bytes of it."""
        return self.window.at(box.body, min(box.end - box.body, most))

    def table(self, box: Box, entry: int, *, head: int = 8) -> tuple[int, bytes]:
        """(entries claimed, bytes of the entries that are there) of a table with its count in the 4 bytes before ``head`` ends."""
        data = self.payload(box, MAX_TABLE_BYTES)
        if len(data) < head:
            self.fault(f"{box.name} at byte {box.start}: too short")
            return 0, b""
        count: int = struct.unpack_from(">I", data, head - 4)[0]
        there = (len(data) - head) // entry
        if count > there:
            self.fault(f"{box.name} at byte {box.start}: claims {count} entries, holds {there}")
        return count, data[head : head + min(count, there) * entry]


def words(data: bytes, code: str = "I") -> array[int]:
    """Big-endian integers: code I is 32 bits, Q 64, H 16, i signed 32."""
    values: array[int] = array(code)
    values.frombytes(data[: len(data) // values.itemsize * values.itemsize])
    if sys.byteorder == "little":
        values.byteswap()
    return values
