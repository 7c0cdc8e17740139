"""Size and orientation of a picture against another one."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from mediaprep.comparing import geometry, thresholds
from mediaprep.comparing.similarity import correlation

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_SIDE = 32  # both planes are squeezed to squares of this side, so that turns fit any shape
_TURNS = {1: "90 degrees clockwise", 2: "180 degrees", 3: "90 degrees counter-clockwise"}


def turned_words(reference: Array, other: Array) -> str | None:
    """Return what is wrong with the orientation of ``other`` if another one fits far better.

    H×W planes.
    """
    side = min(_SIDE, *reference.shape, *other.shape)
    one, goal = (_squeezed(plane, side) for plane in (reference, other))
    identity = correlation(one, goal)
    limit = thresholds.TURN_MARGIN.limit
    if identity > 1 - limit:
        return None
    scores = {
        turn: correlation(geometry.oriented(one, turn), goal) for turn in geometry.ORIENTATIONS
    }
    best = max(scores, key=lambda turn: scores[turn])
    return orientation_words(best) if scores[best] > identity + limit else None


def _squeezed(plane: Array, side: int) -> Array:
    """Return the means of side×side parts of a plane of at least as many samples."""
    for axis in (0, 1):
        edges = np.arange(side) * plane.shape[axis] // side
        counts = np.diff(np.append(edges, plane.shape[axis])).reshape(
            (-1, 1) if axis == 0 else (1, -1)
        )
        plane = np.add.reduceat(plane, edges, axis=axis) / counts
    return plane


def orientation_words(orientation: tuple[int, bool]) -> str:
    """Return what is wrong with a picture that shows the source in this orientation."""
    turns, mirrored = orientation
    if mirrored and turns == 0:
        return "the picture is mirrored left to right compared with the source"
    if mirrored and turns == 2:
        return "the picture is mirrored top to bottom compared with the source"
    more = " and mirrored" if mirrored else ""
    return f"the picture is rotated by {_TURNS[turns]}{more} compared with the source"


def size_difference(size: tuple[int, int], made: tuple[int, int], *, scale: bool) -> str | None:
    """Return what is wrong with an output's size, None if nothing; ``scale``: it may be smaller."""
    if made == size:
        return None
    words = f"the picture is {made[0]}x{made[1]} instead of {size[0]}x{size[1]}"
    slack = 1 / min(made)  # a side is rounded to whole pixels, or to an even number
    if same_shape(size, made) and scale and made[0] / size[0] <= 1 + slack:
        return None
    return words if same_shape(size, made) else f"{words}: the shape differs"


def same_shape(size: tuple[int, int], made: tuple[int, int]) -> bool:
    """Whether two sizes have the same shape but for a pixel."""
    across, down = made[0] / size[0], made[1] / size[1]
    return abs(across / down - 1) <= 1 / min(made)
