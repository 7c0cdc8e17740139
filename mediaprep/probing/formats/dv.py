"""Recognise raw DV and check the size of its frames (IEC 61834-2)."""

from __future__ import annotations

from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_SEQUENCE = 12_000  # bytes of a DIF sequence
_BLOCK = 80  # bytes of a DIF block
_SUBCODE, _VAUX = 1, 2  # section types


def detect(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise the first blocks of a sequence: a header, two of subcode, auxiliary video."""
    if len(head) < 6 * _BLOCK:
        return None
    header = head[0] == 0x1F and head[1] & 0xF0 == 0 and head[3] & 0x7F == 0x3F
    sections = tuple(head[_BLOCK * number] >> 5 for number in (1, 2, 3))
    return recognised("dv") if header and sections == (_SUBCODE, _SUBCODE, _VAUX) else None


def completeness(source: Readable) -> Completeness:
    """Check that the file holds a whole number of frames.

    A frame has 10 sequences (525 lines) or 12 (625 lines); with four channels, multiples of that.
    """
    window = Window(source)
    frame = _SEQUENCE * (12 if window.at(3, 1)[0] & 0x80 else 10)
    left = window.size % frame
    if left:
        return False, f"the last frame is cut short ({left} of {frame} bytes)"
    return None, "its frames follow one another without a mark of their end"
