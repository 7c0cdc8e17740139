"""Records survive JSON exactly, and no other object can be built from JSON data."""

from __future__ import annotations

import dataclasses
import json
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaprep.model.media import (
    Animation,
    Colour,
    Container,
    Cue,
    DeclaredSar,
    Gop,
    HdrFormat,
    Image,
    Media,
    Sound,
    Subtitle,
    Track,
    Video,
    VideoStream,
)
from mediaprep.model.options import Options
from mediaprep.model.serialize import decode, encode

VIDEO = Video(
    name="a\udcff.mov",
    size_bytes=2**40,
    complete=True,
    private=(),
    container=Container(format="mov", tracks=(Track(index=0, kind="video", chosen=True),)),
    video=VideoStream(
        codec="h264",
        clap=(1, 2, 3, 4),
        sars=(DeclaredSar(where="container", value=Fraction(4, 3)),),
        frame_rate=Fraction(30000, 1001),
        gop=Gop(structure="open", first_open=Fraction(-1, 90000)),
        colour=Colour(hdr=(HdrFormat(name="Dolby Vision", profile=8),)),
    ),
    shots=(Fraction(0), Fraction(7, 2)),
)


def round_trip(value: Any, form: Any) -> Any:
    return decode(form, json.loads(json.dumps(encode(value))))


@pytest.mark.parametrize(
    "media",
    [
        VIDEO,
        Video(),
        Sound(duration=Fraction(1, 3)),
        Animation(delays=(Fraction(1, 10),) * 3, loop=0),
        Image(format="png", alpha=False),
        Subtitle(cues=(Cue(start=Fraction(-1), end=Fraction(2), text="<i>é</i>\n"),)),
    ],
)
def test_every_kind_comes_back_equal(media: Media) -> None:
    back = round_trip(media, Media)
    assert back == media
    assert all(
        getattr(back, item.name) == getattr(media, item.name) for item in dataclasses.fields(media)
    )  # also the fields that == ignores


@given(st.builds(VideoStream), st.fractions(), st.text())
@settings(max_examples=30)
def test_any_fraction_and_text_comes_back_exactly(
    stream: VideoStream, time: Fraction, text: str
) -> None:
    if max(abs(time.numerator), time.denominator) < 10**60:
        video = Video(name=text, duration=time, video=dataclasses.replace(stream, codec=text))
        assert round_trip(video, Media) == video


def test_options_come_back_equal() -> None:
    for options in (
        Options(),
        Options(trim="first", min_vmaf=93.0),
        Options(trim=(Fraction(1), Fraction(5, 2)), rung=(1280, 720)),
    ):
        assert round_trip(options, Options) == options


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "gun"}, "a record whose kind is"),
        ({"kind": ["video"]}, "a record whose kind is"),
        ({"size_bytes": "12"}, "size_bytes: found '12', expected a whole number"),
        ({"size_bytes": True}, "size_bytes"),
        ({"size_bytes": 1.0}, "size_bytes"),
        ({"complete": 1}, "complete"),
        ({"duration": "1/0"}, "duration"),
        ({"duration": 2.5}, "duration"),
        ({"duration": "9" * 5000 + "/1"}, "duration"),
        ({"private": {}}, "private"),
        ({"private": [{"kind": "x"}]}, "private: PrivateItem lacks where"),
        ({"__class__": "os.system"}, "expected a field of Video"),
        ({"video": {"gop": {"structure": "ajar"}}}, "video.gop.structure"),
        ({"video": {"rate_mode": 1}}, "video.rate_mode"),
        ({"video": None}, "video"),
        ({"shots": "1/2"}, "shots"),
    ],
)
def test_a_mismatch_is_rejected_with_its_path(change: dict[str, Any], problem: str) -> None:
    data = encode(VIDEO)
    assert isinstance(data, dict)
    with pytest.raises(ValueError, match=re.escape(problem)):
        decode(Media, data | change)


@pytest.mark.parametrize("data", [None, [], "video", 1, {}, {"kind": None}])
def test_data_that_is_not_a_record_is_rejected(data: Any) -> None:
    with pytest.raises(ValueError, match="a record whose kind is"):
        decode(Media, data)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_rejected(value: float) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        encode(value)
    with pytest.raises(ValueError, match="finite"):
        decode(float, value)


def test_other_types_are_rejected_both_ways() -> None:
    with pytest.raises(TypeError):
        encode(object())
    with pytest.raises(TypeError):
        decode(object, 1)
