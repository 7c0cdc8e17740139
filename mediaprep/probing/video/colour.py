"""Colour tags and HDR signalling from ITU-T H.273 codes, side data and Dolby Vision. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.model.media import ColourRange, HdrFormat

# ITU-T H.273 (2023), tables 2 to 4, by ffmpeg's names
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100",
    10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10",
    15: "bt2020-12", 16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco",
    9: "bt2020nc", 10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc",
    13: "chroma-derived-c", 14: "ictcp",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DolbyVision:
    """Profile and base-layer compatibility of Dolby Vision; None if only its presence is known."""

    profile: int | None = None
    compatibility: int | None = None


def colour_range(code: int, pixel_format: str | None, full_range_flag: bool | None) -> ColourRange:
    """Return the range by ffmpeg's code (1 limited, 2 full), else by the bitstream's flag.

    ``yuvj`` pixel formats have full range.
    """
    if code == 2 or (pixel_format or "").startswith("yuvj") or (code == 0 and full_range_flag):
        return "full"
    return "limited" if code == 1 or full_range_flag is False else "unspecified"


def hdr_formats(
    transfer: str, side_data: frozenset[str], dolby: DolbyVision | None
) -> tuple[HdrFormat, ...]:
    """Return every HDR format that is signalled; () = none.

    ``side_data``: names as PyAV reports them.
    """
    found = []
    if transfer == "smpte2084":
        found.append(HdrFormat(name="HDR10" if "MASTERING_DISPLAY_METADATA" in side_data else "PQ"))
        if "DYNAMIC_HDR_PLUS" in side_data:
            found.append(HdrFormat(name="HDR10+"))
    elif transfer == "arib-std-b67":
        found.append(HdrFormat(name="HLG"))
    if dolby is not None:
        found.append(
            HdrFormat(name="Dolby Vision", profile=dolby.profile, compatibility=dolby.compatibility)
        )
    return tuple(found)
