"""The size to encode a picture at: why 1080p becomes 720p.

A size that the placement allows is kept; a larger one is reduced to the top rung of the ladder for
its orientation; a forbidden shape is padded or cropped first.
"""

from __future__ import annotations

import math
from fractions import Fraction

from mediaprep.model.fix import Case
from mediaprep.model.limits import DimensionRange, Range
from mediaprep.model.media import Video, VideoStream
from mediaprep.model.placement import Placement, VideoEncoding
from mediaprep.targets.byte_budget import affordable_bit_rate

Size = tuple[int, int]
# Share of a rung's bit rate below which the picture of the next rung looks better (a guess).
_RUNG_BIT_RATE_SHARE = Fraction(35, 100)


def encoding(placement: Placement) -> VideoEncoding:
    """Return how a video is encoded. Raises: TypeError for a placement that takes no video."""
    if not isinstance(placement.encoding, VideoEncoding):
        raise TypeError(f"{placement.name} has no video encoding")
    return placement.encoding


def target_size(target: Video, case: Case) -> Size | None:
    """Return the size of the encoded picture; None if the size is unknown.

    That is the displayed size if it is allowed, else one that fits a rung. Both sides are even.
    """
    shown = target.video.display_size
    if shown is None:
        return None
    canvas = canvas_size(shown, case)
    box = case.placement.limit("video-dimensions")
    ladder = encoding(case.placement).ladder
    if case.options.rung is not None:
        canvas = _shrunk(canvas, ladder.oriented(case.options.rung, canvas))
    if isinstance(box, DimensionRange) and not box.allows(canvas):
        canvas = _shrunk(canvas, ladder.top(canvas).size)
    return on_pixel_grid(target.video, canvas) or _even_size(canvas, case.placement)


def on_pixel_grid(video: VideoStream, size: Size) -> Size | None:
    """Return the largest size for enlarged pixel art that lies within ``size``.

    It is a whole multiple of the picture's own pixels, and both sides are even. None if there is
    none, if the picture is not pixel art, or if ``size`` does not reduce it.
    """
    shown, grid = video.display_size, video.pixel_grid or 1
    if shown is None or grid == 1 or video.sar != 1 or video.clap:
        return None
    if size[0] >= shown[0] or size[1] >= shown[1]:
        return None
    width, height = shown[0] // grid, shown[1] // grid
    for factor in range(grid, 0, -1):
        reduced = width * factor, height * factor
        fits = reduced[0] <= size[0] and reduced[1] <= size[1]
        if fits and reduced[0] % 2 == reduced[1] % 2 == 0:
            return reduced
    return None


def canvas_size(shown: Size, case: Case) -> Size:
    """Return the displayed size brought to an allowed shape and to the minimum size.

    It is padded, or cropped if the user requests that.
    """
    width, height = shown
    low, high = _ratio_limits(case.placement)
    ratio = Fraction(width, height)
    crop = case.options.fit == "crop"
    if high is not None and ratio > high:
        width, height = (int(height * high), height) if crop else (width, math.ceil(width / high))
    elif low is not None and ratio < low:
        width, height = (width, int(width / low)) if crop else (math.ceil(height * low), height)
    least = _size_min(case.placement, (width, height))
    return max(width, least[0]), max(height, least[1])


def size_for_byte_limit(target: Video, limit: int | None, case: Case) -> Size | None:
    """Return the size of the encoded picture, reduced if ``limit`` bytes leave it too few bits.

    It is reduced to the largest rung for whose bit rate they suffice. A requested rung is kept.
    """
    size, length = target.video.display_size, target.duration
    if size is None or not length or limit is None or case.options.rung is not None:
        return size
    ladder = encoding(case.placement).ladder
    rung = ladder.holding(size)
    smaller = [
        other for other in ladder.of(rung.orientation) if other.video_bit_rate < rung.video_bit_rate
    ]
    for next_rung in reversed(smaller):
        if target.audio is None:
            sound_bit_rate: int | None = 0
        elif target.audio.reencode:
            sound_bit_rate = rung.audio_bit_rate
        else:
            sound_bit_rate = target.audio.bit_rate
        bit_rate = affordable_bit_rate(limit, length, sound_bit_rate, target.video.frame_rate)
        if bit_rate >= _RUNG_BIT_RATE_SHARE * rung.video_bit_rate:
            break
        size, rung = _shrunk(size, next_rung.size), next_rung
    return _even_size(size, case.placement)


def _size_min(placement: Placement, size: Size) -> Size:
    """Return the minimum width and height for a picture with the orientation of ``size``."""
    box = placement.limit("video-dimensions")
    if not isinstance(box, DimensionRange):
        return 2, 2
    turned = not box.oriented and (box.min[0] > box.min[1]) != (size[0] > size[1])
    return (box.min[1], box.min[0]) if turned else box.min


def _shrunk(size: Size, frame: Size) -> Size:
    """Return the size reduced to fit into ``frame``, never enlarged."""
    scale = min(Fraction(1), Fraction(frame[0], size[0]), Fraction(frame[1], size[1]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _even_size(size: Size, placement: Placement) -> Size:
    """Return the size with even sides.

    It is not enlarged, unless the short side has to be to keep the aspect ratio within its limit.
    """
    least = _size_min(placement, size)
    width, height = (max(low, side - side % 2) for side, low in zip(size, least, strict=True))
    low, high = _ratio_limits(placement)
    if high is not None and Fraction(width, height) > high:
        height += 2
    if low is not None and Fraction(width, height) < low:
        width += 2
    return width, height


def _ratio_limits(placement: Placement) -> tuple[Fraction | None, Fraction | None]:
    limit = placement.limit("video-aspect-ratio")
    return (limit.min, limit.max) if isinstance(limit, Range) else (None, None)
