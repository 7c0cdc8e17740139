"""The whole command line of each kind of repair, written out, so that every change of a command
line is a change of this file.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from mediaprep.model.media import Colour, DeclaredSar, HdrFormat, PrivateItem, Video
from mediaprep.model.options import Options
from mediaprep.model.tolerance import Near
from mediaprep.planning.plan import Output, plan
from mediaprep.tools.ffmpeg import SOURCE_FD, TARGET, argv, bound
from mediaprep.transcoding.video.bit_rate import RateTarget, bit_rate_cap, rate_target
from mediaprep.transcoding.video.command import video_command
from tests.encode_jobs import encode_job
from tests.facts import good, lasting, silent, sized, twitter

HEAD = (
    "ffmpeg -nostdin -hide_banner -nostats -v error -progress pipe:1 -filter_complex_threads 2 -y"
)
SOURCE = "-f mov -fd SOURCE_FD -format_whitelist mov,mp4 -max_alloc 1024000000 -max_pixels 64000000"
PROTOCOL = "-protocol_whitelist fd"
NO_METADATA = "-map_chapters -1 -map_metadata -1 -map_metadata:s -1"
TAGS = "-color_primaries bt709 -color_range tv -color_trc bt709 -colorspace bt709"
BT709 = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=limited"
UPRIGHT = "sidedata=mode=delete:type=DISPLAYMATRIX"
X264 = "-x264-params open-gop=0:8x8dct=1:cabac=1:min-keyint=1"
CLOCK = [
    "trim=end=11.000000",
    "fps=fps=30/1:round=near:start_time=0",
    "tpad=stop=2:stop_mode=clone",
    "trim=end_frame=300",
]
TAIL = "-threads 2 -video_track_timescale 90000 -write_tmcd 0"


def output(media: Video, options: Options | None = None) -> Output:
    (made,) = plan((media,), twitter(), options).outputs
    return made


def line(media: Video, options: Options | None = None) -> str:
    return " ".join(argv("ffmpeg", video_command(encode_job(output(media, options)))))


def words(media: Video, options: Options | None = None) -> dict[str, str]:
    """Return each option after the input with its value."""
    flat = line(media, options).split(" -i fd: ")[1].split(" ")
    return {key: value for key, value in pairwise(flat) if key.startswith("-")}


def chain(media: Video, options: Options | None = None) -> list[str]:
    """Return the filters of the picture, without labels and without the filters of its clock."""
    return [
        step
        for step in whole_chain(media, options)
        if not step.startswith(("trim=", "fps=", "tpad="))
    ]


def whole_chain(media: Video, options: Options | None = None) -> list[str]:
    """Return the filters of the picture, without labels."""
    graph = line(media, options).split("-filter_complex ")[1].split(" ")[0]
    return [
        step.split("]", 1)[1].rsplit("[", 1)[0]
        for step in graph.split(";")
        if not step.startswith("[0:1]")
    ]


# -- the commands --------------------------------------------------------------


def test_remux() -> None:
    assert line(good(container__format="matroska")) == (
        f"{HEAD} {SOURCE} {PROTOCOL} -threads 2 -i fd: -map 0:0 -map 0:1 -f mp4 -bsf:v null -c:a copy -c:v copy -fflags +bitexact {NO_METADATA} "
        "-movflags +faststart -r 30/1 -tag:v avc1 -threads 2 -write_tmcd 0 TARGET"
    )


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        (
            {"container__format": "matroska", "video__frame_rate": Fraction(60000, 1001)},
            "60000/1001",
        ),
        (
            {
                "container__format": "flv",
                "video__start": Fraction(83, 1000),
                "audio__start": Fraction(83, 1000),
            },
            "30/1",
        ),
        (
            {
                "container__format": "flv",
                "video__start": Fraction(23, 1000),
                "audio__start": Fraction(0),
            },
            "30/1",
        ),  # the encoder delay is cut off
        (
            {"container__format": "matroska", "audio__start": Fraction(-21, 1000)},
            None,
        ),  # shifts the picture off its frame times
        ({"container__format": "matroska", "video__frame_rate": Fraction(25)}, None),  # 40 ms each
        ({"container__format": "matroska", "video__rate_mode": "vfr"}, None),
        ({"container__format": "mpegts"}, None),  # ticks of 11 microseconds
    ],
)
def test_a_copied_picture_gets_back_its_unrounded_times(
    changes: dict[str, Any], rate: str | None
) -> None:
    found = words(good(**changes))
    assert (found.get("-r"), found.get("-bsf:v")) == (rate, None if rate is None else "null")


def test_sound_only() -> None:
    """The picture is copied; -t is a second longer, so that no packet of it is lost."""
    assert line(good(audio__profile="HE-AAC", audio__channels=6)) == (
        f"{HEAD} {SOURCE} {PROTOCOL} -threads 2 -i fd: -filter_complex "
        "[0:1]aresample=async=1:first_pts=0:out_chlayout=stereo:rematrix_maxval=1[s0] -map 0:0 -map [s0] "
        f"-f mp4 -ac 2 -ar 48000 -b:a 128000 -c:a aac -c:v copy -fflags +bitexact "
        f"-flags:a +bitexact {NO_METADATA} -movflags +faststart -profile:a aac_low -t 11.000000 -tag:v avc1 "
        "-threads 2 -write_tmcd 0 TARGET"
    )


PHONE_HLG = Colour(
    primaries="bt2020",
    transfer="arib-std-b67",
    matrix="bt2020nc",
    range="limited",
    hdr=(HdrFormat(name="HLG"),),
)


def test_an_hdr_portrait_of_a_phone() -> None:
    """Rotated, scaled, then tone-mapped; the bit rate is capped at 5/2 of the source's 794799
    bit/s.
    """
    media = sized(
        1920,
        1080,
        video__codec="hevc",
        video__rotation=90,
        video__pixel_format="yuv420p10le",
        video__colour=PHONE_HLG,
        video__bit_rate=794799,
    )
    assert line(media) == (
        f"{HEAD} {SOURCE} -noautorotate {PROTOCOL} -threads 2 -i fd: -filter_complex "
        f"[0:0]{CLOCK[0]}[s0];[s0]{CLOCK[1]}[s1];[s1]{CLOCK[2]}[s2];[s2]{CLOCK[3]}[s3];"
        f"[s3]transpose=dir=clock[s4];[s4]{UPRIGHT}[s5];[s5]scale=flags=lanczos+accurate_rnd:h=1280:w=720[s6];[s6]setsar=sar=1/1[s7];"
        "[s7]setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc:range=limited[s8];"
        "[s8]zscale=agamma=0:npl=203:t=linear[s9];[s9]format=pix_fmts=gbrpf32le[s10];[s10]zscale=p=bt709[s11];"
        "[s11]tonemap=desat=0:peak=10:tonemap=mobius[s12];[s12]zscale=d=error_diffusion:m=bt709:r=limited:t=bt709[s13];"
        f"[s13]format=pix_fmts=yuv420p[s14];[s14]{BT709}[s15] "
        "-map [s15] -map 0:1 -f mp4 -aq-mode 2 -bufsize 3973994 -c:a copy -c:v libx264 "
        "-color_primaries bt709 -color_range tv -color_trc bt709 -colorspace bt709 -crf 23 -fflags +bitexact -flags:v +cgop+bitexact "
        f"-fps_mode cfr -g 60 {NO_METADATA} -maxrate 1986997 -movflags +faststart -pix_fmt yuv420p -preset medium -profile:v high "
        f"-r 30/1 -t 11.000000 {TAIL} {X264} TARGET"
    )


def test_a_trim() -> None:
    """Three seconds from second 2: reading starts 0.1 s earlier, the picture is cut 2 ms before the
    frame, the sound at the sample.
    """
    assert line(good(), Options(trim=(Fraction(2), Fraction(5)))) == (
        f"{HEAD} {SOURCE} -noautorotate {PROTOCOL} -ss 1.900000 -t 3.100000 -threads 2 -i fd: -filter_complex "
        f"[0:0]trim=end=3.098000:start=0.098000[s0];[s0]setpts=expr=PTS-1/(10*TB)[s1];[s1]{CLOCK[1]}[s2];[s2]{CLOCK[2]}[s3];"
        f"[s3]trim=end_frame=90[s4];[s4]{UPRIGHT}[s5];[s5]setsar=sar=1/1[s6];[s6]format=pix_fmts=yuv420p[s7];[s7]{BT709}[s8];"
        "[0:1]atrim=end=3.100000:start=0.100000[s9];[s9]asetpts=expr=PTS-1/(10*TB)[s10];[s10]afade=duration=0.003000:start_time=0:type=in[s11];"
        "[s11]afade=duration=0.003000:start_time=2.997000:type=out[s12];[s12]aresample=async=1:first_pts=0[s13] "
        f"-map [s8] -map [s13] -f mp4 -ac 2 -aq-mode 2 -ar 48000 -b:a 128000 -bufsize 4096000 -c:a aac -c:v libx264 {TAGS} -crf 23 "
        f"-fflags +bitexact -flags:a +bitexact -flags:v +cgop+bitexact -fps_mode cfr -g 60 {NO_METADATA} -maxrate 2048000 "
        "-movflags +faststart -pix_fmt yuv420p -preset medium -profile:a aac_low -profile:v high "
        f"-r 30/1 -t 3.000000 {TAIL} {X264} TARGET"
    )


def test_a_corrected_sample_aspect_ratio() -> None:
    """Container and bitstream both get it; nothing is encoded."""
    declared = (
        DeclaredSar(where="container", value=Fraction(4, 3)),
        DeclaredSar(where="bitstream", value=Fraction(1)),
    )
    assert line(good(video__sars=declared)) == (
        f"{HEAD} {SOURCE} {PROTOCOL} -threads 2 -i fd: -map 0:0 -map 0:1 -f mp4 -aspect 16:9 -bsf:v h264_metadata=sample_aspect_ratio=1/1 "
        f"-c:a copy -c:v copy -fflags +bitexact {NO_METADATA} -movflags +faststart -tag:v avc1 -threads 2 -write_tmcd 0 TARGET"
    )


# -- the picture's filters --------------------------------------------------------------

END = ["setsar=sar=1/1", "format=pix_fmts=yuv420p", BT709]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"video__parity": "bff", "video__scan_flags": "tff"},
            "bff",
        ),  # detected in the picture; the flag is wrong
        ({"video__parity": None, "video__scan_flags": "tff"}, "tff"),
        ({"video__parity": None, "video__scan_flags": "mixed"}, "auto"),
    ],
)
def test_interlaced_video_at_field_rate(facts: dict[str, Any], expected: str) -> None:
    media = good(
        video__scan="interlaced",
        video__frame_rate=Fraction(25),
        video__frame_rate_burst=Fraction(25),
        **facts,
    )
    assert chain(media) == [f"bwdif=deint=all:mode=send_field:parity={expected}", UPRIGHT, *END]
    assert words(media)["-r"] == "50/1"
    assert words(media)["-g"] == "100"


def test_interlaced_video_at_frame_rate_if_fields_are_too_many() -> None:
    media = good(
        video__scan="interlaced",
        video__frame_rate=Fraction(50),
        video__frame_rate_burst=Fraction(50),
        video__parity="tff",
    )
    assert chain(media)[0] == "bwdif=deint=all:mode=send_frame:parity=tff"


def test_telecine() -> None:
    media = good(
        video__scan="telecine", video__frame_rate=Fraction(30000, 1001), video__parity="tff"
    )
    assert chain(media)[:3] == ["fieldmatch=order=tff", "yadif=deint=interlaced", "decimate"]
    assert words(media)["-r"] == "24000/1001"


def test_psf_only_loses_its_flag() -> None:
    assert chain(good(video__scan="psf")) == ["setfield=mode=prog", UPRIGHT, *END]


@pytest.mark.parametrize(
    ("rotation", "mirrored", "filters"),
    [
        (0, False, []),
        (90, False, ["transpose=dir=clock"]),
        (180, False, ["hflip", "vflip"]),
        (270, False, ["transpose=dir=cclock"]),
        (0, True, ["hflip"]),
        (90, True, ["hflip", "transpose=dir=clock"]),
    ],
)
def test_rotation_and_deleted_display_matrix(
    rotation: int, mirrored: bool, filters: list[str]
) -> None:
    media = sized(720, 720, video__codec="vp9", video__rotation=rotation, video__mirrored=mirrored)
    assert chain(media) == [*filters, UPRIGHT, *END]


def test_the_clean_aperture_is_cropped_before_rotation() -> None:
    media = sized(720, 720, video__codec="vp9", video__rotation=90, video__clap=(10, 20, 640, 480))
    assert chain(media) == ["crop=h=480:w=640:x=10:y=20", "transpose=dir=clock", UPRIGHT, *END]


def test_pixel_art_is_scaled_to_the_nearest_pixel() -> None:
    assert chain(sized(1920, 1080, video__pixel_grid=6)) == [
        UPRIGHT,
        "scale=flags=neighbor:h=720:w=1280",
        *END,
    ]


def test_pad_crop_and_scale() -> None:
    media = sized(1200, 200)
    assert chain(media) == [
        UPRIGHT,
        "setsar=sar=1/1",
        "pad=color=black:h=400:w=1200:x=0:y=100",
        *END[1:],
    ]
    assert chain(media, Options(fit="crop")) == [
        UPRIGHT,
        "setsar=sar=1/1",
        "crop=h=200:w=600",
        *END[1:],
    ]
    assert chain(media, Options(fit="scale")) == [
        UPRIGHT,
        "scale=flags=lanczos+accurate_rnd:h=400:w=1200",
        *END,
    ]


def test_contradicting_sample_aspect_ratios_do_not_scale() -> None:
    """4:3 in the container, 1:1 in the bitstream, and an open GOP: encoded with square pixels."""
    declared = (
        DeclaredSar(where="container", value=Fraction(4, 3)),
        DeclaredSar(where="bitstream", value=Fraction(1)),
    )
    assert chain(sized(640, 480, video__sars=declared, video__gop__structure="open")) == [
        UPRIGHT,
        *END,
    ]


def test_a_sample_aspect_ratio_scales() -> None:
    declared = (
        DeclaredSar(where="container", value=Fraction(4, 3)),
        DeclaredSar(where="bitstream", value=Fraction(4, 3)),
    )
    assert chain(sized(640, 480, video__sars=declared)) == [
        UPRIGHT,
        "scale=flags=lanczos+accurate_rnd:h=480:w=852",
        *END,
    ]


# -- time --------------------------------------------------------------


def test_the_constant_rate_comes_after_deinterlacing() -> None:
    """Deinterlacing needs every frame at its time; rotating dropped frames would be wasted."""
    media = good(
        video__scan="telecine",
        video__frame_rate=Fraction(30000, 1001),
        video__parity="tff",
        video__rotation=90,
    )
    names = [step.partition("=")[0] for step in whole_chain(media)]
    assert names[:8] == [
        "trim",
        "fieldmatch",
        "yadif",
        "decimate",
        "fps",
        "tpad",
        "trim",
        "transpose",
    ]


def test_frames_without_usable_timestamps_are_numbered() -> None:
    media = good(
        container__format="avi",
        video__timestamps="broken",
        video__codec="mpeg4",
        video__frame_rate=Fraction(30000, 1001),
    )
    assert whole_chain(media)[0] == "setpts=expr=N*1001/(30000*TB)"


def test_a_short_clip_repeats_its_last_frame() -> None:
    """0.1 s becomes 0.5 s of 15 frames; surplus frames are cut off by number and by -t."""
    text = line(lasting(Fraction(1, 10)))
    assert "tpad=stop=15:stop_mode=clone" in text or "tpad=stop=16:stop_mode=clone" in text
    assert "trim=end_frame=15[" in text
    assert "aresample=async=1:first_pts=0[s8];[s8]apad" in text
    assert " -t 0.500000 -threads" in text


def test_a_short_span_shows_nothing_after_its_end() -> None:
    text = line(good(), Options(trim=(Fraction(2), Fraction(11, 5))))
    assert " -ss 1.900000 -t 0.300000 " in text
    assert "tpad=stop=13:stop_mode=clone" in text


IDRS = tuple(Fraction(n) for n in range(0, 10, 2))


@pytest.mark.parametrize(
    ("trim", "snap", "span"),
    [
        ((Fraction(21, 10), Fraction(59, 10)), Fraction(1, 2), (Fraction(2), Fraction(6))),
        (
            (Fraction(21, 10), Fraction(99, 10)),
            Fraction(1, 2),
            (Fraction(2), Fraction(10)),
        ),  # the end of the file is a cut, too
        ((Fraction(21, 10), Fraction(5)), Fraction(1, 2), None),  # no IDR near its end
        ((Fraction(21, 10), Fraction(59, 10)), None, None),
    ],
)
def test_a_trim_that_may_move_to_keyframes_is_copied(
    trim: Any, snap: Fraction | None, span: Any
) -> None:
    made = output(replace(good(), keyframes=IDRS), Options(trim=trim, snap=snap))
    assert isinstance(made.target, Video)
    assert made.target.video.reencode == (span is None)
    if span is not None:
        assert made.span == span
        text = line(replace(good(), keyframes=IDRS), Options(trim=trim, snap=snap))
        assert "-ss" not in text
        assert r"-bsf:v noise=amount=0:drop=lt(pts*tb\,1.999000)+gte(pts*tb\," in text
        assert "setts=pts=PTS-round(2.000000/TB):dts=DTS-round(2.000000/TB)" in text


@pytest.mark.parametrize(
    "fault",
    [
        {"video__gop__structure": "open"},
        {"container__format": "mpegts"},
        {"video__start": Fraction(1, 10)},
    ],
)
def test_a_trim_that_cannot_be_copied_is_encoded(fault: dict[str, Any]) -> None:
    made = output(
        replace(good(**fault), keyframes=IDRS),
        Options(trim=(Fraction(2), Fraction(6)), snap=Fraction(1)),
    )
    assert isinstance(made.target, Video)
    assert made.target.video.reencode


def test_a_trim_starts_with_the_frame_shown_at_its_start() -> None:
    made = output(good(), Options(trim=(Fraction(101, 100), Fraction(5))))
    assert made.span == (Fraction(1), Fraction(5))


def test_without_an_index_reading_starts_far_ahead() -> None:
    """Two keyframe intervals and a second before the cut, at least 5 s; at the start of the file if
    the interval is unknown.
    """
    unknown = good(container__format="mpegts", duration=Fraction(20), video__duration=Fraction(20))
    stream = replace(
        unknown,
        video=replace(
            unknown.video, gop=replace(unknown.video.gop, keyframe_interval_max=Fraction(4))
        ),
    )
    assert " -ss 1.000000 -t 11.000000 " in line(stream, Options(trim=(Fraction(10), Fraction(12))))
    assert " -ss " not in line(unknown, Options(trim=(Fraction(10), Fraction(12))))


def test_the_encoder_delay_of_sound_is_shifted_off() -> None:
    text = line(
        good(
            container__format="mpegts", video__start=Fraction(8, 375), audio__duration=Fraction(10)
        )
    )
    assert f"-itsoffset -0.021333 -max_alloc 1024000000 -max_pixels 64000000 {PROTOCOL}" in text
    assert "-c:v copy" in text


def test_a_raw_stream_gets_the_requested_frame_rate() -> None:
    raw = silent(
        good(
            container__format="raw",
            video__timestamps="missing",
            video__frame_rate=None,
            video__duration=None,
            duration=None,
        )
    )
    assert "-framerate 25/1" in line(raw, Options(frame_rate=Fraction(25)))


@pytest.mark.parametrize(
    ("rate", "scale"),
    [
        (Fraction(30000, 1001), 90000),
        (Fraction(24000, 1001), 24000),
        (Fraction(25), 90000),
        (Fraction(61, 2), 61),
    ],
)
def test_the_time_base_holds_frames_exactly(rate: Fraction, scale: int) -> None:
    """A frame lasts a whole number of ticks."""
    media = good(
        video__codec="vp9",
        video__frame_rate=rate if rate.numerator != 61 else Fraction(61),
        video__frame_rate_burst=rate,
    )
    assert words(media)["-video_track_timescale"] == str(scale)
    assert (scale / rate).denominator == 1


# -- bits --------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "video", "audio"),
    [
        ((1280, 720), 2048, 128),
        ((1280, 1024), 2048, 128),  # no rung holds it: the top one is used
        ((1024, 1280), 2048, 128),
        ((1024, 1024), 2048, 128),
        ((640, 360), 768, 64),
        ((642, 360), 2048, 128),
        ((320, 180), 256, 64),
        ((180, 320), 256, 64),
        ((360, 640), 768, 64),
        ((240, 240), 256, 32),
        ((480, 480), 768, 64),
        ((482, 482), 2048, 128),
    ],
)
def test_the_bit_rates_of_the_smallest_rung_that_holds_the_picture(
    size: tuple[int, int], video: int, audio: int
) -> None:
    """The buffer is twice the bit rate."""
    made = words(sized(*size, video__gop__structure="open", audio__profile="HE-AAC"))
    assert (made["-maxrate"], made["-bufsize"], made["-b:a"]) == (
        f"{video}000",
        f"{2 * video}000",
        f"{audio}000",
    )


@pytest.mark.parametrize(
    ("codec", "source_rate", "rate", "expected"),
    [
        ("opus", 24_000, "quality", 72_000),
        ("amr_nb", 12_200, "quality", 64_000),
        ("mp3", 128_000, "quality", 128_000),
        ("opus", None, "quality", 128_000),
        ("opus", 24_000, "table", 128_000),
    ],
)
def test_sound_of_few_bits_gets_few_bits(
    codec: str, source_rate: int | None, rate: Any, expected: int
) -> None:
    media = good(audio__codec=codec, audio__profile=None, audio__bit_rate=source_rate)
    assert words(media, Options(rate=rate))["-b:a"] == f"{expected}"


def test_a_requested_rung_gives_its_bit_rates() -> None:
    made = words(sized(1280, 720, audio__profile="HE-AAC"), Options(rung=(640, 360)))
    assert (made["-maxrate"], made["-b:a"]) == ("768000", "64000")


@pytest.mark.parametrize(
    ("quality", "preset", "crf", "cap"),
    [
        ("fast", "veryfast", 23, 2048),
        ("default", "medium", 23, 2048),
        ("best", "slow", 23, 2048),
        ("hq", "medium", 18, 5000),
    ],
)
def test_qualities(quality: Any, preset: str, crf: int, cap: int) -> None:
    made = words(good(video__gop__structure="open"), Options(quality=quality))
    assert (made["-preset"], made["-crf"], made["-maxrate"]) == (preset, str(crf), f"{cap}000")


def test_the_source_bit_rate_caps_the_output() -> None:
    assert (
        bit_rate_cap(output(good(video__gop__structure="open", video__bit_rate=400_000))) == 600_000
    )
    assert (
        bit_rate_cap(output(good(video__gop__structure="open", video__bit_rate=None))) == 2_048_000
    )
    assert (
        bit_rate_cap(output(good(video__codec="prores", video__bit_rate=100_000))) == 2_048_000
    ), "unknown codecs do not limit it"


@pytest.mark.parametrize(
    ("limit", "way"), [(2_000_000, "bytes"), (700_000, "bytes"), (100_000_000, "quality")]
)
def test_a_byte_limit_that_may_bind_is_the_target(limit: int, way: str) -> None:
    """Ten seconds of copied sound at 128 kbit/s, the picture and the boxes fill the limit. A limit
    above what the cap and its buffer allow does not bind.
    """
    made = output(good(size_bytes=200_000_000), Options(max_size=limit))
    found = rate_target(made)
    assert found.way == way
    assert found.bit_rate <= 2_048_000
    if way == "bytes":
        assert 0.97 * limit < (found.bit_rate + 128_000) * 10 / 8 < limit


def test_the_rate_of_the_table_takes_two_passes() -> None:
    assert rate_target(
        output(good(video__gop__structure="open"), Options(rate="table"))
    ) == RateTarget(way="average", bit_rate=2_048_000)


@pytest.mark.parametrize(
    ("limit", "size"), [(3_000_000, (1280, 720)), (600_000, (640, 360)), (200_000, (320, 180))]
)
def test_a_low_byte_limit_uses_a_smaller_rung(limit: int, size: tuple[int, int]) -> None:
    made = output(good(size_bytes=200_000_000), Options(max_size=limit))
    assert isinstance(made.target, Video)
    assert made.target.video.display_size == size


def test_a_byte_limit_that_is_too_low_is_refused() -> None:
    (refusal,) = plan((good(size_bytes=200_000_000),), twitter(), Options(max_size=90_000)).refusals
    assert refusal.rule == "video-size"
    assert "90000 bytes are too few for 10 s" in refusal.reason


# -- sound --------------------------------------------------------------

LOUDNESS = {
    "audio__loudness": -23.0,
    "audio__loudness_range": 5.0,
    "audio__true_peak": -12.0,
    "audio__loudness_threshold": -33.0,
}


def test_loudness_is_changed_by_one_gain() -> None:
    made = output(good(**LOUDNESS), Options(loudness=Fraction(-14)))
    assert isinstance(made.target, Video)
    assert not made.target.video.reencode
    assert [(c.fact, c.after) for c in made.changes if c.fact == "audio.loudness"] == [
        ("audio.loudness", -14.0)
    ]
    assert (
        "loudnorm=I=-14.00:LRA=7.00:TP=-1:linear=true:measured_I=-23.00:measured_LRA=5.00:measured_TP=-12.00:measured_thresh=-33.00"
        in line(good(**LOUDNESS), Options(loudness=Fraction(-14)))
    )


def test_right_loudness_and_silence_are_not_changed() -> None:
    """EBU R 128 allows half a unit; silence has no loudness."""
    assert (
        plan(
            (good(**{**LOUDNESS, "audio__loudness": -14.4}),),
            twitter(),
            Options(loudness=Fraction(-14)),
        ).outputs
        == ()
    )
    assert plan((good(),), twitter(), Options(loudness=Fraction(-14))).outputs == ()


@pytest.mark.parametrize("peak", [-12.0, -3.0])
def test_missing_the_loudness_is_not_a_failure(peak: float) -> None:
    """Peaks may limit the gain, or the encoder removes noise."""
    made = output(good(**{**LOUDNESS, "audio__true_peak": peak}), Options(loudness=Fraction(-14)))
    assert [
        p.tolerance for p in made.tolerances if isinstance(p, Near) and p.fact == "audio.loudness"
    ] == [24]
    assert [(c.fact, c.after) for c in made.changes if c.fact == "audio.loudness"] == [
        ("audio.loudness", -14.0)
    ]


# -- privacy --------------------------------------------------------------


def test_metadata_is_kept_only_on_request() -> None:
    private = (PrivateItem(kind="location", where="moov/udta/©xyz"),)
    media = good(container__format="matroska", private=private)
    assert "-map_metadata -1 -map_metadata:s -1 -movflags +faststart " in line(media)
    kept = line(media, Options(keep_metadata=True))
    assert "-map_metadata 0 -movflags +faststart+use_metadata_tags " in kept
    assert "-map_metadata:s" not in kept


@pytest.mark.parametrize(
    "name",
    [
        "-y.mp4",
        "evil;rm -rf.mov",
        "concat:a|b.ts",
        "SOURCE_FD",
        "TARGET",
        "%d.mp4",
        "a.mp4\n-i\n/etc/passwd",
    ],
)
def test_the_file_name_does_not_reach_ffmpeg(name: str) -> None:
    """The source is a descriptor, the target a work file: the command line does not depend on the
    name.
    """
    for fault in ({"container__format": "matroska"}, {"video__gop__structure": "open"}):
        named = Video(**{**_fields(good(**fault)), "name": name})
        assert line(named) == line(good(**fault))


def test_only_whole_words_are_bound(tmp_path: Any) -> None:
    """A placeholder inside another word stays as it is."""
    assert bound(("x", SOURCE_FD, "a" + TARGET, TARGET), 7, tmp_path) == (
        "x",
        "7",
        "aTARGET",
        f"file:{tmp_path}",
    )


def test_the_order_of_the_options_is_stable() -> None:
    media = sized(1920, 1080, video__codec="hevc")
    assert {line(media) for _ in range(3)} == {line(media)}


def _fields(media: Video) -> dict[str, Any]:
    import dataclasses

    return {item.name: getattr(media, item.name) for item in dataclasses.fields(media)}
