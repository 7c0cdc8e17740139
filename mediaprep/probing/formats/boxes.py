"""Read the boxes of ISO base media and QuickTime files (ISO/IEC 14496-12, 4.2), within bounds."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mediaprep.probing.formats.window import Window

# Of one walk: the moov box of a phone has some hundred, an hour in fragments of a second 50,000.
MAX_BOXES = 200_000
MAX_TABLE_BYTES = 2**26  # of one sample table: 16 million samples
MAX_PAYLOAD_BYTES = 2**20  # of any other box that is read whole
MAX_DAMAGE = 50


class Box(NamedTuple):
    """One box: its four characters, the start of its header, the start and end of its payload.

    ``stated_end`` is larger than ``end`` if the box claims more than its parent holds.
    """

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
    """Return four characters as text, unprintable ones as ``?``."""
    return "".join(char if char.isprintable() else "?" for char in kind.decode("latin-1"))


class BoxReader:
    """Reads the boxes of one source and collects their ``damage``, one clause each.

    ``capped`` is True once the limit of boxes is reached.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.damage: list[str] = []
        self.capped = False
        self._left = MAX_BOXES

    def note(self, text: str) -> None:
        """Add damage, each once, at most ``MAX_DAMAGE`` clauses."""
        if len(self.damage) < MAX_DAMAGE and text not in self.damage:
            self.damage.append(text)

    @contextmanager
    def guarded(self, box: Box) -> Iterator[None]:
        """Turn errors of reading ``box`` (too short, impossible values) into damage."""
        try:
            yield
        except (struct.error, IndexError, ValueError, ZeroDivisionError) as problem:
            self.note(f"{box.name} at byte {box.start}: {problem}")

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        """Yield the boxes from ``start`` to ``end``, in order.

        An impossible size ends the iteration and is noted; four zero bytes (QuickTime's
        terminator) or fewer than eight bytes end it without a note.
        """
        while end - start >= 8:
            if self._left <= 0:
                self.capped = True
                self.note(f"more than {MAX_BOXES} boxes")
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
                self.note(f"{fourcc(kind)} at byte {start}: size {size} is smaller than its header")
                return
            yield Box(kind, start, body, min(start + size, end), start + size)
            start += size

    def child(self, box: Box, *path: bytes) -> Box | None:
        """Return the first box at ``path`` below ``box``."""
        found: Box | None = box
        for kind in path:
            if found is None:
                return None
            found = next(
                (inner for inner in self.boxes(found.body, found.end) if inner.kind == kind), None
            )
        return found

    def payload(self, box: Box, most: int = MAX_PAYLOAD_BYTES) -> bytes:
        """Return the payload, at most ``most`` bytes of it."""
        return self.window.at(box.body, min(box.end - box.body, most))

    def table(self, box: Box, entry: int, *, head: int = 8) -> tuple[int, bytes]:
        """Return (count that a table claims, bytes of the entries that are present).

        The count stands in the 4 bytes before ``head`` ends; an entry has ``entry`` bytes.
        """
        data = self.payload(box, MAX_TABLE_BYTES)
        if len(data) < head:
            self.note(f"{box.name} at byte {box.start}: too short")
            return 0, b""
        claimed: int = struct.unpack_from(">I", data, head - 4)[0]
        present = (len(data) - head) // entry
        if claimed > present:
            self.note(f"{box.name} at byte {box.start}: claims {claimed} entries, holds {present}")
        return claimed, data[head : head + min(claimed, present) * entry]


def words(data: bytes, code: str = "I") -> array[int]:
    """Return big-endian integers: code I is 32 bits, Q 64, H 16, i signed 32."""
    values: array[int] = array(code)
    values.frombytes(data[: len(data) // values.itemsize * values.itemsize])
    if sys.byteorder == "little":
        values.byteswap()
    return values
