"""Frame rate facts from timestamps; the expected rates are those that made the timestamps."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from mediaprep.probing.video.timing import Timing, frame_timing

MS, MPEG = Fraction(1, 1000), Fraction(1, 90000)
NTSC = {
    24: Fraction(24000, 1001),
    30: Fraction(30000, 1001),
    60: Fraction(60000, 1001),
    120: Fraction(120000, 1001),
}


def timing(pts: list[int], time_base: Fraction = MPEG, **options: object) -> Timing:
    return frame_timing(
        pts,
        time_base,
        declared=options.pop("declared", None),
        header_rate=options.pop("header_rate", None),
        **options,
    )


def even(rate: Fraction | int, count: int, time_base: Fraction = MPEG, start: int = 0) -> list[int]:
    return [start + round(Fraction(n) / rate / time_base) for n in range(count)]


@pytest.mark.parametrize("time_base", [MPEG, MS, Fraction(1, 15360), Fraction(1, 1200000)])
@pytest.mark.parametrize(
    "rate", [NTSC[24], 24, 25, NTSC[30], 30, 48, 50, NTSC[60], 60, 100, NTSC[120], 120, 15, 10, 61]
)
def test_even_streams_are_cfr_at_their_rate(rate: Fraction | int, time_base: Fraction):
    found = timing(even(rate, 300, time_base), time_base)
    assert (found.frame_rate, found.rate_mode, found.timestamps) == (rate, "cfr", "ok")


@pytest.mark.parametrize(
    ("rate", "peak"), [(60, 60), (NTSC[60], 60), (61, 61), (120, 120), (25, 25), (30, 30)]
)
def test_peak_is_the_most_frames_in_a_half_open_second(rate: Fraction | int, peak: int):
    found = timing(even(rate, 200))
    assert (found.frame_rate_peak, found.jitter_frames) == (peak, 0)


def test_sixty_in_milliseconds_is_exactly_sixty():
    """Matroska rounds to 16 and 17 ms: the average is 60.0067, the shortest interval 62.5 fps."""
    found = timing(even(60, 180, MS), MS)
    assert found.frame_rate == 60
    assert found.frame_rate_average is not None
    assert found.frame_rate_average > 60
    assert (found.frame_rate_peak, found.jitter_frames, found.frame_rate_burst) == (60, 0, 60)


@pytest.mark.parametrize("count", [8, 15, 19, 31])
def test_short_clips_in_milliseconds_do_not_exceed_their_rate(count: int):
    """Rounding of the first and the last timestamp alone makes 60.06 of 60 fps."""
    for start in range(0, 30):
        pts = [round(Fraction(1000 * (n + start), 60)) for n in range(count)]
        assert timing(pts, MS).frame_rate in (60, NTSC[60])


def test_order_duplicates_and_offset_do_not_matter():
    pts = even(30, 90, start=10**12)
    shuffled = pts + pts[:10]
    random.Random(1).shuffle(shuffled)
    assert timing(shuffled) == timing(even(30, 90))


def test_no_timestamps_are_missing():
    assert timing([]) == Timing(timestamps="missing")


def test_one_frame_has_the_stated_rate():
    assert timing([5]).frame_rate is None
    assert timing([5], header_rate=Fraction(25)).frame_rate == 25
    assert timing([5], header_rate=Fraction(90000)).frame_rate is None
    assert timing([5]).frame_rate_peak == 1


@pytest.mark.parametrize(("rate", "peak"), [(30, 31), (60, 61)])
def test_jitter_adds_one_to_the_peak_and_is_counted(rate: int, peak: int):
    """+-1.5 ms."""
    chance = random.Random(3)
    pts = [round(90000 * n / rate + chance.uniform(-135, 135)) for n in range(5 * rate)]
    found = timing(pts)
    assert (found.frame_rate, found.frame_rate_peak, found.jitter_frames) == (rate, peak, 1)


def test_one_late_frame_is_not_a_higher_rate():
    """Half a frame late, once: a second that ends with it holds one timestamp more."""
    stamps = [1500 * i + 800 * (i == 90) for i in range(240)]
    found = timing(stamps)
    assert (found.frame_rate, found.frame_rate_peak, found.jitter_frames) == (60, 61, 1)


def test_a_clock_that_runs_fast_is_not_a_higher_rate():
    """60.02 frames per second for two minutes.

    61 timestamps lie within a second, and the end is 2.4 frames off the grid of 60.
    """
    found = timing([round(i * 90000 / 60.02) for i in range(7200)])
    assert (found.frame_rate, found.frame_rate_peak, found.jitter_frames) == (60, 61, 1)


def test_the_steadier_of_two_rates_is_chosen():
    """Four seconds at 60 whose ends jitter by 3 ms.

    Towards each other, the average is nearer to 60.06 than to 60; apart, nearer to 59.94.
    """
    for early, late in ((270, -270), (-270, 270)):
        stamps = [1500 * i + (early, 0, -early)[i % 3] for i in range(240)]
        stamps[0], stamps[-1] = 270 + early, 1500 * 239 + 270 + late
        assert timing(stamps).frame_rate == 60


def test_a_burst_is_not_jitter():
    """30 fps with 0.3 s of 120 (burst120): 39.1 on average, 57 frames in the fullest second."""
    ticks = [n for n in range(360) if 120 <= n <= 156 or not n % 4]
    found = timing([n * 1000 for n in ticks], Fraction(1, 120000))
    assert (found.frame_rate_peak, found.jitter_frames, found.rate_mode) == (57, 0, "vfr")
    assert found.frame_rate_burst == 120
    assert found.frame_rate is not None
    assert round(float(found.frame_rate), 1) == 39.1


def test_two_frames_a_millisecond_apart_once():
    found = timing([90 if n == 1 else 3000 * n for n in range(90)])
    assert (found.frame_rate, found.frame_rate_burst, found.frame_rate_peak, found.rate_mode) == (
        30,
        30,
        30,
        "vfr",
    )


@pytest.mark.parametrize("missing", [{7, 8}, {1, 2}, {30}, {50, 51, 52, 53}])
def test_missing_frames_do_not_change_the_rate(missing: set[int]):
    """bbb_2500ms.ts lacks the pictures after the first, sample.avi two in the middle."""
    found = timing([3753 * n for n in range(96) if n not in missing])
    assert (found.frame_rate, found.rate_mode) == (NTSC[24] if 90000 / 3753 < 23.99 else 24, "vfr")


def test_missing_frames_at_an_odd_rate_need_the_headers_rate():
    """8.797 fps of a phone with one double gap: 8.495 on average, unless a header states it."""
    rate = Fraction(8797, 1000)
    pts = [round(90000 * n / rate) for n in range(30) if n != 20]
    assert round(float(timing(pts).frame_rate or 0), 3) == 8.494
    assert timing(pts, header_rate=rate).frame_rate == rate


def test_a_gap_of_three_seconds_is_not_a_lower_rate():
    found = timing([3000 * n + (270000 if n > 45 else 0) for n in range(90)])
    assert (found.frame_rate, found.frame_rate_peak) == (30, 30)


@pytest.mark.parametrize("codec", ["mpeg2video", "h264"])
def test_soft_telecine_is_film(codec: str):
    """Frames shown for 3 and 2 fields of 59.94 in turn."""
    pts, at = [], Fraction(0)
    for number in range(120):
        pts.append(round(at * 90000))
        at += Fraction(1001, 60000) * (3 if number % 2 == 0 else 2)
    assert timing(pts, codec=codec).frame_rate == NTSC[24]


def test_avi_timestamps_that_collide_yield_to_the_header():
    """ffmpeg copies 60 fps with B frames to AVI with 600 ticks per second.

    The last timestamps are one tick apart.
    """
    pts = [*range(0, 1800, 10), 1791]
    found = timing(pts, Fraction(1, 600), has_pts=False, header_rate=Fraction(60))
    assert (found.frame_rate, found.timestamps, found.rate_mode, found.frame_rate_peak) == (
        60,
        "broken",
        "cfr",
        60,
    )


def test_avi_with_a_header_that_counts_ticks():
    found = timing(
        [*range(0, 2400, 24), 2377], Fraction(1, 600), has_pts=False, header_rate=Fraction(600)
    )
    assert (found.frame_rate, found.timestamps) == (25, "broken")


def test_avi_with_dropped_frames_is_fine():
    found = timing(
        [n for n in range(96) if n not in (40, 41)],
        1 / NTSC[24],
        has_pts=False,
        header_rate=NTSC[24],
    )
    assert (found.frame_rate, found.timestamps, found.rate_mode) == (NTSC[24], "ok", "vfr")


def test_avi_without_a_header_rate_takes_the_usual_interval():
    found = timing([0, 1, 2, 4, 6], Fraction(1, 25), has_pts=False)
    assert (found.frame_rate_burst, found.timestamps) == (Fraction(50, 3), "ok")


def test_a_time_base_of_one_frame_does_not_widen_the_tolerance():
    """One tick of tolerance would be a whole frame: 25 frames on 26 places are not an even 24."""
    found = timing([0, *range(2, 26)], Fraction(1, 25), has_pts=False, header_rate=Fraction(25))
    assert (found.frame_rate, found.rate_mode) == (25, "vfr")


@pytest.mark.parametrize(
    "rate", [Fraction(31), Fraction(61, 2), Fraction(62), Fraction(29), Fraction(25, 2)]
)
@pytest.mark.parametrize("count", [9, 16, 30])
def test_a_hint_that_fits_exactly_excludes_rounding(rate: Fraction, count: int):
    """With one tick per frame, rounding the end of sixteen frames to a tick may be 7 % off.

    But here timestamps and header agree.
    """
    found = timing(
        list(range(0, count * rate.denominator, rate.denominator)),
        Fraction(1, rate.numerator),
        header_rate=rate,
    )
    assert (found.frame_rate, found.rate_mode) == (rate, "cfr")


def test_flv_is_judged_by_its_timestamps():
    """33 and 34 ms; the demuxer declares 1000 frames per second."""
    found = timing(
        [round(33.333 * n) for n in range(30)],
        MS,
        declared=Fraction(1000),
        header_rate=Fraction(600),
    )
    assert (found.frame_rate, found.rate_mode) == (30, "cfr")


def test_a_hint_decides_between_rates_that_fit_equally_well():
    pts = [0, 33, 67, 100, 133, 167, 200]
    assert timing(pts, MS, declared=NTSC[30]).frame_rate == NTSC[30]
    assert timing(pts, MS).frame_rate == 30


def test_truly_variable_streams_have_their_average():
    found = timing([0, 3000, 9000, 10500, 30000, 33000, 41000, 90000])
    assert (found.frame_rate, found.rate_mode, found.jitter_frames) == (7, "vfr", 0)


@pytest.mark.parametrize(
    "pts",
    [[0, 1], [0, 10**18], [-(10**18), 0, 10**18], [0, 1, 10**15, 10**15 + 1], [2**62, -(2**62)]],
)
@pytest.mark.parametrize(
    "time_base", [Fraction(1, 90000), Fraction(1, 10**9), Fraction(3600), Fraction(0)]
)
def test_gaps_of_years_and_odd_time_bases(pts: list[int], time_base: Fraction):
    found = timing(pts, time_base)
    assert found.timestamps in ("ok", "missing")


def test_the_peak_equals_a_plain_count():
    chance = random.Random(7)
    for _ in range(200):
        pts = sorted(chance.sample(range(4000), chance.randint(2, 80)))
        plain = max(sum(1 for other in pts if 0 <= other - first < 1000) for first in pts)
        assert timing(pts, MS).frame_rate_peak == plain
