"""The bounded search for the widest GIF within a byte limit: which width to encode next. Pure.

The bytes of a GIF grow with width^p, where p is between 1.5 (soft pictures) and 2.0 (detailed
ones). A cheap trial gives the first width; the exponent measured between encodes corrects it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mediaprep.errors import VerifyError

MAX_ENCODES = 3
EXPONENT = 1.6  # until two widths are measured
_MIN_EXPONENT, _MAX_EXPONENT = 1.2, 2.4  # bounds for a measured one, against outliers
_FIRST_AIM = 0.967  # of the limit: 14.5 of 15 MB
_REFINED_AIM = 0.975  # once an encode fits: half-way between the wanted fill and the limit
_LAST_AIM = 0.96  # for the last encode if none has fitted yet


class GifTooSmall(VerifyError):
    """A GIF within the byte limit would be smaller than is useful; a video would show more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthTrial:
    """The bytes at one width; an estimate from some frames unless ``full``."""

    width: int
    size_bytes: int
    full: bool = True


def next_width(
    trials: Sequence[WidthTrial], widths: Sequence[int], limit: int, fill: Fraction | None
) -> int | None:
    """Return the width to encode next; None if no better one can be found.

    widths  the widths that are possible, ascending
    limit   bytes that the GIF may have
    fill    the share of the limit at which the search ends; None to search for the widest
    """
    encodes = [trial for trial in trials if trial.full]
    best = best_trial(trials, limit)
    if len(encodes) >= MAX_ENCODES:
        return None
    if best is not None and best.width == widths[-1]:
        return None
    if best is not None and fill is not None and best.size_bytes >= fill * limit:
        return None
    low = best.width if best is not None else 0
    too_large = [trial.width for trial in encodes if trial.size_bytes > limit]
    high = min(too_large, default=widths[-1] + 1)
    between = [width for width in widths if low < width < high]
    if not between:
        return None
    if best is not None:
        aim = _REFINED_AIM
    elif len(encodes) == MAX_ENCODES - 1:
        aim = _LAST_AIM
    else:
        aim = _FIRST_AIM
    expected = expected_width(trials, limit * aim)
    return max((width for width in between if width <= expected), default=between[0])


def best_trial(trials: Sequence[WidthTrial], limit: int) -> WidthTrial | None:
    """Return the widest full encode within the limit; None if there is none."""
    fit_name = [trial for trial in trials if trial.full and trial.size_bytes <= limit]
    return max(fit_name, key=lambda trial: trial.width, default=None)


def expected_width(trials: Sequence[WidthTrial], aim: float) -> float:
    """Return the width at which ``aim`` bytes are expected, from the nearest trial; infinity
    without trials.
    """
    if not trials:
        return math.inf
    nearest = _nearest_first(trials, aim)[0]
    return float(nearest.width * (aim / nearest.size_bytes) ** (1 / _exponent(trials, aim)))


def estimate(frames: Sequence[int], run: int, overhead: int, total: int) -> int:
    """Return the estimated bytes of the whole animation.

    frames    bytes of each frame of the trial
    run       frames of the trial that follow each other. The first of each run is left out of the
              average: it differs from the frame before it more than frames of the whole do
    overhead  bytes of the trial that belong to no frame
    total     number of frames of the whole
    """
    if len(frames) >= total or len(frames) < 2:
        return overhead + sum(frames)
    following = [size for index, size in enumerate(frames) if index % run] or list(frames[1:])
    return overhead + frames[0] + round(sum(following) / len(following) * (total - 1))


def _nearest_first(trials: Sequence[WidthTrial], aim: float) -> list[WidthTrial]:
    """Return the trials, full encodes first, sorted by how near their bytes are to ``aim``."""

    def distance(trial: WidthTrial) -> tuple[bool, float]:
        return not trial.full, abs(math.log(trial.size_bytes / aim))

    return sorted(trials, key=distance)


def _exponent(trials: Sequence[WidthTrial], aim: float) -> float:
    """Return the exponent measured between the trial nearest to ``aim`` and the next one of
    another width; the usual exponent if there is none.
    """
    nearest, *others = _nearest_first(trials, aim)
    for other in others:
        apart = math.log(nearest.width / other.width)
        if abs(apart) > (0.01 if other.full else 0.08):
            measured = math.log(nearest.size_bytes / other.size_bytes) / apart
            return min(_MAX_EXPONENT, max(_MIN_EXPONENT, measured))
    return EXPONENT
