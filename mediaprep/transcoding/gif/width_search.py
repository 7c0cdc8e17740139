"""The bounded search for a byte limit: which width to try next. Pure; at most ``MOST`` full encodes.

The bytes of a GIF go as width^p with p from 1.5 (soft) to 2.0 (detailed): a cheap trial gives the first width, the exponent measured
between tries corrects it (encoding notes, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mediaprep.errors import VerifyError

MOST = 3
EXPONENT = 1.6
_EXPONENTS = 1.2, 2.4  # what is believed of a measured one
_AIM = 0.967  # of the limit: 14.5 of 15 MB
_MIDDLE = 0.975  # once something fits: half-way between the fill wanted and the limit
_CAREFUL = 0.96  # the last try, when nothing has fitted yet


class TooSmall(VerifyError):
    """What fits the limit would be smaller than is worth keeping; a video would do better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthTrial:
    """One width with its bytes; not ``full``: an estimate from a trial."""

    width: int
    size_bytes: int
    full: bool = True


def next_width(
    tries: Sequence[WidthTrial], widths: Sequence[int], limit: int, fill: Fraction | None
) -> int | None:
    """The width to encode next, of ``widths`` (ascending); None: no better one can be had in the encodes that are left."""
    made = [item for item in tries if item.full]
    found = best(tries, limit)
    if len(made) >= MOST or (
        found is not None
        and (found.width == widths[-1] or (fill is not None and found.size_bytes >= fill * limit))
    ):
        return None
    low = found.width if found is not None else 0
    high = min((item.width for item in made if item.size_bytes > limit), default=widths[-1] + 1)
    open_ = [width for width in widths if low < width < high]
    if not open_:
        return None
    share = _MIDDLE if found is not None else _CAREFUL if len(made) == MOST - 1 else _AIM
    wished = wanted_width(tries, limit * share)
    return max((width for width in open_ if width <= wished), default=open_[0])


def best(tries: Sequence[WidthTrial], limit: int) -> WidthTrial | None:
    """The widest full encode that fits."""
    return max(
        (item for item in tries if item.full and item.size_bytes <= limit),
        key=lambda item: item.width,
        default=None,
    )


def wanted_width(tries: Sequence[WidthTrial], aim: float) -> float:
    """The width at which the bytes are expected to be ``aim``, from the try that came nearest to it."""
    if not tries:
        return math.inf
    nearest = min(tries, key=lambda item: (not item.full, abs(math.log(item.size_bytes / aim))))
    return float(nearest.width * (aim / nearest.size_bytes) ** (1 / _exponent(tries, aim)))


def _exponent(tries: Sequence[WidthTrial], aim: float) -> float:
    """Measured between the two tries nearest to the aim whose widths differ enough; the usual one where there are none."""
    known = sorted(tries, key=lambda item: (not item.full, abs(math.log(item.size_bytes / aim))))
    for other in known[1:]:
        apart = math.log(known[0].width / other.width)
        if abs(apart) > (0.01 if other.full else 0.08):
            return min(
                _EXPONENTS[1],
                max(_EXPONENTS[0], math.log(known[0].size_bytes / other.size_bytes) / apart),
            )
    return EXPONENT


def estimate(frames: Sequence[int], run: int, overhead: int, total: int) -> int:
    """Bytes of the whole animation from a trial's frames: ``run`` of them lie together, and the first of each run but the very first is
    a jump that the whole does not have."""
    if len(frames) >= total or len(frames) < 2:
        return overhead + sum(frames)
    following = [size for index, size in enumerate(frames) if index % run] or list(frames[1:])
    return overhead + frames[0] + round(sum(following) / len(following) * (total - 1))
