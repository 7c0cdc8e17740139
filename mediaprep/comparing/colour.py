"""Colour as the standards define it, in numpy: the reference that encodes are judged by.

Arrays are float32, the last axis holds the three components. Nothing here is used to make a file.

Sources: ITU-T H.273 (07/2021) for code points, ranges, matrices, transfers and primaries; ITU-R
BT.2100-2
(07/2018) for PQ and HLG; IEC 61966-2-1 for sRGB; B. Ottosson, "A perceptual color space for image
processing" (2020) for OKLab.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray

UNSPECIFIED = 2
RGB_MATRIX = 0  # matrix coefficients 0: the planes are G, B, R
PQ, HLG, LINEAR, SRGB = 16, 18, 8, 13
REFERENCE_WHITE = 203.0  # cd/m2 of diffuse white in HDR (ITU-R BT.2408-7, 2.2)

# H.273 table 4: luma weights of red and blue by matrix coefficients.
LUMA_WEIGHTS: Mapping[int, tuple[float, float]] = MappingProxyType(
    {
        1: (0.2126, 0.0722),
        4: (0.30, 0.11),
        5: (0.299, 0.114),
        6: (0.299, 0.114),
        7: (0.212, 0.087),
        9: (0.2627, 0.0593),
    }
)
# H.273 table 2: chromaticities of red, green, blue and white by colour primaries.
CHROMATICITIES: Mapping[int, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290)),
        4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
        5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), (0.3127, 0.3290)),
        6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), (0.3127, 0.3290)),
        7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), (0.3127, 0.3290)),
        9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
        11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
        12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
    }
)


def default_codes(width: int, height: int) -> tuple[int, int, int]:
    """Return primaries, transfer and matrix of an untagged picture, as players guess them by its
    size.

    The matrix of SD is BT.601, of anything larger BT.709; primaries that are not stated are not
    converted.
    """
    return 1, 1, 1 if width > 1024 or height > 576 else 6


def ycbcr_to_rgb(planes: Array, matrix: int) -> Array:
    """Return R'G'B' of normalised Y'CbCr: luma 0 to 1, colour differences -0.5 to 0.5 (H.273,
    8.3).
    """
    import numpy as np

    red, blue = LUMA_WEIGHTS.get(matrix, LUMA_WEIGHTS[1])
    green = 1.0 - red - blue
    luma, cb, cr = planes[..., 0], planes[..., 1], planes[..., 2]
    r = luma + 2.0 * (1.0 - red) * cr
    b = luma + 2.0 * (1.0 - blue) * cb
    g = (luma - red * r - blue * b) / green
    return np.stack((r, g, b), axis=-1)


def normalised(samples: Array, bits: int, *, full_range: bool, chroma: bool) -> Array:
    """Return sample codes as 0 to 1 (luma, RGB) or -0.5 to 0.5 (chroma) (H.273, 8.3, equations 20
    to 31).
    """
    scale = float(1 << (bits - 8))
    top = float((1 << bits) - 1)
    if chroma:
        middle = 128.0 * scale
        return (samples - middle) / (top if full_range else 224.0 * scale)
    if full_range:
        return samples / top
    return (samples - 16.0 * scale) / (219.0 * scale)


def linear(values: Array, transfer: int) -> Array:
    """Return display light of R'G'B', 1.0 = diffuse white.

    SDR signals are shown by a display with gamma 2.4 (ITU-R BT.1886), sRGB by its own curve, PQ by
    its
    EOTF relative to ``REFERENCE_WHITE``, HLG by its inverse OETF and the OOTF of a 1,000 cd/m2
    display.
    """
    import numpy as np

    clipped = np.clip(values, 0.0, 1.0)
    if transfer == PQ:
        return pq_eotf(clipped) * (10000.0 / REFERENCE_WHITE)
    if transfer == HLG:
        return hlg_display_light(clipped) * (1000.0 / REFERENCE_WHITE)
    if transfer == LINEAR:
        return clipped
    if transfer == SRGB:
        return np.where(clipped <= 0.04045, clipped / 12.92, ((clipped + 0.055) / 1.055) ** 2.4)
    return clipped**2.4


def pq_eotf(values: Array) -> Array:
    """Return light of PQ code values, 1.0 = 10,000 cd/m2 (BT.2100-2, table 4)."""
    import numpy as np

    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = values ** (1 / m2)
    return (np.maximum(power - c1, 0.0) / (c2 - c3 * power)) ** (1 / m1)


def hlg_display_light(values: Array) -> Array:
    """Return light of HLG R'G'B' on a 1,000 cd/m2 display, 1.0 = its peak (BT.2100-2, table 5;
    gamma 1.2).
    """
    import numpy as np

    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3.0, (np.exp((values - c) / a) + b) / 12.0)
    luma = scene @ np.asarray((0.2627, 0.6780, 0.0593), dtype=scene.dtype)
    return scene * np.maximum(luma, 1e-9)[..., None] ** 0.2


@cache
def _rgb_to_xyz(primaries: int) -> Array:
    """Return the 3x3 matrix from linear RGB to XYZ with white at Y = 1 (SMPTE RP 177)."""
    import numpy as np

    points = CHROMATICITIES.get(primaries, CHROMATICITIES[1])
    columns = [np.array((x / y, 1.0, (1.0 - x - y) / y)) for x, y in points]
    colours = np.stack(columns[:3], axis=1)
    return colours * np.linalg.solve(colours, columns[3])


@cache
def primaries_matrix(source: int, target: int) -> Array:
    """Return the 3x3 matrix from linear RGB of one set of primaries to another, white to white."""
    import numpy as np

    if source == target:
        return np.eye(3)
    return np.linalg.solve(_rgb_to_xyz(target), _rgb_to_xyz(source))


def to_oklab(light: Array) -> Array:
    """Return OKLab of linear BT.709 light: lightness 0 to 1, a and b about -0.4 to 0.4."""
    import numpy as np

    to_lms = np.array(
        (
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        ),
        dtype=light.dtype,
    )
    to_lab = np.array(
        (
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        ),
        dtype=light.dtype,
    )
    return np.cbrt(light @ to_lms.T) @ to_lab.T


def mobius(light: Array, *, peak: float, knee: float = 0.3) -> Array:
    """Return tone-mapped light: linear up to ``knee``, then a Moebius curve that takes ``peak`` to
    1.

    Applied to the largest component, so that hue stays; the curve of S. Hable's and libplacebo's
    "mobius": f(x) = (b^2 + 2bj + j^2) / (b - a) * (x + a) / (x + b), with f(j) = j, f'(j) = 1,
    f(peak) = 1.
    """
    import numpy as np

    largest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    if peak <= 1.0:
        return light
    j = knee
    a = -j * j * (peak - 1.0) / (j * j - 2.0 * j + peak)
    b = (j * j - 2.0 * j * peak + peak) / max(peak - 1.0, 1e-6)
    curve = (b * b + 2.0 * b * j + j * j) / (b - a) * (largest + a) / (largest + b)
    mapped = np.where(largest <= j, largest, curve)
    return light * (mapped / largest)
