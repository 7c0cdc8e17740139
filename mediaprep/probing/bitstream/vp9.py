"""Find the key frames of VP8 (RFC 6386) and VP9 (VP9 bitstream specification 0.6) streams.

Nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.header import (
    HIDDEN,
    IDR,
    INTRA,
    NO_PICTURE,
    UNREADABLE,
    StreamHeader,
)
from mediaprep.probing.bitstream.nal import Data
from mediaprep.probing.bitstream.reader import BitstreamReader

_VP8_SYNC, _VP9_SYNC = b"\x9d\x01\x2a", 0x498342
_RGB = 7  # color_space
# ITU-T H.273 codes of primaries, transfer and matrix by color_space:
# BT.601, BT.709, SMPTE 170M, SMPTE 240M, BT.2020
_COLOUR_SPACES = {1: (5, 6, 5), 2: (1, 1, 1), 3: (6, 6, 6), 4: (7, 7, 7), 5: (9, 14, 9)}
_SUBSAMPLED = {(0, 0): "4:4:4", (1, 0): "4:2:2", (0, 1): "4:4:0"}  # by subsampling_x and _y


class _VpxReader(BitstreamReader):
    def __init__(self, extradata: bytes | None) -> None:
        super().__init__()

    def configure(self, extradata: bytes) -> None:
        """Do nothing: key frames state everything that is needed."""

    def _unreadable(self, clause: str) -> int:
        self._add_fault(clause)
        return NO_PICTURE | UNREADABLE

    def header(self) -> StreamHeader:
        """Return what the first key frame states, and whether a later one has another size."""
        return replace(self._first_header or StreamHeader(), size_changes=self._size_changes)


class Vp8Reader(_VpxReader):
    """Classify the packets of a VP8 stream; every key frame is a clean start (RFC 6386 9.1)."""

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's frame."""
        shown = 0 if data[0] & 0x10 else HIDDEN
        if data[0] & 1:
            return shown
        if len(data) < 10 or bytes(data[3:6]) != _VP8_SYNC:
            return self._unreadable("a key frame has no sync code")
        width, height = (data[6] | data[7] << 8) & 0x3FFF, (data[8] | data[9] << 8) & 0x3FFF
        self._use_header(StreamHeader(width=width, height=height, chroma="4:2:0", bit_depth=8))
        return IDR | INTRA | shown


class Vp9Reader(_VpxReader):
    """Classify the packets of a VP9 stream; every key frame is a clean start (7.2).

    Hidden frames share a packet, a superframe, with a shown one (annex B).
    """

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's frames."""
        key, hidden = 0, HIDDEN
        for at in _frame_starts(data):
            head = data[at]
            if head >> 6 != 2:
                return self._unreadable("a frame has no frame marker")
            # Profile 3 has a reserved bit before the next three:
            # show_existing_frame, frame_type, show_frame
            bits = head if head & 0x30 == 0x30 else head >> 1
            if bits & 4:
                hidden = 0
                continue
            if bits & 1:
                hidden = 0
            if not bits & 2:
                try:
                    self._use_header(parse_vp9_key_frame(bytes(data[at : at + 16])))
                except BitstreamDamaged as damage:
                    return self._unreadable(f"a key frame is damaged ({damage})")
                key = IDR | INTRA
        return key | hidden


def _frame_starts(data: Data) -> Iterator[int]:
    """Yield the first byte of each frame of a packet (annex B)."""
    last = data[-1]
    count, width = (last & 7) + 1, (last >> 3 & 3) + 1
    index_size = 2 + count * width
    if last & 0xE0 != 0xC0 or len(data) < index_size or data[-index_size] != last:
        yield 0
        return
    at, end = 0, len(data) - index_size
    for place in range(end + 1, len(data) - 1, width):
        size = int.from_bytes(data[place : place + width], "little")
        if not size or at + size > end:
            return
        yield at
        at += size


def parse_vp9_key_frame(front: bytes) -> StreamHeader:
    """Read the uncompressed header of a key frame (7.2). Raises: BitstreamDamaged."""
    bits = BitReader(front)
    bits.skip(2)
    profile = bits.u(1) | bits.u(1) << 1
    bits.skip(4 if profile == 3 else 3)
    bits.skip(1)
    if bits.u(24) != _VP9_SYNC:
        raise BitstreamDamaged("no sync code")
    stated: dict[str, Any] = {"bit_depth": 8, "chroma": "4:2:0"}
    if profile >= 2:
        stated["bit_depth"] = 12 if bits.flag() else 10
    space = bits.u(3)
    if space == _RGB:
        stated["chroma"], stated["full_range"] = "rgb", True
        bits.skip(1 if profile & 1 else 0)
    else:
        stated["full_range"] = bits.flag()
        if profile & 1:
            stated["chroma"] = _SUBSAMPLED.get((bits.u(1), bits.u(1)))
            bits.skip(1)
    if space in _COLOUR_SPACES:
        stated["primaries"], stated["transfer"], stated["matrix"] = _COLOUR_SPACES[space]
    width, height = bits.u(16) + 1, bits.u(16) + 1
    return StreamHeader(profile=f"Profile {profile}", width=width, height=height, **stated)
