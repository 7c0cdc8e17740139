"""HEVC (ITU-T H.265): of each packet the kind of picture, by its NAL unit type; nothing is decoded. Only the base layer counts."""

from __future__ import annotations

from dataclasses import replace
from struct import Struct

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream._nal import (
    CUT_UNIT,
    Data,
    SeiNotes,
    arrays,
    framing,
    is_cut,
    sei_messages,
    starts,
    unescaped,
)
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    IDR,
    INTRA,
    NO_PICTURE,
    OPENS,
    RAP,
    REFRESH,
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)
from mediaprep.probing.bitstream.hevc_sets import HevcSps, parse_sps

_LENGTH = Struct(">I").unpack_from
_SPS, _PPS, _SEI = 33, 34, 39
_HARMLESS = set(
    range(32, 41)
)  # parameter sets, SEI, delimiters, filler: no picture is lost with them
_MOST_SPS, _MOST_PPS = 15, 63
_HEAD = 16
_SEI_KEPT = 256
_TOPS, _BOTTOMS = (1, 9, 11), (2, 10, 12)  # pic_struct of single fields (table D.2)
# nal_unit_type of slices (table 7-1): RADL 6 7, RASL 8 9, BLA 16-18, IDR 19 20, CRA 21
_KINDS = {6: BIDIRECTIONAL, 7: BIDIRECTIONAL, 8: OPENS | BIDIRECTIONAL, 9: OPENS | BIDIRECTIONAL}
_KINDS |= {
    16: RAP | INTRA,
    17: RAP | INTRA,
    18: RAP | INTRA,
    19: IDR | INTRA,
    20: IDR | INTRA,
    21: RAP | INTRA,
}
_TYPES = {0: BIDIRECTIONAL, 1: 0, 2: INTRA}
# The same for the byte after the header of a first slice that uses PPS 0, where the PPS has no extra slice header bits:
# first_slice_segment_in_pic_flag, pps id 0 as "1", slice_type.
_FIRST = tuple(
    {0b11010: 0, 0b11011: INTRA}.get(byte >> 3, BIDIRECTIONAL if byte >> 5 == 0b111 else -1)
    for byte in range(256)
)


class HevcReader:
    """Reads packets in decode order; ``picture`` says of each what it is, ``header`` what the stream states."""

    def __init__(self, extradata: bytes | None) -> None:
        self.faults: dict[str, int] = {}
        self._notes = SeiNotes()
        self._sps: dict[int, HevcSps] = {}
        self._pps: dict[int, tuple[int, int]] = {}  # id: SPS id, extra slice header bits
        self._raw: dict[tuple[int, int], bytes] = {}
        self._first: StreamHeader | None = None
        self._active: HevcSps | None = None
        self._sizes: set[tuple[int | None, int | None]] = set()
        self._complete: bool | None = None
        self._in_band = False  # a set was met in a packet
        self._given = False  # sets came with Annex B extradata: perhaps the demuxer's own copy of sets that come later
        self._sound = True  # the last packet without a picture was whole
        self._pending = True
        self._plain = False  # the byte after the NAL header tells the slice type
        self._structs: set[int] = set()
        self._struct: int | None = None
        self._open_field: int | None = (
            None  # pic_struct of a field whose other half is due; 0: not known
        )
        self._sei: dict[bytes, tuple[bool, int | None]] = {}
        self._recovery = False
        self._width = 0
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Takes in extradata: an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1) or Annex B parameter sets."""
        in_band = self._in_band
        try:
            if extradata[:3] in (b"\0\0\1", b"\0\0\0") or len(extradata) < 23:
                self._front(extradata, 0)
            else:
                self._record(extradata)
        except BitstreamDamaged as damage:
            self._fault(f"the decoder configuration is damaged ({damage})")
        self._in_band = in_band

    def _record(self, record: bytes) -> None:
        self._width = (record[21] & 3) + 1
        at = 23
        for _ in range(record[22]):
            units = list(arrays(record, at + 3, int.from_bytes(record[at + 1 : at + 3], "big")))
            at += 3 + sum(2 + len(unit) for unit in units)
            for unit in units:
                self._unit(unit)

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the packet holds: flags of header.py."""
        if self._width == 4 and self._plain and not self._pending and len(data) > 7:
            kind = data[4] >> 1
            if kind < 10 and not data[4] & 1 and data[5] < 8:
                code, next_ = _FIRST[data[6]], _LENGTH(data)[0] + 4
                if code >= 0 and (next_ == len(data) or next_ == 5 or not is_cut(data, 4, next_)):
                    return _KINDS.get(kind, code)
        width = framing(data, self._width)
        self._recovery, self._struct = False, None
        if width and is_cut(data, width):
            self._fault(CUT_UNIT)
        start = self._front(data, width)
        if start < 0:
            return NO_PICTURE if self._sound else NO_PICTURE | UNREADABLE
        try:
            return self._picture(data, start)
        except BitstreamDamaged as damage:
            self._fault(f"a slice header is damaged ({damage})")
            return NO_PICTURE | UNREADABLE

    def _front(self, data: Data, width: int) -> int:
        """Takes in what stands before the first slice of the base layer; returns where that begins, -1: there is none."""
        before, kinds = -1, set()
        for start in starts(data, width):
            if before >= 0:
                self._unit(bytes(data[before : start - (width or 3)]))
                before = -1
            head = data[start]
            if head & 0x80:
                self._fault("a NAL unit has its forbidden bit set")
                kinds.add(0)
            elif start + 2 < len(data) and not head & 1 and data[start + 1] < 8:
                kind = head >> 1
                if kind < 10 or 16 <= kind < 22:
                    return start
                kinds.add(kind)
                before = start if kind in (_SPS, _PPS, _SEI) else -1
        if before >= 0:
            self._unit(bytes(data[before:]))
        self._sound = bool(kinds) and kinds <= _HARMLESS
        return -1

    def _unit(self, unit: bytes) -> None:
        """Takes in an SEI NAL unit or a parameter set; one that was seen before costs nothing."""
        kind = unit[0] >> 1 if len(unit) > 2 else 0
        if kind in (_SPS, _PPS):
            self._parameter_set(kind, unit)
        elif kind == _SEI:
            if unit not in self._sei:
                if len(self._sei) >= _SEI_KEPT:
                    self._sei.clear()
                self._sei[unit] = self._read_sei(unescaped(unit[2:]))
            recovery, struct = self._sei[unit]
            self._recovery |= recovery
            self._struct = self._struct if struct is None else struct

    def _read_sei(self, rbsp: bytes) -> tuple[bool, int | None]:
        """Takes in the messages; returns whether a recovery point is among them, and pic_struct."""
        recovery, struct = False, None
        sps = self._active or next(iter(self._sps.values()), None)
        for kind, payload in sei_messages(rbsp):
            try:
                if kind == 6:
                    recovery = True
                elif kind == 1 and sps and sps.field_info:
                    struct = BitReader(payload).u(4)
                    self._structs.add(struct)
                else:
                    self._notes.read(kind, payload)
            except BitstreamDamaged:
                self._fault("an SEI message is damaged")
        return recovery, struct

    def _parameter_set(self, kind: int, unit: bytes) -> None:
        self._in_band = True
        try:
            if kind == _SPS:
                number, sps = (0, None) if self._raw.get((kind, -1)) == unit else parse_sps(unit)
                if sps is None:
                    return
                if number > _MOST_SPS:
                    raise BitstreamDamaged("no such id")
                self._sps[number] = sps
                self._raw[kind, -1] = unit
            else:
                bits = BitReader(unescaped(unit[2:32]))
                number = bits.ue()
                if number > _MOST_PPS:
                    raise BitstreamDamaged("no such id")
                if self._raw.get((kind, number)) == unit:
                    return
                sps_number = bits.ue()
                bits.skip(2)
                self._pps[number] = sps_number, bits.u(3)
                self._raw[kind, number] = unit
        except BitstreamDamaged as damage:
            self._fault(f"a parameter set is damaged ({damage})")
            return
        self._pending = True

    def _picture(self, data: Data, start: int) -> int:
        kind = data[start] >> 1
        bits = BitReader(unescaped(bytes(data[start + 2 : start + _HEAD])))
        if not bits.flag():
            self._fault("a picture lacks its first slice")
        if kind >= 16:
            bits.skip(1)
        number = bits.ue()
        if kind >= 16 or self._pending:
            self._activate(number)
        code = _KINDS.get(kind, -1)
        if code < 0:
            bits.skip(self._pps.get(number, (0, 0))[1])
            code = _TYPES.get(bits.ue(), 0)
        if self._recovery and kind < 16:
            code |= REFRESH
        return (
            code | self._second_field(kind)
            if self._active and self._active.header.field_seq
            else code
        )

    def _activate(self, number: int) -> None:
        sps = self._sps.get(self._pps.get(number, (-1, 0))[0])
        if self._complete is None and not self._given:
            self._complete = sps is not None and (self._in_band or self._width > 0)
            self._given = sps is not None and not self._complete
        if sps is None:
            return
        self._active, self._pending = sps, False
        self._plain = not self._pps.get(0, (0, 0))[1] and not sps.field_info
        self._first = self._first or sps.header
        self._sizes.add((sps.header.width, sps.header.height))

    def _second_field(self, kind: int) -> int:
        """SECOND_FIELD where this field completes the frame of the one before: the other parity, directly after it."""
        here, before = self._struct or 0, self._open_field
        if (
            before is not None
            and kind < 16
            and not (here in _TOPS and before in _TOPS)
            and not (here in _BOTTOMS and before in _BOTTOMS)
        ):
            self._open_field = None
            return SECOND_FIELD
        self._open_field = here
        return 0

    def _fault(self, clause: str) -> None:
        self.faults[clause] = self.faults.get(clause, 0) + 1

    def header(self) -> StreamHeader:
        """What the stream states: of the set used first, with what was met later."""
        first = self._first or next((sps.header for sps in self._sps.values()), StreamHeader())
        return replace(
            first,
            field_pictures=bool(first.field_seq),
            pic_struct=tuple(sorted(self._structs)) or None,
            size_changes=len(self._sizes) > 1 if self._sizes else None,
            parameter_sets_first=not self._in_band if self._given else self._complete,
            **self._notes.values,
        )
