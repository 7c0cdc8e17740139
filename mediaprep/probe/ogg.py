"""Ogg by its pages (RFC 3533): the last page, and the names in the comment headers."""

from __future__ import annotations

import re
import struct
from itertools import islice

from mediaprep.media import PrivateItem
from mediaprep.probe import tagnames
from mediaprep.probe.window import Readable, Window

_TAIL = 2**17  # two pages of the largest size, 65307 bytes
_COMMENTS = re.compile(rb"\x03vorbis|OpusTags|\x81theora|\x83kate\0\0\0\0")


def completeness(source: Readable) -> tuple[bool | None, str | None]:
    """The last page must be whole and carry the end-of-stream flag."""
    window = Window(source)
    start = max(0, window.size - _TAIL)
    tail = window.at(start, _TAIL)
    at = tail.rfind(b"OggS")
    if at < 0:
        return False, "no page near the end of the file"
    head = tail[at : at + 27]
    table = tail[at + 27 : at + 27 + head[26]] if len(head) == 27 else b""
    if len(head) < 27 or len(table) < head[26] or start + at + 27 + len(table) + sum(table) > window.size:
        return False, "the last page is cut short"
    return (True, None) if head[5] & 4 else (False, "the last page does not end its stream")


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
