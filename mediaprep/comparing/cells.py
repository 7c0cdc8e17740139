"""One frame of an animation: cells of colour, and which pixels must be opaque or transparent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mediaprep.comparing import perception, thresholds
from mediaprep.comparing.compositor import ShownFrame
from mediaprep.tools import reference_decoders

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_CELL, _SMALL_CELL = 8, 4  # pixels of a side: 8 is the period of the dither pattern
_COLUMNS = 160  # cells on the long side at most
_FEW = 64  # pixels of the long side up to which cells are small
_OPAQUE, _CLEAR = 144, 112  # alpha of a source that must become opaque, or transparent, in one bit
_HALF = 128  # alpha from which one bit says opaque
_COVERED = 0.9  # share of a cell that is opaque on both sides before its colour counts
_ENOUGH = 24  # cells from which a mean is as exact as the limits of means expect


@dataclass(frozen=True, slots=True)
class CellColours:
    """Means of cells.

    lab       rows×columns×3, OKLab times 100 of opaque pixels
    alpha     rows×columns, 0 to 1
    counted   rows×columns bool: so much of the cell is opaque that its colour counts
    """

    lab: Array
    alpha: Array
    counted: Array


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """A source frame at the output's size.

    cells    None: only alpha is compared
    must_show, must_clear   height×width bool: pixels that have to be opaque, or transparent;
             None: the whole frame is opaque
    """

    index: int
    cells: CellColours | None
    must_show: Array | None = None
    must_clear: Array | None = None


@dataclass(frozen=True, slots=True)
class OutputFrame:
    """An output frame: height×width uint32, alpha highest.

    ``cells`` None: only alpha is compared.
    """

    packed: Array
    cells: CellColours | None


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """What was measured on one output frame against a source frame.

    ghost, hole   pixels that are opaque and should be transparent, and the other way round
    mean, cast    OKLab times 100: mean distance of cells; largest mean signed difference of one
                 component
    worst, far    the largest distance of a cell; pixels of cells beyond ``thresholds.CELL_COLOUR``
    stale, stale_pixels   cells that still have the colour of the source's frame before, in pixels
    alpha         largest difference of a cell's alpha, 0 to 1
    """

    ghost: float = 0.0
    hole: float = 0.0
    mean: float = 0.0
    cast: float = 0.0
    worst: float = 0.0
    far: float = 0.0
    stale: float = 0.0
    stale_pixels: float = 0.0
    alpha: float = 0.0

    @property
    def badness(self) -> float:
        """Order of source frames that an output frame may show: the least is meant."""
        return self.mean + self.far + self.stale + self.ghost + self.hole


class FrameShaper:
    """Brings frames of both sides to the output's size and to one grid of cells.

    background   R, G, B that the source's transparent parts are laid on; None: they stay
                 transparent
    """

    def __init__(self, width: int, height: int, background: tuple[int, int, int] | None) -> None:
        self.width, self.height = width, height
        longest = max(width, height)
        cell = max(_CELL if longest > _FEW else _SMALL_CELL, -(-longest // _COLUMNS))
        self.columns = max(1, round(width / cell))
        self.rows = max(1, round(height / cell))
        self.cell_pixels = width * height / (self.columns * self.rows)
        self._background = background

    def source_frame(self, shown: ShownFrame, *, colours: bool) -> SourceFrame:
        """Return what the output should show of a source frame.

        ``colours``: not its alpha alone.
        """
        packed = packed_pixels(shown.rgba)
        if self._background is not None:
            packed = _flattened(shown.rgba, self._background)
        cells = self.cells(packed) if colours else None
        if packed.min() >= _OPAQUE << 24:
            return SourceFrame(shown.index, cells)
        show = self._everywhere(packed >= np.uint32(_OPAQUE << 24))
        clear = self._everywhere(packed < np.uint32(_CLEAR << 24))
        return SourceFrame(shown.index, cells, show, clear)

    def output_frame(self, shown: ShownFrame, *, colours: bool) -> OutputFrame:
        """Return an output frame; ``colours``: not its alpha alone."""
        packed = packed_pixels(shown.rgba)
        return OutputFrame(packed, self.cells(packed) if colours else None)

    def cells(self, packed: Array) -> CellColours:
        """Return the means of each cell.

        Colours are averaged over pixels that are at least half opaque.
        """
        solid, alpha = packed, None
        if packed.min() < 0xFF000000:
            plane = np.ascontiguousarray((packed >> 24).astype(np.uint8))
            alpha = reference_decoders.area_average(plane, self.columns, self.rows)
            threshold = np.uint32(_HALF << 24)
            solid = np.where(packed >= threshold, packed | np.uint32(0xFF000000), np.uint32(0))
        height, width = solid.shape
        pixels = solid.view(np.uint8).reshape(height, width, 4)
        mean = reference_decoders.area_average(pixels, self.columns, self.rows)
        covered = mean[..., 3].astype(np.float32) / 255
        values = mean[..., :3].astype(np.float32) / 255
        values = np.minimum(values / np.maximum(covered, 1e-3)[..., None], 1.0)
        return CellColours(
            lab=perception.lab_of_srgb(values),
            alpha=covered if alpha is None else alpha.astype(np.float32) / 255,
            counted=covered >= _COVERED,
        )

    def _everywhere(self, mask: Array) -> Array:
        """Return where a mask holds at the output's size.

        Where it is scaled, in the whole surroundings.
        """
        if mask.shape == (self.height, self.width):
            return mask
        plane = mask.astype(np.uint8) * 255
        whole: Array = reference_decoders.area_average(plane, self.width, self.height) == 255
        return whole


def packed_pixels(rgba: Array) -> Array:
    """Return height×width uint32 of contiguous RGBA: alpha is the highest byte."""
    return rgba.view(np.dtype("<u4"))[..., 0]


def frame_figures(
    frame: SourceFrame, before: SourceFrame | None, output: OutputFrame, shaper: FrameShaper
) -> FrameFigures:
    """Measure an output frame against a source frame.

    ``before``: the source's frame before that.
    """
    ghost, hole = _wrong_alpha(frame, output)
    found = colour_distance(frame.cells, output.cells)
    if found is None or frame.cells is None or output.cells is None:
        return FrameFigures(ghost=ghost, hole=hole)
    distance, cast, counted = found
    stale = 0.0
    suspect = counted & (distance > thresholds.STALE_CELL.limit)
    if before is not None and before.cells is not None and suspect.any():
        behind = _length((output.cells.lab - before.cells.lab)[suspect])
        old = before.cells.counted[suspect] & (behind < distance[suspect] / 3)
        stale = float(np.count_nonzero(old))
    inside = distance[counted]
    # A mean over few cells is less exact: its limit holds for ``_ENOUGH`` of them.
    uncertainty = max(1.0, (_ENOUGH / inside.size) ** 0.5)
    return FrameFigures(
        ghost=ghost,
        hole=hole,
        mean=float(inside.mean()) / uncertainty,
        cast=cast / uncertainty,
        far=float(np.count_nonzero(inside > thresholds.CELL_COLOUR.limit)) * shaper.cell_pixels,
        worst=float(inside.max()),
        stale=stale,
        stale_pixels=stale * shaper.cell_pixels,
        alpha=float(np.abs(frame.cells.alpha - output.cells.alpha).max()),
    )


def colour_distance(
    one: CellColours | None, other: CellColours | None
) -> tuple[Array, float, Array] | None:
    """Return (rows×columns distances, largest mean signed difference, which cells count).

    None: none does.
    """
    if one is None or other is None:
        return None
    counted = one.counted & other.counted
    if not counted.any():
        return None
    apart = other.lab - one.lab
    return _length(apart), float(np.abs(apart[counted].mean(axis=0)).max()), counted


def shows_another(output: OutputFrame, right: SourceFrame, others: Sequence[SourceFrame]) -> bool:
    """Whether an output frame fits one of the other source frames far better than the right one."""
    if output.cells is None or right.cells is None:
        return False
    for other in others:
        if other.cells is None:
            continue
        counted = output.cells.counted & right.cells.counted & other.cells.counted
        if np.count_nonzero(counted) < _ENOUGH:
            continue
        own, its = (
            float(_length((output.cells.lab - cells.lab)[counted]).mean())
            for cells in (right.cells, other.cells)
        )
        if its < own * thresholds.NEIGHBOUR.limit:
            return True
    return False


def _wrong_alpha(frame: SourceFrame, output: OutputFrame) -> tuple[float, float]:
    """Return how many pixels are opaque and must be transparent, and the other way round."""
    half = np.uint32(_HALF << 24)
    if frame.must_show is None or frame.must_clear is None:
        if output.packed.min() >= half:
            return 0.0, 0.0
        return 0.0, float(np.count_nonzero(output.packed < half))
    clear = output.packed < half
    ghost = np.count_nonzero(frame.must_clear & ~clear)
    return float(ghost), float(np.count_nonzero(frame.must_show & clear))


def _length(apart: Array) -> Array:
    length: Array = np.sqrt((apart**2).sum(axis=-1))
    return length


def _flattened(rgba: Array, background: tuple[int, int, int]) -> Array:
    """Return the frame laid on a colour, packed."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    behind = np.asarray(background, dtype=np.float32)
    mixed = np.empty_like(rgba)
    mixed[..., :3] = np.rint(rgba[..., :3] * alpha + behind * (1 - alpha))
    mixed[..., 3] = 255
    return packed_pixels(mixed)
