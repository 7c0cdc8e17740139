"""HEVC sequence parameter sets (ITU-T H.265 7.3.2.2, 7.3.3, 7.3.7, annex E)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream._nal import CHROMA, read_rate, read_signal, unescaped
from mediaprep.probing.bitstream.header import StreamHeader

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
    """What pictures need to be told apart, and what the stream is told to be."""

    header: StreamHeader
    field_info: bool  # picture timing SEI begins with pic_struct


def parse_sps(unit: bytes) -> tuple[int, HevcSps]:
    """Id and content of a sequence parameter set, NAL header included. Raises: Damaged."""
    bits = BitReader(unescaped(unit[2:1024]))
    bits.skip(4)
    layers = bits.u(3)
    bits.skip(1)
    told = _read_profile(bits, layers)
    number, chroma = bits.ue(), bits.ue()
    if chroma > 3:
        raise BitstreamDamaged("no such chroma format")
    planes_apart = chroma == 3 and bits.flag()
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        across, down = (1 if chroma in (0, 3) else 2), (2 if chroma == 1 else 1)
        cut = [bits.ue() for _ in range(4)]
        if across * (cut[0] + cut[1]) < width and down * (cut[2] + cut[3]) < height:
            width, height = width - across * (cut[0] + cut[1]), height - down * (cut[2] + cut[3])
    told |= {"width": width, "height": height, "bit_depth": 8 + bits.ue()}
    bits.ue()
    try:
        field_info = _skip_to_vui(bits, layers) and _read_vui(bits, told)
    except BitstreamDamaged:
        field_info = False
    rgb = chroma == 3 and told.get("matrix") == 0
    told["chroma"] = "4:0:0" if planes_apart and not rgb else "rgb" if rgb else CHROMA[chroma]
    return number, HevcSps(StreamHeader(**told), field_info)


def _read_profile(bits: BitReader, layers: int) -> dict[str, Any]:
    """profile_tier_level (7.3.3)."""
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
        "profile_idc": profile_idc,
        "profile": _PROFILES.get(profile_idc),
        "level": f"{level_idc // 30}.{level_idc % 30 // 3}",
        "progressive_sequence": progressive if progressive != interlaced else None,
    }


def _skip_to_vui(bits: BitReader, layers: int) -> bool:
    """Passes over all that stands between the bit depths and the VUI; False: there is none."""
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
    """scaling_list_data (7.3.4)."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()
                continue
            for _ in range(min(64, 1 << (4 + 2 * size)) + (size > 1)):
                bits.se()


def _skip_picture_sets(bits: BitReader) -> None:
    """All st_ref_pic_set of the SPS (7.3.7, 7.4.8): their lengths depend on the distances in the sets before."""
    count = bits.ue()
    if count > 64:
        raise BitstreamDamaged("too many reference picture sets")
    before: list[int] = []  # nearest past first, then nearest future first
    for index in range(count):
        if index and bits.flag():
            sign, step = bits.flag(), bits.ue() + 1
            step = -step if sign else step
            used = [bits.flag() or bits.flag() for _ in range(len(before) + 1)]
            distances = [
                old + step
                for old, use in zip([*before, 0], used, strict=True)
                if use and old + step
            ]
        else:
            past, future = bits.ue(), bits.ue()
            if past > 16 or future > 16:
                raise BitstreamDamaged("too many reference pictures")
            distances = [*_distances(bits, past, -1), *_distances(bits, future, 1)]
        before = sorted((d for d in distances if d < 0), reverse=True) + sorted(
            d for d in distances if d > 0
        )


def _distances(bits: BitReader, count: int, sign: int) -> list[int]:
    found, at = [], 0
    for _ in range(count):
        at += sign * (bits.ue() + 1)
        bits.skip(1)
        found.append(at)
    return found


def _read_vui(bits: BitReader, told: dict[str, Any]) -> bool:
    """Takes the VUI's statements into ``told`` (E.2.1); returns frame_field_info_present_flag."""
    told |= read_signal(bits)
    bits.skip(1)
    told["field_seq"] = bits.flag()
    field_info = bits.flag()
    if bits.flag():
        for _ in range(4):
            bits.ue()
    if bits.flag():
        told["timing_rate"] = read_rate(bits, 1)
    return field_info
