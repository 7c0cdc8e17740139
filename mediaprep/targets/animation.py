"""What making a GIF settles, whichever rule asked for it: all fixes meet in this one encode."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import Box, ByteLimit, Constraint, Range
from mediaprep.model.media import Animation
from mediaprep.model.placement import AnimationEncoding, Spec
from mediaprep.targets import gif_times

Size = tuple[int, int]
WORK_PIXELS = 16_000_000_000  # source pixels x frames that are decoded: some minutes on one core (a guess at anybody's patience)
CANVAS_PIXELS = (
    64_000_000  # of one picture: the hostile-input notes, section 6; what ffmpeg is told to refuse
)
GIF_SIDE = 65535  # GIF89a, section 18


def encoding(spec: Spec) -> AnimationEncoding:
    """The placement's GIF target. Raises: TypeError for a placement that takes no animation."""
    if not isinstance(spec.encoding, AnimationEncoding):
        raise TypeError(f"{spec.placement} has no animation encoding")
    return spec.encoding


def encoded(want: Animation, case: Case) -> Animation | Refused:
    """The same animation as a GIF made anew: frames, then dimensions, then pixels within the limits, the total duration kept. Width and
    height are the most that the limits leave; the search for the byte limit may take less."""
    if want.width is None or want.height is None or want.delays is None or want.frame_count is None:
        return Refused(
            reason="the times of its frames cannot be told, so it cannot be made anew", ways_out=()
        )
    if (work := _too_much(want)) is not None:
        return work
    delays = gif_times.gif_delays(want.delays, most_frames(case.spec))
    width, height = fitted(
        (want.width, want.height), len(delays), case.spec, grid=want.pixel_grid or 1
    )
    return replace(
        want,
        anew=True,
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


def _too_much(want: Animation) -> Refused | None:
    canvas = (want.width or 0) * (want.height or 0)
    pixels = canvas * (want.frame_count or 0)
    size = units.size_text((want.width or 0, want.height or 0))
    if canvas > CANVAS_PIXELS:
        return Refused(
            reason=f"a picture of {size} is not decoded (more than {CANVAS_PIXELS // 10**6} million pixels)"
        )
    if pixels <= WORK_PIXELS:
        return None
    return Refused(
        reason=f"{want.frame_count} frames of {size} are {pixels / 1e9:.0f} billion pixels, more than are decoded "
        f"({WORK_PIXELS / 1e9:.0f} billion); make it smaller where it was made"
    )


def most_frames(spec: Spec) -> int:
    """Frames that the placement takes."""
    limit = limit_of(spec, "gif-frames")
    return int(limit.max) if isinstance(limit, Range) and limit.max is not None else 10**6


def fitted(size: Size, frames: int, spec: Spec, *, grid: int = 1) -> Size:
    """The largest size of the same shape within dimensions and pixels, never enlarged. Pixel art goes down by whole steps of its grid
    where such a step is within the limits."""
    base = size[0] // grid, size[1] // grid
    for factor in range(grid, 0, -1) if grid > 1 else ():
        if _allowed((base[0] * factor, base[1] * factor), frames, spec):
            return base[0] * factor, base[1] * factor
    if _allowed(size, frames, spec):
        return size
    box, most = limit_of(spec, "gif-dimensions"), _most_pixels(spec)
    scale = 1.0
    if isinstance(box, Box):
        turned = not box.oriented and (size[0] > size[1]) != (box.max[0] > box.max[1])
        limit = (box.max[1], box.max[0]) if turned else box.max
        scale = min(scale, limit[0] / size[0], limit[1] / size[1])
    if most is not None:
        scale = min(scale, math.sqrt(most / (size[0] * size[1] * frames)))
    width = max(1, math.floor(size[0] * scale))
    while width > 1 and not _allowed(of_width(size, width), frames, spec):
        width -= 1
    return of_width(size, width)


def of_width(size: Size, width: int) -> Size:
    """The size of that width and the same shape."""
    return width, max(1, round(Fraction(size[1] * width, size[0])))


def _allowed(size: Size, frames: int, spec: Spec) -> bool:
    box, most = limit_of(spec, "gif-dimensions"), _most_pixels(spec)
    inside = not isinstance(box, Box) or box.allows(size)
    return inside and max(size) <= GIF_SIDE and (most is None or size[0] * size[1] * frames <= most)


def _most_pixels(spec: Spec) -> int | None:
    limit = limit_of(spec, "gif-pixels")
    return int(limit.max) if isinstance(limit, Range) and limit.max is not None else None


def written_limit(case: Case) -> int | None:
    """Bytes that a GIF made for the placement may have."""
    limit = limit_of(case.spec, "gif-size")
    limits = [limit.written] if isinstance(limit, ByteLimit) else []
    if case.wishes.max_size is not None:
        limits.append(case.wishes.max_size)
    return min(limits, default=None)


def limit_of(spec: Spec, rule_id: str) -> Constraint | None:
    """The placement's limit under a rule; None where it has none."""
    requirement = spec.requirements.get(rule_id)
    return None if requirement is None else requirement.limit
