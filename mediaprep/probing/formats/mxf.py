"""Follow the elements of an MXF file (SMPTE ST 377-1)."""

from __future__ import annotations

from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_ELEMENTS = 500_000
_RUN_IN = 65536  # bytes in which the first element must begin
_LABEL = bytes.fromhex("060e2b34")
_HEADER_PARTITION = bytes.fromhex("060e2b34020501010d0102010102")
_PARTITION = bytes.fromhex("0d01020101")  # bytes 8 to 12 of a key; the kind of partition follows
_FOOTER, _RANDOM_INDEX = 4, 0x11


def detect(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise the key of a header partition, behind a run-in of any content."""
    return recognised("mxf") if _HEADER_PARTITION in head else None


def completeness(source: Readable) -> Completeness:
    """Follow the key-length-value triplets (6.1) to the end of the file.

    The last are a random index pack (clause 12) or a footer partition (7.4).
    """
    window = Window(source)
    at = window.at(0, _RUN_IN).find(_LABEL)
    partitions = set[int]()
    for _ in range(MAX_ELEMENTS):
        if at >= window.size:
            break
        head = window.at(at, 25)
        if len(head) < 17 or head[:4] != _LABEL:
            return False, f"no element begins at byte {at}"
        if head[8:13] == _PARTITION:
            partitions.add(head[13])
        at += _element_bytes(head)
    else:
        return None, "more elements than are read"
    if at > window.size:
        return False, f"the last element ends {at - window.size} bytes after the end of the file"
    if _RANDOM_INDEX in partitions:
        return True, None
    if _FOOTER in partitions:
        return None, "no random index at its end"
    return False, "no footer partition at its end"


def _element_bytes(head: bytes) -> int:
    """Return the bytes of key, length and value; the length is coded as BER."""
    if not head[16] & 0x80:
        return 17 + head[16]
    more = head[16] & 0x7F
    return 17 + more + int.from_bytes(head[17 : 17 + more], "big")
