"""Read the directory of a Windows icon."""

from __future__ import annotations

import struct

from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_HEADER, _ENTRY = 6, 16  # bytes


def identify(source: Readable, head: bytes) -> Sniffed | None:
    """Return None if the directory is not plausible."""
    count = struct.unpack_from("<H", head, 4)[0]
    if not 0 < count < 256 or len(head) < _HEADER + _ENTRY or head[9] != 0:
        return None
    entries = head[_HEADER : _HEADER + _ENTRY * min(count, (len(head) - _HEADER) // _ENTRY)]
    sizes = [(wide or 256, high or 256) for wide, high in struct.iter_unpack("<BB14x", entries)]
    width, height = max(sizes)
    return recognised("ico", width=width, height=height, frames=count)


def completeness(source: Readable) -> Completeness:
    """Check that every picture of the directory lies within the file."""
    window = Window(source)
    count = struct.unpack_from("<H", window.at(0, _HEADER), 4)[0]
    table = window.at(_HEADER, _ENTRY * count)
    entries = struct.iter_unpack("<8xII", table[: len(table) // _ENTRY * _ENTRY])
    ends = [offset + size for size, offset in entries]
    if len(table) == _ENTRY * count and ends and max(ends) <= window.size:
        return True, None
    return False, "a picture ends after the end of the file"
