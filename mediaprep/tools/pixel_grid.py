"""Find the whole factor by which pixel art was enlarged, in a plane of luma.

The art is stored losslessly, or encoded well enough that its blocks are still flat. Python alone
rules out almost every picture by a few of its lines; only the rest needs Pillow, whose import takes
30 ms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mediaprep.tools.pyav_frames import VideoFrame

LARGEST = 64
SMALLEST_PIXELS = 640 * 360  # smaller pictures are not examined: they are not scaled
_PLANAR = ("yuv", "gray", "gbr", "nv12")  # beginnings of pixel formats with a plane of luma
_LINES = (0.2, 0.35, 0.5, 0.65, 0.8)  # of the height: the lines that Python examines
_EDGE = 24  # 8-bit steps between two pixels that encoding noise does not reach
_OFF_GRID = 0.1  # share of all steps that may lie off the grid, left by encoding
_ON_GRID = 0.25  # share of the grid's lines that must have an edge, on both axes
_FEWEST = 8  # edges, or lines of a grid, that are evidence
_SAMPLED = 270  # lines or columns that are examined


def enlargement(frame: VideoFrame) -> int | None:
    """Return the factor, 1 for none; None for a frame that is small, packed or deep."""
    plane, line_bytes, bits = frame.luma()
    if bits != 8 or not frame.pixel_format.startswith(_PLANAR):
        return None
    return (
        None if math.prod(frame.size) < SMALLEST_PIXELS else factor(plane, line_bytes, frame.size)
    )


def factor(plane: memoryview, line_bytes: int, size: tuple[int, int]) -> int:
    """Return the factor of a plane of 8-bit samples; 1 without evidence of an enlargement."""
    width, height = size
    found, edge_count = math.gcd(width, height), 0
    for place in _LINES:
        if found == 1:
            return 1
        begin = int(height * place) * line_bytes
        line = plane[begin : begin + width].tolist()
        edges = [
            at
            for at, (one, following) in enumerate(pairwise(line), 1)
            if not -_EDGE < one - following < _EDGE
        ]
        found, edge_count = math.gcd(found, *edges), edge_count + len(edges)
    if found == 1 or edge_count < _FEWEST:
        return 1
    axes = _steps(plane, line_bytes, size)
    grids = [grid for grid in range(2, min(found, LARGEST) + 1) if found % grid == 0]
    return max((grid for grid in grids if all(_fits(steps, grid) for steps in axes)), default=1)


def _steps(
    plane: memoryview, line_bytes: int, size: tuple[int, int]
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the mean change from each column to the next, and from each line to the next."""
    from PIL import Image, ImageChops

    width, height = size
    samples: Any = plane[: height * line_bytes]  # any buffer, despite Pillow's annotation
    whole = Image.frombuffer("L", (line_bytes, height), samples, "raw", "L", line_bytes, 1)
    picture = whole.crop((0, 0, width, height))
    nearest, mean = Image.Resampling.NEAREST, Image.Resampling.BOX
    wide = picture.resize((width, min(height, _SAMPLED)), nearest)
    high = picture.resize((min(width, _SAMPLED), height), nearest)
    across = ImageChops.difference(
        wide.crop((0, 0, width - 1, wide.height)), wide.crop((1, 0, width, wide.height))
    )
    down = ImageChops.difference(
        high.crop((0, 0, high.width, height - 1)), high.crop((0, 1, high.width, height))
    )
    columns = across.convert("F").resize((width - 1, 1), mean)
    lines = down.convert("F").resize((1, height - 1), mean)
    return memoryview(columns.tobytes()).cast("f"), memoryview(lines.tobytes()).cast("f")


def _fits(steps: Sequence[float], grid: int) -> bool:
    """Return True if nearly all steps lie on the grid, and enough of its lines have some."""
    on_grid = steps[grid - 1 :: grid]
    if len(on_grid) < _FEWEST or not any(on_grid):
        return False
    total, mean = sum(on_grid), sum(on_grid) / len(on_grid)
    if sum(steps) - total > _OFF_GRID * sum(steps):
        return False
    return sum(step > mean * _OFF_GRID for step in on_grid) >= _ON_GRID * len(on_grid)
