"""Classify the pictures of MPEG-1 and MPEG-2 video (ISO/IEC 11172-2, ITU-T H.262).

Nothing is decoded.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    INTRA,
    NO_PICTURE,
    NON_IDR_RAP,
    OPEN_LEADING,
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)
from mediaprep.probing.bitstream.nal import Data, unit_starts
from mediaprep.probing.bitstream.reader import BitstreamReader

# Start codes, H.262 table 6-1; slices are 01 to AF.
_PICTURE, _LAST_SLICE, _SEQUENCE, _EXTENSION, _GROUP = 0x00, 0xAF, 0xB3, 0xB5, 0xB8
# extension_start_code_identifier, H.262 table 6-2
_SEQUENCE_EXTENSION, _DISPLAY_EXTENSION, _CODING_EXTENSION = 1, 2, 8
_RATES = ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")  # H.262 table 6-4
_DISPLAY_RATIOS = {2: Fraction(4, 3), 3: Fraction(16, 9), 4: Fraction(221, 100)}  # H.262 table 6-3
# pel_aspect_ratio of MPEG-1, codes 2 to 14, times 10000 (ISO/IEC 11172-2 2.4.3.2)
_PEL_RATIOS = (
    *(6735, 7031, 7615, 8055, 8437, 8935, 9157),
    *(9815, 10255, 10695, 10950, 11575, 12015),
)
_PROFILES = {1: "High", 2: "Spatially Scalable", 3: "SNR Scalable", 4: "Main", 5: "Simple"}
_LEVELS = {4: "High", 6: "High 1440", 8: "Main", 10: "Low"}
_ESCAPED_LEVELS = {2: "High", 5: "Main"}  # of the 4:2:2 profile, H.262 table 8-3
_CHROMA = (None, "4:2:0", "4:2:2", "4:4:4")  # H.262 table 6-5
_I, _B = 1, 3  # picture_coding_type, H.262 table 6-12
_ONLY_HEADERS = -1  # in place of a picture_coding_type
_FRAME = 3  # picture_structure; 1 and 2 are top and bottom fields


def parse_sequence(unit: bytes, extension: bytes | None, display: bytes | None) -> StreamHeader:
    """Return what a sequence header and its extensions state.

    Each is given without its start code. Without ``extension`` it is MPEG-1.
    Raises: BitstreamDamaged.
    """
    bits = BitReader(unit[:16])
    width, height, aspect, rate_code = bits.u(12), bits.u(12), bits.u(4), bits.u(4)
    rate = Fraction(_RATES[rate_code - 1]) if 1 <= rate_code <= 8 else None
    stated: dict[str, Any] = {"bit_depth": 8}
    if extension is None:
        return StreamHeader(
            width=width,
            height=height,
            timing_rate=rate,
            chroma="4:2:0",
            sar=_mpeg1_sar(aspect),
            **stated,
        )
    bits = BitReader(extension[:16])
    bits.skip(4)
    stated |= _profile_and_level(bits)
    stated["progressive_sequence"] = bits.flag()
    stated["chroma"] = _CHROMA[bits.u(2)]
    width, height = width | bits.u(2) << 12, height | bits.u(2) << 12
    bits.skip(22)
    stated["timing_rate"] = rate and rate * (bits.u(2) + 1) / (bits.u(5) + 1)
    if aspect == 1:
        stated["sar"] = Fraction(1)
    elif aspect in _DISPLAY_RATIOS and width and height:
        stated["sar"] = _DISPLAY_RATIOS[aspect] * Fraction(height, width)
    if display:
        stated |= _display_colours(display)
    return StreamHeader(width=width, height=height, **stated)


def _mpeg1_sar(code: int) -> Fraction | None:
    if code == 1:
        return Fraction(1)
    return Fraction(10000, _PEL_RATIOS[code - 2]) if 2 <= code <= 14 else None


def _profile_and_level(bits: BitReader) -> dict[str, Any]:
    escape, profile, level = bits.u(1), bits.u(3), bits.u(4)
    if escape:
        name = "4:2:2" if level in _ESCAPED_LEVELS else None
        return {"profile": name, "level": _ESCAPED_LEVELS.get(level)}
    return {"profile": _PROFILES.get(profile), "level": _LEVELS.get(level)}


def _display_colours(display: bytes) -> dict[str, Any]:
    bits = BitReader(display[:16])
    bits.skip(7)
    if not bits.flag():
        return {}
    return {"primaries": bits.u(8), "transfer": bits.u(8), "matrix": bits.u(8)}


class _Packet(NamedTuple):
    """What the headers of a packet state.

    kind                picture_coding_type; 0: no picture; _ONLY_HEADERS
    structure           picture_structure
    temporal_reference  of the picture
    closed              closed_gop of a group header
    """

    kind: int
    structure: int
    temporal_reference: int
    closed: bool


class Mpeg2Reader(BitstreamReader):
    """Classify the packets of an MPEG-1 or MPEG-2 video stream in decode order."""

    intra_is_idr = True

    def __init__(self, extradata: bytes | None) -> None:
        super().__init__()
        # The last sequence header (0) and its last extensions (by identifier)
        self._raw_headers: dict[int, bytes] = {}
        self._headers_changed = False
        self._headers_in_band = False
        self._headers_first: bool | None = None  # a sequence header preceded the first picture
        # B pictures that come next lead an I picture of an open GOP.
        self._open_leading = False
        # temporal_reference and picture_structure of a field whose second field may follow
        self._open_field: tuple[int, int] | None = None
        self._fields = False
        self._top_field_first: set[bool] = set()
        self._repeat_first_field: set[bool] = set()
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Read sequence headers that are stored apart from the packets."""
        self._read_packet(extradata)
        self._headers_in_band = False

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's picture."""
        packet = self._read_packet(data)
        if not 1 <= packet.kind <= 4:
            return NO_PICTURE if packet.kind == _ONLY_HEADERS else NO_PICTURE | UNREADABLE
        if self._headers_first is None:
            self._headers_first = self._headers_in_band or (None if self._raw_headers else False)
        if self._headers_changed:
            self._read_headers()
        if packet.structure != _FRAME and self._is_second_field(data, packet):
            return SECOND_FIELD
        if packet.kind == _I:
            self._open_leading = not packet.closed
            return NON_IDR_RAP | INTRA
        if packet.kind == _B:
            return BIDIRECTIONAL | OPEN_LEADING if self._open_leading else BIDIRECTIONAL
        self._open_leading = False
        return 0

    def _read_packet(self, data: Data) -> _Packet:
        kind, structure, reference, closed = 0, _FRAME, 0, False
        for at in unit_starts(data, 0):
            code = data[at]
            if code == _PICTURE and len(data) > at + 2:
                kind = data[at + 2] >> 3 & 7
                reference = data[at + 1] << 2 | data[at + 2] >> 6
            elif code == _GROUP and len(data) > at + 4:
                closed = bool(data[at + 4] & 0x40)
            elif code == _SEQUENCE:
                kind = kind or _ONLY_HEADERS
                self._headers_in_band = True
                self._store_header(0, bytes(data[at + 1 : at + 13]))
            elif code == _EXTENSION and len(data) > at + 5:
                identifier = data[at + 1] >> 4
                if identifier == _CODING_EXTENSION:
                    structure = data[at + 3] & 3
                    self._top_field_first.add(bool(data[at + 4] & 0x80))
                    self._repeat_first_field.add(bool(data[at + 4] & 0x02))
                elif identifier in (_SEQUENCE_EXTENSION, _DISPLAY_EXTENSION):
                    self._store_header(identifier, bytes(data[at + 1 : at + 13]))
            elif 0 < code <= _LAST_SLICE and kind > 0:
                break
        return _Packet(kind, structure, reference, closed)

    def _store_header(self, identifier: int, unit: bytes) -> None:
        if self._raw_headers.get(identifier) != unit:
            self._raw_headers[identifier] = unit
            self._headers_changed = True

    def _is_second_field(self, data: Data, packet: _Packet) -> bool:
        """Return True if a field picture completes the frame of the previous packet."""
        self._fields = True
        previous, self._open_field = self._open_field, None
        if previous == (packet.temporal_reference, _FRAME - packet.structure):
            return True
        if not _holds_other_field(data, packet.structure):
            self._open_field = packet.temporal_reference, packet.structure
        return False

    def _read_headers(self) -> None:
        self._headers_changed = False
        raw = self._raw_headers
        try:
            header = parse_sequence(
                raw.get(0, b""), raw.get(_SEQUENCE_EXTENSION), raw.get(_DISPLAY_EXTENSION)
            )
        except BitstreamDamaged as damage:
            self._add_fault(f"a sequence header is damaged ({damage})")
            return
        self._use_header(header)

    def header(self) -> StreamHeader:
        """Return what the first sequence header states, and what later pictures add."""
        first = self._headers_first
        if first is None and self._raw_headers:
            first = not self._headers_in_band
        return replace(
            self._first_header or StreamHeader(),
            field_pictures=self._fields,
            size_changes=self._size_changes,
            parameter_sets_first=first,
            top_field_first=tuple(sorted(self._top_field_first)) or None,
            repeat_first_field=tuple(sorted(self._repeat_first_field)) or None,
        )


def _holds_other_field(data: Data, structure: int) -> bool:
    """Return True if the packet also holds a field picture of the other parity."""
    return any(
        data[at] == _EXTENSION
        and len(data) > at + 5
        and data[at + 1] >> 4 == _CODING_EXTENSION
        and data[at + 3] & 3 != structure
        for at in unit_starts(data, 0)
    )
