"""H.264 sequence parameter sets (ITU-T H.264 7.3.2.1, annexes A and E)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.header import StreamHeader
from mediaprep.probing.bitstream.nal import (
    CHROMA_FORMATS,
    cropped_size,
    read_rate,
    read_signal,
    unescaped,
)

_PROFILES = {
    44: "CAVLC 4:4:4",
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    118: "Multiview High",
    122: "High 4:2:2",
    128: "Stereo High",
    144: "High 4:4:4",
    244: "High 4:4:4 Predictive",
}
# profile_idc of the profiles whose sets hold chroma_format_idc
_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


@dataclass(frozen=True, slots=True)
class H264Sps:
    """A sequence parameter set: what slice headers need, and what it states about the stream.

    pic_struct_offset  bits before pic_struct in a picture timing SEI message; None: no pic_struct
    """

    header: StreamHeader
    separate_planes: bool
    frame_num_bits: int
    poc_type: int
    poc_bits: int
    frames_only: bool
    pic_struct_offset: int | None


def profile_name(profile_idc: int, constraints: int) -> str | None:
    """Return ffmpeg's name of a profile (A.2); None if it is unknown.

    ``constraints``: the byte after profile_idc.
    """
    if profile_idc == 66 and constraints & 0x40:
        return "Constrained Baseline"
    name = _PROFILES.get(profile_idc)
    intra = profile_idc == 44 or (profile_idc in (110, 122, 244) and constraints & 0x10)
    return f"{name} Intra" if name and intra else name


def level_name(profile_idc: int, constraints: int, level_idc: int) -> str:
    """Return a level such as ``"4.1"``.

    Level 1b is level_idc 9, or 11 with constraint_set3_flag in the profiles below High (A.3.4.1).
    """
    if level_idc == 9 or (level_idc == 11 and constraints & 0x10 and profile_idc in (66, 77, 88)):
        return "1b"
    return f"{level_idc // 10}.{level_idc % 10}"


def parse_sps(unit: bytes) -> tuple[int, H264Sps]:
    """Return id and content of a sequence parameter set, given with its NAL header (7.3.2.1.1).

    Raises: BitstreamDamaged.
    """
    bits = BitReader(unescaped(unit[1:1024]))
    profile_idc, constraints, level_idc = bits.u(8), bits.u(8), bits.u(8)
    number = bits.ue()
    chroma, depth, separate_planes = 1, 8, False
    if profile_idc in _WITH_CHROMA:
        chroma, depth, separate_planes = _read_chroma(bits)
    frame_num_bits = bits.ue() + 4
    poc_type, poc_bits = _read_poc(bits)
    bits.ue()
    bits.skip(1)
    width, map_height = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    frames_only = bits.flag()
    if not frames_only:
        bits.skip(1)
    bits.skip(1)
    lines = 1 if frames_only else 2  # of the picture, per map unit
    height = map_height * lines
    if bits.flag():
        across = 2 if chroma in (1, 2) and not separate_planes else 1
        down = 2 if chroma == 1 else 1
        width, height = cropped_size(bits, width, height, (across, down * lines))
    stated, pic_struct_offset = _read_vui(bits) if bits.flag() else ({}, None)
    header = StreamHeader(
        profile=profile_name(profile_idc, constraints),
        level=level_name(profile_idc, constraints, level_idc),
        chroma="rgb" if chroma == 3 and stated.get("matrix") == 0 else CHROMA_FORMATS[chroma],
        bit_depth=depth,
        width=width,
        height=height,
        frame_mbs_only=frames_only,
        **stated,
    )
    return number, H264Sps(
        header, separate_planes, frame_num_bits, poc_type, poc_bits, frames_only, pic_struct_offset
    )


def _read_chroma(bits: BitReader) -> tuple[int, int, bool]:
    """Read chroma_format_idc, the luma bit depth and separate_colour_plane_flag; skip the rest."""
    chroma = bits.ue()
    if chroma > 3:
        raise BitstreamDamaged("no such chroma format")
    separate_planes = chroma == 3 and bits.flag()
    depth = 8 + bits.ue()
    bits.ue()
    bits.skip(1)
    if bits.flag():
        _skip_scaling(bits, 8 if chroma != 3 else 12)
    return chroma, depth, separate_planes


def _skip_scaling(bits: BitReader, lists: int) -> None:
    for index in range(lists):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _read_poc(bits: BitReader) -> tuple[int, int]:
    """Read pic_order_cnt_type and the width of pic_order_cnt_lsb."""
    kind, width = bits.ue(), 0
    if kind == 0:
        width = bits.ue() + 4
    elif kind == 1:
        bits.skip(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 256)):
            bits.se()
    return kind, width


def _read_vui(bits: BitReader) -> tuple[dict[str, Any], int | None]:
    """Read what the VUI states (E.1.1), and the offset of pic_struct in picture timing SEI.

    A VUI that ends early states what precedes the cut.
    """
    stated: dict[str, Any] = {}
    try:
        stated = read_signal(bits)
        if bits.flag():
            stated["timing_rate"] = read_rate(bits, 2)
            bits.skip(1)
        delay_bits = [_read_hrd(bits) if bits.flag() else None for _ in range(2)]
        offset = delay_bits[0] or delay_bits[1] or 0
        if any(delay_bits):
            bits.skip(1)
        return stated, offset if bits.flag() else None
    except BitstreamDamaged:
        return stated, None


def _read_hrd(bits: BitReader) -> int:
    """Read hrd_parameters (E.1.2): the bits of the two delays in a picture timing SEI message."""
    count = bits.ue() + 1
    bits.skip(8)
    for _ in range(min(count, 32)):
        bits.ue()
        bits.ue()
        bits.skip(1)
    bits.skip(5)
    delay_bits = bits.u(5) + 1 + bits.u(5) + 1
    bits.skip(5)
    return delay_bits
