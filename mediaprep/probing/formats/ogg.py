"""Ogg by its pages (RFC 3533): the last page, and the names in the comment headers."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.window import Readable, Window

_BLOCK = 2**17  # two pages of the largest size, 65307 bytes
_MOST_STREAMS = 100
_FIRST, _LAST = 2, 4  # flags of a page: begins, ends its stream
_PAGE = b"OggS\0"
_COMMENTS = re.compile(rb"\x03vorbis|OpusTags|\x81theora|\x83kate\0\0\0\0")


def completeness(source: Readable) -> tuple[bool | None, str | None]:
    """The last page must be whole, and the last page of each stream that the first pages begin must carry the end-of-stream flag: a cut
    behind the end of one leaves the others open."""
    window = Window(source)
    begun, at = set[bytes](), 0
    while (
        (head := window.at(at, 27)).startswith(_PAGE)
        and len(head) == 27
        and head[5] & _FIRST
        and len(begun) < _MOST_STREAMS
    ):
        begun.add(head[14:18])
        at += 27 + head[26] + sum(window.at(at + 27, head[26]))
    last: dict[bytes, bool] = {}
    for at, head in _pages_backwards(window):
        table = window.at(at + 27, head[26]) if len(head) == 27 else b""
        if not last and (
            len(head) < 27
            or len(table) < head[26]
            or at + 27 + len(table) + sum(table) > window.size
        ):
            return False, "the last page is cut short"
        last.setdefault(head[14:18], bool(head[5] & _LAST))
        if not all(last.values()):
            return False, "a stream's last page does not end it"
        if begun <= last.keys():
            return True, None
    return False, "a stream without pages" if last else "no page in it"


def _pages_backwards(window: Window) -> Iterator[tuple[int, bytes]]:
    """(start, up to 27 bytes) of the pages, the last first."""
    stop = window.size
    while stop > 0:
        start = max(0, stop - _BLOCK)
        data = window.at(
            start, stop - start + 27
        )  # a page that begins in this block may go on in the next
        at = data.rfind(_PAGE, 0, stop - start + len(_PAGE) - 1)
        while at >= 0:
            yield start + at, data[at : at + 27]
            at = data.rfind(_PAGE, 0, at)
        stop = start


def private_items(source: Readable) -> list[PrivateItem]:
    """Names of the comments in the first pages (Vorbis comment header: vendor, then length-prefixed NAME=value)."""
    head = Window(source).at(0, 2**17)
    items: list[PrivateItem] = []
    for hit in islice(_COMMENTS.finditer(head), 20):
        at = hit.end()
        vendor = int.from_bytes(head[at : at + 4], "little")
        at += 4 + vendor
        if at + 4 > len(head):
            continue
        for _ in range(min(struct.unpack_from("<I", head, at)[0], 200)):
            length = int.from_bytes(head[at + 4 : at + 8], "little")
            name, _, value = head[at + 8 : at + 8 + length].partition(b"=")
            if at + 8 > len(head) or len(name) > 200:
                break
            at += 4 + length
            if value.strip():
                text = name.decode("utf-8", "replace")
                items += tagnames.named(text, f"comment/{text}")
    return items
