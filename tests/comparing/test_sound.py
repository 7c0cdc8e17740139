"""Wrong sound made on purpose is found and named; right sound is not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from mediaprep.comparing.sound import SoundExpectation, SoundSide, compare_sound
from mediaprep.model.comparison import Comparison
from mediaprep.runtime.source import open_source
from mediaprep.tools.planes import ContentReader, open_content
from tests.comparing.conftest import Encode

pytestmark = pytest.mark.slow


def side(reader: ContentReader) -> SoundSide:
    index = reader.first("audio")
    assert index is not None
    span = reader.sound_span(index)
    assert span is not None
    return SoundSide(reader=reader, index=index, zero=Fraction(0), begin=span[0], end=span[1])


def compared(source: Path, output: Path, expected: SoundExpectation | None = None) -> Comparison:
    with open_source(source) as one, open_source(output) as other:
        options = {"demuxer": None, "whitelist": None, "max_pixels": 10**8}
        with open_content(one, **options) as before, open_content(other, **options) as after:
            return compare_sound(side(before), side(after), expected or SoundExpectation())


RIGHT = {
    "the same": (),
    "a low bit rate": ("-b:a", "64k"),
    "one channel": ("-ac", "1"),
    "another sample rate": ("-ar", "44100"),
}


@pytest.mark.parametrize("words", RIGHT.values(), ids=RIGHT)
def test_right_sound_has_no_difference(clip: Path, encode: Encode, words: tuple[str, ...]) -> None:
    result = compared(clip, encode("-vn", *words))
    assert [difference.message for difference in result.differences] == []


WRONG = {
    "40 ms late": ("-af", "adelay=40:all=1"),
    "30 ms early": ("-af", "atrim=start=0.03,asetpts=PTS-STARTPTS"),
    "left and right are swapped": ("-af", "pan=stereo|c0=c1|c1=c0"),
    "the right channel is silent": ("-af", "pan=stereo|c0=c0|c1=0*c1"),
    "the right channel is in antiphase": ("-af", "pan=stereo|c0=c0|c1=-1*c1"),
    "3.0 dB quieter": ("-af", "volume=-3dB"),
    "the sound clips": ("-af", "volume=30dB"),
    "the sound is silent": ("-af", "volume=0"),
    "ends 1000 ms earlier": ("-t", "4"),
    "drops out": ("-af", "volume=0:enable='between(t,2.5,2.6)'"),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_sound_is_named(clip: Path, encode: Encode, message: str) -> None:
    result = compared(clip, encode("-vn", *WRONG[message]))
    assert any(message in difference.message for difference in result.differences), result


def test_a_requested_loudness_may_change_the_level(clip: Path, encode: Encode) -> None:
    quieter = encode("-vn", "-af", "volume=-3dB")
    assert compared(clip, quieter, SoundExpectation(levelled=True)).same
