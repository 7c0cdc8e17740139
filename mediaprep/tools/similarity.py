"""Measure the structural similarity of a picture and its encoded form."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from mediaprep.tools import pillow

if TYPE_CHECKING:
    from PIL import Image

SSIM_PIXELS = 1_000_000
_WINDOW = 8  # pixels of a side
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # constants of Wang et al. (2004), section III.B
_DRAFT_FACTOR = 8  # by which libjpeg divides at most while it decodes


def similarity(picture: Image.Image, data: bytes, name: str, background: str) -> float:
    """Return the SSIM of luma of ``picture`` and the encoded ``data`` (Wang et al., 2004).

    Both are reduced to at most a million pixels; transparent parts are drawn on ``background``.
    """
    import numpy as np
    from PIL import Image

    shrink = 1
    while picture.width * picture.height > SSIM_PIXELS * shrink * shrink:
        shrink *= 2

    def luma(whole: Image.Image, factor: int) -> Any:
        reduced = whole.reduce(factor) if factor > 1 else whole
        return np.asarray(pillow.flattened(reduced, background).convert("L"), dtype=np.float64)

    with Image.open(io.BytesIO(data), formats=[name.upper()]) as result:
        drafted = min(shrink, _DRAFT_FACTOR) if name == "jpeg" else 1
        if drafted > 1:
            result.draft(None, (picture.width // drafted, picture.height // drafted))
        encoded = luma(pillow.eight_bit(result), shrink // drafted)
    return structural_similarity(luma(picture, shrink), encoded)


def structural_similarity(a: Any, b: Any) -> float:
    """Return the mean SSIM of two H×W float arrays of values 0 to 255; 1 = equal."""
    import numpy as np

    window = min(_WINDOW, *a.shape)

    def mean(values: Any) -> Any:
        total = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        upper_left, upper_right = total[:-window, :-window], total[:-window, window:]
        lower_left, lower_right = total[window:, :-window], total[window:, window:]
        return (lower_right - upper_right - lower_left + upper_left) / window**2

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    similar = ((2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)) / (
        (mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2)
    )
    return float(min(1.0, max(0.0, similar.mean())))
