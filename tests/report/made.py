"""Facts for the tests of reports: a video in which every fact is known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model.media import AudioStream, Colour, Container, Gop, Video, VideoStream
from mediaprep.profile import find_profile

PLACEMENT = find_profile("twitter").placements["tweet_video"]
GOOD = Video(
    name="good.mp4",
    size_bytes=10**6,
    complete=True,
    private=(),
    container=Container(format="mp4", faststart=True, fragmented=False, chapters=0),
    video=VideoStream(
        codec="h264",
        tag="avc1",
        profile="High",
        level="3.1",
        pixel_format="yuv420p",
        chroma="4:2:0",
        bit_depth=8,
        alpha=False,
        width=640,
        height=360,
        size_changes=False,
        clap=(),
        sars=(),
        rotation=0,
        mirrored=False,
        matrix_exact=True,
        frame_rate=Fraction(30000, 1001),
        frame_rate_average=Fraction(30000, 1001),
        frame_rate_peak=30,
        jitter_frames=0,
        frame_rate_burst=Fraction(30000, 1001),
        frame_rate_declared=Fraction(30000, 1001),
        rate_mode="cfr",
        timestamps="ok",
        scan="progressive",
        scan_flags="progressive",
        start=Fraction(0),
        duration=Fraction(10),
        frame_count=300,
        bit_rate=10**6,
        gop=Gop(
            structure="closed",
            open_count=0,
            nonidr_count=0,
            starts_with_idr=True,
            length_max=60,
            pattern="IBBP|IBBP",
        ),
        colour=Colour(primaries="bt709", transfer="bt709", matrix="bt709", range="limited", hdr=()),
        edit_list="plain",
        faults=(),
    ),
    audio_present=True,
    audio=AudioStream(
        codec="aac",
        profile="LC",
        sbr=False,
        ps=False,
        channels=2,
        layout="stereo",
        sample_rate=48000,
        bit_rate=128000,
        start=Fraction(0),
        duration=Fraction(10),
        decodable=True,
    ),
    duration=Fraction(10),
)


def video(name: str = "x.mp4", **changes: object) -> Video:
    """Return the good video with other facts.

    ``picture``, ``gop``, ``audio`` and ``container`` change those of its parts.
    """
    made = replace(GOOD, name=name)
    for part in ("container", "audio"):
        if part in changes:
            made = replace(made, **{part: replace(getattr(made, part), **changes.pop(part))})
    picture = dict(changes.pop("picture", {}))
    if "gop" in changes:
        picture["gop"] = replace(made.video.gop, **changes.pop("gop"))
    return replace(made, video=replace(made.video, **picture), **changes)
