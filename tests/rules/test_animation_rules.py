"""Rules for animations: three rows each, limits to the frame, pixel and byte, and their plans."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaprep.model.media import Animation, PrivateItem, Video
from mediaprep.model.options import Options
from mediaprep.model.tolerance import AtMost, AtMostBytes
from mediaprep.planning.check import check
from mediaprep.planning.plan import Plan, plan
from mediaprep.profile import find_profile
from mediaprep.targets.animation import fitted_size
from mediaprep.targets.gif_times import gif_delays, retained_frames
from tests.facts import good, lasting, silent, twitter

MB = 2**20
GIF = twitter("tweet_gif")


def gif(frames: int = 20, delay: Fraction = Fraction(1, 10), **changes: Any) -> Animation:
    """A GIF that passes every rule."""
    media = Animation(
        name="a.gif",
        size_bytes=1_000_000,
        complete=True,
        private=(),
        format="gif",
        width=640,
        height=480,
        frame_count=frames,
        delays=(delay,) * frames,
        duration=delay * frames,
        loop=0,
        transparency=False,
        disposals=("none",),
        trailing_bytes=0,
        pixel_grid=1,
    )
    return replace(media, **changes)


def planned(media: Animation | Video, **options: Any) -> Plan:
    profile = find_profile("twitter")
    placement = profile.placement_for(media.kind)
    return plan((media,), placement, Options(**options), companions=profile.companions(placement))


def findings(media: Animation) -> dict[str, str]:
    return {finding.rule: finding.state for finding in check(media, GIF).findings}


@pytest.mark.parametrize(
    ("media", "broken"),
    [
        (gif(), set()),
        (gif(format="webp"), {"animation-type"}),
        (gif(format="apng"), {"animation-type"}),
        (gif(width=1280, height=1080), set()),
        (gif(width=1281, height=1080), {"gif-dimensions"}),
        (gif(width=1080, height=1280), {"gif-dimensions"}),  # width x height, landscape only
        (gif(350), set()),
        (gif(351), {"gif-frames"}),
        (gif(300, width=1000, height=1000), set()),
        (gif(300, width=1000, height=1001), {"gif-pixels"}),
        (gif(size_bytes=15 * MB), set()),
        (gif(size_bytes=15 * MB + 1), {"gif-size"}),
        (gif(complete=False), {"file-complete"}),
        (
            gif(private=(PrivateItem(kind="comment", where="GIF comment"),)),
            {"file-private-metadata"},
        ),
    ],
)
def test_passes_and_fails(media: Animation, broken: set[str]) -> None:
    assert findings(media) == dict.fromkeys(broken, "broken")


@pytest.mark.parametrize(
    ("media", "unknown"),
    [
        (gif(format=None), {"animation-type"}),
        (gif(width=None), {"gif-dimensions", "gif-pixels"}),
        (gif(frame_count=None), {"gif-frames", "gif-pixels"}),
        (gif(size_bytes=None), {"gif-size"}),
    ],
)
def test_unknown(media: Animation, unknown: set[str]) -> None:
    assert findings(media) == dict.fromkeys(unknown, "unknown")
    assert check(media, GIF).verdict == "undecided"


def test_a_conforming_file_is_not_changed() -> None:
    assert planned(gif()).status == "already_ok"
    assert planned(gif(trailing_bytes=12)).status == "already_ok"


def test_a_comment_is_removed_without_an_encode() -> None:
    (output,) = planned(gif(private=(PrivateItem(kind="comment", where="GIF comment"),))).outputs
    assert isinstance(output.target, Animation)
    assert not output.target.reencode
    assert [change.safety for change in output.changes] == ["lossless"]
    assert (
        planned(
            gif(private=(PrivateItem(kind="comment", where="GIF comment"),)), keep_metadata=True
        ).status
        == "already_ok"
    )


def test_a_file_that_is_too_large_gets_an_open_width_with_a_tolerance() -> None:
    (output,) = planned(gif(size_bytes=16 * MB)).outputs
    assert isinstance(output.target, Animation)
    assert (output.target.width, output.target.size_bytes, output.target.frame_count) == (
        None,
        None,
        20,
    )
    assert AtMost(fact="width", value=640) in output.tolerances
    assert (
        AtMostBytes(limit=15_000_000, fill=Fraction(95, 100), varies=("width", "height"))
        in output.tolerances
    )


def test_a_smaller_file_than_the_limit_can_be_requested() -> None:
    (output,) = planned(gif(), max_size=500_000).outputs
    assert (
        AtMostBytes(limit=500_000, fill=Fraction(95, 100), varies=("width", "height"))
        in output.tolerances
    )
    assert planned(gif(), max_size=1_000_000).status == "already_ok"


def test_all_limits_are_met_at_once() -> None:
    (output,) = planned(gif(900, width=2000, height=3000)).outputs
    most = {
        tolerance.fact: tolerance.value
        for tolerance in output.tolerances
        if isinstance(tolerance, AtMost)
    }
    assert isinstance(output.target, Animation)
    assert output.target.frame_count == 350
    assert output.target.duration == 90
    assert most["width"] <= 1280
    assert most["height"] <= 1080
    assert most["width"] * most["height"] * 350 <= 300_000_000
    assert most["width"] / most["height"] == pytest.approx(2 / 3, abs=0.002)


def test_pixel_art_is_reduced_by_whole_factors() -> None:
    assert fitted_size((2560, 1440), 100, GIF, grid=16) == (1280, 720)
    assert fitted_size((2080, 1040), 100, GIF, grid=13) == (1280, 640)


def test_too_many_pixels_are_refused() -> None:
    result = planned(gif(2000, width=8000, height=8000))
    assert result.status == "refused"
    assert "128 billion pixels" in result.refusals[0].reason
    assert planned(gif(2, width=65535, height=65535)).status == "refused"


def test_a_truncated_gif_and_a_trim_are_refused() -> None:
    assert planned(gif(complete=False)).refusals[0].rule == "file-complete"
    assert planned(gif(), trim=(Fraction(0), Fraction(1))).refusals[0].remedies == ("--to video",)


def test_a_conversion_to_video_uses_the_placement_for_videos() -> None:
    (output,) = planned(gif(), to="video").outputs
    assert isinstance(output.target, Video)
    assert output.placement.name == "twitter/tweet_video"
    assert (
        output.target.video.frame_rate,
        output.target.video.codec,
        output.target.audio_present,
    ) == (
        10,
        "h264",
        False,
    )


@pytest.mark.parametrize(
    ("delays", "rate"),
    [
        ((Fraction(1, 10),) * 20, 10),
        ((Fraction(1, 25),) * 20, 25),
        ((Fraction(10, 100), Fraction(15, 100)) * 4, 20),
        ((Fraction(2, 100), Fraction(3, 100)) * 9, 60),  # 100 would be exact: above the limit
        ((Fraction(2),) * 3, 10),  # a slow rate is multiplied so that players can seek
        ((Fraction(1, 30),) * 30, 30),
    ],
)
def test_the_rate_puts_each_frame_on_an_output_frame(
    delays: tuple[Fraction, ...], rate: int
) -> None:
    media = gif(len(delays), delays=delays, duration=sum(delays, Fraction(0)))
    (output,) = planned(media, to="video").outputs
    assert isinstance(output.target, Video)
    assert output.target.video.frame_rate == rate


def test_an_animation_that_is_too_short_is_repeated() -> None:
    (output,) = planned(gif(3, Fraction(6, 100)), to="video").outputs
    assert next(
        p.value for p in output.tolerances if getattr(p, "fact", "") == "duration"
    ) >= Fraction(54, 100)


def test_an_animation_longer_than_the_video_limit_can_be_trimmed() -> None:
    result = planned(gif(300, Fraction(1)), to="video")
    assert result.refusals[0].rule == "video-duration"
    assert (
        planned(gif(300, Fraction(1)), to="video", trim=(Fraction(10), Fraction(50))).status
        == "planned"
    )


def test_a_short_video_becomes_a_gif() -> None:
    (output,) = planned(lasting(Fraction(10)), to="gif").outputs
    assert isinstance(output.target, Animation)
    assert (
        output.placement.name,
        output.target.frame_count,
        output.target.duration,
        output.target.loop,
    ) == (
        "twitter/tweet_gif",
        250,
        10,
        0,
    )
    (output,) = planned(lasting(Fraction(30)), to="gif").outputs
    assert isinstance(output.target, Animation)
    assert (output.target.frame_count, output.target.duration) == (300, 30)
    assert planned(lasting(Fraction(60)), to="gif").refusals[0].remedies[0] == "--trim START-END"
    assert (
        planned(lasting(Fraction(60)), to="gif", trim=(Fraction(3), Fraction(9))).status
        == "planned"
    )


def test_auto_converts_nothing() -> None:
    assert planned(silent(good())).status == "already_ok"
    assert planned(gif(), to="gif").status == "already_ok"


delays_ = st.lists(
    st.fractions(min_value=Fraction(11, 1000), max_value=3, max_denominator=1000),
    min_size=2,
    max_size=120,
).map(tuple)


@given(delays=delays_, most=st.integers(2, 60))
def test_times_are_kept_within_two_hundredths(delays: tuple[Fraction, ...], most: int) -> None:
    """Delays are whole hundredths, at least two; frames stay in order; the duration is kept."""
    new, shown = gif_delays(delays, most), retained_frames(delays, most)
    assert len(new) == len(shown) <= most
    assert list(shown) == sorted(set(shown))
    assert all(delay >= Fraction(2, 100) and (delay * 100).denominator == 1 for delay in new)
    assert abs(sum(new) - sum(delays)) <= Fraction(2, 100)


@given(
    delays=st.lists(
        st.integers(2, 300).map(lambda n: Fraction(n, 100)), min_size=2, max_size=80
    ).map(tuple)
)
def test_valid_gif_times_are_unchanged(delays: tuple[Fraction, ...]) -> None:
    assert gif_delays(delays, 350) == delays
    assert retained_frames(delays, 350) == tuple(range(len(delays)))


@given(
    delays=st.lists(
        st.integers(2, 30).map(lambda n: Fraction(n, 100)), min_size=40, max_size=200
    ).map(tuple),
    most=st.integers(20, 39),
)
def test_a_dropped_frame_is_replaced_by_a_neighbour_of_its_run(
    delays: tuple[Fraction, ...], most: int
) -> None:
    starts = [Fraction(0), *accumulate(delays)]
    new = [Fraction(0), *accumulate(gif_delays(delays, most))]
    for index, begin, end in zip(retained_frames(delays, most), new, new[1:], strict=False):
        assert begin <= starts[index] < end
