"""Structural similarity of two pictures."""

from __future__ import annotations

import numpy as np
import pytest

from mediaprep.tools.similarity import structural_similarity


def test_similarity_is_one_for_equals_and_falls_with_damage():
    base = np.random.default_rng(7).uniform(0, 255, (64, 64)).cumsum(0) / 64
    random = np.random.default_rng(3)
    assert structural_similarity(base, base) == pytest.approx(1)
    slight, strong = (
        structural_similarity(base, base + random.normal(0, sigma, base.shape)) for sigma in (2, 40)
    )
    assert 1 > slight > 0.95 > strong > 0
