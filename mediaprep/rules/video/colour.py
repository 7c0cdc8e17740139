"""Pixel format, range and HDR."""

from __future__ import annotations

from mediaprep.model.fix import Case
from mediaprep.model.limits import OneOf
from mediaprep.model.media import HdrFormat, Video
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, named, rule
from mediaprep.targets.video import picture_encoded


@rule("video-pixel-format", kinds=("video",), subject="pixel format", facts=("video.pixel_format",))
def pixel_format(source: Video, limit: OneOf) -> Judgement:
    """What it checks: YUV 4:2:0 with 8 bits a sample, told from the parameter sets: 4:0:0 (grey) is not 4:2:0 even where tools show it
    so, and 10-bit 4:2:0 needs High 10,
    which is refused in practice.

    Why it matters: 4:4:4, 4:2:2, RGB and 10-bit files are answered with "file is currently unsupported", or play green on phones.

    The fix: converts to yuv420p, 10 bits with dither, HDR tone-mapped to BT.709. Lossy (an encode). Dolby Vision profile 5 is refused:
    nothing can convert it rightly.
    """
    return named(source.video.pixel_format, "video.pixel_format", limit)


@fix("video-pixel-format", safety="lossy", says="convert to 8-bit 4:2:0; HDR is tone-mapped")
def yuv420p(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-colour-range", kinds=("video",), subject="colour range", facts=("video.colour.range",))
def colour_range(source: Video, limit: OneOf) -> Judgement:
    """What it checks: limited range (16-235). Full range is a warning.

    Why it matters: players that ignore the flag crush blacks and clip whites.

    The fix: converts the levels; only changing the flag would shift them. Lossy; mended only where the file is rewritten anyway.
    """
    return named(source.video.colour.range, "video.colour.range", limit)


@fix("video-colour-range", safety="lossy", says="convert to limited range")
def limited_range(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-hdr", kinds=("video",), subject="dynamic range", facts=("video.colour.hdr",))
def hdr(source: Video, limit: OneOf) -> Judgement:
    """What it checks: no PQ or HLG transfer and no Dolby Vision.

    Why it matters: eight-bit players show HDR washed out; the platform does not tone-map.

    The fix: tone-maps to BT.709 and tags the result. Lossy; Dolby Vision profile 5 is refused.
    """
    formats = source.video.colour.hdr
    if formats is None:
        return Unknown(fact="video.colour.hdr")
    return (
        Failed(measured=", ".join(map(_words, formats)))
        if formats and not limit.allows("hdr")
        else Passed(measured="none")
    )


@fix("video-hdr", safety="lossy", says="tone-map to BT.709")
def standard_range(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


def _words(hdr: HdrFormat) -> str:
    return (
        hdr.name
        if hdr.profile is None
        else f"{hdr.name} profile {hdr.profile}"
        + (f".{hdr.compatibility}" if hdr.compatibility else "")
    )
