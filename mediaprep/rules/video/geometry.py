"""Size and shape of the picture as displayed: after crop, pixel aspect ratio and rotation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model import units
from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import AnyOfForm, DimensionRangeForm, RangeForm, SizesForm
from mediaprep.model.limits import AnyOf, DimensionRange, Range, Sizes
from mediaprep.model.media import Video, fact
from mediaprep.rules.registry import Failed, Judgement, Unknown, fix, judge, rule
from mediaprep.targets.video import picture_encoded, remuxed, with_corrected_sar

_SAR_EDITABLE = ("h264", "hevc")  # bitstream filters h264_metadata, hevc_metadata
_SIZE_FACTS = ("video.width", "video.height", "video.sars", "video.rotation", "video.clap")


def _unknown_size(source: Video) -> Unknown:
    """Return Unknown for the fact that is missing from the displayed size."""
    missing = (path for path in _SIZE_FACTS if fact(source, path) is None)
    return Unknown(fact=next(missing, "video.width"))


@rule(
    "video-pixel-aspect-ratio",
    kinds=("video",),
    subject="pixel aspect ratio (SAR)",
    limit=RangeForm(quantity="ratio"),
    facts=("video.sars",),
)
def pixel_aspect_ratio(source: Video, limit: Range) -> Judgement:
    """What it checks: every declared sample aspect ratio, in the container and in the bitstream, is
    allowed; on Twitter it must be 1:1. A video that declares none counts as 1:1.

    Why it matters: the platform ignores the ratio or applies it twice, so that anamorphic video
    looks squashed.

    The fix: scales the width so that pixels are square. Lossy. If container and bitstream
    contradict each other and one of them declares 1:1, or with ``--square-pixels``, the
    declaration is assumed to be wrong: it is corrected, and nothing is encoded.
    """
    sars = source.video.sars
    if sars is None:
        return Unknown(fact="video.sars")
    declared = ", ".join(f"{units.ratio_text(sar.value)} in the {sar.where}" for sar in sars)
    return judge(
        declared or "1:1 (none declared)",
        allowed=all(limit.allows(sar.value) for sar in sars),
    )


@fix(
    "video-pixel-aspect-ratio",
    safety="lossy",
    summary="scale to square pixels, or correct a wrong declaration without encoding",
)
def square_pixels(target: Video, case: Case) -> Video:
    square = with_corrected_sar(target.video, case.options)
    if square.sars != target.video.sars and square.codec in _SAR_EDITABLE:
        return remuxed(replace(target, video=square))
    return picture_encoded(target, case)


@rule(
    "video-dimensions",
    kinds=("video",),
    subject="picture size",
    limit=DimensionRangeForm(),
    facts=_SIZE_FACTS,
)
def dimensions(source: Video, limit: DimensionRange) -> Judgement:
    """What it checks: the displayed width and height (after crop, pixel aspect ratio and rotation)
    are within the limits, and the size does not change within the stream. Unless the profile fixes
    the orientation, the long side is compared with the longer limit and the short side with the
    shorter one.

    Why it matters: larger uploads are rejected, and the platform scales down what it accepts:
    Twitter's own largest rendition is 1280x720.

    The fix: scales into the top rung of the ladder for the orientation (on Twitter 1280x720,
    720x1280 or 720x720) and keeps the shape. A picture that is too small is padded with black.
    Lossy.
    """
    size = source.video.display_size
    if size is None:
        return _unknown_size(source)
    measured = units.size_text(size)
    if source.video.size_changes:
        return Failed(measured=measured, detail="the size changes within the stream")
    return judge(measured, allowed=limit.allows(size))


@fix(
    "video-dimensions",
    safety="lossy",
    summary="scale into the top rung of the ladder for the orientation",
)
def fitted(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-aspect-ratio",
    kinds=("video",),
    subject="aspect ratio",
    limit=RangeForm(quantity="ratio"),
    facts=_SIZE_FACTS,
)
def aspect_ratio(source: Video, limit: Range) -> Judgement:
    """What it checks: the displayed width divided by the height, as an exact fraction, is within
    the limits; on Twitter 1:3 to 3:1.

    Why it matters: narrower or wider pictures are rejected.

    The fix: pads with black to the nearest allowed shape, so that no part of the picture is lost.
    ``--fit crop`` cuts the picture instead, ``--fit scale`` stretches it. Lossy, because the
    picture is encoded.
    """
    size = source.video.display_size
    if size is None:
        return _unknown_size(source)
    ratio = Fraction(*size)
    measured = f"{units.ratio_text(ratio)} ({units.size_text(size)})"
    return judge(measured, allowed=limit.allows(ratio))


@fix("video-aspect-ratio", safety="lossy", summary="pad with black to an allowed shape")
def padded(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-recommended-dimensions",
    kinds=("video",),
    subject="picture size",
    limit=SizesForm(),
    facts=_SIZE_FACTS,
)
def recommended_dimensions(source: Video, limit: Sizes) -> Judgement:
    """What it checks: the picture has one of the sizes that the platform recommends, such as
    1280x720, 720x1280 or 720x720.

    Why it matters: other sizes within the limits are accepted, but the platform scales them again.

    The fix: none is needed. A picture within the limits keeps its size; ``--rung 1280x720`` selects
    another one.
    """
    size = source.video.display_size
    if size is None:
        return _unknown_size(source)
    return judge(units.size_text(size), allowed=limit.allows(size))


@rule(
    "video-recommended-aspect-ratio",
    kinds=("video",),
    subject="aspect ratio",
    limit=AnyOfForm(quantity="ratio"),
    facts=_SIZE_FACTS,
)
def recommended_aspect_ratio(source: Video, limit: AnyOf) -> Judgement:
    """What it checks: the picture has one of the shapes that the platform recommends, such as 16:9,
    9:16 or 1:1.

    Why it matters: other shapes are shown with bars or cropped in the timeline.

    The fix: none is needed. The shape is the author's choice.
    """
    size = source.video.display_size
    if size is None:
        return _unknown_size(source)
    ratio = Fraction(*size)
    return judge(units.ratio_text(ratio), allowed=limit.allows(ratio))
