"""Crop, scale and pad: from the source's picture to the wanted size. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from mediaprep.model.media import VideoStream
from mediaprep.targets.video import on_pixel_grid
from mediaprep.tools.ffmpeg import Filter

Size = tuple[int, int]
_SCALER = "lanczos+accurate_rnd"  # encoding.md, section 2: best on three of three clips
_ROUNDING = 2  # pixels that even sides may stretch a picture by, rather than draw a border line


def aperture_filters(video: VideoStream) -> list[Filter]:
    """Cuts the decoded picture to its clean aperture, before it is turned. Nothing is left to do where ffmpeg has done so (since 7.1)."""
    if not video.clap:
        return []
    left, top, width, height = video.clap
    return [Filter(name="crop", options={"w": width, "h": height, "x": left, "y": top})]


def framing_filters(
    video: VideoStream, size: Size, fit: Literal["pad", "crop", "scale"]
) -> list[Filter]:
    """Filters that bring the upright picture to ``size`` (width, height; both even) with square pixels: scaled, then cropped where it
    is larger, then padded where it is smaller. Raises: ValueError where the picture's size is not known."""
    shown = video.display_size
    if shown is None:
        raise ValueError("the picture's size is not known")
    coded = _upright(
        (video.clap[2], video.clap[3]) if video.clap else (video.width or 0, video.height or 0),
        video.rotation or 0,
    )
    inner = size if fit == "scale" else scaled(shown, size, fill=fit == "crop")
    kept = min(inner[0], size[0]), min(inner[1], size[1])
    filters = []
    if inner != coded:
        flags = "neighbor" if on_pixel_grid(video, inner) == inner else _SCALER
        filters.append(Filter(name="scale", options={"w": inner[0], "h": inner[1], "flags": flags}))
    filters.append(Filter(name="setsar", options={"sar": "1/1"}))
    if kept != inner:
        filters.append(Filter(name="crop", options={"w": kept[0], "h": kept[1]}))
    if kept != size:
        x, y = ((side - part) // 4 * 2 for side, part in zip(size, kept, strict=True))
        filters.append(
            Filter(
                name="pad", options={"w": size[0], "h": size[1], "x": x, "y": y, "color": "black"}
            )
        )
    return filters


def scaled(shown: Size, size: Size, *, fill: bool) -> Size:
    """The picture's size inside ``size`` (or, to ``fill`` it, around it): same shape, even, never enlarged (save a side of one pixel)."""
    ratios = Fraction(size[0], shown[0]), Fraction(size[1], shown[1])
    scale = min(Fraction(1), max(ratios) if fill else min(ratios))
    width, height = (_even(side * scale, side) for side in shown)
    smaller = size[0] <= shown[0] and size[1] <= shown[1]
    if smaller and abs(width - size[0]) <= _ROUNDING and abs(height - size[1]) <= _ROUNDING:
        return size
    return (width, height) if fill else (min(width, size[0]), min(height, size[1]))


def _even(side: Fraction, most: int) -> int:
    """The nearest even number of pixels that is not above ``most``; 2 at the least."""
    return max(2, min(round(side / 2) * 2, most - most % 2))


def _upright(size: Size, rotation: int) -> Size:
    return (size[1], size[0]) if rotation in (90, 270) else size
