"""MPEG-4 Part 2 (ISO/IEC 14496-2): of each packet the kind of picture; nothing is decoded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream._nal import Data, starts
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    INTRA,
    NO_PICTURE,
    OPENS,
    RAP,
    UNREADABLE,
    StreamHeader,
)

_LAYERS = range(0x20, 0x30)
_SEQUENCE, _GROUP, _OBJECT, _VOP = 0xB0, 0xB3, 0xB5, 0xB6
_I, _P, _B = 0, 1, 2
_SAR = {1: (1, 1), 2: (12, 11), 3: (10, 11), 4: (16, 11), 5: (40, 33)}  # table 6-12
_PROFILES: tuple[str, ...] = (
    "Simple",
    "Simple Scalable",
    "Core",
    "Main",
    "N-bit",
    "Scalable Texture",
    "Simple Face Animation",
)
_PROFILES += ("Basic Animated Texture",)
_PROFILES += (
    "Hybrid",
    "Advanced Real Time Simple",
    "Code Scalable",
    "Advanced Coding",
    "Advanced Core",
    "Advanced Scalable Texture",
)
_PROFILES += ("Simple Studio", "Advanced Simple")


def parse_layer(unit: bytes) -> tuple[StreamHeader, int]:
    """A video object layer (6.2.3), from the byte after its start code on: what it states, and the ticks of a second. Raises: Damaged."""
    bits = BitReader(unit[:64])
    bits.skip(9)
    if bits.flag():
        bits.skip(7)
    aspect = bits.u(4)
    pair = (bits.u(8), bits.u(8)) if aspect == 15 else _SAR.get(aspect, (0, 0))
    if bits.flag():
        bits.skip(3)
        if bits.flag():
            bits.skip(79)
    shape = bits.u(2)
    bits.skip(1)
    resolution = bits.u(16)
    bits.skip(1)
    told: dict[str, Any] = {
        "chroma": "4:2:0",
        "bit_depth": 8,
        "sar": Fraction(*pair) if all(pair) else None,
    }
    if bits.flag():
        step = bits.u(max(1, (resolution - 1).bit_length()))
        told["timing_rate"] = Fraction(resolution, step) if step and resolution else None
    if shape == 0:
        bits.skip(1)
        told["width"] = bits.u(13)
        bits.skip(1)
        told["height"] = bits.u(13)
        bits.skip(1)
        told["progressive_sequence"] = not bits.flag()
    return StreamHeader(**told), resolution


class Mpeg4Reader:
    """Reads packets in decode order. Nothing but B refers behind an I, so an I without open leading B is as good as IDR."""

    intra_is_idr = True

    def __init__(self, extradata: bytes | None) -> None:
        self.faults: dict[str, int] = {}
        self._layer_raw = b""
        self._layer: StreamHeader | None = None
        self._first: StreamHeader | None = None
        self._resolution = 0
        self._level: int | None = None
        self._sizes: set[tuple[int | None, int | None]] = set()
        self._complete: bool | None = None
        self._leading = False
        self._packed = False
        self._tops: set[bool] = set()
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Takes in a video object layer that stands apart from the packets."""
        self._read(extradata)

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the packet holds: flags of header.py. A packed packet counts by its first picture."""
        kinds, closed = self._read(data)
        if not kinds:
            return NO_PICTURE | UNREADABLE
        if self._complete is None:
            self._complete = self._layer is not None
        if self._layer:
            self._first = self._first or self._layer
            self._sizes.add((self._layer.width, self._layer.height))
        self._packed |= len(kinds) > 1
        code = self._judged(kinds[0], closed)
        for kind in kinds[1:]:
            code |= self._judged(kind, False) & OPENS
        return code

    def _judged(self, kind: int, closed: bool) -> int:
        if kind == _I:
            self._leading = not closed
            return RAP | INTRA
        if kind == _B:
            return BIDIRECTIONAL | OPENS if self._leading else BIDIRECTIONAL
        self._leading = False
        return 0

    def _read(self, data: Data) -> tuple[list[int], bool]:
        """The coding types of the packet's pictures, and closed_gov of a group header before the first."""
        kinds: list[int] = []
        closed = False
        layer_at = -1
        for at in starts(data, 0):
            code = data[at]
            if layer_at >= 0:
                self._take_layer(bytes(data[layer_at : at - 3]))
                layer_at = -1
            if code == _VOP and len(data) > at + 1:
                if not kinds and self._layer and self._layer.progressive_sequence is False:
                    self._note_field_order(bytes(data[at + 1 : at + 16]))
                kinds.append(data[at + 1] >> 6)
            elif code == _GROUP and len(data) > at + 3 and not kinds:
                closed = bool(data[at + 3] & 0x20)
            elif code in _LAYERS:
                layer_at = at + 1
            elif code == _SEQUENCE and len(data) > at + 1 and self._level is None:
                self._level = data[at + 1]
        if layer_at >= 0:
            self._take_layer(bytes(data[layer_at : layer_at + 256]))
        return kinds, closed

    def _take_layer(self, unit: bytes) -> None:
        if unit == self._layer_raw:
            return
        self._layer_raw = unit
        try:
            self._layer, self._resolution = parse_layer(unit)
        except BitstreamDamaged as damage:
            clause = f"a video object layer is damaged ({damage})"
            self.faults[clause] = self.faults.get(clause, 0) + 1

    def _note_field_order(self, unit: bytes) -> None:
        """top_field_first of an interlaced picture (6.2.5)."""
        bits = BitReader(unit)
        try:
            kind = bits.u(2)
            while bits.flag():
                pass
            bits.skip(1 + max(1, (self._resolution - 1).bit_length()) + 1)
            if bits.flag() and kind < 3:
                bits.skip(4 if kind == _P else 3)
                self._tops.add(bits.flag())
        except BitstreamDamaged:
            return

    def header(self) -> StreamHeader:
        """What the stream states: of the first video object layer, with what was met later."""
        level = self._level
        return replace(
            self._first or self._layer or StreamHeader(),
            profile_idc=None if level is None else level >> 4,
            profile=None if level is None else f"{_PROFILES[level >> 4]} Profile",
            level=None if level is None else str(level & 15),
            top_field_first=tuple(sorted(self._tops)) or None,
            packed_b=self._packed,
            size_changes=len(self._sizes) > 1 if self._sizes else None,
            parameter_sets_first=self._complete,
        )
