"""The search for the byte limit: at most three encodes, over the limit never, below the fill only where no width gives more."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaprep.transcoding.gif.width_search import (
    MOST,
    WidthTrial,
    best,
    estimate,
    next_width,
    wanted_width,
)

LIMIT, FILL = 15_000_000, Fraction(95, 100)


def searched(
    size: Callable[[int], int], widths: range, *, error: float = 1.0, trial: int = 480
) -> list[WidthTrial]:
    """The tries of a search over a synthetic encoder; ``error``: how wrong the trial's estimate is."""
    tries = [
        WidthTrial(
            width=min(trial, widths[-1]),
            size_bytes=int(size(min(trial, widths[-1])) * error),
            full=False,
        )
    ]
    while (width := next_width(tries, widths, LIMIT, FILL)) is not None:
        tries.append(WidthTrial(width=width, size_bytes=size(width)))
    return [item for item in tries if item.full]


@given(
    exponent=st.floats(1.4, 2.1),
    at_limit=st.integers(260, 1200),
    error=st.floats(0.75, 1.35),
)
def test_three_encodes_fill_the_limit(exponent: float, at_limit: int, error: float) -> None:
    """For bytes that go as width^p, whatever p and however wrong the trial within a third."""
    tries = searched(
        lambda width: round(LIMIT * (width / at_limit) ** exponent), range(240, 1281), error=error
    )
    found = best(tries, LIMIT)
    assert len(tries) <= MOST
    assert found is not None
    assert found.size_bytes >= FILL * LIMIT or found.width == 1280


@given(steps=st.integers(1, 12), at_limit=st.floats(0.9, 14), error=st.floats(0.8, 1.25))
def test_pixel_art_takes_the_largest_factor_or_its_neighbour(
    steps: int, at_limit: float, error: float
) -> None:
    widths = range(160, 160 * steps + 1, 160)
    tries = searched(
        lambda width: round(LIMIT * (width / 160 / at_limit) ** 1.3), widths, error=error
    )
    found = best(tries, LIMIT)
    assert len(tries) <= MOST
    if at_limit >= 1:
        assert found is not None
        assert found.width >= 160 * (min(steps, math.floor(at_limit)) - 1)


def test_what_fits_at_full_width_takes_one_encode() -> None:
    assert [item.width for item in searched(lambda width: width * 1000, range(240, 1281))] == [1280]
    assert next_width([], range(240, 641), LIMIT, FILL) == 640


def test_the_trial_gives_the_first_width() -> None:
    """14.5 MB of an estimate of 29 MB at 480: 480 x 0.5^(1/1.6)."""
    assert wanted_width(
        [WidthTrial(width=480, size_bytes=29_000_000, full=False)], 14_500_000
    ) == pytest.approx(480 * 0.5 ** (1 / 1.6))


def test_nothing_fits() -> None:
    tries = searched(lambda width: 20 * LIMIT, range(240, 641))
    assert best(tries, LIMIT) is None
    assert len(tries) <= MOST


def test_the_estimate_leaves_out_the_jumps_between_runs() -> None:
    frames = [1000, *[100] * 7, 900, *[100] * 7, 900, *[100] * 7]
    assert estimate(frames, 8, 800, 240) == 800 + 1000 + 239 * 100
    assert estimate(frames, 8, 800, 24) == 800 + sum(frames)
