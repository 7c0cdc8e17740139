"""VP8 (RFC 6386) and VP9 (VP9 bitstream specification 0.6): key frames; nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream._nal import Data
from mediaprep.probing.bitstream.header import (
    HIDDEN,
    IDR,
    INTRA,
    NO_PICTURE,
    UNREADABLE,
    StreamHeader,
)

_VP8_SYNC, _VP9_SYNC = b"\x9d\x01\x2a", 0x498342
_RGB = 7  # color_space
# color_space 1-5 as ITU-T H.273 codes of primaries, transfer, matrix: BT.601, BT.709, SMPTE 170M, SMPTE 240M, BT.2020
_SPACES = {1: (5, 6, 5), 2: (1, 1, 1), 3: (6, 6, 6), 4: (7, 7, 7), 5: (9, 14, 9)}


class _VpxReader:
    def __init__(self, extradata: bytes | None) -> None:
        self.faults: dict[str, int] = {}
        self._first: StreamHeader | None = None
        self._sizes: set[tuple[int | None, int | None]] = set()

    def configure(self, extradata: bytes) -> None:
        """Nothing that the key frames would not say."""

    def _fault(self, clause: str) -> int:
        self.faults[clause] = self.faults.get(clause, 0) + 1
        return NO_PICTURE | UNREADABLE

    def _take(self, header: StreamHeader) -> None:
        self._first = self._first or header
        self._sizes.add((header.width, header.height))

    def header(self) -> StreamHeader:
        """What the first key frame states, and whether a later one has another size."""
        return replace(
            self._first or StreamHeader(),
            size_changes=len(self._sizes) > 1 if self._sizes else None,
        )


class Vp8Reader(_VpxReader):
    """Every key frame starts afresh (RFC 6386 9.1)."""

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the packet holds: flags of header.py."""
        shown = 0 if data[0] & 0x10 else HIDDEN
        if data[0] & 1:
            return shown
        if len(data) < 10 or bytes(data[3:6]) != _VP8_SYNC:
            return self._fault("a key frame has no sync code")
        width, height = (data[6] | data[7] << 8) & 0x3FFF, (data[8] | data[9] << 8) & 0x3FFF
        self._take(
            StreamHeader(
                profile_idc=data[0] >> 1 & 7,
                width=width,
                height=height,
                chroma="4:2:0",
                bit_depth=8,
            )
        )
        return IDR | INTRA | shown


class Vp9Reader(_VpxReader):
    """Every key frame starts afresh (7.2); hidden frames ride in a superframe with a shown one (annex B)."""

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the packet holds: flags of header.py."""
        key, hidden = 0, HIDDEN
        for at in _frames(data):
            head = data[at]
            if head >> 6 != 2:
                return self._fault("a frame has no frame marker")
            flags = head >> (
                0 if head & 0x30 == 0x30 else 1
            )  # show_existing_frame, frame_type, show_frame
            if flags & 4:
                hidden = 0
                continue
            if flags & 1:
                hidden = 0
            if not flags & 2:
                try:
                    self._take(parse_vp9_key_frame(bytes(data[at : at + 16])))
                except BitstreamDamaged as damage:
                    return self._fault(f"a key frame is damaged ({damage})")
                key = IDR | INTRA
        return key | hidden


def _frames(data: Data) -> Iterator[int]:
    """Where each frame of a packet begins (annex B)."""
    last = data[-1]
    count, width = (last & 7) + 1, (last >> 3 & 3) + 1
    index = 2 + count * width
    if last & 0xE0 != 0xC0 or len(data) < index or data[-index] != last:
        yield 0
        return
    at = 0
    for place in range(len(data) - index + 1, len(data) - 1, width):
        size = int.from_bytes(data[place : place + width], "little")
        if not size or at + size > len(data) - index:
            return
        yield at
        at += size


def parse_vp9_key_frame(front: bytes) -> StreamHeader:
    """The uncompressed header of a key frame (7.2). Raises: Damaged."""
    bits = BitReader(front)
    bits.skip(2)
    profile = bits.u(1) | bits.u(1) << 1
    bits.skip(4 if profile == 3 else 3)
    bits.skip(1)
    if bits.u(24) != _VP9_SYNC:
        raise BitstreamDamaged("no sync code")
    told: dict[str, Any] = {
        "bit_depth": (12 if bits.flag() else 10) if profile >= 2 else 8,
        "chroma": "4:2:0",
    }
    space = bits.u(3)
    if space == _RGB:
        told["chroma"], told["full_range"] = "rgb", True
        bits.skip(1 if profile & 1 else 0)
    else:
        told["full_range"] = bits.flag()
        if profile & 1:
            told["chroma"] = {(0, 0): "4:4:4", (1, 0): "4:2:2", (0, 1): "4:4:0"}.get(
                (bits.u(1), bits.u(1))
            )
            bits.skip(1)
    if space in _SPACES:
        told["primaries"], told["transfer"], told["matrix"] = _SPACES[space]
    width, height = bits.u(16) + 1, bits.u(16) + 1
    return StreamHeader(
        profile_idc=profile, profile=f"Profile {profile}", width=width, height=height, **told
    )
