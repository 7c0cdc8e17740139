"""Tolerances: filled in where the facts make no claim, and compared with the output."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from mediaprep.model.media import Video
from mediaprep.model.tolerance import (
    AtMost,
    AtMostBytes,
    Near,
    Tolerance,
    fill_in,
    violation,
    with_fact,
)
from tests.facts import good, silent

OPEN = good(size_bytes=None, duration=None, video__gop__length_max=None)


def test_only_open_facts_are_filled_in() -> None:
    tolerances = (
        AtMostBytes(limit=512_000_000),
        AtMost(fact="video.gop.length_max", value=60),
        Near(fact="duration", value=Fraction(3), tolerance=Fraction(1, 30)),
        Near(fact="video.frame_rate", value=Fraction(25), tolerance=Fraction(1, 20)),
    )
    filled = fill_in(OPEN, tolerances)
    assert isinstance(filled, Video)
    assert (filled.size_bytes, filled.duration) == (512_000_000, 3)
    assert filled.video.gop.length_max == 60
    assert filled.video.frame_rate == 30, "a claim outweighs a tolerance"


def test_a_tolerance_for_a_missing_audio_stream_changes_nothing() -> None:
    media = silent(good())
    assert (
        fill_in(media, [Near(fact="audio.duration", value=Fraction(1), tolerance=Fraction(1))])
        == media
    )
    assert with_fact(media, "audio.channels", 2) == media


@pytest.mark.parametrize(
    ("tolerance", "within", "beyond", "message"),
    [
        (
            AtMostBytes(limit=7_700_000),
            {},
            {"size_bytes": 7_700_001},
            "size_bytes is 7700001, planned at most 7700000",
        ),
        (
            AtMost(fact="video.gop.length_max", value=60),
            {},
            {"video__gop__length_max": 61},
            "video.gop.length_max is 61, planned at most 60",
        ),
        (
            Near(fact="duration", value=Fraction(10), tolerance=Fraction(1, 30)),
            {"duration": Fraction(10) + Fraction(1, 30)},
            {"duration": Fraction(10) + Fraction(1, 29)},
            "duration is 10.0345, planned 10 within 0.0333",
        ),
        (
            Near(fact="video.frame_count", value=300, tolerance=1),
            {"video__frame_count": 299},
            {"video__frame_count": 298},
            "video.frame_count is 298, planned 300 within 1",
        ),
    ],
)
def test_the_boundary_is_within(
    tolerance: Tolerance, within: dict[str, object], beyond: dict[str, object], message: str
) -> None:
    assert violation(tolerance, good(**within)) is None
    assert violation(tolerance, good(**beyond)) == message


@pytest.mark.parametrize(
    "tolerance",
    [
        AtMostBytes(limit=10**9),
        AtMost(fact="video.gop.length_max", value=10**9),
        Near(fact="duration", value=Fraction(1), tolerance=Fraction(10**9)),
    ],
)
def test_an_unknown_fact_violates_its_tolerance(tolerance: Tolerance) -> None:
    clause = violation(tolerance, OPEN)
    assert clause is not None
    assert " is unknown, planned " in clause


def test_with_fact_replaces_one_leaf() -> None:
    media = with_fact(good(), "video.gop.structure", "open")
    assert media == replace(
        good(), video=replace(good().video, gop=replace(good().video.gop, structure="open"))
    )
