"""Which frames of an animation are kept, and how long each of them stays in a GIF: whole hundredths of a second, two at the least."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

TICK = Fraction(1, 100)
LEAST_TICKS = 2  # browsers play 0 and 1/100 s as 1/10 s


def kept(delays: tuple[Fraction, ...], most: int) -> tuple[int, ...]:
    """Indices of the frames to keep, at most ``most``: the frames are divided into that many runs of equal count, and of each run the one
    that stays longest stands for all of it. Frames that no GIF can show (less than 1/50 s) are merged into the one before."""
    starts = _starts(delays)
    shown: list[int] = []
    last = -LEAST_TICKS
    for index, start in enumerate(starts[:-1]):
        if start - last >= LEAST_TICKS:
            shown.append(index)
            last = start
    if starts[-1] - last < LEAST_TICKS and len(shown) > 1:
        shown.pop()
    if len(shown) <= most:
        return tuple(shown)
    bounds = [i * len(shown) // most for i in range(most + 1)]
    return tuple(max(shown[a:b], key=lambda index: delays[index]) for a, b in pairwise(bounds))


def gif_delays(delays: tuple[Fraction, ...], most: int) -> tuple[Fraction, ...]:
    """Seconds that each frame of ``kept(delays, most)`` stays: the sum of its run's, in whole hundredths, so that the whole duration is
    kept to half a hundredth."""
    starts = _starts(delays)
    firsts = _first_of_runs(delays, most)
    ends = [*(starts[first] for first in firsts[1:]), max(starts[-1], starts[firsts[-1]] + LEAST_TICKS)]
    return tuple((end - starts[first]) * TICK for first, end in zip(firsts, ends, strict=True))


def _first_of_runs(delays: tuple[Fraction, ...], most: int) -> list[int]:
    shown = kept(delays, len(delays))
    if len(shown) <= most:
        return list(shown)
    return [shown[i * len(shown) // most] for i in range(most)]


def _starts(delays: tuple[Fraction, ...]) -> list[int]:
    """Hundredths at which each frame begins, rounded from the exact sum; the last entry is the end."""
    at = Fraction(0)
    starts = [0]
    for delay in delays:
        at += delay
        starts.append(round(at / TICK))
    return starts
