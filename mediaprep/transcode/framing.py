"""Crop, scale and pad: from the source's picture to the wanted size. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from mediaprep.media import VideoStream
from mediaprep.tools.ffmpeg import Filter

Size = tuple[int, int]
_SCALER = "lanczos+accurate_rnd"  # encoding.md, section 2: best on three of three clips
_ROUNDING = 2  # pixels that even sides may stretch a picture by, rather than draw a border line


def framing_filters(video: VideoStream, size: Size, fit: Literal["pad", "crop", "scale"]) -> list[Filter]:
    """Filters that bring the upright picture to ``size`` (width, height; both even) with square pixels."""
    shown = video.display_size
    if shown is None:
        raise ValueError("the picture's size is not known")
    filters = [_clap(video)] if video.clap else []
    coded = _upright((video.clap[2], video.clap[3]) if video.clap else (video.width or 0, video.height or 0), video.rotation or 0)
    inner = size if fit == "scale" else scaled(shown, size, fill=fit == "crop")
    if inner != coded:
        filters.append(Filter(name="scale", options={"w": inner[0], "h": inner[1], "flags": _SCALER}))
    filters.append(Filter(name="setsar", options={"sar": "1/1"}))
    if fit == "crop" and inner != size:
        filters.append(Filter(name="crop", options={"w": size[0], "h": size[1]}))
    elif inner != size:
        filters.append(
            Filter(
                name="pad",
                options={
                    "w": size[0],
                    "h": size[1],
                    "x": (size[0] - inner[0]) // 4 * 2,
                    "y": (size[1] - inner[1]) // 4 * 2,
                    "color": "black",
                },
            )
        )
    return filters


def scaled(shown: Size, size: Size, *, fill: bool) -> Size:
    """The picture's size inside ``size`` (or, to ``fill`` it, around it): same shape, even, not enlarged."""
    ratios = Fraction(size[0], shown[0]), Fraction(size[1], shown[1])
    scale = min(Fraction(1), max(ratios) if fill else min(ratios))
    width, height = (max(2, round(side * scale / 2) * 2) for side in shown)
    near = abs(width - size[0]) <= _ROUNDING and abs(height - size[1]) <= _ROUNDING
    if near:
        return size
    return (max(width, size[0]), max(height, size[1])) if fill else (min(width, size[0]), min(height, size[1]))


def _upright(size: Size, rotation: int) -> Size:
    return (size[1], size[0]) if rotation in (90, 270) else size


def _clap(video: VideoStream) -> Filter:
    left, top, width, height = video.clap or (0, 0, 0, 0)
    return Filter(name="crop", options={"w": width, "h": height, "x": left, "y": top})
