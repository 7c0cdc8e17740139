"""Colour by the formulas of the standards, in numpy: an independent path that encodes are compared
with.

ITU-R BT.601, BT.709, BT.2020 (matrices, primaries), BT.1886 (display gamma 2.4), BT.2100 (PQ, HLG),
SMPTE RP 145, SMPTE EG 432-1 (P3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LUMA = {
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
}
XY = {
    "bt709": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "smpte170m": ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    "bt470bg": ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    "bt2020": ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    "smpte432": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
D65 = (0.3127, 0.3290)


def to_yuv(rgb: Array, matrix: str, *, bits: int = 8, full: bool = False) -> Array:
    """Convert R'G'B' in 0..1 to integer codes of Y'CbCr."""
    kr, kb = LUMA[matrix]
    y = kr * rgb[..., 0] + (1 - kr - kb) * rgb[..., 1] + kb * rgb[..., 2]
    u, v = (rgb[..., 2] - y) / (2 * (1 - kb)), (rgb[..., 0] - y) / (2 * (1 - kr))
    top, unit = 2**bits - 1, 2 ** (bits - 8)
    if full:
        codes = np.stack([y * top, u * top + 128 * unit, v * top + 128 * unit], -1)
    else:
        codes = np.stack(
            [(16 + 219 * y) * unit, (128 + 224 * u) * unit, (128 + 224 * v) * unit], -1
        )
    return np.clip(np.rint(codes), 0, top)


def to_rgb(yuv: Array, matrix: str, *, bits: int = 8, full: bool = False) -> Array:
    """Convert codes of Y'CbCr to R'G'B' in 0..1."""
    kr, kb = LUMA[matrix]
    unit, top = 2 ** (bits - 8), 2**bits - 1
    if full:
        y, u, v = (
            yuv[..., 0] / top,
            (yuv[..., 1] - 128 * unit) / top,
            (yuv[..., 2] - 128 * unit) / top,
        )
    else:
        y, u, v = (
            (yuv[..., 0] / unit - 16) / 219,
            (yuv[..., 1] / unit - 128) / 224,
            (yuv[..., 2] / unit - 128) / 224,
        )
    r, b = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    return np.stack([r, (y - kr * r - kb * b) / (1 - kr - kb), b], -1)


def primaries(name: str) -> Array:
    """Return the matrix from linear RGB to XYZ."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in XY[name]]).T
    white = np.array([D65[0] / D65[1], 1.0, (1 - D65[0] - D65[1]) / D65[1]])
    return columns * np.linalg.solve(columns, white)


def between(linear: Array, source: str, target: str) -> Array:
    return linear @ (np.linalg.inv(primaries(target)) @ primaries(source)).T


def sdr(rgb: Array, source: str) -> Array:
    """Convert R'G'B' of other primaries to BT.709, on a display of gamma 2.4."""
    return np.clip(between(np.clip(rgb, 0, 1) ** 2.4, source, "bt709"), 0, 1) ** (1 / 2.4)


def pq_nits(signal: Array) -> Array:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = np.clip(signal, 0, 1) ** (1 / m2)
    return 10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def hlg_nits(signal: Array) -> Array:
    """Return the light of HLG on a display of 1000 nits, system gamma 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return 1000 * scene * np.maximum(luminance, 1e-9)[..., None] ** 0.2


def mobius(linear: Array, *, knee: float = 0.3, peak: float = 10.0) -> Array:
    """Apply the tone curve to the largest component, the others in proportion; 1.0 is diffuse
    white.
    """
    a = -(knee**2) * (peak - 1) / (knee**2 - 2 * knee + peak)
    b = (knee**2 - 2 * knee * peak + peak) / (peak - 1)
    top = np.maximum(linear.max(-1, keepdims=True), 1e-6)
    curve = np.where(
        top <= knee, top, (b * b + 2 * b * knee + knee**2) / (b - a) * (top + a) / (top + b)
    )
    return linear * curve / top


def tone_mapped(nits: Array, white: float = 203.0) -> Array:
    """Convert light of BT.2020 primaries to R'G'B' of BT.709."""
    return np.clip(mobius(between(nits / white, "bt2020", "bt709")), 0, 1) ** (1 / 2.4)
