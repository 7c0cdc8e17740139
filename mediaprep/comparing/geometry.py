"""From coded planes to a small upright picture: crop, reduction by area, display matrix, bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray

Fit: TypeAlias = Literal["scale", "pad", "crop"]
GRID = 256  # samples on the long side of a compared picture

# The eight orientations: quarter turns clockwise, then mirrored left to right.
ORIENTATIONS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a picture as shares of its sides, 0 to 1; parts outside stand for bars."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


WHOLE = Area()


def grid_size(width: float, height: float, longest: int = GRID) -> tuple[int, int]:
    """Return columns and rows of the small picture of one that is shown as ``width`` x
    ``height``.
    """
    scale = longest / max(width, height)
    return max(8, round(width * scale)), max(8, round(height * scale))


def orientation_of(matrix: Sequence[int] | None) -> tuple[int, bool]:
    """Return the orientation that a display matrix asks for; the nearest of the eight (ISO/IEC
    14496-12, 8.5.2).
    """
    if matrix is None:
        return 0, False
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = a * d - b * c < 0
    if mirrored:
        a, c = -a, -c  # a mirror left to right comes last
    if abs(a) >= abs(b):
        return (0 if a > 0 else 2), mirrored
    return (1 if b > 0 else 3), mirrored


def oriented(plane: Array, orientation: tuple[int, bool]) -> Array:
    """Return the plane turned clockwise by quarter turns, then mirrored left to right."""
    import numpy as np

    turns, mirrored = orientation
    turned = np.rot90(plane, -turns)
    return turned[:, ::-1] if mirrored else turned


def swapped(orientation: tuple[int, bool]) -> bool:
    """Whether an orientation exchanges width and height."""
    return orientation[0] % 2 == 1


def reduced(plane: Array, area: Area, columns: int, rows: int) -> Array:
    """Return ``area`` of an H×W plane as rows×columns float32, each sample the mean of what it
    covers.

    What lies outside the plane counts as NaN, so that bars are told from content.
    """
    import numpy as np

    height, width = plane.shape
    covered = (area.right - area.left) * width / columns, (area.bottom - area.top) * height / rows
    factor = max(1, int(min(covered) // 2))
    small = _summed(plane, factor)
    scale = 1.0 / factor**2
    sides = width / factor, height / factor
    across = _weights(area.left * sides[0], area.right * sides[0], columns, small.shape[1])
    down = _weights(area.top * sides[1], area.bottom * sides[1], rows, small.shape[0])
    return (down @ (small * np.float32(scale))) @ across.T


def _summed(plane: Array, factor: int) -> Array:
    """Return the sums of factor×factor samples as float32; a rest at the right and bottom is left
    out.
    """
    import numpy as np

    if factor == 1:
        return plane.astype(np.float32)
    height, width = (size // factor * factor for size in plane.shape)
    wide = np.uint32 if plane.itemsize > 1 else np.uint16
    lines: Any = plane[0:height:factor, :width].astype(wide)
    for line in range(1, factor):
        lines += plane[line:height:factor, :width]
    total: Any = lines[:, 0::factor].astype(np.uint32)
    for column in range(1, factor):
        total += lines[:, column::factor]
    return total.astype(np.float32)


def _weights(start: float, end: float, count: int, length: int) -> Array:
    """Return the count×length matrix that averages ``length`` samples into ``count`` from start to
    end.

    Rows that lie outside the samples by more than a half hold NaN.
    """
    import numpy as np

    edges = np.linspace(start, end, count + 1)
    at = np.arange(length)
    low = np.maximum(edges[:-1, None], at[None, :])
    high = np.minimum(edges[1:, None], at[None, :] + 1)
    weights = np.maximum(high - low, 0.0).astype(np.float32)
    total = weights.sum(axis=1, keepdims=True)
    enough = total >= 0.5 * (edges[1] - edges[0])
    return np.where(enough, weights / np.maximum(total, 1e-9), np.nan).astype(np.float32)


def area_shown(source: tuple[float, float], target: tuple[float, float], fit: Fit) -> Area:
    """Return the area of the source that fills the target, both as displayed width and height.

    crop   the middle of the source that has the target's shape
    pad    the source with bars on two sides: an area larger than the source
    scale  the whole source, whatever the shape
    """
    wide = source[0] / source[1] * target[1] / target[0]  # > 1: the source is wider than the target
    if fit == "scale" or abs(wide - 1.0) < 1e-6:
        return WHOLE
    if (wide > 1.0) == (fit == "crop"):
        share = 1.0 / wide  # of the source's width
        return Area(left=(1 - share) / 2, right=(1 + share) / 2)
    return Area(top=(1 - wide) / 2, bottom=(1 + wide) / 2)
