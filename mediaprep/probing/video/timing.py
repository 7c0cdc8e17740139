"""Frame rate facts from presentation times, in exact integers and fractions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from operator import sub
from typing import Literal

from mediaprep.model.media import RateMode

# A measured average within 0.2 % of one of these means that rate: the picture rates of
# SMPTE ST 2036-1, halved and doubled.
STANDARD_RATES = (
    *(Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30)),
    *(Fraction(48000, 1001), Fraction(48), Fraction(50), Fraction(60000, 1001), Fraction(60)),
    *(Fraction(120000, 1001), Fraction(120)),
)
SNAP = Fraction(2, 1000)
# Seconds by which a timestamp of a constant rate may be off: Matroska, WebM and FLV count
# milliseconds.
TOLERANCE = Fraction(1, 1000)
BURST_INTERVALS = 6
# A header that states a higher rate counts ticks, not frames: x264's VUI of a variable rate,
# ffmpeg's AVI of 600 per second.
MOST_STATED = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Frame rate facts; the fields are those of media.VideoStream."""

    frame_rate: Fraction | None = None
    frame_rate_average: Fraction | None = None
    frame_rate_peak: int | None = None
    jitter_frames: int | None = None
    frame_rate_burst: Fraction | None = None
    rate_mode: RateMode | None = None
    timestamps: Literal["ok", "missing", "broken"] = "ok"


def frame_timing(
    pts: Sequence[int],
    time_base: Fraction,
    *,
    declared: Fraction | None,
    header_rate: Fraction | None,
    codec: str | None = None,
    has_pts: bool = True,
) -> Timing:
    """Return the frame rate facts of the frames that are presented.

    pts          their presentation times in ticks of ``time_base``, in any order
    declared     the demuxer's base rate; it only decides between rates that fit equally well
    header_rate  the rate that the container's or the bitstream's header states. It is used if the
                 timestamps are unusable (AVI with B frames, whose timestamps collide), and if
                 frames are missing from an otherwise even stream
    codec        ffmpeg's name; MPEG-2 and H.264 can repeat fields, so that frames of one rate have
                 different durations (soft telecine)
    has_pts      False: the container has no presentation times (AVI), so timestamps off the grid of
                 the header's rate were made up by the demuxer
    """
    ticks = sorted(set(pts))
    stated = header_rate if header_rate and header_rate > 0 else None
    if not ticks or time_base <= 0:
        return Timing(timestamps="missing")
    frames_stated = stated if stated and stated <= MOST_STATED else None
    if len(ticks) == 1:
        return Timing(frame_rate=frames_stated, frame_rate_peak=1, jitter_frames=0)
    if not has_pts:
        usual = frames_stated or 1 / (_steps(ticks)[len(ticks) // 2 - 1] * time_base)
        if not _is_on_grid(ticks, usual * time_base):
            return _from_header(usual)
    average = Fraction(len(ticks) - 1) / ((ticks[-1] - ticks[0]) * time_base)
    hints = tuple(hint for hint in (stated, declared) if hint and hint > 0)
    nominal = _snapped(ticks, time_base, average, hints)
    is_even = _within(ticks, nominal * time_base, _tolerance(time_base, nominal))
    if not is_even:
        has_repeats = codec in ("mpeg2video", "h264")
        nominal = (
            (_pulldown_rate(ticks, time_base) if has_repeats else None)
            or _rate_between_gaps(ticks, time_base, stated)
            or _steadiest(ticks, time_base, average, nominal)
        )
    peak = _most_within(ticks, _ticks_below(1 / time_base), min(ceil(nominal), len(ticks)))
    return Timing(
        frame_rate=nominal,
        frame_rate_average=average,
        frame_rate_peak=peak,
        jitter_frames=_jitter_frames(ticks, time_base, nominal, peak),
        frame_rate_burst=_burst(ticks, time_base),
        rate_mode="cfr" if is_even else "vfr",
    )


def _from_header(rate: Fraction) -> Timing:
    """Return the facts if the header's rate is all there is."""
    return Timing(
        frame_rate=rate,
        frame_rate_peak=ceil(rate),
        jitter_frames=0,
        frame_rate_burst=rate,
        rate_mode="cfr",
        timestamps="broken",
    )


def _steps(ticks: Sequence[int]) -> list[int]:
    """Return the intervals between timestamps, the shortest first."""
    return sorted(map(sub, ticks[1:], ticks))


def _tolerance(time_base: Fraction, rate: Fraction) -> Fraction:
    """Return the ticks by which a timestamp of an even stream may be off.

    That is one tick or a millisecond, but never more than a quarter of a frame.
    """
    return min(max(Fraction(1), TOLERANCE / time_base), 1 / (4 * rate * time_base))


def _near(rate: Fraction, slack: Fraction) -> list[Fraction]:
    """Return the standard rates that differ from ``rate`` by at most ``slack``."""
    return [standard for standard in STANDARD_RATES if abs(standard - rate) <= slack]


def _nearest(rates: Sequence[Fraction], rate: Fraction) -> Fraction:
    return min(rates, key=lambda candidate: abs(candidate - rate))


def _snapped(
    ticks: Sequence[int], time_base: Fraction, average: Fraction, hints: Sequence[Fraction]
) -> Fraction:
    """Return the nominal rate.

    It is the nearest standard rate within 0.2 % of the average, or within what rounding of the end
    timestamps to ticks can cause (not if all are as far apart as a hint says); else a whole rate on
    whose grid every timestamp lies; else the average itself. A hint decides between rates that fit
    equally well.
    """
    is_exact = average in hints and _within(ticks, average * time_base, Fraction(0))
    rounding = Fraction(1, ticks[-1] - ticks[0])
    slack = average * (SNAP if is_exact else max(SNAP, rounding))
    near = _near(average, slack)
    for hint in hints:
        if abs(hint - average) <= average * rounding and (hint in near or not near):
            return hint
    if near:
        return _nearest(near, average)
    whole = Fraction(round(average))
    fits = whole > 0 and abs(whole - average) <= slack
    return whole if fits and _within(ticks, whole * time_base, Fraction(1)) else average


def _steadiest(
    ticks: Sequence[int], time_base: Fraction, average: Fraction, nominal: Fraction
) -> Fraction:
    """Return the standard rate near the average whose grid the timestamps spread least from.

    60 and 59.94 differ by less than the jitter at the ends of a short stream.
    """
    near = _near(average, average * SNAP)
    if nominal not in near:
        return nominal

    def spread(rate: Fraction) -> tuple[Fraction, Fraction]:
        return _spread(ticks, rate * time_base)[1] / rate, abs(rate - average)

    return min(near, key=spread)


def _spread(ticks: Sequence[int], per_tick: Fraction) -> tuple[bool, Fraction]:
    """Return whether each timestamp has a grid place of its own, and the spread off the grid.

    ``per_tick``: frames per tick, which make the grid. The spread is the difference, in frames,
    between the largest and the smallest deviation.
    """
    up, down, first = per_tick.numerator, per_tick.denominator, ticks[0]
    places = [((tick - first) * up + down // 2) // down for tick in ticks]
    off = [(tick - first) * up - place * down for tick, place in zip(ticks, places, strict=True)]
    return len(set(places)) == len(places), Fraction(max(off) - min(off), down)


def _within(ticks: Sequence[int], per_tick: Fraction, tolerance: Fraction) -> bool:
    """Return True if timestamp i lies within ``tolerance`` ticks of i / ``per_tick``.

    ``per_tick``: frames per tick. Counted from the first timestamp.
    """
    up, down, first = per_tick.numerator, per_tick.denominator, ticks[0]
    limit = int(tolerance * up)
    ideal = range(first * up, first * up + len(ticks) * down, down)
    off: list[int] = list(map(sub, [tick * up for tick in ticks], ideal))
    return max(off) <= limit and min(off) >= -limit


def _is_on_grid(ticks: Sequence[int], per_tick: Fraction) -> bool:
    """Return True if each timestamp has a grid place of its own, whole frames after the first.

    It may be off by half a tick, or by an eighth of a frame.
    """
    up, down, first = per_tick.numerator, per_tick.denominator, ticks[0]
    limit = max(up // 2, down // 8)
    places = {((tick - first) * up + down // 2) // down for tick in ticks}
    return len(places) == len(ticks) and all(
        min(rest := (tick - first) * up % down, down - rest) <= limit for tick in ticks
    )


def _rate_between_gaps(
    ticks: Sequence[int], time_base: Fraction, stated: Fraction | None
) -> Fraction | None:
    """Return the rate of an even stream from which some frames are missing.

    Nine of ten intervals are alike, every other one is a whole multiple of at least two, and the
    rate is a standard one or the header's. None if the stream is not like that.
    """
    steps = _steps(ticks)
    usual = steps[len(steps) // 2]
    tolerance = _tolerance(time_base, 1 / (usual * time_base))
    alike = [step for step in steps if abs(step - usual) <= tolerance]
    if 10 * len(alike) < 9 * len(steps):
        return None
    measured = Fraction(len(alike)) / (sum(alike) * time_base)
    slack = measured * SNAP
    candidates = _near(measured, slack)
    if stated and abs(stated - measured) <= slack:
        nominal = stated
    elif candidates:
        nominal = _nearest(candidates, measured)
    else:
        return None
    interval = 1 / (nominal * time_base)
    for step in set(steps):
        multiple = round(step / interval)
        is_gap = multiple >= 2 and abs(step - multiple * interval) <= 2 * tolerance
        if abs(step - usual) > tolerance and not is_gap:
            return None
    return nominal


def _pulldown_rate(ticks: Sequence[int], time_base: Fraction) -> Fraction | None:
    """Return the film rate of frames that are shown for 2 and 3 fields in turn (soft telecine).

    None if the stream is not like that.
    """
    steps = _steps(ticks)
    brief, extended = steps[len(steps) // 4], steps[3 * len(steps) // 4]
    if abs(Fraction(extended, brief) - Fraction(3, 2)) > Fraction(1, 20):
        return None
    tolerance = _tolerance(time_base, 1 / (brief * time_base))
    short = [step for step in steps if abs(step - brief) <= tolerance]
    long = [step for step in steps if abs(step - extended) <= tolerance]
    few = 10 * (len(short) + len(long)) < 9 * len(steps)
    if few or abs(len(short) - len(long)) > 1 + len(steps) // 10:
        return None
    measured = 2 / ((Fraction(sum(short), len(short)) + Fraction(sum(long), len(long))) * time_base)
    return next(iter(_near(measured, measured * SNAP / 4)), measured)


def _ticks_below(length: Fraction) -> int:
    """Return the largest whole number of ticks that is less than ``length`` ticks."""
    return ceil(length) - 1


def _most_within(ticks: Sequence[int], reach: int, guess: int) -> int:
    """Return the most timestamps of which the last is at most ``reach`` ticks after the first.

    Fast if the result is about ``guess``.
    """

    def fits(count: int) -> bool:
        closest: int = min(map(sub, ticks[count - 1 :], ticks))
        return closest <= reach

    low, high = 1, len(ticks) + 1  # low fits, high does not
    for count in (guess, guess + 1):
        if low < count < high:
            low, high = (count, high) if fits(count) else (low, count)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _burst(ticks: Sequence[int], time_base: Fraction) -> Fraction:
    """Return the highest rate over 6 consecutive intervals, or over all if there are fewer."""
    intervals = min(BURST_INTERVALS, len(ticks) - 1)
    shortest: int = min(map(sub, ticks[intervals:], ticks))
    return Fraction(intervals) / (shortest * time_base)


def _jitter_frames(ticks: Sequence[int], time_base: Fraction, nominal: Fraction, peak: int) -> int:
    """Return how many of the ``peak`` frames of a second are there only by jitter.

    One late frame, or a clock that runs 0.02 % fast, brings one more than a second of the nominal
    rate can hold. A window shortened by twice the jitter does not hold the others. Jitter is half
    the spread of the timestamps around the nominal grid (missing frames are not jitter); more than
    a quarter of a frame is not jitter but another rate.
    """
    if peak <= nominal:
        return 0
    least = 1 if peak == ceil(nominal) + 1 else 0
    has_places, spread = _spread(ticks, nominal * time_base)
    if not has_places or 2 * spread > 1:
        return least
    window = _ticks_below((1 - spread / nominal) / time_base)
    return max(least, peak - _most_within(ticks, window, peak - 1))
