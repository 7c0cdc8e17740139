"""Read the header of a Windows bitmap (BITMAPFILEHEADER and what follows it)."""

from __future__ import annotations

import struct

from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_UNCOMPRESSED = (0, 3)  # BI_RGB, BI_BITFIELDS


def identify(source: Readable, head: bytes) -> Sniffed | None:
    """Return None if no known header follows the magic number."""
    header = struct.unpack_from("<I", head, 14)[0]
    if header not in _HEADER_SIZES:
        return None
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", head, 18)
    return recognised("bmp", width=abs(width), height=abs(height), frames=1)


def completeness(source: Readable) -> Completeness:
    """Compare the file with the size in its header.

    Some writers leave that at 0: then compute the size of the uncompressed picture.
    """
    window = Window(source)
    declared, start, header = struct.unpack_from("<I4xII", window.at(0, 18), 2)
    if declared <= start and header >= 40:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", window.at(18, 16))
        if compression not in _UNCOMPRESSED:
            return None, "its header states no size"
        declared = start + (abs(width) * bits + 31) // 32 * 4 * abs(height)
    missing = declared - window.size
    if missing > 0:
        return False, f"the picture ends {missing} bytes after the end of the file"
    return True, None
