"""The facts of a rewritten animation. All fixes lead to one encode: a GIF within every limit."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, DimensionRange, Range
from mediaprep.model.media import Animation
from mediaprep.model.placement import AnimationEncoding, Placement
from mediaprep.targets import gif_times

Size = tuple[int, int]
# Pixels of all frames that are decoded at most: some minutes on one core (a guess at what a user
# accepts).
_WORK_PIXELS_MAX = 16_000_000_000
_GIF_SIDE_MAX = 65535  # GIF89a, section 18
_NO_FRAME_LIMIT = 10**6


def encoding(placement: Placement) -> AnimationEncoding:
    """Return how a GIF is encoded. Raises: TypeError for a placement that takes no animation."""
    if not isinstance(placement.encoding, AnimationEncoding):
        raise TypeError(f"{placement.name} has no animation encoding")
    return placement.encoding


def encoded(target: Animation, case: Case) -> Animation | Refused:
    """Return the animation encoded as a GIF within the limits of frames, dimensions and pixels.

    The duration is kept. Width and height are the largest that these limits allow; the search for
    the byte limit may reduce them further.
    """
    if target.width is None or target.height is None:
        return Refused(reason="its picture size is unknown, so it cannot be encoded")
    if target.delays is None or target.frame_count is None:
        return Refused(reason="the times of its frames are unknown, so it cannot be encoded")
    size = target.width, target.height
    if (refused := _too_large(size, target.frame_count)) is not None:
        return refused
    delays = gif_times.gif_delays(target.delays, frames_max(case.placement))
    width, height = fitted_size(size, len(delays), case.placement, grid=target.pixel_grid or 1)
    return replace(
        target,
        reencode=True,
        format="gif",
        width=width,
        height=height,
        frame_count=len(delays),
        delays=delays,
        duration=sum(delays, Fraction(0)),
        disposals=None,
        trailing_bytes=0,
        size_bytes=None,
        complete=True,
        private=(),
    )


def _too_large(size: Size, frames: int) -> Refused | None:
    """Refuse a picture or an animation that has too many pixels to be decoded."""
    canvas, text = size[0] * size[1], units.size_text(size)
    if canvas > units.PICTURE_PIXELS_MAX:
        most = f"{units.PICTURE_PIXELS_MAX // 10**6} million"
        return Refused(reason=f"a picture of {text} is not decoded: it has more than {most} pixels")
    pixels = canvas * frames
    if pixels <= _WORK_PIXELS_MAX:
        return None
    return Refused(
        reason=f"{frames} frames of {text} have {pixels / 1e9:.0f} billion pixels; at most "
        f"{_WORK_PIXELS_MAX / 1e9:.0f} billion are decoded",
        remedies=("export it at a smaller size",),
    )


def frames_max(placement: Placement) -> int:
    """Return how many frames the placement takes."""
    limit = placement.limit("gif-frames")
    if isinstance(limit, Range) and limit.max is not None:
        return int(limit.max)
    return _NO_FRAME_LIMIT


def fitted_size(size: Size, frames: int, placement: Placement, *, grid: int = 1) -> Size:
    """Return the largest size of the same shape within the limits, never larger than ``size``.

    ``grid``: enlarged pixel art is reduced in whole steps of its pixels, if such a step fits.
    """
    if grid > 1:
        art = size[0] // grid, size[1] // grid
        for factor in range(grid, 0, -1):
            reduced = art[0] * factor, art[1] * factor
            if _allowed(reduced, frames, placement):
                return reduced
    if _allowed(size, frames, placement):
        return size
    width = max(1, math.floor(size[0] * _scale(size, frames, placement)))
    while width > 1 and not _allowed(scaled_to_width(size, width), frames, placement):
        width -= 1
    return scaled_to_width(size, width)


def _scale(size: Size, frames: int, placement: Placement) -> float:
    """Return the factor, at most 1, that brings the size within the limits (before rounding)."""
    scale = 1.0
    box = placement.limit("gif-dimensions")
    if isinstance(box, DimensionRange):
        turned = not box.oriented and (size[0] > size[1]) != (box.max[0] > box.max[1])
        most = (box.max[1], box.max[0]) if turned else box.max
        scale = min(scale, most[0] / size[0], most[1] / size[1])
    pixels = _pixels_max(placement)
    if pixels is not None:
        scale = min(scale, math.sqrt(pixels / (size[0] * size[1] * frames)))
    return scale


def scaled_to_width(size: Size, width: int) -> Size:
    """Return the size of that width and the same shape."""
    return width, max(1, round(Fraction(size[1] * width, size[0])))


def _allowed(size: Size, frames: int, placement: Placement) -> bool:
    box, pixels = placement.limit("gif-dimensions"), _pixels_max(placement)
    if isinstance(box, DimensionRange) and not box.allows(size):
        return False
    return max(size) <= _GIF_SIDE_MAX and (pixels is None or size[0] * size[1] * frames <= pixels)


def _pixels_max(placement: Placement) -> int | None:
    limit = placement.limit("gif-pixels")
    return int(limit.max) if isinstance(limit, Range) and limit.max is not None else None


def written_limit(case: Case) -> int | None:
    """Return how many bytes the GIF may have; None: any."""
    limit = case.placement.limit("gif-size")
    limits = [limit.written] if isinstance(limit, ByteLimit) else []
    if case.options.max_size is not None:
        limits.append(case.options.max_size)
    return min(limits, default=None)
