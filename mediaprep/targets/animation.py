"""What making a GIF settles, whichever rule asked for it: all fixes meet in this one encode."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, Constraint, DimensionRange, Range
from mediaprep.model.media import Animation
from mediaprep.model.placement import AnimationEncoding, Placement
from mediaprep.targets import gif_times

Size = tuple[int, int]
WORK_PIXELS = 16_000_000_000  # source pixels x frames that are decoded: some minutes on one core (a guess at anybody's patience)
CANVAS_PIXELS = (
    64_000_000  # of one picture: the hostile-input notes, section 6; what ffmpeg is told to refuse
)
GIF_SIDE = 65535  # GIF89a, section 18


def encoding(placement: Placement) -> AnimationEncoding:
    """The placement's GIF target. Raises: TypeError for a placement that takes no animation."""
    if not isinstance(placement.encoding, AnimationEncoding):
        raise TypeError(f"{placement.name} has no animation encoding")
    return placement.encoding


def encoded(target: Animation, case: Case) -> Animation | Refused:
    """The same animation as a GIF made anew: frames, then dimensions, then pixels within the limits, the total duration kept. Width and
    height are the most that the limits leave; the search for the byte limit may take less."""
    if (
        target.width is None
        or target.height is None
        or target.delays is None
        or target.frame_count is None
    ):
        return Refused(
            reason="the times of its frames cannot be told, so it cannot be made anew", remedies=()
        )
    if (work := _too_much(target)) is not None:
        return work
    delays = gif_times.gif_delays(target.delays, frames_max(case.placement))
    width, height = fitted_size(
        (target.width, target.height), len(delays), case.placement, grid=target.pixel_grid or 1
    )
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


def _too_much(target: Animation) -> Refused | None:
    canvas = (target.width or 0) * (target.height or 0)
    pixels = canvas * (target.frame_count or 0)
    size = units.size_text((target.width or 0, target.height or 0))
    if canvas > CANVAS_PIXELS:
        return Refused(
            reason=f"a picture of {size} is not decoded (more than {CANVAS_PIXELS // 10**6} million pixels)"
        )
    if pixels <= WORK_PIXELS:
        return None
    return Refused(
        reason=f"{target.frame_count} frames of {size} are {pixels / 1e9:.0f} billion pixels, more than are decoded "
        f"({WORK_PIXELS / 1e9:.0f} billion); make it smaller where it was made"
    )


def frames_max(placement: Placement) -> int:
    """Frames that the placement takes."""
    limit = limit_of(placement, "gif-frames")
    return int(limit.max) if isinstance(limit, Range) and limit.max is not None else 10**6


def fitted_size(size: Size, frames: int, placement: Placement, *, grid: int = 1) -> Size:
    """The largest size of the same shape within dimensions and pixels, never enlarged. Pixel art goes down by whole steps of its grid
    where such a step is within the limits."""
    base = size[0] // grid, size[1] // grid
    for factor in range(grid, 0, -1) if grid > 1 else ():
        if _allowed((base[0] * factor, base[1] * factor), frames, placement):
            return base[0] * factor, base[1] * factor
    if _allowed(size, frames, placement):
        return size
    box, most = limit_of(placement, "gif-dimensions"), _most_pixels(placement)
    scale = 1.0
    if isinstance(box, DimensionRange):
        turned = not box.oriented and (size[0] > size[1]) != (box.max[0] > box.max[1])
        limit = (box.max[1], box.max[0]) if turned else box.max
        scale = min(scale, limit[0] / size[0], limit[1] / size[1])
    if most is not None:
        scale = min(scale, math.sqrt(most / (size[0] * size[1] * frames)))
    width = max(1, math.floor(size[0] * scale))
    while width > 1 and not _allowed(scaled_to_width(size, width), frames, placement):
        width -= 1
    return scaled_to_width(size, width)


def scaled_to_width(size: Size, width: int) -> Size:
    """The size of that width and the same shape."""
    return width, max(1, round(Fraction(size[1] * width, size[0])))


def _allowed(size: Size, frames: int, placement: Placement) -> bool:
    box, most = limit_of(placement, "gif-dimensions"), _most_pixels(placement)
    inside = not isinstance(box, DimensionRange) or box.allows(size)
    return inside and max(size) <= GIF_SIDE and (most is None or size[0] * size[1] * frames <= most)


def _most_pixels(placement: Placement) -> int | None:
    limit = limit_of(placement, "gif-pixels")
    return int(limit.max) if isinstance(limit, Range) and limit.max is not None else None


def written_limit(case: Case) -> int | None:
    """Bytes that a GIF made for the placement may have."""
    limit = limit_of(case.placement, "gif-size")
    limits = [limit.written] if isinstance(limit, ByteLimit) else []
    if case.options.max_size is not None:
        limits.append(case.options.max_size)
    return min(limits, default=None)


def limit_of(placement: Placement, rule_id: str) -> Constraint | None:
    """The placement's limit under a rule; None where it has none."""
    requirement = placement.requirements.get(rule_id)
    return None if requirement is None else requirement.limit
