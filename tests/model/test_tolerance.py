"""Promises: filled in where the facts claim nothing, and held against the made file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

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

FREE = good(size_bytes=None, duration=None, video__gop__length_max=None)


def test_assume_fills_in_only_what_is_left_free() -> None:
    tolerances = (
        AtMostBytes(limit=512_000_000),
        AtMost(fact="video.gop.length_max", value=60),
        Near(fact="duration", value=Fraction(3), tolerance=Fraction(1, 30)),
        Near(fact="video.frame_rate", value=Fraction(25), tolerance=Fraction(1, 20)),
    )
    filled = fill_in(FREE, tolerances)
    assert (filled.size_bytes, filled.video.gop.length_max, filled.duration) == (512_000_000, 60, 3)  # type: ignore[union-attr]
    assert filled.video.frame_rate == 30, "a claim outweighs a promise"  # type: ignore[union-attr]


def test_a_promise_about_sound_that_is_not_there_changes_nothing() -> None:
    media = silent(good())
    assert (
        fill_in(media, [Near(fact="audio.duration", value=Fraction(1), tolerance=Fraction(1))])
        == media
    )
    assert with_fact(media, "audio.channels", 2) == media


@pytest.mark.parametrize(
    ("tolerance", "kept", "not_kept", "says"),
    [
        (AtMostBytes(limit=7_700_000), {}, {"size_bytes": 7_700_001}, "size_bytes is 7700001, promised at most 7700000"),
        (
            AtMost(fact="video.gop.length_max", value=60), {}, {"video__gop__length_max": 61},
            "video.gop.length_max is 61, promised at most 60",
        ),
        (
            Near(fact="duration", value=Fraction(10), tolerance=Fraction(1, 30)),
            {"duration": Fraction(10) + Fraction(1, 30)},
            {"duration": Fraction(10) + Fraction(1, 29)},
            "duration is 10.0345, promised 10 within 0.0333",
        ),
        (Near(fact="video.frame_count", value=300, tolerance=1), {"video__frame_count": 299}, {"video__frame_count": 298},
         "video.frame_count is 298, promised 300 within 1"),
    ],
)  # fmt: skip
def test_broken_at_the_boundary(
    tolerance: Tolerance, kept: dict[str, object], not_kept: dict[str, object], says: str
) -> None:
    assert violation(tolerance, good(**kept)) is None
    assert violation(tolerance, good(**not_kept)) == says


@pytest.mark.parametrize(
    "tolerance",
    [
        AtMostBytes(limit=10**9),
        AtMost(fact="video.gop.length_max", value=10**9),
        Near(fact="duration", value=Fraction(1), tolerance=Fraction(10**9)),
    ],
)
def test_what_cannot_be_read_breaks_the_promise(tolerance: Tolerance) -> None:
    clause = violation(tolerance, FREE)
    assert clause is not None
    assert " is None, promised " in clause


def test_with_fact_replaces_one_leaf() -> None:
    media = with_fact(good(), "video.gop.structure", "open")
    assert media == replace(
        good(), video=replace(good().video, gop=replace(good().video.gop, structure="open"))
    )
