"""Colour mathematics for tests: sRGB, matrix RGB spaces and CIEDE2000 in numpy.

Written from the standards and papers, independently of the code under test.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
D50 = np.array((0.9642, 1.0, 0.8249))  # ICC.1:2010, 6.3.4.3: white of the profile connection space
# Linear RGB to XYZ relative to D50, columns red green blue
SRGB = np.array(((0.4360, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141)))


def matrix(colorants: tuple[float, ...]) -> Array:
    """Return a matrix with columns red, green, blue from X Y Z of each."""
    return np.array(colorants).reshape(3, 3).T


def srgb_to_linear(values: Array) -> Array:
    """Convert 0 to 255 to linear light (IEC 61966-2-1, 5.2)."""
    v = np.asarray(values, np.float64) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(values: Array) -> Array:
    """Convert linear light to 0 to 255, clipped to the gamut."""
    v = np.clip(values, 0, 1)
    return 255 * np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


def managed(values: Array, colorants: tuple[float, ...], gamma: float) -> Array:
    """Convert RGB of a gamma space to sRGB, 0 to 255, clipped to the gamut."""
    linear = (np.asarray(values, np.float64) / 255) ** gamma
    return linear_to_srgb(linear @ matrix(colorants).T @ np.linalg.inv(SRGB).T)


def lab(values: Array) -> Array:
    """Convert sRGB, 0 to 255, to CIELAB relative to D50."""
    xyz = srgb_to_linear(values) @ SRGB.T / D50
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack(
        (116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])),
        axis=-1,
    )


def ciede2000(one: Array, other: Array) -> Array:
    """Return the difference of CIELAB arrays (Sharma, Wu, Dalal 2005, equations 2 to 22)."""
    (l1, a1, b1), (l2, a2, b2) = (
        np.moveaxis(np.asarray(v, np.float64), -1, 0) for v in (one, other)
    )
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    dh = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    big_dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh) / 2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    total = h1 + h2
    mean_h = np.where(
        grey,
        total,
        np.where(
            abs(h1 - h2) <= 180,
            total / 2,
            np.where(total < 360, (total + 360) / 2, (total - 360) / 2),
        ),
    )
    t = (
        1 - 0.17 * np.cos(np.radians(mean_h - 30)) + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6)) - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )  # fmt: skip
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    turn = (
        2
        * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
        * np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    )
    dl, dc, dhh = (l2 - l1) / sl, (c2 - c1) / sc, big_dh / sh
    return np.sqrt(dl**2 + dc**2 + dhh**2 - turn * dc * dhh)
