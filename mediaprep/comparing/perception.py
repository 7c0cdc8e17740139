"""Colours as a viewer perceives them: OKLab times 100, where 2 is just noticeable."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from mediaprep.comparing import colour

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# Share of white that a screen reflects where there should be black: encoding viewing flare of sRGB
# (W3C, "A Standard Default Color Space for the Internet", 1996, part 2). Without it OKLab makes one
# code value near black a visible difference.
FLARE = 0.01


def lab(light: Array) -> Array:
    """Return OKLab times 100 of linear BT.709 light, 1 = white.

    The last axis holds the components.
    """
    return colour.to_oklab(light * (1 - FLARE) + FLARE) * 100


def lab_of_srgb(values: Array) -> Array:
    """Return OKLab times 100 of sRGB values from 0 to 1."""
    return lab(colour.linear(values, colour.SRGB).astype(np.float32))


def srgb_values(light: Array) -> Array:
    """Return sRGB values of light from 0 to 1 (IEC 61966-2-1)."""
    curve = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, curve)


def to_bt709(points: tuple[tuple[float, float], ...]) -> Array:
    """Return the 3x3 matrix from linear RGB of these primaries (red, green, blue, white) to BT.709.

    Another white point is adapted by Bradford's matrix (ICC.1:2022, annex E).
    """
    source, target = _to_xyz(points), _to_xyz(colour.CHROMATICITIES[1])
    bradford = np.array(
        ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
    )
    whites = [bradford @ matrix.sum(axis=1) for matrix in (source, target)]
    adapted = np.linalg.solve(bradford, np.diag(whites[1] / whites[0]) @ bradford)
    return np.linalg.solve(target, adapted @ source).astype(np.float32)


def _to_xyz(points: tuple[tuple[float, float], ...]) -> Array:
    """Return the 3x3 matrix from linear RGB to XYZ with white at Y = 1 (SMPTE RP 177)."""
    columns = [np.array((x / y, 1.0, (1.0 - x - y) / y)) for x, y in points]
    primaries = np.stack(columns[:3], axis=1)
    return primaries * np.linalg.solve(primaries, columns[3])
