"""Classify the pictures of an HEVC stream (ITU-T H.265) by their NAL unit types.

Nothing is decoded; only the base layer counts.
"""

from __future__ import annotations

from struct import Struct

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    IDR,
    INTRA,
    NO_PICTURE,
    NON_IDR_RAP,
    OPEN_LEADING,
    REFRESH,
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)
from mediaprep.probing.bitstream.hevc_sets import HevcSps, parse_sps
from mediaprep.probing.bitstream.nal import (
    CUT_UNIT,
    Data,
    is_cut,
    length_prefixed,
    length_size,
    unescaped,
    unit_starts,
)
from mediaprep.probing.bitstream.parameter_sets import ParameterSetReader

_LENGTH = Struct(">I").unpack_from
_SPS, _PPS, _SEI = 33, 34, 39  # nal_unit_type, table 7-1
# Parameter sets, SEI, delimiters, filler: no picture is lost if they are damaged.
_HARMLESS = set(range(32, 41))
_MOST_SPS_ID, _MOST_PPS_ID = 15, 63
_SLICE_BYTES = 16  # of a slice header that are read
_TOP_FIELDS, _BOTTOM_FIELDS = (1, 9, 11), (2, 10, 12)  # pic_struct of single fields (table D.2)
# nal_unit_type of slices (table 7-1): RADL 6 7, RASL 8 9, BLA 16-18, IDR 19 20, CRA 21
_FLAGS = {
    6: BIDIRECTIONAL,
    7: BIDIRECTIONAL,
    8: OPEN_LEADING | BIDIRECTIONAL,
    9: OPEN_LEADING | BIDIRECTIONAL,
    16: NON_IDR_RAP | INTRA,
    17: NON_IDR_RAP | INTRA,
    18: NON_IDR_RAP | INTRA,
    19: IDR | INTRA,
    20: IDR | INTRA,
    21: NON_IDR_RAP | INTRA,
}
_SLICE_TYPE_FLAGS = {0: BIDIRECTIONAL, 1: 0, 2: INTRA}


def _first_byte_flags(byte: int) -> int:
    """Return the flags of a picture by the byte after the NAL header of its first slice.

    -1 if the byte does not hold them. It does if the slice uses PPS 0 and has no extra header bits:
    first_slice_segment_in_pic_flag, slice_pic_parameter_set_id 0 as "1", slice_type.
    """
    if byte >> 5 == 0b111:
        return BIDIRECTIONAL
    return {0b11010: 0, 0b11011: INTRA}.get(byte >> 3, -1)


_FIRST_BYTE_FLAGS = tuple(map(_first_byte_flags, range(256)))


class HevcReader(ParameterSetReader[HevcSps]):
    """Classify the packets of an HEVC stream in decode order."""

    def __init__(self, extradata: bytes | None) -> None:
        super().__init__()
        self._pps: dict[int, tuple[int, int]] = {}  # id: SPS id, extra slice header bits
        self._plain_slices = False  # the byte after the NAL header states the slice type
        # pic_struct of a field whose second field is due; 0: unknown parity
        self._open_field: int | None = None
        self._is_recovery = False  # of the packet that is being read
        self._pic_struct: int | None = None
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Read extradata.

        It is an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1) or holds parameter sets
        with start codes (Annex B).
        """
        in_band = self._sets_in_band
        try:
            if extradata[:3] in (b"\0\0\1", b"\0\0\0") or len(extradata) < 23:
                self._read_to_slice(extradata, 0)
            else:
                self._read_record(extradata)
        except BitstreamDamaged as damage:
            self._add_fault(f"the decoder configuration is damaged ({damage})")
        self._sets_in_band = in_band

    def _read_record(self, record: bytes) -> None:
        self._length_size = (record[21] & 3) + 1
        at = 23
        for _ in range(record[22]):
            count = int.from_bytes(record[at + 1 : at + 3], "big")
            units = list(length_prefixed(record, at + 3, count))
            at += 3 + sum(2 + len(unit) for unit in units)
            for unit in units:
                self._read_unit(unit)

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's picture."""
        # Fast path for the usual packet: a slice that is no random access point, behind a 4-byte
        # length. A 4-byte start code in place of the length looks the same.
        if (
            self._length_size == 4
            and self._plain_slices
            and not self._activation_due
            and len(data) > 7
        ):
            kind = data[4] >> 1
            if kind < 10 and not data[4] & 1 and data[5] < 8:
                flags, end = _FIRST_BYTE_FLAGS[data[6]], _LENGTH(data)[0] + 4
                if flags >= 0 and (end == len(data) or end == 5 or not is_cut(data, 4, end)):
                    return _FLAGS.get(kind, flags)
        width = length_size(data, self._length_size)
        self._is_recovery, self._pic_struct = False, None
        if width and is_cut(data, width):
            self._add_fault(CUT_UNIT)
        start = self._read_to_slice(data, width)
        if start < 0:
            return NO_PICTURE if self._harmless else NO_PICTURE | UNREADABLE
        try:
            return self._picture_flags(data, start)
        except BitstreamDamaged as damage:
            self._add_fault(f"a slice header is damaged ({damage})")
            return NO_PICTURE | UNREADABLE

    def _read_to_slice(self, data: Data, width: int) -> int:
        """Read the NAL units before the base layer's first slice; return where that begins.

        -1 if there is no slice.
        """
        unread, kinds = -1, set()
        for start in unit_starts(data, width):
            if unread >= 0:
                self._read_unit(bytes(data[unread : start - (width or 3)]))
                unread = -1
            head = data[start]
            if head & 0x80:
                self._add_fault("a NAL unit has its forbidden bit set")
                kinds.add(0)
            elif start + 2 < len(data) and not head & 1 and data[start + 1] < 8:
                kind = head >> 1
                if kind < 10 or 16 <= kind < 22:
                    return start
                kinds.add(kind)
                unread = start if kind in (_SPS, _PPS, _SEI) else -1
        if unread >= 0:
            self._read_unit(bytes(data[unread:]))
        self._harmless = bool(kinds) and kinds <= _HARMLESS
        return -1

    def _read_unit(self, unit: bytes) -> None:
        kind = unit[0] >> 1 if len(unit) > 2 else 0
        if kind in (_SPS, _PPS):
            self._read_parameter_set(kind, unit)
        elif kind == _SEI:
            sei = self._picture_sei(unit, unescaped(unit[2:]))
            self._is_recovery |= sei.recovery is not None
            if sei.pic_struct is not None:
                self._pic_struct = sei.pic_struct

    def _recovery(self, payload: bytes) -> int:
        return 0  # recovery_poc_cnt is not needed: its presence is

    def _read_parameter_set(self, kind: int, unit: bytes) -> None:
        self._sets_in_band = True
        try:
            changed = self._read_sps(unit) if kind == _SPS else self._read_pps(unit)
        except BitstreamDamaged as damage:
            self._add_fault(f"a parameter set is damaged ({damage})")
            return
        self._activation_due |= changed

    def _read_sps(self, unit: bytes) -> bool:
        """Read a sequence parameter set; return False if it repeats the last one."""
        if self._raw_sets.get((_SPS, -1)) == unit:
            return False
        number, sps = parse_sps(unit)
        if number > _MOST_SPS_ID:
            raise BitstreamDamaged("no such id")
        self._sps[number] = sps
        self._raw_sets[_SPS, -1] = unit
        return True

    def _read_pps(self, unit: bytes) -> bool:
        """Read a picture parameter set; return False if it repeats the last one of its id."""
        bits = BitReader(unescaped(unit[2:32]))
        number = bits.ue()
        if number > _MOST_PPS_ID:
            raise BitstreamDamaged("no such id")
        if self._raw_sets.get((_PPS, number)) == unit:
            return False
        sps_number = bits.ue()
        bits.skip(2)
        self._pps[number] = sps_number, bits.u(3)
        self._raw_sets[_PPS, number] = unit
        return True

    def _picture_flags(self, data: Data, start: int) -> int:
        kind = data[start] >> 1
        bits = BitReader(unescaped(bytes(data[start + 2 : start + _SLICE_BYTES])))
        if not bits.flag():
            self._add_fault("a picture lacks its first slice")
        if kind >= 16:
            bits.skip(1)
        number = bits.ue()
        if kind >= 16 or self._activation_due:
            self._activate_for(number)
        flags = _FLAGS.get(kind, -1)
        if flags < 0:
            bits.skip(self._pps.get(number, (0, 0))[1])
            flags = _SLICE_TYPE_FLAGS.get(bits.ue(), 0)
        if self._is_recovery and kind < 16:
            flags |= REFRESH
        if self._active and self._active.header.field_seq:
            flags |= self._second_field(kind)
        return flags

    def _activate_for(self, number: int) -> None:
        """Activate the sequence parameter set that picture parameter set ``number`` refers to."""
        sps = self._sps.get(self._pps.get(number, (-1, 0))[0])
        if self._activate(sps) and sps is not None:
            no_extra_bits = not self._pps.get(0, (0, 0))[1]
            self._plain_slices = no_extra_bits and sps.pic_struct_offset is None

    def _second_field(self, kind: int) -> int:
        """Return SECOND_FIELD if this field completes the frame of the previous packet.

        It does if it has the other parity and follows directly.
        """
        field, previous = self._pic_struct or 0, self._open_field
        same_parity = (field in _TOP_FIELDS and previous in _TOP_FIELDS) or (
            field in _BOTTOM_FIELDS and previous in _BOTTOM_FIELDS
        )
        if previous is not None and kind < 16 and not same_parity:
            self._open_field = None
            return SECOND_FIELD
        self._open_field = field
        return 0

    def _has_field_pictures(self, header: StreamHeader) -> bool:
        return bool(header.field_seq)
