"""Read JPEG 2000 files and codestreams (ISO/IEC 15444-1, annexes A and I)."""

from __future__ import annotations

import struct

from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_SEGMENTS = 500_000
_CODESTREAM = b"\xff\x4f\xff\x51"  # SOC, SIZ
_START_OF_TILE_PART = b"\xff\x90"
_END_OF_CODESTREAM = b"\xff\xd9"
_HEAD = 65536
_NO_END = "no end of codestream (EOC) where its tile parts end"


def identify(source: Readable, head: bytes) -> Sniffed:
    """Distinguish codestreams, JP2 pictures and Motion JPEG 2000, which is read like QuickTime."""
    if head.startswith(_CODESTREAM):
        right, bottom, left, top = struct.unpack_from(">IIII", head, 8)
        return recognised("jpeg2000", width=right - left, height=bottom - top, frames=1)
    if head[16:24] == b"ftypmjp2":
        return recognised("mov")
    header = head.find(b"ihdr")
    height, width = struct.unpack_from(">II", head, header + 4) if header > 0 else (None, None)
    return recognised("jpeg2000", width=width, height=height, frames=1)


def completeness(source: Readable) -> Completeness:
    """Follow marker segments and tile parts by their declared lengths to the end marker."""
    window = Window(source)
    at = window.at(0, _HEAD).find(_CODESTREAM) + 2
    for _ in range(MAX_SEGMENTS if at >= 2 else 0):
        marker = window.at(at, 12)
        if marker[:2] == _END_OF_CODESTREAM:
            return True, None
        if len(marker) < 12:
            break
        length, tile_part = struct.unpack_from(">H2xI", marker, 2)
        if marker[:2] != _START_OF_TILE_PART:
            at += 2 + length
        elif tile_part:
            at += max(tile_part, 14)
        else:  # Psot is 0: the last tile part, up to the end marker
            tail = window.at(max(at, window.size - _HEAD), _HEAD)
            return (True, None) if _END_OF_CODESTREAM in tail else (False, _NO_END)
    return False, _NO_END
