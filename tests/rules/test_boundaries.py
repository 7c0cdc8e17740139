"""The limits of the specification, to the frame, pixel and byte."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mediaprep.model.media import Video
from mediaprep.planning.check import check
from mediaprep.probing.video.timing import frame_timing
from tests.facts import good, lasting, sized, twitter


def broken(media: Video) -> set[str]:
    """The rules that are broken or undecided, without advice."""
    return {
        finding.rule for finding in check(media, twitter()).findings if finding.level != "should"
    }


def test_the_good_video_passes_every_rule_of_every_level() -> None:
    report = check(good(), twitter())
    assert (report.verdict, report.findings) == ("pass", ())


@pytest.mark.parametrize(
    ("seconds", "rules"),
    [
        (Fraction(140), set()),
        (
            Fraction(4196 * 1001, 30000),
            {"video-duration"},
        ),  # 140.0065 s: a whole number of frames at 29.97
        (Fraction(1400065, 10000), {"video-duration"}),
        (140 + Fraction(1, 10**9), {"video-duration"}),
        (Fraction(1, 2), set()),
        (Fraction(1, 2) - Fraction(1, 10**9), {"video-duration"}),
    ],
)
def test_duration(seconds: Fraction, rules: set[str]) -> None:
    assert broken(lasting(seconds)) == rules


def test_the_minimum_applies_to_the_picture_and_the_maximum_to_picture_and_sound() -> None:
    assert broken(good(duration=Fraction(4), video__duration=Fraction(2, 5))) == {"video-duration"}
    assert broken(good(duration=Fraction(141), video__duration=Fraction(4))) == {"video-duration"}


def test_an_excess_of_less_than_a_frame_is_reported_as_such() -> None:
    (finding,) = [
        f
        for f in check(lasting(Fraction(4196 * 1001, 30000)), twitter()).findings
        if f.level == "must"
    ]
    assert (
        "duration is 140.0065 s (over by less than one frame); twitter/tweet_video takes 0.5 s to 140 s ("
        in finding.message
    )
    assert finding.fix == "loses content: --trim first, --trim START-END, --split"


@pytest.mark.parametrize(
    ("rate", "rules"),
    [
        (Fraction(60), set()),
        (Fraction(60000, 1001), set()),
        (Fraction(60) + Fraction(1, 1000), {"video-frame-rate"}),
        (Fraction(61), {"video-frame-rate", "video-peak-frame-rate"}),
    ],
)
def test_frame_rate(rate: Fraction, rules: set[str]) -> None:
    media = good(
        video__frame_rate=rate,
        video__frame_rate_peak=60,
        video__frame_rate_declared=rate,
        video__frame_rate_burst=rate,
    )
    assert broken(media) == rules


def test_60_fps_in_milliseconds_averages_60_0067_and_passes() -> None:
    """Matroska rounds timestamps to milliseconds: 0, 17, 33, 50, ... snap to 60 fps."""
    pts = [round(Fraction(n * 1000, 60)) for n in range(180)]
    assert round(Fraction(179, pts[-1] - pts[0]) * 1000, 4) == Fraction("60.0067")
    timing = frame_timing(pts, Fraction(1, 1000), declared=Fraction(60), header_rate=None)
    media = good(
        video__frame_rate=timing.frame_rate,
        video__frame_rate_peak=timing.frame_rate_peak,
        video__jitter_frames=timing.jitter_frames,
        video__frame_rate_burst=timing.frame_rate_burst,
        video__rate_mode=timing.rate_mode,
    )
    assert timing.frame_rate == 60
    assert broken(media) == set()


@pytest.mark.parametrize(("longest", "rules"), [(512, set()), (513, {"video-gop-length"})])
def test_gop_length(longest: int, rules: set[str]) -> None:
    assert broken(good(video__gop__length_max=longest)) == rules


@pytest.mark.parametrize(
    ("size", "rules"),
    [
        ((1280, 1024), set()),
        ((1024, 1280), set()),
        ((720, 1280), set()),
        ((1024, 1024), set()),
        ((1282, 1024), {"video-dimensions"}),
        ((1280, 1026), {"video-dimensions"}),
        ((1026, 1280), {"video-dimensions"}),
        ((1280, 1280), {"video-dimensions"}),
        ((32, 32), set()),
        ((32, 31), {"video-dimensions"}),
        ((960, 320), set()),
        ((961, 320), {"video-aspect-ratio"}),
        ((320, 960), set()),
        ((320, 961), {"video-aspect-ratio"}),
    ],
)
def test_picture_size_and_shape(size: tuple[int, int], rules: set[str]) -> None:
    """Portrait and landscape are allowed alike; 3:1 and 1:3 themselves are allowed."""
    assert broken(sized(*size)) == rules
    assert broken(sized(*reversed(size), video__rotation=90)) == rules, "as displayed"


@pytest.mark.parametrize(("size", "rules"), [(536_870_912, set()), (536_870_913, {"video-size"})])
def test_512_mb_are_512_times_2_20_bytes(size: int, rules: set[str]) -> None:
    assert broken(good(size_bytes=size)) == rules
