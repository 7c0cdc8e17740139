"""The frame rate to encode at: constant, within the limits, as few frames lost as possible."""

from __future__ import annotations

import math
from fractions import Fraction

from mediaprep.model.fix import Case
from mediaprep.model.limits import Range
from mediaprep.model.media import VideoStream
from mediaprep.model.placement import Placement

FRAME_RATE_MAX = Fraction(60)  # frames per second if the placement has no limit
# Frames per second at least: two pictures a day apart are not a rate at which a span can be cut.
_FRAME_RATE_MIN = Fraction(1)
_STANDARD_RATES = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48000, 1001),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
)
# A variable rate within 3 % of a standard rate is taken for it (a guess).
_SNAP = Fraction(3, 100)
# The denominator of NTSC rates. Averages of variable rates have larger ones, for which no time base
# is fine enough.
_DENOMINATOR_MAX = 1001
# Timestamps that are off by a third of a frame make six intervals look this much faster (a guess).
_JITTER_FACTOR = Fraction(5, 4)


def target_rate(video: VideoStream, case: Case) -> Fraction | None:
    """Return the constant rate to encode at; None if the rate is unknown.

    A rate within the limits is kept. Above them it is divided, below them multiplied, by the
    smallest whole number that brings it within. Interlaced video gets a frame per field if that is
    within the limit, telecine four of five frames, a variable rate its fastest sustained rate.
    """
    least, limit = _rate_limits(case.placement)
    rate = video.frame_rate or case.options.frame_rate
    if rate is None:
        return None
    if video.rate_mode == "vfr" and rate <= limit:
        rate = min(limit, _snapped(_sustained_rate(video, rate)))
    if video.scan == "interlaced" and 2 * rate <= limit:
        return 2 * rate
    if video.scan == "telecine":
        rate = rate * 4 / 5
    rate /= math.ceil(rate / limit)
    least = max(_FRAME_RATE_MIN, least or _FRAME_RATE_MIN)
    if rate < least:
        rate = min(limit, rate * math.ceil(least / rate))
    return rate if rate.denominator <= _DENOMINATOR_MAX else Fraction(round(rate * 1000), 1000)


def _sustained_rate(video: VideoStream, rate: Fraction) -> Fraction:
    """Return the fastest rate that a variable rate sustains.

    That is the rate of its bursts, unless no second has as many frames: then they are jitter.
    """
    burst = max(rate, video.frame_rate_burst or rate)
    if video.frame_rate_peak is None or burst in _STANDARD_RATES:
        return burst
    most = Fraction(video.frame_rate_peak - (video.jitter_frames or 0))
    if most <= math.ceil(rate):
        if _snapped(rate) in _STANDARD_RATES:
            return rate
        return _rate_without_gaps(rate, min(burst, Fraction(video.frame_rate_peak)))
    if burst > most * _JITTER_FACTOR:
        return burst
    # Jitter may count one frame too many.
    near = [standard for standard in _STANDARD_RATES if most - 1 <= standard <= most]
    return max(rate, *near) if near else max(rate, most)


def _rate_without_gaps(rate: Fraction, most: Fraction) -> Fraction:
    """Return the standard rate of a recording with missing frames, as phones make in the dark.

    That is the highest one above ``rate`` and up to ``most``; ``rate`` if there is none.
    """
    return max((standard for standard in _STANDARD_RATES if rate < standard <= most), default=rate)


def _snapped(rate: Fraction) -> Fraction:
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= nearest * _SNAP else rate


def _rate_limits(placement: Placement) -> tuple[Fraction | None, Fraction]:
    limit = placement.limit("video-frame-rate")
    if not isinstance(limit, Range):
        return None, FRAME_RATE_MAX
    return limit.min, limit.max or FRAME_RATE_MAX
