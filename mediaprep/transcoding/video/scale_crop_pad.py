"""Scale, crop and pad the source's picture to the target's size. Pure.

The size itself is planned: ``rules/video/geometry.py`` finds that a picture is too large, and
``targets/picture_size.py`` chooses the rung of the ladder that it is scaled to.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from mediaprep.model.media import VideoStream
from mediaprep.targets.picture_size import on_pixel_grid
from mediaprep.tools.ffmpeg import Filter

Size = tuple[int, int]
Fit = Literal["pad", "crop", "scale"]
SCALER = "lanczos+accurate_rnd"  # the best VMAF of ffmpeg's scalers on three clips of ours
_STRETCH = 2  # pixels by which even sides may stretch a picture before a border line is drawn


def aperture_filters(video: VideoStream) -> list[Filter]:
    """Return the filter that crops the decoded picture to its clean aperture, before rotation.

    ffmpeg 7.1 and later crops while it decodes; then the filter changes nothing.
    """
    if not video.clap:
        return []
    left, top, width, height = video.clap
    return [Filter(name="crop", options={"w": width, "h": height, "x": left, "y": top})]


def framing_filters(video: VideoStream, size: Size, fit: Fit) -> list[Filter]:
    """Return the filters that scale the upright picture, crop it if it is larger than ``size``,
    and pad it if it is smaller. The result has square pixels; both sides of ``size`` are even.

    Raises: ValueError if the size of the picture is unknown.
    """
    shown = video.display_size
    if shown is None:
        raise ValueError("the size of the picture is unknown")
    coded = video.width or 0, video.height or 0
    if video.clap:
        coded = video.clap[2], video.clap[3]
    scaled = size if fit == "scale" else scaled_size(shown, size, fill=fit == "crop")
    cropped = min(scaled[0], size[0]), min(scaled[1], size[1])
    filters = []
    if scaled != _upright(coded, video.rotation or 0):
        flags = "neighbor" if on_pixel_grid(video, scaled) == scaled else SCALER
        options: dict[str, str | int] = {"w": scaled[0], "h": scaled[1], "flags": flags}
        filters.append(Filter(name="scale", options=options))
    filters.append(Filter(name="setsar", options={"sar": "1/1"}))
    if cropped != scaled:
        filters.append(Filter(name="crop", options={"w": cropped[0], "h": cropped[1]}))
    if cropped != size:
        x, y = ((side - part) // 4 * 2 for side, part in zip(size, cropped, strict=True))
        options = {"w": size[0], "h": size[1], "x": x, "y": y, "color": "black"}
        filters.append(Filter(name="pad", options=options))
    return filters


def scaled_size(shown: Size, size: Size, *, fill: bool) -> Size:
    """Return the largest size of the picture's shape inside ``size``, or the smallest around it if
    ``fill``. Sides are even; the picture is never enlarged, except a side of one pixel to two.
    """
    ratios = Fraction(size[0], shown[0]), Fraction(size[1], shown[1])
    scale = min(Fraction(1), max(ratios) if fill else min(ratios))
    width, height = (_nearest_even(side * scale, side) for side in shown)
    smaller = size[0] <= shown[0] and size[1] <= shown[1]
    if smaller and abs(width - size[0]) <= _STRETCH and abs(height - size[1]) <= _STRETCH:
        return size
    return (width, height) if fill else (min(width, size[0]), min(height, size[1]))


def _nearest_even(side: Fraction, limit: int) -> int:
    """Return the nearest even number of pixels not above ``limit``, but at least 2."""
    return max(2, min(round(side / 2) * 2, limit - limit % 2))


def _upright(size: Size, rotation: int) -> Size:
    return (size[1], size[0]) if rotation in (90, 270) else size
