"""The search for the byte limit: at most three encodes, never above the limit, filled if a width
allows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaprep.transcoding.gif.width_search import (
    MAX_ENCODES,
    WidthTrial,
    best_trial,
    estimate,
    expected_width,
    next_width,
)

LIMIT, FILL = 15_000_000, Fraction(95, 100)


def encodes(
    size: Callable[[int], int], widths: range, *, error: float = 1.0, trial: int = 480
) -> list[WidthTrial]:
    """Return the full encodes of a search with a synthetic encoder.

    ``error``: factor by which the trial's estimate is wrong.
    """
    trials = [
        WidthTrial(
            width=min(trial, widths[-1]),
            size_bytes=int(size(min(trial, widths[-1])) * error),
            full=False,
        )
    ]
    while (width := next_width(trials, widths, LIMIT, FILL)) is not None:
        trials.append(WidthTrial(width=width, size_bytes=size(width)))
    return [item for item in trials if item.full]


@given(
    exponent=st.floats(1.4, 2.1),
    at_limit=st.integers(260, 1200),
    error=st.floats(0.75, 1.35),
)
def test_three_encodes_fill_the_limit(exponent: float, at_limit: int, error: float) -> None:
    """For bytes that grow with width^p, for every p and an estimate wrong by up to a third."""
    trials = encodes(
        lambda width: round(LIMIT * (width / at_limit) ** exponent), range(240, 1281), error=error
    )
    found = best_trial(trials, LIMIT)
    assert len(trials) <= MAX_ENCODES
    assert found is not None
    assert found.size_bytes >= FILL * LIMIT or found.width == 1280


@given(steps=st.integers(1, 12), at_limit=st.floats(0.9, 14), error=st.floats(0.8, 1.25))
def test_pixel_art_gets_the_largest_factor_or_the_next_smaller_one(
    steps: int, at_limit: float, error: float
) -> None:
    widths = range(160, 160 * steps + 1, 160)
    trials = encodes(
        lambda width: round(LIMIT * (width / 160 / at_limit) ** 1.3), widths, error=error
    )
    found = best_trial(trials, LIMIT)
    assert len(trials) <= MAX_ENCODES
    if at_limit >= 1:
        assert found is not None
        assert found.width >= 160 * (min(steps, math.floor(at_limit)) - 1)


def test_a_gif_that_fits_at_full_width_takes_one_encode() -> None:
    assert [item.width for item in encodes(lambda width: width * 1000, range(240, 1281))] == [1280]
    assert next_width([], range(240, 641), LIMIT, FILL) == 640


def test_the_trial_determines_the_first_width() -> None:
    """14.5 MB wanted, 29 MB estimated at 480: 480 x 0.5^(1/1.6)."""
    assert expected_width(
        [WidthTrial(width=480, size_bytes=29_000_000, full=False)], 14_500_000
    ) == pytest.approx(480 * 0.5 ** (1 / 1.6))


def test_the_search_is_bounded_if_no_width_fits() -> None:
    trials = encodes(lambda width: 20 * LIMIT, range(240, 641))
    assert best_trial(trials, LIMIT) is None
    assert len(trials) <= MAX_ENCODES


def test_the_estimate_ignores_the_first_frames_of_runs() -> None:
    frames = [1000, *[100] * 7, 900, *[100] * 7, 900, *[100] * 7]
    assert estimate(frames, 8, 800, 240) == 800 + 1000 + 239 * 100
    assert estimate(frames, 8, 800, 24) == 800 + sum(frames)
