"""Frame rate facts from presentation times: exact, in integers and fractions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from operator import sub
from typing import Literal

from mediaprep.model.media import RateMode

# Rates that a measured average is taken to mean when it lies within 0.2 %: the picture rates of SMPTE ST 2036-1, halved and doubled.
STANDARD_RATES = tuple(
    Fraction(rate)
    for rate in (
        "24000/1001",
        24,
        25,
        "30000/1001",
        30,
        "48000/1001",
        48,
        50,
        "60000/1001",
        60,
        "120000/1001",
        120,
    )
)
SNAP = Fraction(2, 1000)
TOLERANCE = Fraction(
    1, 1000
)  # seconds by which a constant-rate time stamp may be off (Matroska, WebM and FLV count milliseconds)
BURST_INTERVALS = 6
MOST_STATED = 120  # a header that states more counts ticks, not frames (x264's VUI of a variable rate, ffmpeg's AVI of 600 a second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Frame rate facts; every field mirrors media.VideoStream."""

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
    presentation_times: bool = True,
) -> Timing:
    """The frame rate of frames presented at ``pts`` (ticks of ``time_base``, any order; the frames that are not discarded).

    declared      the demuxer's base rate: no evidence by itself, it only chooses between rates that the stamps allow alike
    header_rate   the rate that the container's or the bitstream's header states; taken where the time stamps are unusable (AVI with
                  B frames: theirs collide), and believed where frames are missing from an otherwise even stream
    codec         ffmpeg's name: MPEG-2 and H.264 can repeat fields, so that frames of one rate last unequally (soft telecine)
    presentation_times   False: the container states none, so timestamps off the grid of the header's
                  rate are invented (AVI)
    """
    ticks = sorted(set(pts))
    stated = header_rate if header_rate and header_rate > 0 else None
    if not ticks or time_base <= 0:
        return Timing(timestamps="missing")
    frames = stated if stated and stated <= MOST_STATED else None
    if len(ticks) == 1:
        return Timing(frame_rate=frames, frame_rate_peak=1, jitter_frames=0)
    if not presentation_times:
        usual = frames or 1 / (sorted(map(sub, ticks[1:], ticks))[len(ticks) // 2 - 1] * time_base)
        if not _on_grid(ticks, usual * time_base):
            return _as_stated(usual)
    average = Fraction(len(ticks) - 1) / ((ticks[-1] - ticks[0]) * time_base)
    hints = tuple(hint for hint in (stated, declared) if hint and hint > 0)
    nominal = _snapped(ticks, time_base, average, hints)
    even = _deviation_within(ticks, nominal * time_base, _tolerance(time_base, nominal))
    if not even:
        pulled = _pulldown_rate(ticks, time_base) if codec in ("mpeg2video", "h264") else None
        nominal = (
            pulled
            or _rate_between_gaps(ticks, time_base, stated)
            or _steadiest(ticks, time_base, average, nominal)
        )
    window = _ticks_below(1 / time_base)
    peak = _most_within(ticks, window, min(ceil(nominal), len(ticks)))
    return Timing(
        frame_rate=nominal,
        frame_rate_average=average,
        frame_rate_peak=peak,
        jitter_frames=_jitter_frames(ticks, time_base, nominal, peak),
        frame_rate_burst=_burst(ticks, time_base),
        rate_mode="cfr" if even else "vfr",
    )


def _as_stated(rate: Fraction) -> Timing:
    """What a header's rate means when it is all there is."""
    return Timing(
        frame_rate=rate,
        frame_rate_peak=ceil(rate),
        jitter_frames=0,
        frame_rate_burst=rate,
        rate_mode="cfr",
        timestamps="broken",
    )


def _tolerance(time_base: Fraction, rate: Fraction) -> Fraction:
    """Ticks by which a stamp of an even stream may be off: one, or a millisecond, but never more than a quarter of a frame."""
    return min(max(Fraction(1), TOLERANCE / time_base), 1 / (4 * rate * time_base))


def _snapped(
    ticks: Sequence[int], time_base: Fraction, average: Fraction, hints: Sequence[Fraction]
) -> Fraction:
    """The nominal rate: the nearest standard rate within 0.2 % of the average, or within what rounding the end stamps to ticks can make
    (none, where all are as far apart as a hint says); a whole rate on whose grid every stamp lies; else the average itself. Between rates
    that fit alike, a hint decides."""
    exact = average in hints and _deviation_within(ticks, average * time_base, Fraction(0))
    slack = average * (SNAP if exact else max(SNAP, 1 / Fraction(ticks[-1] - ticks[0])))
    rounding = average / (ticks[-1] - ticks[0])
    near = [rate for rate in STANDARD_RATES if abs(rate - average) <= slack]
    for hint in hints:
        if abs(hint - average) <= rounding and (hint in near or not near):
            return hint
    if near:
        return min(near, key=lambda rate: abs(rate - average))
    whole = Fraction(round(average))
    fits = (
        whole > 0
        and abs(whole - average) <= slack
        and _deviation_within(ticks, whole * time_base, Fraction(1))
    )
    return whole if fits else average


def _steadiest(
    ticks: Sequence[int], time_base: Fraction, average: Fraction, nominal: Fraction
) -> Fraction:
    """Of the standard rates that a jittery stream's average may mean (60 and 59.94 differ by less than the jitter of a short one's ends),
    the one from whose grid its stamps spread least."""
    near = [rate for rate in STANDARD_RATES if abs(rate - average) <= average * SNAP]
    if nominal not in near:
        return nominal
    return min(
        near, key=lambda rate: (_spread(ticks, rate * time_base)[1] / rate, abs(rate - average))
    )


def _spread(ticks: Sequence[int], per_tick: Fraction) -> tuple[bool, Fraction]:
    """Whether each stamp has a place of its own on the grid of ``per_tick`` frames a tick, and how far apart, in frames, the stamps are off
    their places."""
    up, down, first = per_tick.numerator, per_tick.denominator, ticks[0]
    places = [((tick - first) * up + down // 2) // down for tick in ticks]
    off = [(tick - first) * up - place * down for tick, place in zip(ticks, places, strict=True)]
    return len(set(places)) == len(places), Fraction(max(off) - min(off), down)


def _deviation_within(ticks: Sequence[int], per_tick: Fraction, tolerance: Fraction) -> bool:
    """Whether stamp i lies within ``tolerance`` ticks of i / ``per_tick`` after the first; ``per_tick``: frames a tick."""
    up, down, first = per_tick.numerator, per_tick.denominator, ticks[0]
    limit = int(tolerance * up)
    ideal = range(first * up, first * up + len(ticks) * down, down)
    off: list[int] = list(map(sub, [tick * up for tick in ticks], ideal))
    return max(off) <= limit and min(off) >= -limit


def _on_grid(ticks: Sequence[int], per_tick: Fraction) -> bool:
    """Whether every stamp lies within half a tick, or an eighth of a frame, of a place of its own: whole frames after the first."""
    up, down, first = per_tick.numerator, per_tick.denominator, ticks[0]
    limit = max(up // 2, down // 8)
    places = {((tick - first) * up + down // 2) // down for tick in ticks}
    return len(places) == len(ticks) and all(
        min(rest := (tick - first) * up % down, down - rest) <= limit for tick in ticks
    )


def _rate_between_gaps(
    ticks: Sequence[int], time_base: Fraction, stated: Fraction | None
) -> Fraction | None:
    """The rate of an even stream from which some frames are missing: nine intervals in ten are alike, every other one is a whole multiple
    of at least two, and the rate is a standard one or the header's. None where the stream is not like that."""
    steps = sorted(map(sub, ticks[1:], ticks))
    usual = steps[len(steps) // 2]
    tolerance = _tolerance(time_base, 1 / (usual * time_base))
    alike = [step for step in steps if abs(step - usual) <= tolerance]
    if 10 * len(alike) < 9 * len(steps):
        return None
    measured = Fraction(len(alike)) / (sum(alike) * time_base)
    candidates = [
        rate
        for rate in (*STANDARD_RATES, stated)
        if rate and abs(rate - measured) <= measured * SNAP
    ]
    if not candidates:
        return None
    nominal = (
        stated
        if stated and stated in candidates
        else min(candidates, key=lambda rate: abs(rate - measured))
    )
    interval = 1 / (nominal * time_base)
    for step in set(steps):
        multiple = round(step / interval)
        if abs(step - usual) > tolerance and (
            multiple < 2 or abs(step - multiple * interval) > 2 * tolerance
        ):
            return None
    return nominal


def _pulldown_rate(ticks: Sequence[int], time_base: Fraction) -> Fraction | None:
    """The film rate of frames shown for 2 and 3 fields in turn (soft telecine); None where the stream is not like that."""
    steps = sorted(map(sub, ticks[1:], ticks))
    brief, extended = steps[len(steps) // 4], steps[3 * len(steps) // 4]
    if abs(Fraction(extended, brief) - Fraction(3, 2)) > Fraction(1, 20):
        return None
    tolerance = _tolerance(time_base, 1 / (brief * time_base))
    short = [step for step in steps if abs(step - brief) <= tolerance]
    long = [step for step in steps if abs(step - extended) <= tolerance]
    if (
        10 * (len(short) + len(long)) < 9 * len(steps)
        or abs(len(short) - len(long)) > 1 + len(steps) // 10
    ):
        return None
    measured = 2 / ((Fraction(sum(short), len(short)) + Fraction(sum(long), len(long))) * time_base)
    return next(
        (rate for rate in STANDARD_RATES if abs(rate - measured) <= measured * SNAP / 4), measured
    )


def _ticks_below(length: Fraction) -> int:
    """The largest whole number of ticks that is less than ``length`` ticks."""
    return ceil(length) - 1


def _most_within(ticks: Sequence[int], reach: int, guess: int) -> int:
    """The most stamps of which the last is at most ``reach`` ticks after the first; quick where that is about ``guess``."""

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
    """The highest rate over 6 consecutive intervals, over all of them where there are fewer."""
    intervals = min(BURST_INTERVALS, len(ticks) - 1)
    shortest: int = min(map(sub, ticks[intervals:], ticks))
    return Fraction(intervals) / (shortest * time_base)


def _jitter_frames(ticks: Sequence[int], time_base: Fraction, nominal: Fraction, peak: int) -> int:
    """How many of the ``peak`` frames of a second are there only because stamps are off the even grid. A single late frame, or a clock that
    runs 0.02 % fast, brings one more than a second of the nominal rate can hold. A window shortened by twice the jitter does not hold the
    others. Jitter is half the spread of the stamps around the nominal grid (missing frames are no jitter); more than a quarter of a frame
    is no jitter but another rate."""
    if peak <= nominal:
        return 0
    least = 1 if peak == ceil(nominal) + 1 else 0
    own, spread = _spread(ticks, nominal * time_base)
    if not own or 2 * spread > 1:
        return least
    return max(
        least,
        peak - _most_within(ticks, _ticks_below((1 - spread / nominal) / time_base), peak - 1),
    )
