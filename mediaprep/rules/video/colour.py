"""Pixel format, colour range and dynamic range of the picture."""

from __future__ import annotations

from typing import get_args

from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import OneOfForm
from mediaprep.model.limits import OneOf
from mediaprep.model.media import ColourRange, HdrFormat, HdrName, Video
from mediaprep.rules.registry import Judgement, Passed, Unknown, fix, judge, judge_name, rule
from mediaprep.targets.video import picture_encoded

_PIXEL_FORMATS = (
    *("yuv420p", "yuvj420p", "yuv420p10le"),
    *("yuv422p", "yuv422p10le", "yuv444p", "gray"),
)


@rule(
    "video-pixel-format",
    kinds=("video",),
    subject="pixel format",
    limit=OneOfForm(names=_PIXEL_FORMATS),
    facts=("video.pixel_format",),
)
def pixel_format(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the pixel format is allowed; on Twitter it must be YUV 4:2:0 with 8 bits per
    sample. It is read from the parameter sets: grey video (4:0:0) is not 4:2:0, even if tools
    report it so, and 10-bit 4:2:0 needs the High 10 profile, which is rejected in practice.

    Why it matters: 4:4:4, 4:2:2, RGB and 10-bit videos are rejected with "file is currently
    unsupported", or phones show them green.

    The fix: converts to yuv420p, 10 bits with dither, HDR with tone mapping to BT.709. Lossy. Dolby
    Vision profile 5 is refused, because nothing converts its colours correctly.
    """
    return judge_name(source.video.pixel_format, "video.pixel_format", limit)


@fix("video-pixel-format", safety="lossy", summary="convert to 8-bit 4:2:0; HDR is tone-mapped")
def yuv420p(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-colour-range",
    kinds=("video",),
    subject="colour range",
    limit=OneOfForm(names=get_args(ColourRange)),
    facts=("video.colour.range",),
)
def colour_range(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the colour range is limited (16 to 235) or not declared.

    Why it matters: players that ignore the flag of full range crush blacks and clip whites.

    The fix: converts the levels; changing only the flag would shift them. Lossy. The finding is a
    warning; it is fixed only if the file is rewritten anyway.
    """
    return judge_name(source.video.colour.range, "video.colour.range", limit)


@fix("video-colour-range", safety="lossy", summary="convert to limited range")
def limited_range(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-hdr",
    kinds=("video",),
    subject="dynamic range",
    limit=OneOfForm(names=("none", *get_args(HdrName))),
    facts=("video.colour.hdr",),
)
def hdr(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the video has no HDR signalling that the profile does not allow: PQ or HLG
    transfer function, HDR10 or HDR10+ metadata, Dolby Vision.

    Why it matters: 8-bit players show HDR washed out, and the platform does not tone-map.

    The fix: tone-maps to BT.709 and tags the result. Lossy. Dolby Vision profile 5 is refused.
    """
    formats = source.video.colour.hdr
    if formats is None:
        return Unknown(fact="video.colour.hdr")
    if not formats:
        return Passed(measured="none")
    measured = ", ".join(map(_format_text, formats))
    return judge(measured, allowed=all(limit.allows(item.name) for item in formats))


@fix("video-hdr", safety="lossy", summary="tone-map to BT.709")
def standard_range(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


def _format_text(hdr: HdrFormat) -> str:
    if hdr.profile is None:
        return hdr.name
    compatibility = f".{hdr.compatibility}" if hdr.compatibility else ""
    return f"{hdr.name} profile {hdr.profile}{compatibility}"
