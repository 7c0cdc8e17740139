"""Facts for tests of pure code: a video that passes every rule, and functions that change it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from mediaprep.model.media import (
    AudioStream,
    Colour,
    Container,
    DeclaredSar,
    Gop,
    Track,
    Video,
    VideoStream,
)
from mediaprep.model.placement import Placement
from mediaprep.model.tolerance import with_fact
from mediaprep.profile import find_profile

SQUARE = (
    DeclaredSar(where="container", value=Fraction(1)),
    DeclaredSar(where="bitstream", value=Fraction(1)),
)


def twitter(category: str = "tweet_video") -> Placement:
    """Return a placement of the default profile."""
    return find_profile("twitter").placements[category]


def good(**changes: Any) -> Video:
    """Return a video without findings: 10 s of 1280x720 at 30 fps, H.264 High and AAC LC in MP4.

    ``changes``: facts to replace, with two underscores for a dot, such as
    ``video__scan="telecine"``.
    """
    gop = Gop(
        structure="closed",
        open_count=0,
        nonidr_count=0,
        starts_with_idr=True,
        count=5,
        length_min=60,
        length_max=60,
        reorder_depth=2,
    )
    video = VideoStream(
        codec="h264",
        tag="avc1",
        profile="High",
        level="3.1",
        pixel_format="yuv420p",
        chroma="4:2:0",
        bit_depth=8,
        alpha=False,
        width=1280,
        height=720,
        size_changes=False,
        clap=(),
        sars=SQUARE,
        rotation=0,
        mirrored=False,
        matrix_exact=True,
        frame_rate=Fraction(30),
        frame_rate_average=Fraction(30),
        frame_rate_peak=30,
        jitter_frames=0,
        frame_rate_burst=Fraction(30),
        frame_rate_declared=Fraction(30),
        rate_mode="cfr",
        timestamps="ok",
        scan="progressive",
        scan_flags="progressive",
        scan_content="progressive",
        gop=gop,
        start=Fraction(0),
        duration=Fraction(10),
        frame_count=300,
        bit_rate=6_000_000,
        edit_list="plain",
        colour=Colour(primaries="bt709", transfer="bt709", matrix="bt709", range="limited", hdr=()),
        faults=(),
    )
    audio = AudioStream(
        codec="aac",
        tag="mp4a",
        profile="LC",
        sbr=False,
        ps=False,
        channels=2,
        layout="stereo",
        sample_rate=48000,
        bit_rate=128_000,
        start=Fraction(0),
        duration=Fraction(10),
        decodable=True,
    )
    tracks = (
        Track(index=0, kind="video", codec="h264", default=True, chosen=True, encrypted=False),
        Track(index=1, kind="audio", codec="aac", default=True, chosen=True, encrypted=False),
    )
    media = Video(
        name="clip.mp4",
        size_bytes=7_700_000,
        complete=True,
        private=(),
        video=video,
        audio_present=True,
        audio=audio,
        container=Container(
            format="mp4", brand="isom", faststart=True, fragmented=False, chapters=0, tracks=tracks
        ),
        duration=Fraction(10),
    )
    return changed(media, **changes)


def changed(media: Video, **changes: Any) -> Video:
    """Return the facts with some of them replaced."""
    for path, value in changes.items():
        media = with_fact(media, path.replace("__", "."), value)
    return media


def silent(media: Video) -> Video:
    """Return the video without sound."""
    tracks = tuple(track for track in media.container.tracks or () if track.kind != "audio")
    return replace(
        media, audio=None, audio_present=False, container=replace(media.container, tracks=tracks)
    )


def sized(width: int, height: int, **changes: Any) -> Video:
    return good(video__width=width, video__height=height, **changes)


def lasting(seconds: Fraction, **changes: Any) -> Video:
    """Return a video of that duration, with sound of the same duration."""
    rate = changes.get("video__frame_rate", Fraction(30))
    times = {
        "duration": seconds,
        "video__duration": seconds,
        "audio__duration": seconds,
        "video__frame_count": round(seconds * rate),
    }
    return good(**(times | changes))
