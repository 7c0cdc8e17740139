"""plan: the repair of each fault with its causes, and refusals with their remedies."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from mediaprep.model.media import (
    AudioStream,
    DeclaredSar,
    HdrFormat,
    PrivateItem,
    Track,
    Video,
    VideoStream,
)
from mediaprep.model.options import Options
from mediaprep.model.tolerance import AtMostBytes, Near, fill_in
from mediaprep.planning.changes import WRITTEN, Change
from mediaprep.planning.plan import Output, Plan, plan
from mediaprep.planning.streams import StreamAction, stream_actions
from mediaprep.profile import find_profile
from tests.facts import SQUARE, changed, good, lasting, silent, sized, twitter

_GPS = PrivateItem(kind="location", where="moov/udta/©xyz")
_HEVC: dict[str, Any] = {"video__codec": "hevc", "video__tag": "hvc1"}
NTSC = Fraction(1000, 1001)


def planned(media: Video, options: Options | None = None, *, profile: str = "twitter") -> Plan:
    return plan((media,), find_profile(profile).placement_for("video"), options)


def planned_output(media: Video, options: Options | None = None) -> Output:
    result = planned(media, options)
    assert result.status == "planned", result.refusals
    (output,) = result.outputs
    return output


def target_picture(media: Video, options: Options | None = None) -> VideoStream:
    """Return the picture of the planned output, with tolerated values filled in."""
    output = planned_output(media, options)
    target = fill_in(output.target, output.tolerances)
    assert isinstance(target, Video)
    return target.video


def actions(output: Output) -> dict[str, str]:
    return {row.track: row.action for row in stream_actions(output)}


def tolerated(output: Output, fact: str) -> Fraction:
    (value,) = [p.value for p in output.tolerances if isinstance(p, Near) and p.fact == fact]
    return value  # type: ignore[no-any-return]


def change(output: Output, fact: str) -> Change:
    (found,) = [c for c in output.changes if c.fact == fact]
    return found


# -- least work


def test_a_conforming_file_is_not_changed() -> None:
    output = planned(good())
    assert (output.status, output.outputs, output.refusals) == ("already_ok", (), ())


@pytest.mark.parametrize(
    "fault",
    [
        {"video__gop__length_max": 600},
        {"video__edit_list": "trims"},
        {"video__colour__range": "full"},
    ],
)
def test_observed_findings_are_fixed_with_a_must_or_on_request(
    fault: dict[str, object],
) -> None:
    """An observed finding by itself changes nothing."""
    assert planned(good(**fault)).status == "already_ok"
    assert (
        actions(planned_output(good(**fault), Options(fix_level="observed")))["video"] == "encoded"
    )
    assert (
        actions(planned_output(good(**fault, container__format="matroska")))["video"] == "encoded"
    )


def test_advice_is_not_applied() -> None:
    """Main profile, an unusual rate, shape and bit rate are allowed: the picture is copied."""
    media = sized(
        640, 480, video__profile="Main", video__frame_rate=Fraction(25), video__bit_rate=100_000
    )
    assert planned(media).status == "already_ok"
    assert actions(planned_output(changed(media, container__format="matroska"))) == {
        "container": "rewritten",
        "video": "copied",
        "audio": "copied",
    }


def test_a_wrong_container_is_a_remux() -> None:
    output = planned_output(good(container__format="matroska"))
    assert stream_actions(output) == (
        StreamAction(track="container", action="rewritten", because=("video-container",)),
        StreamAction(track="video", action="copied"),
        StreamAction(track="audio", action="copied"),
    )
    assert {c.safety for c in output.changes} == {"lossless"}
    assert (output.target.container.format, output.target.container.faststart) == ("mp4", True)  # type: ignore[union-attr]


def test_private_metadata_alone_is_removed_without_encoding() -> None:
    output = planned_output(good(private=(_GPS,)))
    assert actions(output) == {"container": "rewritten", "video": "copied", "audio": "copied"}
    assert change(output, "private").because == ("file-private-metadata",)
    assert change(output, "private").safety == "lossless"
    assert output.target.private == ()


def test_creation_times_are_not_removed_and_metadata_is_kept_on_request() -> None:
    assert (
        planned(good(private=(PrivateItem(kind="time", where="moov/mvhd"),))).status == "already_ok"
    )
    assert planned(good(private=(_GPS,)), Options(keep_metadata=True)).status == "already_ok"
    kept = planned_output(
        good(private=(_GPS,), container__format="matroska"), Options(keep_metadata=True)
    )
    assert kept.target.private is None, "no claim: where it is said differs between containers"


@pytest.mark.parametrize(
    "fault",
    [
        {"audio__profile": "HE-AAC"},
        {"audio__codec": "ac3", "audio__profile": ""},
        {"audio__channels": 6},
    ],
)
def test_wrong_sound_is_encoded_and_the_picture_copied(fault: dict[str, object]) -> None:
    output = planned_output(good(**fault))
    assert actions(output) == {"container": "rewritten", "video": "copied", "audio": "encoded"}
    sound = output.target.audio  # type: ignore[union-attr]
    assert isinstance(sound, AudioStream)
    assert (sound.codec, sound.profile, sound.sbr, sound.channels, sound.layout) == (
        "aac",
        "LC",
        False,
        2,
        "stereo",
    )


@pytest.mark.parametrize(
    ("rate", "kept"), [(48000, 48000), (44100, 44100), (22050, 48000), (96000, 48000)]
)
def test_sample_rates_outside_the_target_become_its_first(rate: int, kept: int) -> None:
    sound = planned_output(good(audio__profile="HE-AAC", audio__sample_rate=rate)).target.audio  # type: ignore[union-attr]
    assert sound is not None
    assert sound.sample_rate == kept


def test_mono_stays_mono() -> None:
    sound = planned_output(
        good(audio__profile="HE-AAC", audio__channels=1, audio__layout="mono")
    ).target.audio  # type: ignore[union-attr]
    assert sound is not None
    assert (sound.channels, sound.layout) == (1, "mono")


def test_a_codec_that_mp4_cannot_hold_is_not_copied() -> None:
    """Discord takes VP8 with Vorbis, but removing the location writes an MP4, which does not."""
    media = good(
        container__format="webm",
        video__codec="vp8",
        audio__codec="vorbis",
        audio__profile="",
        private=(_GPS,),
    )
    (output,) = planned(media, profile="discord").outputs
    assert (actions(output)["video"], actions(output)["audio"]) == ("encoded", "encoded")


def test_dropped_tracks_are_listed() -> None:
    media = good(container__format="matroska")
    tracks = (
        *(media.container.tracks or ()),
        Track(index=2, kind="audio", codec="ac3"),
        Track(index=3, kind="subtitle"),
    )
    output = planned_output(changed(media, container__tracks=tracks))
    assert [row.track for row in stream_actions(output) if row.action == "left out"] == [
        "audio 2",
        "subtitle 3",
    ]


# -- 512 MB


def test_a_file_between_the_two_meanings_of_512_mb_is_accepted() -> None:
    assert planned(good(size_bytes=530_000_000)).status == "already_ok"


def test_but_it_is_too_large_to_be_copied_into_an_output() -> None:
    output = planned_output(good(size_bytes=530_000_000, container__format="matroska"))
    assert actions(output) == {"container": "rewritten", "video": "encoded", "audio": "copied"}
    assert AtMostBytes(limit=512_000_000) in output.tolerances
    assert stream_actions(output)[1].because == ("video-container",)
    assert change(output, "size_bytes").after == 512_000_000
    assert change(output, "container.format").safety == "lossless"


def test_a_larger_file_is_encoded() -> None:
    output = planned_output(good(size_bytes=536_870_913))
    assert actions(output)["video"] == "encoded"


def test_max_size_lowers_the_limit() -> None:
    """It applies to conforming files, too."""
    output = planned_output(good(size_bytes=7_700_000), Options(max_size=5_000_000))
    assert AtMostBytes(limit=5_000_000) in output.tolerances
    assert actions(output)["video"] == "encoded"
    assert stream_actions(output)[1].because == ("--max-size",)
    assert planned(good(size_bytes=7_700_000), Options(max_size=7_700_000)).status == "already_ok"


# -- picture size and shape


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 1024), (1280, 1024)),  # within the limits: kept, although no rung holds it
        ((1024, 1280), (1024, 1280)),
        ((641, 361), (640, 360)),  # even, never enlarged
        ((1920, 1080), (1280, 720)),
        ((1080, 1920), (720, 1280)),
        ((1282, 1024), (900, 720)),  # 901.4 wide
        ((1100, 1100), (720, 720)),
        ((3840, 2160), (1280, 720)),
        ((2560, 1080), (1280, 540)),
        ((16, 16), (32, 32)),
        ((30, 60), (32, 60)),
    ],
)
def test_picture_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """Within the limits it is kept, else fitted into the top rung, or padded up to 32x32."""
    picture = target_picture(sized(*size, **_HEVC))
    assert picture.display_size == expected
    assert (
        target_picture(sized(*reversed(size), video__rotation=90, **_HEVC)).display_size == expected
    ), "as displayed"


@pytest.mark.parametrize(
    ("size", "pad", "crop", "scale"),
    [
        ((1200, 200), (1200, 400), (600, 200), (1200, 400)),
        ((200, 1200), (400, 1200), (200, 600), (400, 1200)),
        ((961, 320), (960, 320), (960, 320), (960, 320)),
        (
            (2000, 100),
            (1280, 428),
            (300, 100),
            (1280, 428),
        ),  # 3:1 of 1280 is 426.7; even and not beyond
    ],
)
def test_beyond_3_to_1(
    size: tuple[int, int], pad: tuple[int, int], crop: tuple[int, int], scale: tuple[int, int]
) -> None:
    """Padded by default, cropped or scaled on request."""
    for fit, expected in (("pad", pad), ("crop", crop), ("scale", scale)):
        assert target_picture(sized(*size), Options(fit=fit)).display_size == expected, fit  # type: ignore[arg-type]


def test_cropping_is_destructive_and_padding_is_not() -> None:
    assert change(planned_output(sized(1200, 200)), "video.height").safety == "lossy"
    assert (
        change(planned_output(sized(1200, 200), Options(fit="crop")), "video.width").safety
        == "destructive"
    )


@pytest.mark.parametrize(
    ("size", "grid", "expected"),
    [
        ((1920, 1080), 6, (1280, 720)),  # of 320x180
        ((1280, 1152), 8, (800, 720)),  # of 160x144
        ((1920, 1080), 2, (960, 540)),  # each pixel once
        ((1920, 1080), 1, (1280, 720)),
        ((1280, 720), 4, (1280, 720)),  # within the limits: kept
        ((1080, 1920), 5, (648, 1152)),  # of 216x384
    ],
)
def test_pixel_art_keeps_whole_pixels(
    size: tuple[int, int], grid: int, expected: tuple[int, int]
) -> None:
    assert target_picture(sized(*size, video__pixel_grid=grid, **_HEVC)).display_size == expected


def test_a_video_is_not_converted_to_an_image() -> None:
    (refusal,) = planned(good(), Options(to="image")).refusals
    assert (refusal.reason, refusal.remedies) == (
        "the kind video cannot be converted with --to image for twitter/tweet_video",
        ("--to auto",),
    )


def test_a_requested_rung_only_reduces_the_picture() -> None:
    assert target_picture(sized(1280, 720), Options(rung=(640, 360))).display_size == (640, 360)
    assert target_picture(sized(320, 180, **_HEVC), Options(rung=(640, 360))).display_size == (
        320,
        180,
    )
    assert planned(sized(320, 180), Options(rung=(640, 360))).status == "already_ok"
    assert stream_actions(planned_output(sized(1280, 720), Options(rung=(640, 360))))[
        1
    ].because == ("--rung",)
    assert target_picture(sized(3840, 2160), Options(rung=(1920, 1080))).display_size == (1280, 720)


@pytest.mark.parametrize(
    ("size", "asked", "expected"),
    [
        ((720, 1280), (640, 360), (360, 640)),
        ((720, 720), (640, 360), (480, 480)),
        ((1280, 720), (480, 480), (640, 360)),
        ((1280, 720), (180, 320), (320, 180)),
        (
            (720, 1280),
            (500, 300),
            (280, 500),
        ),  # not a rung: turned, and the picture fitted into 300x500
    ],
)
def test_a_requested_rung_is_turned_to_the_orientation_of_the_picture(
    size: tuple[int, int], asked: tuple[int, int], expected: tuple[int, int]
) -> None:
    """It becomes the rung of that orientation with the same bit rate."""
    assert target_picture(sized(*size), Options(rung=asked)).display_size == expected


# -- pixel aspect ratio


def sars(container: Fraction, bitstream: Fraction) -> tuple[DeclaredSar, ...]:
    return DeclaredSar(where="container", value=container), DeclaredSar(
        where="bitstream", value=bitstream
    )


@pytest.mark.parametrize(
    "stated", [sars(Fraction(4, 3), Fraction(1)), sars(Fraction(1), Fraction(4, 3))]
)
def test_a_contradicted_ratio_is_corrected_without_encoding(
    stated: tuple[DeclaredSar, ...],
) -> None:
    """One declaration is 1:1, so the other is wrong. Nothing is scaled."""
    output = planned_output(good(video__sars=stated))
    assert actions(output)["video"] == "retagged"
    assert output.target.video.sars == SQUARE  # type: ignore[union-attr]
    sars = change(output, "video.sars")
    assert (sars.before, sars.after, sars.because[0], sars.safety) == (
        stated,
        SQUARE,
        "video-pixel-aspect-ratio",
        "lossless",
    )


def test_a_ratio_without_contradiction_is_scaled() -> None:
    media = sized(720, 576, video__sars=sars(Fraction(64, 45), Fraction(64, 45)))
    assert target_picture(media).display_size == (1024, 576)
    assert target_picture(media).sars == SQUARE
    assert actions(planned_output(media))["video"] == "encoded"


def test_square_pixels_on_request() -> None:
    media = sized(720, 576, video__sars=sars(Fraction(64, 45), Fraction(64, 45)))
    output = planned_output(media, Options(square_pixels=True))
    assert actions(output)["video"] == "retagged"
    encoded = planned_output(changed(media, video__codec="mpeg4"), Options(square_pixels=True))
    assert encoded.target.video.display_size == (720, 576)  # type: ignore[union-attr]


# -- rate and scan


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (Fraction(120), Fraction(60)),
        (Fraction(100), Fraction(50)),
        (120 * NTSC, 60 * NTSC),
        (Fraction(61), Fraction(61, 2)),
        (Fraction(240), Fraction(60)),
        (Fraction(90), Fraction(45)),
        (Fraction(144), Fraction(48)),
    ],
)
def test_a_rate_above_60_is_divided_by_a_whole_number(rate: Fraction, expected: Fraction) -> None:
    media = good(
        video__frame_rate=rate,
        video__frame_rate_peak=int(rate),
        video__frame_rate_burst=rate,
        video__frame_rate_declared=rate,
    )
    assert target_picture(media).frame_rate == expected


@pytest.mark.parametrize(
    "rate", [Fraction(60), 60 * NTSC, Fraction(50), Fraction(25), 24 * NTSC, Fraction(1)]
)
def test_a_rate_up_to_60_is_kept(rate: Fraction) -> None:
    """Also 60 fps, encoded or copied: no tolerance allows 61."""
    media = good(
        video__frame_rate=rate,
        video__frame_rate_peak=-(-rate.numerator // rate.denominator),
        video__frame_rate_burst=rate,
    )
    assert target_picture(changed(media, **_HEVC)).frame_rate == rate
    assert target_picture(changed(media, container__format="matroska")).frame_rate == rate


@pytest.mark.parametrize(
    ("average", "peak", "burst", "expected"),
    [
        (
            Fraction(200, 7),
            30,
            Fraction(400, 13),
            Fraction(30),
        ),  # a phone: 28.57 on average, 30.8 at best
        (Fraction(15), 30, 30 * NTSC, 30 * NTSC),
        (Fraction(39), 57, Fraction(120), Fraction(60)),  # bursts of slow motion
        (Fraction(24), 33, Fraction(33), Fraction(33)),  # not near a standard rate
        (
            Fraction(1780000, 59209),
            31,
            Fraction(540000, 16919),
            Fraction(30),
        ),  # 30.06 fps, timestamps off by up to 7 ms: 31.9 over six intervals
        (
            Fraction(2985, 100),
            31,
            Fraction(34),
            Fraction(30),
        ),  # the same with lost frames
        (Fraction(24), 31, Fraction(32), Fraction(30)),  # and with dim light
        (Fraction(30), 33, Fraction(60), Fraction(60)),  # a burst that is not jitter
    ],
)
def test_a_variable_rate_becomes_its_fastest_sustained_rate(
    average: Fraction, peak: int, burst: Fraction, expected: Fraction
) -> None:
    rates = {
        "video__frame_rate": average,
        "video__frame_rate_peak": peak,
        "video__frame_rate_burst": burst,
    }
    media = good(**_HEVC, video__rate_mode="vfr", **rates)
    assert target_picture(media).frame_rate == expected
    assert target_picture(media).rate_mode == "cfr"


@pytest.mark.parametrize(
    ("average", "peak", "jitter", "burst", "expected"),
    [
        (
            Fraction(200, 7),
            30,
            1,
            Fraction(400, 13),
            Fraction(30),
        ),  # fixtures/input.mov: timestamps off by 4 ms, eight frames missing
        (Fraction(24), 25, 1, Fraction(26), Fraction(24)),  # film with jitter stays film
        (Fraction(30), 31, 1, Fraction(319, 10), Fraction(30)),
        (Fraction(17), 18, 1, Fraction(19), Fraction(17)),  # no standard rate is reached
    ],
)
def test_jitter_neither_raises_nor_hides_a_rate(
    average: Fraction, peak: int, jitter: int, burst: Fraction, expected: Fraction
) -> None:
    rates = {
        "video__frame_rate": average,
        "video__frame_rate_peak": peak,
        "video__frame_rate_burst": burst,
    }
    assert (
        target_picture(
            good(**_HEVC, video__rate_mode="vfr", video__jitter_frames=jitter, **rates)
        ).frame_rate
        == expected
    )


@pytest.mark.parametrize(
    ("scan", "rate", "expected"),
    [
        ("interlaced", Fraction(25), Fraction(50)),
        ("interlaced", 30 * NTSC, 60 * NTSC),
        ("interlaced", Fraction(50), Fraction(50)),  # twice that exceeds 60
        ("telecine", 30 * NTSC, 24 * NTSC),
        ("psf", Fraction(25), Fraction(25)),
    ],
)
def test_scan(scan: str, rate: Fraction, expected: Fraction) -> None:
    """A frame per field of interlaced video, four of five frames of telecine; PsF is unchanged."""
    picture = target_picture(
        good(video__scan=scan, video__frame_rate=rate, video__frame_rate_burst=rate)
    )
    assert (picture.frame_rate, picture.scan, picture.scan_flags) == (
        expected,
        "progressive",
        "progressive",
    )


def test_an_average_rate_that_no_time_base_can_express_is_rounded() -> None:
    average = Fraction(2778000, 277813)
    slow = good(
        **_HEVC,
        video__frame_rate=average,
        video__frame_rate_burst=average,
        video__frame_rate_peak=10,
    )
    assert target_picture(slow).frame_rate == 10


def test_a_rate_below_the_limit_is_multiplied() -> None:
    """TikTok takes 23 to 60 fps."""
    media = sized(
        720,
        1280,
        video__frame_rate=Fraction(10),
        video__frame_rate_peak=10,
        video__frame_rate_burst=Fraction(10),
    )
    (output,) = planned(media, profile="tiktok").outputs
    assert output.target.video.frame_rate == 30  # type: ignore[union-attr]


# -- duration


def test_a_video_that_is_too_long_is_refused_with_remedies() -> None:
    (refusal,) = planned(lasting(Fraction(141))).refusals
    assert refusal.rule == "video-duration"
    assert (
        refusal.reason
        == "the video lasts 141 s, at most 140 s are allowed; shortening it loses content"
    )
    assert refusal.remedies == ("--trim first", "--trim START-END", "--split")


def test_sound_that_an_edit_list_ends_at_the_limit_is_not_too_long() -> None:
    """Its packets reach 8 ms further, which an output must not."""
    sound = {
        "audio__codec": "ac3",
        "audio__start": Fraction(-8, 1000),
        "audio__duration": Fraction(140016, 1000),
    }
    assert tolerated(planned_output(lasting(Fraction(140), **_HEVC, **sound)), "duration") == 140


def test_trim_first_gives_139_9_seconds() -> None:
    output = planned_output(lasting(Fraction(300)), Options(trim="first"))
    assert output.span == (0, Fraction(1399, 10))
    assert tolerated(output, "duration") == Fraction(1399, 10)
    assert tolerated(output, "video.frame_count") == 4197
    assert change(output, "duration").safety == "destructive"
    assert change(output, "duration").because == ("--trim", "video-duration")
    assert planned(lasting(Fraction(140)), Options(trim="first")).status == "already_ok"


@pytest.mark.parametrize(
    ("keyframes", "snap", "end"),
    [
        (
            ("0", "70", "139", "139.98", "141"),
            "2",
            "139",
        ),  # at 139.98 s the last frame of sound would pass 140 s
        (("0", "70", "139.93", "141"), "2", "139.93"),
        (("0", "70", "137", "141"), "2", "139.9"),  # no key frame is near: encoded
        (("0", "70", "139"), None, "139.9"),
    ],
)
def test_the_first_part_may_end_at_a_key_frame_and_be_copied(
    keyframes: tuple[str, ...], snap: str | None, end: str
) -> None:
    source = replace(lasting(Fraction(300)), keyframes=tuple(map(Fraction, keyframes)))
    output = planned_output(
        source, Options(trim="first", snap=None if snap is None else Fraction(snap))
    )
    assert output.span == (0, Fraction(end))
    assert isinstance(output.target, Video)
    assert output.target.video.reencode is (end == "139.9")


def test_trim_first_ends_on_a_whole_frame() -> None:
    output = planned_output(
        lasting(Fraction(300), video__frame_rate=30 * NTSC), Options(trim="first")
    )
    assert tolerated(output, "video.frame_count") == 4192
    assert tolerated(output, "duration") == Fraction(4192) / (30 * NTSC) <= Fraction(1399, 10)


def test_trim_to_a_span_encodes_the_span() -> None:
    output = planned_output(good(), Options(trim=(Fraction(2), Fraction(5))))
    assert (output.span, tolerated(output, "duration")) == ((2, 5), 3)
    assert actions(output) == {"container": "rewritten", "video": "encoded", "audio": "encoded"}
    assert stream_actions(output)[1].because == ("--trim",)
    assert planned(good(), Options(trim=(Fraction(0), Fraction(99)))).status == "already_ok", (
        "the span is all there is"
    )


@pytest.mark.parametrize(
    ("trim", "reason"),
    [
        ((Fraction(5), Fraction(5)), "--trim requests 5 s to 5 s; the video lasts 300 s"),
        ((Fraction(400), Fraction(500)), "--trim requests 400 s to 300 s; the video lasts 300 s"),
        ((Fraction(0), Fraction(150)), "the requested span lasts 150 s, at most 140 s are allowed"),
    ],
)
def test_an_invalid_span_is_refused(trim: tuple[Fraction, Fraction], reason: str) -> None:
    (refusal,) = planned(lasting(Fraction(300)), Options(trim=trim)).refusals
    assert refusal.reason == reason


@pytest.mark.parametrize(
    ("length", "ends"),
    [
        (Fraction(300), ["139.9", "279.8", "300"]),
        (Fraction(280), ["140", "280"]),  # 140 s saves a part
        (
            Fraction(2801, 10),
            ["139.9", "279.1", "280.1"],
        ),  # the last part is not shorter than a second
    ],
)
def test_split_into_the_fewest_parts(length: Fraction, ends: list[str]) -> None:
    output = planned(lasting(length), Options(split=True))
    assert [part.span[1] for part in output.outputs if part.span] == [Fraction(end) for end in ends]
    assert output.outputs[0].span is not None
    assert output.outputs[0].span[0] == 0
    joints = [(a.span[1], b.span[0]) for a, b in pairwise(output.outputs) if a.span and b.span]
    assert all(end == start for end, start in joints)


def test_split_cuts_at_shot_changes() -> None:
    media = lasting(
        Fraction(300), shots=(Fraction(50), Fraction(130), Fraction(138), Fraction(270))
    )
    output = planned(media, Options(split=True))
    assert [part.span[1] for part in output.outputs if part.span] == [138, 270, 300]


def test_a_trim_keeps_a_frame_and_does_not_start_after_the_picture() -> None:
    """At 25 fps the last frame starts at 7.96 s; the sound lasts until 9 s."""
    source = lasting(
        Fraction(8), video__frame_rate=Fraction(25), video__frame_rate_burst=Fraction(25)
    )
    longer = changed(source, duration=Fraction(9), audio__duration=Fraction(9))
    assert planned_output(source, Options(trim=(Fraction("7.99"), Fraction(8)))).span == (
        Fraction("7.96"),
        8,
    )
    assert planned_output(longer, Options(trim=(Fraction("7.99"), Fraction(9)))).span == (
        Fraction("7.96"),
        9,
    )
    (refusal,) = planned(longer, Options(trim=(Fraction("8.2"), Fraction(9)))).refusals
    assert refusal.reason == "--trim starts at 8.2 s; the picture ends at 8 s"


def test_every_part_of_a_split_has_a_picture() -> None:
    """With 279.7 s of picture and 281 s of sound, a part from 279.8 s would have no picture."""
    source = changed(
        lasting(Fraction("279.7")), duration=Fraction(281), audio__duration=Fraction(281)
    )
    spans = [output.span for output in planned(source, Options(split=True)).outputs]
    assert len(spans) == 3
    assert all(span is not None and span[1] - span[0] <= Fraction(140) for span in spans)
    assert spans[-1] is not None
    assert spans[-1][0] == Fraction("278.7")


def test_a_video_that_is_too_short_is_extended_by_whole_frames() -> None:
    output = planned_output(
        lasting(
            Fraction(12, 25), video__frame_rate=Fraction(24), video__frame_rate_burst=Fraction(24)
        )
    )
    assert tolerated(output, "video.duration") == Fraction(1, 2)
    odd = planned_output(
        lasting(
            Fraction(1, 10), video__frame_rate=Fraction(25), video__frame_rate_burst=Fraction(25)
        )
    )
    assert tolerated(odd, "video.duration") == Fraction(13, 25)
    assert change(odd, "video.duration").because == ("video-duration",)


def test_a_single_frame_is_shown_until_its_sound_ends() -> None:
    rate = {
        "video__frame_rate": Fraction(25),
        "video__frame_rate_burst": Fraction(25),
        "video__frame_count": 1,
    }
    still = good(
        **rate, duration=Fraction(6), video__duration=Fraction(1, 25), audio__duration=Fraction(6)
    )
    output = planned_output(still)
    assert (tolerated(output, "video.duration"), tolerated(output, "duration")) == (6, 6)
    assert tolerated(output, "video.frame_count") == 150


# -- time


def test_a_late_picture_keeps_its_end() -> None:
    """It starts 1.5 s after the sound: its first frame is held from 0, and no frame is lost."""
    output = planned_output(good(**_HEVC, video__start=Fraction(3, 2), duration=Fraction(23, 2)))
    assert (
        tolerated(output, "video.start"),
        tolerated(output, "video.duration"),
        tolerated(output, "duration"),
    ) == (
        0,
        Fraction(23, 2),
        Fraction(23, 2),
    )
    assert tolerated(output, "video.frame_count") == 345


def test_a_late_start_of_all_tracks_is_not_held() -> None:
    output = planned_output(silent(good(**_HEVC, video__start=Fraction(2, 25))))
    assert (tolerated(output, "video.duration"), tolerated(output, "duration")) == (10, 10)


@pytest.mark.parametrize("late", [Fraction(2, 25), Fraction(50)])
def test_a_late_first_timestamp_does_not_require_an_encode(late: Fraction) -> None:
    """As in FLV with reordered frames, or in a segment of a longer Matroska file."""
    media = good(
        container__format="matroska", video__edit_list="none", video__start=late, audio__start=late
    )
    for output in (planned_output(media), planned_output(silent(media))):
        assert not output.target.video.reencode
        assert (
            tolerated(output, "video.start"),
            tolerated(output, "video.duration"),
            tolerated(output, "duration"),
        ) == (0, 10, 10)


def test_a_late_start_is_subtracted_from_a_duration_that_includes_it() -> None:
    late = Fraction(2, 25)
    output = planned_output(
        good(
            container__format="flv",
            video__edit_list="none",
            video__start=late,
            audio__start=late,
            duration=10 + late,
        )
    )
    assert tolerated(output, "duration") == 10


def test_the_priming_of_the_sound_does_not_require_an_encode() -> None:
    """A transport stream plays the first 1024 samples of AAC before the picture starts."""
    media = good(
        container__format="mpegts",
        video__edit_list="none",
        video__start=Fraction(8, 375),
        audio__duration=Fraction(3768, 375),
    )
    output = planned_output(media)
    assert actions(output)["video"] == "copied"
    assert tolerated(output, "video.start") == 0


def test_broken_timestamps_are_not_copied() -> None:
    """AVI with B-frames: declared rate and number of frames determine the duration."""
    output = planned_output(
        good(container__format="avi", video__timestamps="broken", video__duration=Fraction(297, 30))
    )
    assert actions(output)["video"] == "encoded"
    assert (tolerated(output, "video.duration"), tolerated(output, "video.frame_count")) == (
        10,
        300,
    )


def test_a_stream_without_timestamps_requires_frame_rate() -> None:
    raw = silent(
        good(
            container__format="raw",
            video__timestamps="missing",
            video__frame_rate=None,
            video__rate_mode=None,
            duration=None,
            video__duration=None,
            video__start=None,
        )
    )
    (refusal,) = planned(raw).refusals
    assert refusal.remedies == ("--frame-rate N",)
    output = planned_output(raw, Options(frame_rate=Fraction(25)))
    assert actions(output)["video"] == "encoded"
    assert (output.target.video.frame_rate, tolerated(output, "duration")) == (25, 12)  # type: ignore[union-attr]


# -- refusals


@pytest.mark.parametrize("size", [(1280, 720), (3840, 2160)])
def test_dolby_vision_profile_5_is_always_refused(size: tuple[int, int]) -> None:
    media = sized(
        *size,
        **_HEVC,
        video__pixel_format="yuv420p10le",
        video__colour__hdr=(HdrFormat(name="Dolby Vision", profile=5),),
    )
    (refusal,) = planned(media).refusals
    assert refusal.rule == "video-hdr"
    assert "Dolby Vision profile 5 has no compatible base layer" in refusal.reason


def test_other_hdr_is_tone_mapped() -> None:
    media = good(
        **_HEVC,
        video__pixel_format="yuv420p10le",
        video__colour__transfer="arib-std-b67",
        video__colour__hdr=(HdrFormat(name="HLG"),),
    )
    output = planned_output(media)
    assert output.target.video.colour.hdr == ()  # type: ignore[union-attr]
    assert change(output, "video.colour.hdr").because == ("video-hdr",)


def test_a_stream_that_does_not_decode_is_refused() -> None:
    (sound,) = planned(good(audio__profile=None, audio__decodable=False)).refusals
    assert sound.rule == "audio-codec"
    media = good(video__gop__structure="no-rap")
    tracks = tuple(replace(track, encrypted=True) for track in media.container.tracks or ())
    (picture,) = planned(changed(media, container__tracks=tracks)).refusals
    assert "it is encrypted" in picture.reason


def test_an_incomplete_file_is_refused_with_its_remedy() -> None:
    output = planned(good(complete=False, incomplete_because="mdat ends after the file"))
    assert output.outputs == ()
    (refusal,) = output.refusals
    assert (refusal.rule, refusal.remedies) == (
        "file-complete",
        ("copy or download the file again",),
    )
    assert (
        refusal.reason == "file is truncated or damaged; twitter/tweet_video takes a complete file"
    )


# -- reasons


def test_a_change_names_the_rule_that_judges_its_fact() -> None:
    """The fix of the dimensions runs first, but the codec changes because of video-codec."""
    output = planned_output(
        sized(
            1920,
            1080,
            **_HEVC,
            video__pixel_format="yuv420p10le",
            video__bit_depth=10,
            video__gop__structure="open",
        )
    )
    because = {c.fact: c.because for c in output.changes}
    assert because["video.width"] == ("video-dimensions",)
    assert because["video.codec"] == ("video-codec",)
    assert because["video.pixel_format"] == ("video-pixel-format",)
    assert because["video.gop.structure"] == ("video-open-gop",)
    assert because["video.bit_depth"] == ("video-dimensions",), (
        "no rule names it: the fix that did it"
    )
    assert stream_actions(output)[1].because == (
        "video-dimensions",
        "video-pixel-format",
        "video-codec",
        "video-open-gop",
    )


def test_changes_that_result_from_writing_a_new_file_have_that_cause() -> None:
    output = planned_output(good(video__codec="hevc", container__faststart=False))
    assert change(output, "container.faststart").because == (WRITTEN,)
    assert WRITTEN not in {cause for row in stream_actions(output) for cause in row.because}


def test_all_rules_that_judge_a_fact_are_named() -> None:
    output = planned_output(sized(3000, 100))
    assert change(output, "video.width").because == ("video-dimensions", "video-aspect-ratio")


def test_a_placement_by_another_name_has_the_same_limits() -> None:
    output = plan((good(container__format="matroska"),), twitter("dm_video"))
    assert [part.placement.name for part in output.outputs] == ["twitter/dm_video"]
