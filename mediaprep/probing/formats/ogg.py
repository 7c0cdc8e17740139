"""Walk the pages of an Ogg file (RFC 3533): the last page of each stream, the comment headers."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_STREAMS = 100
MAX_COMMENT_HEADERS = 20
MAX_COMMENTS = 200  # of one header
_BLOCK = 2**17  # two pages of the largest size, 65307 bytes
_HEADER = 27  # bytes of a page header before its segment table
_FIRST, _LAST = 2, 4  # flags of a page: begins, ends its stream
_PAGE = b"OggS\0"
_VIDEO = re.compile(rb"\x80theora|\x01video\0|BBCD\0|OVP80")  # Theora, OGM, Dirac, VP8
_COMMENTS = re.compile(rb"\x03vorbis|OpusTags|\x81theora|\x83kate\0\0\0\0")


def identify(source: Readable, head: bytes) -> Sniffed:
    """Distinguish video from sound by the headers of the streams."""
    return recognised("ogg", "video" if _VIDEO.search(head[:8192]) else "sound")


def completeness(source: Readable) -> Completeness:
    """Check that the last page is whole, and that each stream ends with its end-of-stream flag.

    A cut behind the end of one stream leaves the others open.
    """
    window = Window(source)
    begun = _begun_streams(window)
    last: dict[bytes, bool] = {}
    for at, head in _pages_backwards(window):
        if not last and not _is_whole(window, at, head):
            return False, "the last page is cut short"
        last.setdefault(head[14:18], bool(head[5] & _LAST))
        if not all(last.values()):
            return False, "a stream's last page does not end it"
        if begun <= last.keys():
            return True, None
    return False, "a stream without pages" if last else "no page in it"


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the names of the comments in the first pages (Vorbis comment header)."""
    head = Window(source).at(0, _BLOCK)
    items: list[PrivateItem] = []
    for hit in islice(_COMMENTS.finditer(head), MAX_COMMENT_HEADERS):
        items += _comment_items(head, hit.end())
    return items


def _begun_streams(window: Window) -> set[bytes]:
    """Return the serial numbers of the streams that the first pages begin."""
    begun = set[bytes]()
    at = 0
    while len(begun) < MAX_STREAMS:
        head = window.at(at, _HEADER)
        if not head.startswith(_PAGE) or len(head) < _HEADER or not head[5] & _FIRST:
            break
        begun.add(head[14:18])
        at += _HEADER + head[26] + sum(window.at(at + _HEADER, head[26]))
    return begun


def _is_whole(window: Window, at: int, head: bytes) -> bool:
    if len(head) < _HEADER:
        return False
    table = window.at(at + _HEADER, head[26])
    return len(table) == head[26] and at + _HEADER + len(table) + sum(table) <= window.size


def _pages_backwards(window: Window) -> Iterator[tuple[int, bytes]]:
    """Yield (start, up to 27 bytes) of the pages, the last first."""
    stop = window.size
    while stop > 0:
        start = max(0, stop - _BLOCK)
        # the header of a page that begins in this block may reach into the next
        data = window.at(start, stop - start + _HEADER)
        at = data.rfind(_PAGE, 0, stop - start + len(_PAGE) - 1)
        while at >= 0:
            yield start + at, data[at : at + _HEADER]
            at = data.rfind(_PAGE, 0, at)
        stop = start


def _comment_items(head: bytes, at: int) -> list[PrivateItem]:
    """Read the vendor and the length-prefixed ``NAME=value`` comments from ``at`` on."""
    items: list[PrivateItem] = []
    at += 4 + int.from_bytes(head[at : at + 4], "little")
    if at + 4 > len(head):
        return []
    for _ in range(min(struct.unpack_from("<I", head, at)[0], MAX_COMMENTS)):
        length = int.from_bytes(head[at + 4 : at + 8], "little")
        name, _, value = head[at + 8 : at + 8 + length].partition(b"=")
        if at + 8 > len(head) or len(name) > 200:
            break
        at += 4 + length
        if value.strip():
            text = name.decode("utf-8", "replace")
            items += tagnames.named(text, f"comment/{text}")
    return items
