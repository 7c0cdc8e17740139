"""Which frames of an animation are kept, and how long each of them stays in a GIF: whole hundredths of a second, two at the least."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

TICK = Fraction(1, 100)
LEAST_TICKS = 2  # browsers play 0 and 1/100 s as 1/10 s


def retained_frames(delays: tuple[Fraction, ...], most: int) -> tuple[int, ...]:
    """Indices of the frames to keep, at most ``most``: the frames are divided into runs, and of each the one that stays longest stands
    for all of it. A run is a single frame, or what no GIF can show apart (less than 1/50 s), or a share of too many frames."""
    return tuple(max(run, key=lambda index: delays[index]) for run in _runs(delays, most))


def gif_delays(delays: tuple[Fraction, ...], most: int) -> tuple[Fraction, ...]:
    """Seconds that each frame of ``kept(delays, most)`` stays: the sum of its run's, in whole hundredths, so that the whole duration is
    kept to half a hundredth."""
    starts = _starts(delays)
    firsts = [run[0] for run in _runs(delays, most)]
    ends = [
        *(starts[first] for first in firsts[1:]),
        max(starts[-1], starts[firsts[-1]] + LEAST_TICKS),
    ]
    return tuple((end - starts[first]) * TICK for first, end in zip(firsts, ends, strict=True))


def _runs(delays: tuple[Fraction, ...], most: int) -> list[list[int]]:
    starts = _starts(delays)
    runs: list[list[int]] = []
    for index, start in enumerate(starts[:-1]):
        if runs and start - starts[runs[-1][0]] < LEAST_TICKS:
            runs[-1].append(index)
        else:
            runs.append([index])
    if len(runs) > 1 and starts[-1] - starts[runs[-1][0]] < LEAST_TICKS:
        runs[-2:] = [runs[-2] + runs[-1]]
    if len(runs) <= most:
        return runs
    bounds = [i * len(runs) // most for i in range(most + 1)]
    return [[index for run in runs[a:b] for index in run] for a, b in pairwise(bounds)]


def _starts(delays: tuple[Fraction, ...]) -> list[int]:
    """Hundredths at which each frame begins, rounded from the exact sum; the last entry is the end."""
    at = Fraction(0)
    starts = [0]
    for delay in delays:
        at += delay
        starts.append(round(at / TICK))
    return starts
