"""The search for the highest quality within a byte limit."""

from __future__ import annotations

import math

import pytest

from mediaprep.tools.still_encoder import TRIALS, highest


@pytest.mark.parametrize("guess", [70, 71, 80, 82, 94, 95])
@pytest.mark.parametrize("growth", [1.02, 1.05, 1.2])
def test_the_search_finds_the_highest_in_six_trials(guess, growth):
    """Whatever the guess, and however fast sizes grow with quality."""
    for answer in range(69, 96):
        tried = []
        sizes = {q: 1000 * growth**q for q in range(70, 96)}

        def size(quality: int, sizes=sizes, tried=tried) -> int:
            tried.append(quality)
            return math.ceil(sizes[quality])

        limit = math.ceil(1000 * growth**answer)
        assert highest(size, limit, 70, 95, guess) == (None if answer < 70 else answer)
        assert len(tried) <= TRIALS
        assert len(set(tried)) == len(tried)
