"""H.264 slice headers, and the output order of pictures by their picture order counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.h264_sets import H264Sps
from mediaprep.probing.bitstream.nal import Data, unescaped

IDR_SLICE = 5  # nal_unit_type, ITU-T H.264 table 7-1
# Bytes that hold a slice header up to pic_order_cnt_lsb, emulation prevention bytes included.
SLICE_BYTES = 32
# The active parameter set of a picture, and the front of its first slice.
SliceFront: TypeAlias = "tuple[H264Sps | None, bytes]"


class SliceHeader(NamedTuple):
    """The front of a slice header (ITU-T H.264 7.3.3).

    A tuple, because one is made for every picture of an interlaced stream.
    """

    frame_num: int
    field: bool
    bottom: bool
    poc_lsb: int | None


def read_slice(sps: H264Sps, data: Data, start: int) -> SliceHeader:
    """Read the slice header of the NAL unit at ``start``. Raises: BitstreamDamaged."""
    bits = slice_bits(data, start)
    bits.ue()  # first_mb_in_slice
    bits.ue()  # slice_type
    bits.ue()  # pic_parameter_set_id
    if sps.separate_planes:
        bits.skip(2)
    frame_num = bits.u(sps.frame_num_bits)
    field = not sps.frames_only and bits.flag()
    bottom = field and bits.flag()
    if data[start] & 31 == IDR_SLICE:
        bits.ue()  # idr_pic_id
    poc_lsb = bits.u(sps.poc_bits) if sps.poc_type == 0 else None
    return SliceHeader(frame_num, field, bottom, poc_lsb)


def slice_bits(data: Data, start: int) -> BitReader:
    """Return a reader of the slice header of the NAL unit at ``start``."""
    return BitReader(unescaped(bytes(data[start + 1 : start + SLICE_BYTES])))


def output_order(fronts: Iterable[SliceFront]) -> list[int] | None:
    """Return a number for each picture; the numbers sort like the pictures' output times.

    The number is the picture order count (ITU-T H.264 8.2.1), raised at each IDR picture. None if
    the order is unknown: parameter sets are missing, or the order count has type 1.
    """
    order: list[int] = []
    base = msb = last_lsb = highest = 0
    for index, (sps, front) in enumerate(fronts):
        if sps is None or sps.poc_type == 1 or not front:
            return None
        if sps.poc_type == 2:  # output order is decode order
            order.append(index if index > highest else highest + 1)
            highest = order[-1]
            continue
        try:
            lsb = read_slice(sps, front, 0).poc_lsb or 0
        except BitstreamDamaged:
            return None
        if front[0] & 31 == IDR_SLICE:
            base, msb, last_lsb = highest + 1, 0, 0
        elif index == 0:
            last_lsb = lsb
        current_msb = msb + _wrap(lsb - last_lsb, 1 << sps.poc_bits)
        order.append(base + current_msb + lsb)
        highest = max(highest, order[-1])
        if front[0] & 0x60:  # nal_ref_idc: a reference picture
            msb, last_lsb = current_msb, lsb
    return order


def _wrap(step: int, span: int) -> int:
    """Return how far pic_order_cnt_lsb wrapped, if it changed by ``step`` of ``span`` values."""
    if step <= -(span // 2):
        return span
    return -span if step > span // 2 else 0
