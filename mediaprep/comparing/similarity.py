"""How alike two small pictures are: structure, colour, and a global displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray

_WINDOW = 8  # samples a side of a window of the structural similarity
_C1, _C2 = 0.01**2, 0.03**2


def structure(one: Array, other: Array) -> float:
    """Return the mean structural similarity (Wang et al., 2004) of two H×W planes, 0 to 1 each
    sample.

    Windows of 8x8 do not overlap: enough to tell a right picture from a wrong one, at a tenth of
    the cost.
    """
    a, b = _windows(one), _windows(other)
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    var_a, var_b = a.var(axis=1), b.var(axis=1)
    both = ((a - mean_a[:, None]) * (b - mean_b[:, None])).mean(axis=1)
    above = (2 * mean_a * mean_b + _C1) * (2 * both + _C2)
    below = (mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2)
    return float((above / below).mean())


def _windows(plane: Array) -> Array:
    """Return the plane as N windows of 64 samples; what does not fill a window is left out."""
    height, width = (size // _WINDOW * _WINDOW for size in plane.shape)
    cut = plane[:height, :width]
    blocks = cut.reshape(height // _WINDOW, _WINDOW, width // _WINDOW, _WINDOW)
    return blocks.swapaxes(1, 2).reshape(-1, _WINDOW * _WINDOW)


def correlation(one: Array, other: Array) -> float:
    """Return Pearson's correlation of two planes; 0 where one of them is flat."""
    a, b = one - one.mean(), other - other.mean()
    norm = float((a * a).sum() * (b * b).sum()) ** 0.5
    return float((a * b).sum()) / norm if norm > 1e-9 else 0.0


@dataclass(frozen=True, slots=True)
class Displacement:
    """A global shift and scale between two pictures, as shares of width and height.

    left, right, top, bottom   how much more (+) or less (-) of the scene the second picture shows
    at each
                               edge: -0.01 = cropped by 1 % of the side
    """

    left: float
    right: float
    top: float
    bottom: float

    @property
    def largest(self) -> float:
        """The largest absolute displacement of an edge."""
        return max(map(abs, (self.left, self.right, self.top, self.bottom)))


def displacement(reference: Array, other: Array, rounds: int = 4) -> Displacement | None:
    """Return how ``other`` is cropped, shifted or scaled against ``reference`` (H×W planes, 0 to
    1).

    Least squares over the gradient (Lucas and Kanade, 1981), in a few rounds. None where the
    picture has
    too little texture in one direction to tell.
    """
    import numpy as np

    height, width = reference.shape
    ys, xs = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    shift_x = shift_y = scale_x = scale_y = 0.0
    for _ in range(rounds):
        moved = _sampled(other, xs * (1 + scale_x) + shift_x, ys * (1 + scale_y) + shift_y)
        grad_y, grad_x = np.gradient(moved)
        grad_x, grad_y = grad_x * (width - 1) / 2, grad_y * (height - 1) / 2
        columns = [grad_x, grad_y, grad_x * xs, grad_y * ys]
        system = np.stack([column[2:-2, 2:-2].ravel() for column in columns], axis=1)
        error = (reference - moved)[2:-2, 2:-2].ravel()
        normal = system.T @ system
        if np.linalg.cond(normal) > 1e5 or normal.diagonal().min() < 1e-3:
            return None
        step = np.linalg.solve(normal, system.T @ error)
        shift_x, shift_y = shift_x + step[0], shift_y + step[1]
        scale_x, scale_y = scale_x + step[2], scale_y + step[3]
        if abs(step).max() < 1e-4:
            break
    # The reference's edges lie at these positions of the other picture, from -1 to 1.
    near_x, far_x = shift_x - (1 + scale_x), shift_x + (1 + scale_x)
    near_y, far_y = shift_y - (1 + scale_y), shift_y + (1 + scale_y)
    return Displacement(
        left=float(1 + near_x) / 2,
        right=float(1 - far_x) / 2,
        top=float(1 + near_y) / 2,
        bottom=float(1 - far_y) / 2,
    )


def _sampled(plane: Array, xs: Array, ys: Array) -> Array:
    """Return the plane at positions from -1 to 1, bilinearly; positions outside repeat the edge."""
    import numpy as np

    height, width = plane.shape
    x = np.clip((xs + 1) / 2 * (width - 1), 0, width - 1)
    y = np.clip((ys + 1) / 2 * (height - 1), 0, height - 1)
    x0, y0 = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    part_x, part_y = x - x0, y - y0
    above = plane[y0, x0] * (1 - part_x) + plane[y0, x1] * part_x
    below = plane[y1, x0] * (1 - part_x) + plane[y1, x1] * part_x
    return above * (1 - part_y) + below * part_y
