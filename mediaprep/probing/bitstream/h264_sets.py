"""H.264 sequence parameter sets (ITU-T H.264 7.3.2.1, annexes A and E)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream._nal import CHROMA, read_rate, read_signal, unescaped
from mediaprep.probing.bitstream.header import StreamHeader

_PROFILES = {
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    144: "High 4:4:4",
}
_PROFILES |= {
    244: "High 4:4:4 Predictive",
    44: "CAVLC 4:4:4",
    118: "Multiview High",
    128: "Stereo High",
}
_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


@dataclass(frozen=True, slots=True)
class H264Sps:
    """A sequence parameter set: what a slice header needs, and what the stream is told to be."""

    header: StreamHeader
    planes_apart: bool
    frame_num_bits: int
    poc_type: int
    poc_bits: int
    frame_only: bool
    timing_skip: int | None  # bits before pic_struct in a picture timing SEI; None: it has none


def profile_name(profile_idc: int, constraints: int) -> str | None:
    """ffmpeg's name of a profile (A.2); None where unknown. ``constraints`` is the byte after profile_idc."""
    if profile_idc == 66 and constraints & 0x40:
        return "Constrained Baseline"
    name = _PROFILES.get(profile_idc)
    return (
        f"{name} Intra"
        if name and (profile_idc == 44 or (profile_idc in (110, 122, 244) and constraints & 0x10))
        else name
    )


def level_name(profile_idc: int, constraints: int, level_idc: int) -> str:
    """``"4.1"``; level 1b is level_idc 9, or 11 with constraint_set3_flag in the profiles below High (A.3.4.1)."""
    if level_idc == 9 or (level_idc == 11 and constraints & 0x10 and profile_idc in (66, 77, 88)):
        return "1b"
    return f"{level_idc // 10}.{level_idc % 10}"


def parse_sps(unit: bytes) -> tuple[int, H264Sps]:
    """Id and content of a sequence parameter set, NAL header included (7.3.2.1.1). Raises: Damaged."""
    bits = BitReader(unescaped(unit[1:1024]))
    profile_idc, constraints, level_idc = bits.u(8), bits.u(8), bits.u(8)
    number = bits.ue()
    chroma, depth, planes_apart = 1, 8, False
    if profile_idc in _WITH_CHROMA:
        chroma = bits.ue()
        if chroma > 3:
            raise BitstreamDamaged("no such chroma format")
        planes_apart = chroma == 3 and bits.flag()
        depth = 8 + bits.ue()
        bits.ue()
        bits.skip(1)
        if bits.flag():
            _skip_scaling(bits, 8 if chroma != 3 else 12)
    frame_num_bits = bits.ue() + 4
    poc_type, poc_bits = _read_poc(bits)
    bits.ue()
    bits.skip(1)
    width, map_height = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    frame_only = bits.flag()
    mbaff = not frame_only and bits.flag()
    bits.skip(1)
    height = map_height * (1 if frame_only else 2)
    if bits.flag():
        across = 2 if chroma in (1, 2) and not planes_apart else 1
        down = (2 if chroma == 1 else 1) * (1 if frame_only else 2)
        cut = [bits.ue() for _ in range(4)]
        if across * (cut[0] + cut[1]) < width and down * (cut[2] + cut[3]) < height:
            width, height = width - across * (cut[0] + cut[1]), height - down * (cut[2] + cut[3])
    told, timing_skip = _read_vui(bits) if bits.flag() else ({}, None)
    header = StreamHeader(
        profile_idc=profile_idc,
        constraints=constraints,
        profile=profile_name(profile_idc, constraints),
        level=level_name(profile_idc, constraints, level_idc),
        chroma="rgb" if chroma == 3 and told.get("matrix") == 0 else CHROMA[chroma],
        bit_depth=depth,
        width=width,
        height=height,
        frame_mbs_only=frame_only,
        mbaff=mbaff,
        **told,
    )
    return number, H264Sps(
        header, planes_apart, frame_num_bits, poc_type, poc_bits, frame_only, timing_skip
    )


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
    """Statements of the VUI (E.1.1), and how far pic_struct lies inside a picture timing SEI. A VUI that ends early tells what it told."""
    told: dict[str, Any] = {}
    try:
        told = read_signal(bits)
        if bits.flag():
            told["timing_rate"] = read_rate(bits, 2)
            bits.skip(1)
        skip = 0
        hrd = [_read_hrd(bits) if bits.flag() else None for _ in range(2)]
        if any(hrd):
            bits.skip(1)
            skip = hrd[0] or hrd[1] or 0
        return told, skip if bits.flag() else None
    except BitstreamDamaged:
        return told, None


def _read_hrd(bits: BitReader) -> int:
    """hrd_parameters (E.1.2): the bits of the two delays in a picture timing SEI."""
    count = bits.ue() + 1
    bits.skip(8)
    for _ in range(min(count, 32)):
        bits.ue()
        bits.ue()
        bits.skip(1)
    bits.skip(5)
    delays = bits.u(5) + 1 + bits.u(5) + 1
    bits.skip(5)
    return delays
