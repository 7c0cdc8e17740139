"""Limits at their edges: what they allow, and their descriptions."""

from fractions import Fraction

import pytest

from mediaprep.model.limits import (
    AnyOf,
    Attachments,
    ByteLimit,
    DimensionRange,
    Ladder,
    OneOf,
    Range,
    Required,
    Rung,
    Sizes,
    orientation,
)


def test_one_of():
    limit = OneOf(values=("mp4", "mov"))
    assert limit.allows("mov")
    assert not limit.allows("webm")
    assert limit.describe() == "mp4 or mov"


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        (Fraction(4999, 10000), False),
        (Fraction(1, 2), True),
        (Fraction(140), True),
        (Fraction(1400001, 10000), False),
        (Fraction(12), True),
    ],
)
def test_both_ends_of_a_range_are_allowed(value, allowed):
    limit = Range(min=Fraction(1, 2), max=Fraction(140), quantity="duration")
    assert limit.allows(value) is allowed


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (Range(max=Fraction(60), quantity="rate"), "at most 60 fps"),
        (Range(min=Fraction(1, 2), max=Fraction(140), quantity="duration"), "0.5 s to 140 s"),
        (Range(min=Fraction(1), max=Fraction(1), quantity="ratio"), "1:1"),
        (Range(max=Fraction(300_000_000), quantity="count"), "at most 300 000 000"),
        (Range(min=Fraction(5_000_000), quantity="bit_rate"), "at least 5000 kbit/s"),
        (AnyOf(values=(Fraction(30), Fraction(60)), quantity="rate"), "30 fps or 60 fps"),
        (
            DimensionRange(min=(32, 32), max=(1280, 1024)),
            "32x32 to 1280x1024, portrait or landscape",
        ),
        (DimensionRange(max=(1280, 1080), oriented=True), "at most 1280x1080"),
        (Sizes(values=((1280, 720), (720, 720))), "1280x720 or 720x720"),
        (ByteLimit(judged=5_242_880, written=5_000_000, text="5 MB"), "at most 5 MB"),
        (
            Attachments(images=4, animations=1, videos=1),
            "up to 4 photos, or 1 animated GIF, or 1 video; never a mix",
        ),
        (Required(text="a whole file"), "a whole file"),
    ],
)
def test_descriptions(limit, text):
    assert limit.describe() == text


@pytest.mark.parametrize(
    ("rate", "allowed"),
    [("30", True), ("30000/1001", True), ("60000/1001", True), ("25", False), ("299/10", False)],
)
def test_any_of_counts_ntsc_rates_as_the_round_ones(rate, allowed):
    assert (
        AnyOf(values=(Fraction(30), Fraction(60)), quantity="rate").allows(Fraction(rate))
        is allowed
    )


@pytest.mark.parametrize(
    ("size", "free", "oriented"),
    [
        ((1280, 1024), True, True),
        ((1024, 1280), True, False),
        ((720, 1280), True, False),
        ((1282, 720), False, False),
        ((1026, 1280), False, False),
        ((1280, 1026), False, False),
        ((32, 32), True, True),
        ((30, 64), False, False),
    ],
)
def test_a_range_of_sizes_allows_both_orientations_unless_oriented(size, free, oriented):
    assert DimensionRange(min=(32, 32), max=(1280, 1024)).allows(size) is free
    assert DimensionRange(min=(32, 32), max=(1280, 1024), oriented=True).allows(size) is oriented


def test_sources_are_judged_with_the_larger_number_of_bytes():
    limit = ByteLimit(judged=15_728_640, written=15_000_000, text="15 MB")
    assert limit.allows(15_728_640)
    assert not limit.allows(15_728_641)


def _rung(width: int, height: int) -> Rung:
    return Rung(
        orientation=orientation((width, height)),
        width=width,
        height=height,
        video_bit_rate=1,
        audio_bit_rate=1,
    )


LADDER = Ladder(
    rungs=tuple(
        _rung(*size)
        for size in (
            (1280, 720),
            (320, 180),
            (640, 360),
            (720, 1280),
            (360, 640),
            (720, 720),
            (480, 480),
        )
    )
)


@pytest.mark.parametrize(
    ("size", "holding", "top"),
    [
        ((320, 180), (320, 180), (1280, 720)),
        ((322, 180), (640, 360), (1280, 720)),
        ((300, 200), (640, 360), (1280, 720)),
        ((1280, 1024), (1280, 720), (1280, 720)),
        ((500, 900), (720, 1280), (720, 1280)),
        ((1024, 1024), (720, 720), (720, 720)),
        ((240, 240), (480, 480), (720, 720)),
    ],
)
def test_a_ladder_returns_the_smallest_rung_that_holds_a_size_else_the_top_one(size, holding, top):
    assert (LADDER.holding(size).width, LADDER.holding(size).height) == holding
    assert (LADDER.top(size).width, LADDER.top(size).height) == top


def test_equal_sides_are_square():
    assert [orientation(size) for size in ((2, 1), (1, 2), (1, 1))] == [
        "landscape",
        "portrait",
        "square",
    ]
