"""The picture's size and shape, as displayed: after crop, pixel aspect ratio and rotation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model import units
from mediaprep.model.fix import Case
from mediaprep.model.limits import AnyOf, DimensionRange, Range, Sizes
from mediaprep.model.media import Video, fact
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, rule
from mediaprep.targets.video import as_shown, picture_encoded, rewrapped

_RETAGGED = ("h264", "hevc")  # bitstream filters h264_metadata, hevc_metadata
_SIZE_FACTS = ("video.width", "video.height", "video.sars", "video.rotation", "video.clap")


def _unsized(source: Video) -> Unknown:
    """The part of the displayed size that could not be read."""
    return Unknown(
        fact=next((path for path in _SIZE_FACTS if fact(source, path) is None), "video.width")
    )


@rule(
    "video-pixel-aspect-ratio",
    kinds=("video",),
    subject="pixel aspect ratio (SAR)",
    facts=("video.sars",),
)
def pixel_aspect_ratio(source: Video, limit: Range) -> Judgement:
    """What it checks: every stated sample aspect ratio, in the container and in the bitstream: each must be 1:1. None stated counts as 1:1.

    Why it matters: the platform ignores the ratio or applies it twice; anamorphic video then shows squashed.

    The fix: scales the width so that pixels are square (lossy). Where container and bitstream disagree and one of them says 1:1, or with
    ``--square-pixels``, the statement is
    taken for wrong and only corrected: nothing is encoded.
    """
    if source.video.sars is None:
        return Unknown(fact="video.sars")
    wrong = [sar for sar in source.video.sars if not limit.allows(sar.value)]
    stated = (
        ", ".join(f"{units.ratio_text(sar.value)} in the {sar.where}" for sar in source.video.sars)
        or "1:1 (none stated)"
    )
    return Failed(measured=stated) if wrong else Passed(measured=stated)


@fix(
    "video-pixel-aspect-ratio",
    safety="lossy",
    says="scale to square pixels, or correct a wrong statement without encoding",
)
def square_pixels(target: Video, case: Case) -> Video:
    square = as_shown(target.video, case.options)
    if square.sars != target.video.sars and square.codec in _RETAGGED:
        return rewrapped(replace(target, video=square))
    return picture_encoded(target, case)


@rule("video-dimensions", kinds=("video",), subject="picture size", facts=_SIZE_FACTS)
def dimensions(source: Video, limit: DimensionRange) -> Judgement:
    """What it checks: the displayed width and height (after crop, pixel aspect ratio and rotation), whichever way round: the long side
    against the longer limit, the short
    side against the shorter; and that the size does not change in mid-stream.

    Why it matters: larger uploads are refused; the platform's own largest rendition is 1280x720.

    The fix: scales into the top rung of the ladder of the same orientation (1280x720, 720x1280, 720x720), keeping the shape; too small a
    picture is padded with black. Lossy.
    """
    size = source.video.display_size
    if size is None:
        return _unsized(source)
    if source.video.size_changes:
        return Failed(measured=units.size_text(size), detail="the size changes in mid-stream")
    return (
        Passed(measured=units.size_text(size))
        if limit.allows(size)
        else Failed(measured=units.size_text(size))
    )


@fix(
    "video-dimensions",
    safety="lossy",
    says="scale into the ladder's top rung of the same orientation",
)
def fitted(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-aspect-ratio", kinds=("video",), subject="aspect ratio", facts=_SIZE_FACTS)
def aspect_ratio(source: Video, limit: Range) -> Judgement:
    """What it checks: displayed width divided by height, as an exact fraction, against 1:3 to 3:1.

    Why it matters: strips beyond that are refused.

    The fix: pads with black to the nearest allowed shape, so that nothing is lost; ``--fit crop`` cuts instead, ``--fit scale``
    stretches. Lossy (an encode).
    """
    size = source.video.display_size
    if size is None:
        return _unsized(source)
    ratio = Fraction(*size)
    measured = f"{units.ratio_text(ratio)} ({units.size_text(size)})"
    return Passed(measured=measured) if limit.allows(ratio) else Failed(measured=measured)


@fix("video-aspect-ratio", safety="lossy", says="pad with black to an allowed shape")
def padded(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-recommended-dimensions", kinds=("video",), subject="picture size", facts=_SIZE_FACTS)
def recommended_dimensions(source: Video, limit: Sizes) -> Judgement:
    """What it checks: whether the picture has one of the sizes that the platform recommends (1280x720, 720x1280, 720x720).

    Why it matters: other sizes within the limits are taken, and scaled once more by the platform.

    The fix: none is needed; a picture within the limits keeps its size. ``--rung 1280x720`` asks for another.
    """
    size = source.video.display_size
    if size is None:
        return _unsized(source)
    return (
        Passed(measured=units.size_text(size))
        if limit.allows(size)
        else Failed(measured=units.size_text(size))
    )


@rule("video-recommended-aspect-ratio", kinds=("video",), subject="aspect ratio", facts=_SIZE_FACTS)
def recommended_aspect_ratio(source: Video, limit: AnyOf) -> Judgement:
    """What it checks: whether the picture is 16:9 either way round, or square.

    Why it matters: other shapes are shown with bars or cropped in the timeline.

    The fix: none is needed: the shape is the maker's choice.
    """
    size = source.video.display_size
    if size is None:
        return _unsized(source)
    ratio = Fraction(*size)
    return (
        Passed(measured=units.ratio_text(ratio))
        if limit.allows(ratio)
        else Failed(measured=units.ratio_text(ratio))
    )
