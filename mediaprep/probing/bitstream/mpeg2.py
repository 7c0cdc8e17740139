"""MPEG-1 and MPEG-2 video (ISO/IEC 11172-2, ITU-T H.262): of each packet the kind of picture; nothing is decoded."""

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
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)

_PICTURE, _SEQUENCE, _EXTENSION, _GROUP = 0x00, 0xB3, 0xB5, 0xB8
_RATES = ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")  # H.262 table 6-4
_DISPLAY = {2: Fraction(4, 3), 3: Fraction(16, 9), 4: Fraction(221, 100)}  # H.262 table 6-3
_PEL_HEIGHTS = (
    6735,
    7031,
    7615,
    8055,
    8437,
    8935,
    9157,
    9815,
    10255,
    10695,
    10950,
    11575,
    12015,
)  # 11172-2 2.4.3.2, codes 2-14, of 10000
_PROFILES = {1: "High", 2: "Spatially Scalable", 3: "SNR Scalable", 4: "Main", 5: "Simple"}
_LEVELS = {4: "High", 6: "High 1440", 8: "Main", 10: "Low"}
_NOTHING_LOST = -1  # instead of a picture_coding_type: headers only
_FRAME = 3  # picture_structure; 1 and 2 are top and bottom fields


def parse_sequence(unit: bytes, extension: bytes | None, display: bytes | None) -> StreamHeader:
    """A sequence header with its extensions (each from the byte after its start code's value on). Raises: Damaged."""
    bits = BitReader(unit[:16])
    width, height, aspect, rate_code = bits.u(12), bits.u(12), bits.u(4), bits.u(4)
    rate = Fraction(_RATES[rate_code - 1]) if 1 <= rate_code <= 8 else None
    told: dict[str, Any] = {"chroma": "4:2:0", "bit_depth": 8}
    if extension is None:
        told["sar"] = (
            Fraction(1)
            if aspect == 1
            else Fraction(10000, _PEL_HEIGHTS[aspect - 2])
            if 2 <= aspect <= 14
            else None
        )
        return StreamHeader(width=width, height=height, timing_rate=rate, **told)
    bits = BitReader(extension[:16])
    bits.skip(4)
    escape, profile, level = bits.u(1), bits.u(3), bits.u(4)
    told["profile_idc"] = 0 if escape else profile
    told["profile"] = (
        "4:2:2" if escape and level in (2, 5) else None if escape else _PROFILES.get(profile)
    )
    told["level"] = ({2: "High", 5: "Main"} if escape else _LEVELS).get(level)
    told["progressive_sequence"], told["chroma"] = (
        bits.flag(),
        (None, "4:2:0", "4:2:2", "4:4:4")[bits.u(2)],
    )
    width, height = width | bits.u(2) << 12, height | bits.u(2) << 12
    bits.skip(22)
    told["timing_rate"] = rate and rate * (bits.u(2) + 1) / (bits.u(5) + 1)
    if aspect == 1:
        told["sar"] = Fraction(1)
    elif aspect in _DISPLAY and width and height:
        told["sar"] = _DISPLAY[aspect] * Fraction(height, width)
    if display:
        bits = BitReader(display[:16])
        bits.skip(7)
        if bits.flag():
            told |= {"primaries": bits.u(8), "transfer": bits.u(8), "matrix": bits.u(8)}
    return StreamHeader(width=width, height=height, **told)


class Mpeg2Reader:
    """Reads packets in decode order. Nothing but B refers behind an I, so an I without open leading B is as good as IDR."""

    intra_is_idr = True

    def __init__(self, extradata: bytes | None) -> None:
        self.faults: dict[str, int] = {}
        self._raw: dict[
            int, bytes
        ] = {}  # the sequence header (0) and its extensions (by id), as last met
        self._first: StreamHeader | None = None
        self._sizes: set[tuple[int | None, int | None]] = set()
        self._complete: bool | None = None
        self._changed = False
        self._in_band = False
        self._leading = False  # the pictures next decoded are still the leading ones of an open GOP
        self._field: tuple[int, int] | None = (
            None  # temporal reference and structure of a field whose other half is due
        )
        self._fields = False
        self._seen: dict[str, set[bool]] = {
            "progressive_frame": set(),
            "top_field_first": set(),
            "repeat_first_field": set(),
        }
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Takes in sequence headers that stand apart from the packets."""
        self._read(extradata)
        self._in_band = False

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the packet holds: flags of header.py."""
        kind, structure, reference, closed = self._read(data)
        if not 1 <= kind <= 4:
            return NO_PICTURE if kind == _NOTHING_LOST else NO_PICTURE | UNREADABLE
        if self._complete is None:
            self._complete = self._in_band or (None if self._raw else False)
        if self._changed:
            self._sequence()
        if structure != _FRAME:
            self._fields = True
            before, self._field = self._field, None
            if before and before[0] == reference and before[1] + structure == _FRAME:
                return SECOND_FIELD
            if not self._both_fields(data, structure):
                self._field = reference, structure
        if kind == 1:
            self._leading = not closed
            return RAP | INTRA
        if kind == 3:
            return BIDIRECTIONAL | OPENS if self._leading else BIDIRECTIONAL
        self._leading = False
        return 0

    def _read(self, data: Data) -> tuple[int, int, int, bool]:
        """picture_coding_type (0: none; -1: none, only headers), picture_structure, temporal reference, closed_gop of a group header."""
        kind, structure, reference, closed = 0, _FRAME, 0, False
        for at in starts(data, 0):
            code = data[at]
            if code == _PICTURE and len(data) > at + 2:
                kind, reference = data[at + 2] >> 3 & 7, data[at + 1] << 2 | data[at + 2] >> 6
            elif code == _GROUP and len(data) > at + 4:
                closed = bool(data[at + 4] & 0x40)
            elif code == _SEQUENCE:
                kind = kind or _NOTHING_LOST
                self._in_band = True
                self._keep(0, bytes(data[at + 1 : at + 13]))
            elif code == _EXTENSION and len(data) > at + 5:
                number = data[at + 1] >> 4
                if number == 8:
                    structure = data[at + 3] & 3
                    self._note(data[at + 4], data[at + 5])
                elif number in (1, 2):
                    self._keep(number, bytes(data[at + 1 : at + 13]))
            elif 0 < code <= 0xAF and kind > 0:
                break
        return kind, structure, reference, closed

    def _keep(self, number: int, unit: bytes) -> None:
        if self._raw.get(number) != unit:
            self._raw[number] = unit
            self._changed = True

    def _note(self, coding: int, timing: int) -> None:
        """The flags of a picture coding extension (H.262 6.2.3.1)."""
        self._seen["top_field_first"].add(bool(coding & 0x80))
        self._seen["repeat_first_field"].add(bool(coding & 0x02))
        self._seen["progressive_frame"].add(bool(timing & 0x80))

    def _both_fields(self, data: Data, structure: int) -> bool:
        """Whether a field picture of the other parity follows in the packet."""
        for at in starts(data, 0):
            if (
                data[at] == _EXTENSION
                and len(data) > at + 5
                and data[at + 1] >> 4 == 8
                and data[at + 3] & 3 != structure
            ):
                return True
        return False

    def _sequence(self) -> None:
        self._changed = False
        try:
            header = parse_sequence(self._raw.get(0, b""), self._raw.get(1), self._raw.get(2))
        except BitstreamDamaged as damage:
            clause = f"a sequence header is damaged ({damage})"
            self.faults[clause] = self.faults.get(clause, 0) + 1
            return
        self._first = self._first or header
        self._sizes.add((header.width, header.height))

    def header(self) -> StreamHeader:
        """What the stream states: of the first sequence header, with what was met later."""
        seen: dict[str, Any] = {
            name: tuple(sorted(values)) or None for name, values in self._seen.items()
        }
        complete = not self._in_band if self._complete is None and self._raw else self._complete
        return replace(
            self._first or StreamHeader(),
            field_pictures=self._fields,
            size_changes=len(self._sizes) > 1 if self._sizes else None,
            parameter_sets_first=complete,
            **seen,
        )
