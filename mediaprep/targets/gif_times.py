"""Frame times of a GIF: whole hundredths of a second, at least two per frame."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

TICK = Fraction(1, 100)
_TICKS_MIN = 2  # browsers play delays of 0 and 1/100 s as 1/10 s


def retained_frames(delays: tuple[Fraction, ...], most: int) -> tuple[int, ...]:
    """Return the indices of the frames to keep, at most ``most``.

    The frames are divided into runs; of each run the frame shown longest is kept. A run is a single
    frame, frames too short for a GIF (less than 1/50 s together), or a share of too many frames.
    """
    return tuple(max(run, key=lambda index: delays[index]) for run in _runs(delays, most))


def gif_delays(delays: tuple[Fraction, ...], most: int) -> tuple[Fraction, ...]:
    """Return the seconds that each of ``retained_frames(delays, most)`` is shown.

    That is the sum over its run, in whole hundredths. The total changes by at most half of one.
    """
    starts = _starts(delays)
    firsts = [run[0] for run in _runs(delays, most)]
    end = max(starts[-1], starts[firsts[-1]] + _TICKS_MIN)
    ends = [*(starts[first] for first in firsts[1:]), end]
    return tuple((end - starts[first]) * TICK for first, end in zip(firsts, ends, strict=True))


def _runs(delays: tuple[Fraction, ...], most: int) -> list[list[int]]:
    starts = _starts(delays)
    runs: list[list[int]] = []
    for index, start in enumerate(starts[:-1]):
        if runs and start - starts[runs[-1][0]] < _TICKS_MIN:
            runs[-1].append(index)
        else:
            runs.append([index])
    if len(runs) > 1 and starts[-1] - starts[runs[-1][0]] < _TICKS_MIN:
        runs[-2:] = [runs[-2] + runs[-1]]
    if len(runs) <= most:
        return runs
    bounds = [i * len(runs) // most for i in range(most + 1)]
    return [[index for run in runs[a:b] for index in run] for a, b in pairwise(bounds)]


def _starts(delays: tuple[Fraction, ...]) -> list[int]:
    """Return the hundredths at which each frame starts, and the end as the last entry.

    Each is rounded from the exact sum, so that rounding does not add up.
    """
    at = Fraction(0)
    starts = [0]
    for delay in delays:
        at += delay
        starts.append(round(at / TICK))
    return starts
