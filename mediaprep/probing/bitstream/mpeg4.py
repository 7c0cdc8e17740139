"""Classify the pictures of MPEG-4 part 2 video (ISO/IEC 14496-2) without decoding them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    INTRA,
    NO_PICTURE,
    NON_IDR_RAP,
    OPEN_LEADING,
    UNREADABLE,
    StreamHeader,
)
from mediaprep.probing.bitstream.nal import Data, unit_starts
from mediaprep.probing.bitstream.reader import BitstreamReader

# Start codes, table 6-3
_LAYERS = range(0x20, 0x30)
_SEQUENCE, _GROUP, _VOP = 0xB0, 0xB3, 0xB6
_I, _P, _B = 0, 1, 2  # vop_coding_type, table 6-20
_EXTENDED_SAR = 15
_SARS = {1: (1, 1), 2: (12, 11), 3: (10, 11), 4: (16, 11), 5: (40, 33)}  # table 6-12
# By the upper half of profile_and_level_indication
_PROFILES = (
    *("Simple", "Simple Scalable", "Core", "Main", "N-bit", "Scalable Texture"),
    *("Simple Face Animation", "Basic Animated Texture", "Hybrid", "Advanced Real Time Simple"),
    *("Code Scalable", "Advanced Coding", "Advanced Core", "Advanced Scalable Texture"),
    *("Simple Studio", "Advanced Simple"),
)


def parse_layer(unit: bytes) -> tuple[StreamHeader, int]:
    """Return what a video object layer (6.2.3) states, and its ticks per second.

    ``unit`` is given without its start code. Raises: BitstreamDamaged.
    """
    bits = BitReader(unit[:64])
    bits.skip(9)
    if bits.flag():
        bits.skip(7)
    aspect = bits.u(4)
    ratio = (bits.u(8), bits.u(8)) if aspect == _EXTENDED_SAR else _SARS.get(aspect, (0, 0))
    if bits.flag():
        bits.skip(3)
        if bits.flag():
            bits.skip(79)
    shape = bits.u(2)
    bits.skip(1)
    resolution = bits.u(16)
    bits.skip(1)
    stated: dict[str, Any] = {
        "chroma": "4:2:0",
        "bit_depth": 8,
        "sar": Fraction(*ratio) if all(ratio) else None,
    }
    if bits.flag():
        step = bits.u(_tick_bits(resolution))
        stated["timing_rate"] = Fraction(resolution, step) if step and resolution else None
    if shape == 0:
        bits.skip(1)
        stated["width"] = bits.u(13)
        bits.skip(1)
        stated["height"] = bits.u(13)
        bits.skip(1)
        stated["progressive_sequence"] = not bits.flag()
    return StreamHeader(**stated), resolution


def _tick_bits(resolution: int) -> int:
    """Return the width of a time increment in bits."""
    return max(1, (resolution - 1).bit_length())


class Mpeg4Reader(BitstreamReader):
    """Classify the packets of an MPEG-4 part 2 stream in decode order."""

    intra_is_idr = True

    def __init__(self, extradata: bytes | None) -> None:
        super().__init__()
        self._raw_layer = b""
        self._layer: StreamHeader | None = None
        self._resolution = 0
        self._profile_and_level: int | None = None
        self._layer_first: bool | None = None  # a layer preceded the first picture
        # B pictures that come next lead an I picture of an open GOP.
        self._open_leading = False
        self._top_field_first: set[bool] = set()
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Read a video object layer that is stored apart from the packets."""
        self._read_packet(extradata)

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's first picture.

        A packet may hold several (DivX packed bitstream).
        """
        kinds, closed = self._read_packet(data)
        if not kinds:
            return NO_PICTURE | UNREADABLE
        if self._layer_first is None:
            self._layer_first = self._layer is not None
        if self._layer:
            self._use_header(self._layer)
        flags = self._picture_flags(kinds[0], closed)
        for kind in kinds[1:]:
            flags |= self._picture_flags(kind, False) & OPEN_LEADING
        return flags

    def _picture_flags(self, kind: int, closed: bool) -> int:
        if kind == _I:
            self._open_leading = not closed
            return NON_IDR_RAP | INTRA
        if kind == _B:
            return BIDIRECTIONAL | OPEN_LEADING if self._open_leading else BIDIRECTIONAL
        self._open_leading = False
        return 0

    def _read_packet(self, data: Data) -> tuple[list[int], bool]:
        """Return vop_coding_type of each picture, and closed_gov of a leading group header."""
        kinds: list[int] = []
        closed = False
        layer_at = -1
        for at in unit_starts(data, 0):
            code = data[at]
            if layer_at >= 0:
                self._read_layer(bytes(data[layer_at : at - 3]))
                layer_at = -1
            if code == _VOP and len(data) > at + 1:
                if not kinds and self._layer and self._layer.progressive_sequence is False:
                    self._read_field_order(bytes(data[at + 1 : at + 16]))
                kinds.append(data[at + 1] >> 6)
            elif code == _GROUP and len(data) > at + 3 and not kinds:
                closed = bool(data[at + 3] & 0x20)
            elif code in _LAYERS:
                layer_at = at + 1
            elif code == _SEQUENCE and len(data) > at + 1 and self._profile_and_level is None:
                self._profile_and_level = data[at + 1]
        if layer_at >= 0:
            self._read_layer(bytes(data[layer_at : layer_at + 256]))
        return kinds, closed

    def _read_layer(self, unit: bytes) -> None:
        if unit == self._raw_layer:
            return
        self._raw_layer = unit
        try:
            self._layer, self._resolution = parse_layer(unit)
        except BitstreamDamaged as damage:
            self._add_fault(f"a video object layer is damaged ({damage})")

    def _read_field_order(self, unit: bytes) -> None:
        """Record top_field_first of an interlaced picture (6.2.5)."""
        bits = BitReader(unit)
        try:
            kind = bits.u(2)
            while bits.flag():  # modulo_time_base
                pass
            bits.skip(1 + _tick_bits(self._resolution) + 1)
            if bits.flag() and kind in (_I, _P, _B):
                bits.skip(4 if kind == _P else 3)
                self._top_field_first.add(bits.flag())
        except BitstreamDamaged:
            return

    def header(self) -> StreamHeader:
        """Return what the first video object layer states, and what later pictures add."""
        code = self._profile_and_level
        return replace(
            self._first_header or self._layer or StreamHeader(),
            profile=None if code is None else f"{_PROFILES[code >> 4]} Profile",
            level=None if code is None else str(code & 15),
            top_field_first=tuple(sorted(self._top_field_first)) or None,
            size_changes=self._size_changes,
            parameter_sets_first=self._layer_first,
        )
