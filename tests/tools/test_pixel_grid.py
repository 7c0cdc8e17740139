"""Pixel art that was enlarged by a whole factor, and pictures that resemble it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mediaprep.tools.pixel_grid import factor

RANDOM = np.random.default_rng(7)
ART = RANDOM.choice(np.array([16, 60, 110, 180, 235], np.uint8), (90, 160))


def found_factor(picture: np.ndarray) -> int:
    """Return the factor found in a plane whose lines are padded, as decoders pad them."""
    height, width = picture.shape
    plane = np.zeros((height, width + 32), np.uint8)
    plane[:, :width] = picture
    return factor(memoryview(plane.tobytes()), width + 32, (width, height))


def enlarged(by: int, how: Image.Resampling = Image.Resampling.NEAREST) -> np.ndarray:
    return np.asarray(Image.fromarray(ART).resize((160 * by, 90 * by), how))


@pytest.mark.parametrize("by", [2, 3, 4, 6, 8])
def test_the_factor_is_found(by: int) -> None:
    assert found_factor(enlarged(by)) == by


def test_encoding_noise_is_tolerated() -> None:
    noise = RANDOM.integers(-2, 3, (540, 960))
    assert found_factor((enlarged(6).astype(int) + noise).clip(0, 255).astype(np.uint8)) == 6


@pytest.mark.parametrize(
    "how", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS]
)
def test_a_smoothed_picture_is_not_pixel_art(how: Image.Resampling) -> None:
    assert found_factor(enlarged(6, how)) == 1


def test_noise_blanks_bars_and_windows_are_not_pixel_art() -> None:
    assert found_factor(RANDOM.integers(0, 256, (360, 640), dtype=np.uint8)) == 1
    assert found_factor(np.full((360, 640), 128, np.uint8)) == 1
    assert (
        found_factor(
            np.repeat(
                np.repeat(np.array([[0, 90, 40, 200, 16, 120, 60, 235]], np.uint8), 80, 1), 360, 0
            )
        )
        == 1
    )
    screen = Image.new("L", (640, 360), 220)
    for box in ((20, 20, 300, 180), (320, 40, 620, 340)):
        ImageDraw.Draw(screen).rectangle(box, fill=255, outline=0)
        ImageDraw.Draw(screen).text(
            (box[0] + 8, box[1] + 8), "The quick brown fox jumps over it\n" * 8, fill=10
        )
    assert found_factor(np.asarray(screen)) == 1
