"""Hypothesis strategies for facts: a good video with any number of faults and unknown facts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from mediaprep.model.media import DeclaredSar, Gop, HdrFormat, PrivateItem, Video
from mediaprep.model.options import Options
from tests.facts import changed, good, silent

RATES = [
    Fraction(n)
    for n in (
        "1",
        "15",
        "24000/1001",
        "25",
        "30000/1001",
        "30",
        "50",
        "60000/1001",
        "60",
        "60.5",
        "61",
        "100",
        "120000/1001",
        "240",
    )
]
_ONE, _WIDE, _NARROW = Fraction(1), Fraction(4, 3), Fraction(8, 9)
_STATED = [
    (_ONE, _ONE),
    (_ONE, _WIDE),
    (_ONE, _NARROW),
    (_WIDE, _ONE),
    (_WIDE, _WIDE),
    (_WIDE, _NARROW),
]
_SARS = [
    (),
    *(
        (DeclaredSar(where="container", value=a), DeclaredSar(where="bitstream", value=b))
        for a, b in _STATED
    ),
]
_GOPS = [
    Gop(structure="open", open_count=2, nonidr_count=2, starts_with_idr=True, length_max=60),
    Gop(structure="closed", open_count=0, nonidr_count=0, starts_with_idr=True, length_max=600),
    Gop(
        structure="closed-nonidr", open_count=0, nonidr_count=3, starts_with_idr=True, length_max=60
    ),
    Gop(
        structure="starts-mid-gop",
        open_count=0,
        nonidr_count=1,
        starts_with_idr=False,
        length_max=60,
    ),
    Gop(),
]
_HDR = [
    (HdrFormat(name="HLG"),),
    (HdrFormat(name="Dolby Vision", profile=8, compatibility=4), HdrFormat(name="HLG")),
]
_PRIVATE = [
    (PrivateItem(kind="location", where="moov/udta/©xyz"),),
    (PrivateItem(kind="time", where="moov/mvhd"),),
    None,
]
# Of each fact the values that break a rule, sit at its limit, or are unknown.
FAULTS: dict[str, list[Any]] = {
    "container.format": ["matroska", "mov", "mpegts", "avi", None],
    "container.faststart": [False, None],
    "size_bytes": [530_000_000, 536_870_912, 536_870_913, 10**9],
    "private": _PRIVATE,
    "video.edit_list": ["none", "trims", "delays", None],
    "video.sars": [*_SARS, None],
    "video.rotation": [90, 180, 270, None],
    "video.mirrored": [True],
    "video.clap": [(8, 8, 640, 480)],
    "video.size_changes": [True],
    "video.rate_mode": ["vfr", None],
    "video.frame_rate_burst": [Fraction(30), Fraction(90), None],
    "video.frame_rate_declared": [Fraction(600), None],
    "video.frame_rate_peak": [60, 61, 90, None],
    "video.timestamps": ["broken"],
    "video.scan": ["interlaced", "telecine", "psf", "soft-telecine", None],
    "video.pixel_format": ["yuvj420p", "yuv420p10le", "yuv422p", "gray", None],
    "video.colour.range": ["full", "unspecified", None],
    "video.colour.hdr": _HDR,
    "video.codec": ["hevc", "vp9", "mpeg4", "vp8", None],
    "video.profile": ["Main", None],
    "video.gop": _GOPS,
    "video.start": [Fraction(1, 50), Fraction(3, 2), None],
    "video.bit_rate": [300_000, None],
    "audio.codec": ["mp3", "ac3", "pcm_s16le"],
    "audio.profile": ["HE-AAC", None],
    "audio.channels": [1, 6, None],
    "audio.sample_rate": [44100, 22050, 96000],
    "audio.start": [Fraction(1, 50), Fraction(1), None],
    "audio.bit_rate": [64_000, None],
}
SIDES = st.one_of(
    st.integers(2, 2000),
    st.sampled_from([31, 32, 320, 720, 960, 1024, 1080, 1280, 1282, 1920, 3840]),
)


@st.composite
def videos(
    draw: st.DrawFn, *, shortest: Fraction | None = None, longest: Fraction = Fraction(140)
) -> Video:
    """Any video with up to six faults.

    It lasts up to ``longest`` seconds; without ``shortest`` it may also last exactly ten.
    """
    media = good()
    for path in draw(st.lists(st.sampled_from(sorted(FAULTS)), max_size=6, unique=True)):
        media = changed(media, **{path.replace(".", "__"): draw(st.sampled_from(FAULTS[path]))})
    if draw(st.booleans()):
        media = changed(media, video__width=draw(SIDES), video__height=draw(SIDES))
    if draw(st.booleans()):
        rate = draw(st.sampled_from(RATES))
        media = changed(media, video__frame_rate=rate)
    if shortest is not None or draw(st.booleans()):
        ticks = draw(st.integers(int((shortest or 0) * 1000) + 1, int(longest * 1000)))
        length = Fraction(ticks, 1000)
        media = changed(media, duration=length, video__duration=length, audio__duration=length)
    rate = media.video.frame_rate
    if rate is not None and media.video.duration is not None:
        media = changed(media, video__frame_count=max(1, round(media.video.duration * rate)))
    return silent(media) if draw(st.integers(0, 4)) == 0 else media


def options() -> st.SearchStrategy[Options]:
    """Options that do not cut the video."""
    return st.builds(
        Options,
        fit=st.sampled_from(["pad", "crop", "scale"]),
        rung=st.sampled_from([None, None, (640, 360), (720, 1280)]),
        max_size=st.sampled_from([None, None, 1_000_000]),
        keep_metadata=st.booleans(),
        square_pixels=st.booleans(),
        fix_level=st.sampled_from(["must", "observed", "should"]),
    )


def conforming() -> st.SearchStrategy[Video]:
    """Conforming videos without identifying metadata, of any allowed size, rate and duration."""
    sides = st.tuples(st.integers(16, 640), st.integers(16, 512)).map(
        lambda half: (2 * half[0], 2 * half[1])
    )
    legal = sides.filter(lambda size: Fraction(1, 3) <= Fraction(*size) <= 3)
    return st.builds(
        lambda size, rate, seconds, gop: replace(
            changed(
                good(),
                video__width=size[0],
                video__height=size[1],
                video__frame_rate=rate,
                video__gop__length_max=gop,
                video__frame_rate_peak=60 if rate > 59 else 30,
                duration=seconds,
                video__duration=seconds,
                audio__duration=seconds,
            )
        ),
        legal,
        st.sampled_from([rate for rate in RATES if rate <= 60]),
        st.fractions(Fraction(1, 2), Fraction(140)),
        st.integers(1, 600),
    )
