"""Classify the pictures of an H.264 stream (ITU-T H.264) without decoding them."""

from __future__ import annotations

from struct import Struct

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.h264_sets import H264Sps, parse_sps
from mediaprep.probing.bitstream.h264_slices import (
    IDR_SLICE,
    SLICE_BYTES,
    SliceFront,
    read_slice,
    slice_bits,
)
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    IDR,
    INTRA,
    NO_PICTURE,
    NON_IDR_RAP,
    REFRESH,
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)
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
# nal_unit_type, table 7-1
_NON_IDR_SLICE, _PARTITION_A, _SEI, _SPS, _PPS = 1, 2, 6, 7, 8
_SLICES = (_NON_IDR_SLICE, _PARTITION_A, IDR_SLICE)
# Parameter sets, SEI, delimiters, filler: no picture is lost if they are damaged.
_HARMLESS = set(range(6, 16))
_INTRA_TYPES = (2, 4, 7, 9)  # slice_type, table 7-6; above 4: all slices of the picture
_MOST_IDS = {_SPS: 31, _PPS: 255}


def _slice_type_table() -> bytes:
    """Return slice_type by the byte after the NAL header of a slice that begins a picture.

    255 for bytes that do not begin with first_mb_in_slice 0 or do not hold the whole slice_type.
    """
    table = bytearray([255] * 256)
    for byte in range(128, 256):
        rest = byte & 127
        zeros = 7 - rest.bit_length()
        if 2 * zeros + 1 <= 7:
            table[byte] = (rest >> (6 - 2 * zeros)) - 1
    return bytes(table)


_SLICE_TYPE = _slice_type_table()
# The flags of a P or B picture by the same byte; -1 for everything else.
_INTER_FLAGS = tuple(
    {0: 0, 5: 0, 1: BIDIRECTIONAL, 6: BIDIRECTIONAL}.get(kind, -1) for kind in _SLICE_TYPE
)


class H264Reader(ParameterSetReader[H264Sps]):
    """Classify the packets of an H.264 stream in decode order."""

    def __init__(self, extradata: bytes | None) -> None:
        super().__init__()
        self._pps: dict[int, int] = {}  # id: SPS id
        self._frames_only = False
        # frame_num and parity of a field whose second field may follow
        self._open_field: tuple[int, bool] | None = None
        self._fields = False
        self._recovery_frames: int | None = None  # of the packet that is being read
        self._slice_at = 0
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Read extradata.

        It is an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) or holds parameter sets
        with start codes (Annex B).
        """
        in_band = self._sets_in_band
        try:
            if extradata[0] == 1 and len(extradata) >= 7:
                self._read_record(extradata)
            else:
                self._read_to_slice(extradata, 0)
        except BitstreamDamaged as damage:
            self._add_fault(f"the decoder configuration is damaged ({damage})")
        self._sets_in_band = in_band

    def _read_record(self, record: bytes) -> None:
        self._length_size = (record[4] & 3) + 1
        sets = list(length_prefixed(record, 6, record[5] & 31))
        at = 6 + sum(2 + len(unit) for unit in sets)
        sets += length_prefixed(record, at + 1, record[at] if at < len(record) else 0)
        for unit in sets:
            self._read_parameter_set(unit)

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's picture."""
        # Fast path for the usual packet: one P or B slice behind a 4-byte length. A 4-byte start
        # code in place of the length looks the same.
        if (
            self._length_size == 4
            and self._frames_only
            and not self._activation_due
            and len(data) > 5
            and data[4] & 0x9F == _NON_IDR_SLICE
        ):
            flags, end = _INTER_FLAGS[data[5]], _LENGTH(data)[0] + 4
            if flags >= 0 and (end == len(data) or end == 5 or not is_cut(data, 4, end)):
                self._slice_at = 4
                return flags
        width = length_size(data, self._length_size)
        self._recovery_frames = None
        if width and is_cut(data, width):
            self._add_fault(CUT_UNIT)
        start = self._read_to_slice(data, width)
        if start < 0:
            return NO_PICTURE if self._harmless else NO_PICTURE | UNREADABLE
        try:
            return self._picture_flags(data, start, width)
        except BitstreamDamaged as damage:
            self._add_fault(f"a slice header is damaged ({damage})")
            return NO_PICTURE | UNREADABLE

    def slice_front(self, data: Data) -> SliceFront:
        """Return what ``output_order`` needs of the packet that was classified last."""
        return self._active, bytes(data[self._slice_at : self._slice_at + SLICE_BYTES])

    def _read_to_slice(self, data: Data, width: int) -> int:
        """Read the NAL units before the first slice; return where that begins, -1 if none does."""
        unread, kinds = -1, set()
        for start in unit_starts(data, width):
            if unread >= 0:
                self._read_unit(bytes(data[unread : start - (width or 3)]))
            head = data[start]
            if head & 0x80:
                self._add_fault("a NAL unit has its forbidden bit set")
                kinds, unread = {0}, -1
                break
            if head & 31 in _SLICES:
                return start
            kinds.add(head & 31)
            unread = start if head & 31 in (_SEI, _SPS, _PPS) else -1
        if unread >= 0:
            self._read_unit(bytes(data[unread:]))
        self._harmless = bool(kinds) and kinds <= _HARMLESS
        return -1

    def _read_unit(self, unit: bytes) -> None:
        if unit[0] & 31 != _SEI:
            self._read_parameter_set(unit)
            return
        sei = self._picture_sei(unit, unescaped(unit[1:]))
        if sei.recovery is not None:
            self._recovery_frames = sei.recovery

    def _recovery(self, payload: bytes) -> int:
        """Read recovery_frame_cnt (D.1.8)."""
        return BitReader(payload).ue()

    def _read_parameter_set(self, unit: bytes) -> None:
        kind = unit[0] & 31 if unit else 0
        if kind not in (_SPS, _PPS):
            return
        self._sets_in_band = True
        try:
            bits = BitReader(unescaped(unit[1:32]))
            if kind == _SPS:
                bits.skip(24)
            number = bits.ue()
            if number > _MOST_IDS[kind]:
                raise BitstreamDamaged("no such id")
            if self._raw_sets.get((kind, number)) == unit:
                return
            if kind == _SPS:
                self._sps[number] = parse_sps(unit)[1]
            else:
                self._pps[number] = bits.ue()
        except BitstreamDamaged as damage:
            self._add_fault(f"a parameter set is damaged ({damage})")
            return
        self._raw_sets[kind, number] = unit
        self._activation_due = True

    def _activate_for(self, data: Data, start: int) -> None:
        """Activate the sequence parameter set that the slice refers to."""
        bits = slice_bits(data, start)
        bits.ue()
        bits.ue()
        sps = self._sps.get(self._pps.get(bits.ue(), -1))
        if sps is not None:
            self._frames_only = sps.frames_only
        self._activate(sps)

    def _picture_flags(self, data: Data, start: int, width: int) -> int:
        kind = data[start] & 31
        self._slice_at = start
        if start + 1 >= len(data):
            raise BitstreamDamaged("it is empty")
        if kind == IDR_SLICE or self._activation_due:
            self._activate_for(data, start)
        slice_type = _SLICE_TYPE[data[start + 1]]
        if slice_type == 255:
            slice_type = self._slice_type(data, start)
        flags = BIDIRECTIONAL if slice_type in (1, 6) else 0
        if kind == IDR_SLICE:
            flags = IDR | INTRA
        elif slice_type in _INTRA_TYPES and (slice_type > 4 or self._all_intra(data, start, width)):
            flags = INTRA
        if self._recovery_frames is not None and kind != IDR_SLICE:
            flags |= NON_IDR_RAP if flags == INTRA and self._recovery_frames == 0 else REFRESH
        return flags if self._frames_only else flags | self._second_field(data, start, width)

    def _slice_type(self, data: Data, start: int) -> int:
        """Read slice_type of a slice that may begin anywhere in the picture."""
        bits = slice_bits(data, start)
        bits.ue()
        kind = bits.ue()
        if kind > 9:
            raise BitstreamDamaged("no such slice type")
        return kind

    def _all_intra(self, data: Data, start: int, width: int) -> bool:
        """Return True if every slice of the picture is intra; of a field pair, the first field."""
        sps = None if self._frames_only else self._active
        first = read_slice(sps, data, start) if sps else None
        for at in unit_starts(data, width, start - (width or 3)):
            if data[at] & 31 not in _SLICES:
                continue
            if sps and first and first.field and read_slice(sps, data, at).bottom != first.bottom:
                continue
            if self._slice_type(data, at) not in _INTRA_TYPES:
                return False
        return True

    def _second_field(self, data: Data, start: int, width: int) -> int:
        """Return SECOND_FIELD if this field completes the frame of the last one (7.4.1.2.4)."""
        sps, previous, self._open_field = self._active, self._open_field, None
        if sps is None:
            return 0
        front = read_slice(sps, data, start)
        if not front.field:
            return 0
        self._fields = True
        for at in unit_starts(data, width, start - (width or 3)):
            if data[at] & 31 in _SLICES and read_slice(sps, data, at).bottom != front.bottom:
                return 0  # the packet holds both fields
        if previous == (front.frame_num, not front.bottom) and data[start] & 31 != IDR_SLICE:
            return SECOND_FIELD
        self._open_field = front.frame_num, front.bottom
        return 0

    def _has_field_pictures(self, header: StreamHeader) -> bool:
        return self._fields
