"""Written caption files, and that reading them gives the same cues."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mediaprep.model.media import Cue, Subtitle
from mediaprep.tools import subtitles
from mediaprep.transcoding.captions import document

CUES = (
    Cue(start=Fraction(1, 2), end=Fraction(2), text="<i>Hello</i>, world & all"),
    Cue(start=Fraction(3661001, 1000), end=Fraction(3662), text="1 < 2\nzweite Zeile ß 日本"),
)


def test_srt_has_numbers_and_commas():
    assert document(Subtitle(format="srt", cues=CUES)).decode() == (
        "1\n00:00:00,500 --> 00:00:02,000\n<i>Hello</i>, world & all\n\n2\n01:01:01,001 --> 01:01:02,000\n1 < 2\nzweite Zeile ß 日本\n"
    )


def test_webvtt_has_points_and_escapes():
    assert document(Subtitle(format="webvtt", cues=CUES)).decode() == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<i>Hello</i>, world &amp; all\n\n"
        "01:01:01.001 --> 01:01:02.000\n1 &lt; 2\nzweite Zeile ß 日本\n"
    )


@pytest.mark.parametrize("form", ["srt", "webvtt"])
def test_reading_gives_the_same_cues(form):
    read = subtitles.cues(document(Subtitle(format=form, cues=CUES)).decode(), form)
    assert (
        tuple(
            Cue(start=Fraction(c.start, 1000), end=Fraction(c.end, 1000), text=c.text) for c in read
        )
        == CUES
    )


@pytest.mark.parametrize(
    "target", [Subtitle(format="ass", cues=CUES), Subtitle(format="srt", cues=None)]
)
def test_other_formats_are_not_written(target):
    with pytest.raises(ValueError, match="cannot be written"):
        document(target)
