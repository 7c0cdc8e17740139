"""HEVC sequence parameter sets (ITU-T H.265 7.3.2.2, 7.3.3, 7.3.7, annex E)."""

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
    1: "Main",
    2: "Main 10",
    3: "Main Still Picture",
    4: "Rext",
    6: "Multiview Main",
    9: "Scc",
}


@dataclass(frozen=True, slots=True)
class HevcSps:
    """A sequence parameter set: what it states, and how its picture timing SEI begins.

    pic_struct_offset  0 if a picture timing SEI message begins with pic_struct; None: it holds none
    """

    header: StreamHeader
    pic_struct_offset: int | None


def parse_sps(unit: bytes) -> tuple[int, HevcSps]:
    """Return id and content of a sequence parameter set, given with its NAL header.

    Raises: BitstreamDamaged.
    """
    bits = BitReader(unescaped(unit[2:1024]))
    bits.skip(4)
    layers = bits.u(3)
    bits.skip(1)
    stated = _read_profile(bits, layers)
    number, chroma = bits.ue(), bits.ue()
    if chroma > 3:
        raise BitstreamDamaged("no such chroma format")
    separate_planes = chroma == 3 and bits.flag()
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        across = 2 if chroma in (1, 2) else 1
        down = 2 if chroma == 1 else 1
        width, height = cropped_size(bits, width, height, (across, down))
    stated |= {"width": width, "height": height, "bit_depth": 8 + bits.ue()}
    bits.ue()
    try:
        has_pic_struct = _skip_to_vui(bits, layers) and _read_vui(bits, stated)
    except BitstreamDamaged:
        has_pic_struct = False
    if chroma == 3 and stated.get("matrix") == 0:
        stated["chroma"] = "rgb"
    else:
        stated["chroma"] = "4:0:0" if separate_planes else CHROMA_FORMATS[chroma]
    return number, HevcSps(StreamHeader(**stated), 0 if has_pic_struct else None)


def _read_profile(bits: BitReader, layers: int) -> dict[str, Any]:
    """Read profile_tier_level (7.3.3)."""
    bits.skip(3)
    profile_idc, compatible = bits.u(5), bits.u(32)
    progressive, interlaced = bits.flag(), bits.flag()
    bits.skip(46)
    level_idc = bits.u(8)
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.skip(2 * (8 - layers))
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)
    if not profile_idc:
        profile_idc = next((idc for idc in range(1, 32) if compatible >> (31 - idc) & 1), 0)
    return {
        "profile": _PROFILES.get(profile_idc),
        "level": f"{level_idc // 30}.{level_idc % 30 // 3}",
        "progressive_sequence": progressive if progressive != interlaced else None,
    }


def _skip_to_vui(bits: BitReader, layers: int) -> bool:
    """Skip everything between the bit depths and the VUI; return False if there is no VUI."""
    poc_bits = bits.ue() + 4
    for _ in range(layers + 1 if bits.flag() else 1):
        for _ in range(3):
            bits.ue()
    for _ in range(6):
        bits.ue()
    if bits.flag() and bits.flag():
        _skip_scaling(bits)
    bits.skip(2)
    if bits.flag():
        bits.skip(8)
        bits.ue()
        bits.ue()
        bits.skip(1)
    _skip_picture_sets(bits)
    if bits.flag():
        bits.skip(min(bits.ue(), 32) * (poc_bits + 1))
    bits.skip(2)
    return bits.flag()


def _skip_scaling(bits: BitReader) -> None:
    """Skip scaling_list_data (7.3.4)."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()
                continue
            for _ in range(min(64, 1 << (4 + 2 * size)) + (size > 1)):
                bits.se()


def _skip_picture_sets(bits: BitReader) -> None:
    """Skip all st_ref_pic_set of the SPS (7.3.7, 7.4.8).

    The length of each depends on the distances in the previous one.
    """
    count = bits.ue()
    if count > 64:
        raise BitstreamDamaged("too many reference picture sets")
    previous: list[int] = []  # distances: nearest past first, then nearest future first
    for index in range(count):
        if index and bits.flag():
            distances = _predicted_distances(bits, previous)
        else:
            past, future = bits.ue(), bits.ue()
            if past > 16 or future > 16:
                raise BitstreamDamaged("too many reference pictures")
            distances = [*_distances(bits, past, -1), *_distances(bits, future, 1)]
        past_distances = sorted((d for d in distances if d < 0), reverse=True)
        previous = past_distances + sorted(d for d in distances if d > 0)


def _predicted_distances(bits: BitReader, previous: list[int]) -> list[int]:
    """Read a set that is predicted from the previous one, shifted by a step."""
    backwards, step = bits.flag(), bits.ue() + 1
    step = -step if backwards else step
    used = [bits.flag() or bits.flag() for _ in range(len(previous) + 1)]
    return [
        distance + step
        for distance, use in zip([*previous, 0], used, strict=True)
        if use and distance + step
    ]


def _distances(bits: BitReader, count: int, sign: int) -> list[int]:
    found, at = [], 0
    for _ in range(count):
        at += sign * (bits.ue() + 1)
        bits.skip(1)
        found.append(at)
    return found


def _read_vui(bits: BitReader, stated: dict[str, Any]) -> bool:
    """Read the VUI (E.2.1) into ``stated``; return frame_field_info_present_flag."""
    stated |= read_signal(bits)
    bits.skip(1)
    stated["field_seq"] = bits.flag()
    has_pic_struct = bits.flag()
    if bits.flag():
        for _ in range(4):
            bits.ue()
    if bits.flag():
        stated["timing_rate"] = read_rate(bits, 1)
    return has_pic_struct
