"""Read the header of a YUV4MPEG2 file (raw video, as mjpegtools defined it)."""

from __future__ import annotations

import re

from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.runtime.source import Readable

_FRAME = b"FRAME\n"
_LAYOUT = re.compile(rb"(420|422|444|mono)(?:p(\d+))?")


def completeness(source: Readable) -> Completeness:
    """Check that the file holds a whole number of frames."""
    window = Window(source)
    line, _, rest = window.at(0, 1024).partition(b"\n")
    size = _frame_bytes(line) if rest.startswith(_FRAME) else None
    if size is None:
        return None, "its frame size is unknown"
    left = (window.size - len(line) - 1) % size
    if left:
        return False, f"the last frame is cut short ({left} of {size} bytes)"
    return None, "its frames follow one another without a mark of their end"


def _frame_bytes(line: bytes) -> int | None:
    """Return the bytes of a frame and its header; None for an unknown chroma layout."""
    fields = {field[:1]: field[1:] for field in line.split(b" ")[1:]}
    layout = _LAYOUT.match(fields.get(b"C", b"420"))
    wide, high = fields.get(b"W", b""), fields.get(b"H", b"")
    if layout is None or not wide.isdigit() or not high.isdigit():
        return None
    width, height = int(wide), int(high)
    chroma_width, chroma_height = (width + 1) // 2, (height + 1) // 2
    chroma = {
        b"420": chroma_width * chroma_height,
        b"422": chroma_width * height,
        b"444": width * height,
        b"mono": 0,
    }[layout[1]]
    sample_bytes = 2 if layout[2] and layout[2] != b"8" else 1
    return len(_FRAME) + (width * height + 2 * chroma) * sample_bytes
