"""H.264 (ITU-T H.264): of each packet the kind of picture, of the stream what parameter sets and SEI state; nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from struct import Struct
from typing import NamedTuple, TypeAlias

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
from mediaprep.probing.bitstream.h264_sets import H264Sps, parse_sps
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    IDR,
    INTRA,
    NO_PICTURE,
    RAP,
    REFRESH,
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)

_LENGTH = Struct(">I").unpack_from
_NON_IDR, _PARTITION, _IDR, _SEI, _SPS, _PPS = 1, 2, 5, 6, 7, 8
_SLICES = (_NON_IDR, _PARTITION, _IDR)
_HARMLESS = set(
    range(6, 16)
)  # parameter sets, SEI, delimiters, filler: no picture is lost with them
_INTRA_TYPES = (2, 4, 7, 9)
_MOST_IDS = {_SPS: 31, _PPS: 255}
_HEAD = 32  # bytes that hold a slice header up to pic_order_cnt_lsb, escapes included
_SEI_KEPT = 256
Head: TypeAlias = "tuple[H264Sps | None, bytes]"


class SliceHeader(NamedTuple):
    """The front of a slice header (7.3.3); a tuple because one is made for every picture of an interlaced stream."""

    kind: int
    frame_num: int
    field: bool
    bottom: bool
    poc_lsb: int | None


def _slice_types() -> bytes:
    """slice_type by the byte after the NAL header, for slices that begin a picture (first_mb_in_slice 0); 255 where it does not fit."""
    table = bytearray([255] * 256)
    for byte in range(128, 256):
        rest = byte & 127
        zeros = 7 - rest.bit_length()
        if 2 * zeros + 1 <= 7:
            table[byte] = (rest >> (6 - 2 * zeros)) - 1
    return bytes(table)


_TYPE = _slice_types()
_PLAIN = tuple({0: 0, 5: 0, 1: BIDIRECTIONAL, 6: BIDIRECTIONAL}.get(kind, -1) for kind in _TYPE)


class H264Reader:
    """Reads packets in decode order; ``picture`` says of each what it is, ``header`` what the stream states."""

    def __init__(self, extradata: bytes | None) -> None:
        self.faults: dict[str, int] = {}
        self._notes = SeiNotes()
        self._pps: dict[int, int] = {}
        self._sps: dict[int, H264Sps] = {}
        self._raw: dict[tuple[int, int], bytes] = {}
        self._active: H264Sps | None = None
        self._first: StreamHeader | None = None
        self._sizes: set[tuple[int | None, int | None]] = set()
        self._complete: bool | None = None  # parameter sets came before the first slice
        self._in_band = False  # a set was met in a packet
        self._given = False  # sets came with Annex B extradata: perhaps the demuxer's own copy of sets that come later
        self._sound = True  # the last packet without a picture was whole
        self._pending = True  # look up the active set at the next slice
        self._frame_only = False
        self._open_field: tuple[int, bool] | None = None
        self._fields = False
        self._structs: set[int] = set()
        self._sei: dict[bytes, int | None] = {}
        self._recovery: int | None = None
        self._at = 0
        self._width = 0
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Takes in extradata: an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) or Annex B parameter sets."""
        in_band = self._in_band
        try:
            if extradata[0] == 1 and len(extradata) >= 7:
                self._width = (extradata[4] & 3) + 1
                sets = list(arrays(extradata, 6, extradata[5] & 31))
                at = 6 + sum(2 + len(unit) for unit in sets)
                sets += arrays(extradata, at + 1, extradata[at] if at < len(extradata) else 0)
                for unit in sets:
                    self._parameter_set(unit)
            else:
                self._front(extradata, 0)
        except BitstreamDamaged as damage:
            self._fault(f"the decoder configuration is damaged ({damage})")
        self._in_band = in_band

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the packet holds: flags of header.py."""
        # The usual packet, at one glance; a start code of 4 bytes in place of the length reads alike.
        if (
            self._width == 4
            and self._frame_only
            and not self._pending
            and len(data) > 5
            and data[4] & 0x9F == _NON_IDR
        ):
            code, next_ = _PLAIN[data[5]], _LENGTH(data)[0] + 4
            if code >= 0 and (next_ == len(data) or next_ == 5 or not is_cut(data, 4, next_)):
                self._at = 4
                return code
        width = framing(data, self._width)
        self._recovery = None
        if width and is_cut(data, width):
            self._fault(CUT_UNIT)
        start = self._front(data, width)
        if start < 0:
            return NO_PICTURE if self._sound else NO_PICTURE | UNREADABLE
        try:
            return self._picture(data, start, width)
        except BitstreamDamaged as damage:
            self._fault(f"a slice header is damaged ({damage})")
            return NO_PICTURE | UNREADABLE

    def _front(self, data: Data, width: int) -> int:
        """Takes in what stands before the first slice; returns where that begins, -1: there is none."""
        before, kinds = -1, set()
        for start in starts(data, width):
            if before >= 0:
                self._unit(bytes(data[before : start - (width or 3)]))
            head = data[start]
            if head & 0x80:
                self._fault("a NAL unit has its forbidden bit set")
                kinds, before = {0}, -1
                break
            if head & 31 in _SLICES:
                return start
            kinds.add(head & 31)
            before = start if head & 31 in (_SEI, _SPS, _PPS) else -1
        if before >= 0:
            self._unit(bytes(data[before:]))
        self._sound = bool(kinds) and kinds <= _HARMLESS
        return -1

    def _unit(self, unit: bytes) -> None:
        if unit[0] & 31 != _SEI:
            self._parameter_set(unit)
            return
        if unit not in self._sei:
            if len(self._sei) >= _SEI_KEPT:
                self._sei.clear()
            self._sei[unit] = self._read_sei(unescaped(unit[1:]))
        if self._sei[unit] is not None:
            self._recovery = self._sei[unit]

    def _read_sei(self, rbsp: bytes) -> int | None:
        """Takes in the messages; returns recovery_frame_cnt, None where there is none."""
        recovery = None
        sps = self._active or next(iter(self._sps.values()), None)
        for kind, payload in sei_messages(rbsp):
            try:
                if kind == 6:
                    recovery = BitReader(payload).ue()
                elif kind == 1 and sps and sps.timing_skip is not None:
                    bits = BitReader(payload)
                    bits.skip(sps.timing_skip)
                    self._structs.add(bits.u(4))
                else:
                    self._notes.read(kind, payload)
            except BitstreamDamaged:
                self._fault("an SEI message is damaged")
        return recovery

    def _parameter_set(self, unit: bytes) -> None:
        """Takes in an SPS or PPS; one that was seen before in its place costs nothing."""
        kind = unit[0] & 31 if unit else 0
        if kind not in (_SPS, _PPS):
            return
        self._in_band = True
        try:
            bits = BitReader(unescaped(unit[1:32]))
            if kind == _SPS:
                bits.skip(24)
            number = bits.ue()
            if number > _MOST_IDS[kind]:
                raise BitstreamDamaged("no such id")
            if self._raw.get((kind, number)) == unit:
                return
            if kind == _SPS:
                self._sps[number] = parse_sps(unit)[1]
            else:
                self._pps[number] = bits.ue()
        except BitstreamDamaged as damage:
            self._fault(f"a parameter set is damaged ({damage})")
            return
        self._raw[kind, number] = unit
        self._pending = True

    def _activate(self, data: Data, start: int) -> None:
        """Finds the sets that the slice refers to."""
        bits = BitReader(unescaped(bytes(data[start + 1 : start + _HEAD])))
        bits.ue()
        bits.ue()
        sps = self._sps.get(self._pps.get(bits.ue(), -1))
        if self._complete is None and not self._given:
            self._complete = sps is not None and (self._in_band or self._width > 0)
            self._given = sps is not None and not self._complete
        if sps is None:
            return
        self._active, self._pending = sps, False
        self._frame_only = sps.frame_only
        self._first = self._first or sps.header
        self._sizes.add((sps.header.width, sps.header.height))

    def _fault(self, clause: str) -> None:
        self.faults[clause] = self.faults.get(clause, 0) + 1

    def _picture(self, data: Data, start: int, width: int) -> int:
        kind = data[start] & 31
        self._at = start
        if start + 1 >= len(data):
            raise BitstreamDamaged("it is empty")
        if kind == _IDR or self._pending:
            self._activate(data, start)
        slice_type = _TYPE[data[start + 1]]
        if slice_type == 255:
            slice_type = self._slice_type(data, start)
        code = BIDIRECTIONAL if slice_type in (1, 6) else 0
        if kind == _IDR:
            code = IDR | INTRA
        elif slice_type in _INTRA_TYPES and (slice_type > 4 or self._all_intra(data, start, width)):
            code = INTRA
        if self._recovery is not None and kind != _IDR:
            code |= RAP if code == INTRA and self._recovery == 0 else REFRESH
        return code if self._frame_only else code | self._second_field(data, start, width)

    def _slice_type(self, data: Data, start: int) -> int:
        """slice_type of a slice that may begin anywhere in the picture."""
        bits = BitReader(unescaped(bytes(data[start + 1 : start + _HEAD])))
        bits.ue()
        kind = bits.ue()
        if kind > 9:
            raise BitstreamDamaged("no such slice type")
        return kind

    def _all_intra(self, data: Data, start: int, width: int) -> bool:
        """Whether every slice of the picture is intra; a field pair counts by its first field."""
        sps = None if self._frame_only else self._active
        first = read_slice(sps, data, start) if sps else None
        for at in starts(data, width, start - (width or 3)):
            if data[at] & 31 not in _SLICES:
                continue
            if sps and first and first.field and read_slice(sps, data, at).bottom != first.bottom:
                continue
            if self._slice_type(data, at) not in _INTRA_TYPES:
                return False
        return True

    def _second_field(self, data: Data, start: int, width: int) -> int:
        """SECOND_FIELD where this picture is the other field of the one before (7.4.1.2.4)."""
        sps, before, self._open_field = self._active, self._open_field, None
        if sps is None:
            return 0
        here = read_slice(sps, data, start)
        if not here.field:
            return 0
        self._fields = True
        for at in starts(data, width, start - (width or 3)):
            if data[at] & 31 in _SLICES and read_slice(sps, data, at).bottom != here.bottom:
                return 0
        if before == (here.frame_num, not here.bottom) and data[start] & 31 != _IDR:
            return SECOND_FIELD
        self._open_field = here.frame_num, here.bottom
        return 0

    def head(self, data: Data) -> Head:
        """What ``output_order`` needs of the packet last given to ``picture``."""
        return self._active, bytes(data[self._at : self._at + _HEAD])

    def header(self) -> StreamHeader:
        """What the stream states: of the set used first, with what was met later."""
        first = self._first or next((sps.header for sps in self._sps.values()), StreamHeader())
        return replace(
            first,
            field_pictures=self._fields,
            pic_struct=tuple(sorted(self._structs)) or None,
            size_changes=len(self._sizes) > 1 if self._sizes else None,
            parameter_sets_first=not self._in_band if self._given else self._complete,
            **self._notes.values,
        )


def read_slice(sps: H264Sps, data: Data, start: int) -> SliceHeader:
    """The front of the slice header at ``start``. Raises: Damaged."""
    bits = BitReader(unescaped(bytes(data[start + 1 : start + _HEAD])))
    bits.ue()
    kind = bits.ue()
    bits.ue()
    if sps.planes_apart:
        bits.skip(2)
    frame_num = bits.u(sps.frame_num_bits)
    field = not sps.frame_only and bits.flag()
    bottom = field and bits.flag()
    if data[start] & 31 == _IDR:
        bits.ue()
    return SliceHeader(
        kind, frame_num, field, bottom, bits.u(sps.poc_bits) if sps.poc_type == 0 else None
    )


def output_order(heads: Iterable[Head]) -> list[int] | None:
    """A number for each picture that sorts like its output time: the picture order count (8.2.1), raised at each IDR picture.
    None where it cannot be told (parameter sets missing, order count type 1)."""
    order: list[int] = []
    base = msb = last = top = 0
    for index, (sps, head) in enumerate(heads):
        if sps is None or sps.poc_type == 1 or not head:
            return None
        if sps.poc_type == 2:
            order.append(index if index > top else top + 1)
            top = order[-1]
            continue
        try:
            lsb = read_slice(sps, head, 0).poc_lsb or 0
        except BitstreamDamaged:
            return None
        span = 1 << sps.poc_bits
        if head[0] & 31 == _IDR:
            base, msb, last = top + 1, 0, 0
        elif index == 0:
            last = lsb
        if lsb < last and last - lsb >= span // 2:
            high = msb + span
        elif lsb > last and lsb - last > span // 2:
            high = msb - span
        else:
            high = msb
        order.append(base + high + lsb)
        top = max(top, order[-1])
        if head[0] & 0x60:
            msb, last = high, lsb
    return order
