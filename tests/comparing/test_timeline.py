"""Times of frames: what counts as right after rounding to a GIF's clock, and what is reported."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import pytest

from mediaprep.comparing.timeline import time_differences, timeline


def starts(*hundredths: float) -> tuple[Fraction, ...]:
    return tuple(accumulate((Fraction(str(h)) / 100 for h in hundredths), initial=Fraction(0)))


def found(source, output, span=None, count=None) -> list[str]:
    return [d.message for d in time_differences(timeline(source, output, span), count)]


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ((10, 20, 5), (10, 20, 5)),
        ((3.3, 3.3, 3.4), (3, 4, 3)),
        ((1.6, 1.6, 1.6), (2, 1, 2)),
        ((4, 4, 4, 4), (8, 8)),
        ((4, 4, 4, 4), (4, 12)),
    ],
)
def test_right_times(source: tuple, output: tuple) -> None:
    assert found(starts(*source), starts(*output)) == []


@pytest.mark.parametrize(
    ("source", "output", "message"),
    [
        ((10, 10, 10), (10, 20, 10), "frame 2 is shown for 0.20 s instead of 0.10 s"),
        ((10, 10, 10), (10, 10, 11), "frame 3 is shown for 0.11 s instead of 0.10 s"),
        ((3, 3, 4), (4, 2, 4), "frame 1 is shown for 0.04 s instead of 0.03 s"),
        ((3.3,) * 9, (3,) * 9, "the frames drift: the last frame ends at 0.27 s instead of 0.30 s"),
        ((10, 10), (10, 10, 10), "1 frame is added"),
        ((10, 10, 10), (10, 10), "the animation lasts 0.20 s instead of 0.30 s"),
        ((10, 10, 10), (15, 15), "frame 2 begins at 0.15 s, where no frame of the source begins"),
    ],
)
def test_wrong_times(source: tuple, output: tuple, message: str) -> None:
    assert message in found(starts(*source), starts(*output))


def test_frames_that_are_missing_from_what_was_planned() -> None:
    assert found(starts(*[4] * 6), starts(*[8] * 3), count=6) == ["3 frames are missing"]
    assert found(starts(*[4] * 6), starts(*[8] * 3), count=3) == []


def test_a_span_begins_within_a_frame() -> None:
    times = timeline(
        starts(10, 10, 10, 10), starts(5, 10, 5), (Fraction(15, 100), Fraction(35, 100))
    )
    assert times.first == 1
    assert time_differences(times, None) == []
    assert [list(c) for c in times.candidates()] == [[1], [2], [3]]


def test_candidates_are_the_frames_shown_at_that_time() -> None:
    times = timeline(starts(*[4] * 6), starts(8, 16), None)
    assert [list(c) for c in times.candidates()] == [[0, 1], [2, 3, 4, 5]]
