"""The whole factor by which pixel art was enlarged, from a plane of luma: lossless, or coded well enough that its blocks are still flat.

Python alone rules out almost every picture, by a few lines of it; Pillow, which costs 30 ms to import, looks at the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

LARGEST = 64
_LINES = (0.2, 0.35, 0.5, 0.65, 0.8)  # of the height: where Python looks
_EDGE = 24  # 8-bit steps between two pixels that are an edge beyond doubt
_OFF = 0.1  # of all that changes from pixel to pixel may lie off the grid: what coding leaves
_BORNE_OUT = 0.25  # of the grid's lines have an edge, on both axes
_FEWEST = 8  # edges, or lines of a grid, that tell anything
_SAMPLED = 270  # lines or columns that are looked at


def factor(plane: memoryview, line_bytes: int, size: tuple[int, int]) -> int:
    """1: none, or nothing to tell it by. ``plane``: 8 bits a sample."""
    width, height = size
    found, met = math.gcd(width, height), 0
    for place in _LINES:
        if found == 1:
            return 1
        begin = int(height * place) * line_bytes
        line = plane[begin : begin + width].tolist()
        edges = [
            at
            for at, (one, next_) in enumerate(pairwise(line), 1)
            if not -_EDGE < one - next_ < _EDGE
        ]
        found, met = math.gcd(found, *edges), met + len(edges)
    if found == 1 or met < _FEWEST:
        return 1
    steps = _steps(plane, line_bytes, size)
    grids = [grid for grid in range(2, min(found, LARGEST) + 1) if found % grid == 0]
    return max((grid for grid in grids if all(_holds(axis, grid) for axis in steps)), default=1)


def _steps(
    plane: memoryview, line_bytes: int, size: tuple[int, int]
) -> tuple[Sequence[float], Sequence[float]]:
    """How much changes from each column to the next, and from each line to the next, on average."""
    from PIL import Image, ImageChops

    width, height = size
    samples = plane[: height * line_bytes]
    plane_size = (line_bytes, height)
    whole = Image.frombuffer("L", plane_size, samples, "raw", "L", line_bytes, 1)  # type: ignore[arg-type]
    picture = whole.crop((0, 0, width, height))
    fewer = Image.Resampling.NEAREST
    wide, high = (
        picture.resize((width, min(height, _SAMPLED)), fewer),
        picture.resize((min(width, _SAMPLED), height), fewer),
    )
    across = ImageChops.difference(
        wide.crop((0, 0, width - 1, wide.height)), wide.crop((1, 0, width, wide.height))
    )
    down = ImageChops.difference(
        high.crop((0, 0, high.width, height - 1)), high.crop((0, 1, high.width, height))
    )
    mean = Image.Resampling.BOX
    columns, lines = (
        across.convert("F").resize((width - 1, 1), mean),
        down.convert("F").resize((1, height - 1), mean),
    )
    return memoryview(columns.tobytes()).cast("f"), memoryview(lines.tobytes()).cast("f")


def _holds(steps: Sequence[float], grid: int) -> bool:
    """Whether nearly all change lies on the lines of the grid, and enough of them have some."""
    on = steps[grid - 1 :: grid]
    if len(on) < _FEWEST or not any(on):
        return False
    mean = sum(on) / len(on)
    return sum(steps) - sum(on) <= _OFF * sum(steps) and sum(
        step > mean * _OFF for step in on
    ) >= _BORNE_OUT * len(on)
