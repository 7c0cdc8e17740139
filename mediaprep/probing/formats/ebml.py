"""Read EBML elements, of which Matroska consists (RFC 8794)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mediaprep.probing.formats.window import Window

MAX_ELEMENTS = 300_000


class Element(NamedTuple):
    """One element: its identifier with the marker bits, start, start of its data, end.

    The end is None for an unknown size.
    """

    id: int
    start: int
    body: int
    end: int | None


class ElementReader:
    """Reads elements of one file, at most ``MAX_ELEMENTS``."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.left = MAX_ELEMENTS

    def element(self, at: int, limit: int) -> Element | None:
        """Return the element at ``at``; None if none begins there."""
        head = self.window.at(at, min(12, limit - at))
        if not head or head[0] < 0x10 or self.left <= 0:
            return None
        self.left -= 1
        id_size = 9 - head[0].bit_length()
        first = head[id_size] if id_size < len(head) else 0
        length = 9 - first.bit_length()
        if not first or id_size + length > len(head):
            return None
        unknown = (1 << 7 * length) - 1
        value = int.from_bytes(head[id_size : id_size + length], "big") & unknown
        number, body = int.from_bytes(head[:id_size], "big"), at + id_size + length
        return Element(number, at, body, None if value == unknown else body + value)

    def children(self, parent: Element) -> Iterator[Element]:
        """Yield the elements of a master; one that reaches past its parent is cut to it."""
        end = min(parent.end if parent.end is not None else self.window.size, self.window.size)
        at = parent.body
        while at < end:
            found = self.element(at, end)
            if found is None:
                return
            at = min(found.end if found.end is not None else end, end)
            yield found._replace(end=at)

    def parts(self, parent: Element) -> dict[int, Element]:
        """Return the elements of a master by identifier, the last of each."""
        return {child.id: child for child in self.children(parent)}

    def text(self, element: Element | None) -> str:
        """Return a string, at most 512 bytes of it; "" without the element."""
        if element is None:
            return ""
        data = self.window.at(element.body, min((element.end or 0) - element.body, 512))
        return data.rstrip(b"\0").decode("utf-8", "replace")

    def number(self, element: Element | None) -> int:
        """Return an unsigned integer; 0 without the element."""
        if element is None:
            return 0
        size = min((element.end or 0) - element.body, 8)
        return int.from_bytes(self.window.at(element.body, size), "big")
