"""Frames of an animation through Pillow, for what the blocks do not tell: whether anything shows through, and the grid of pixel art.

Only in the confined child. Frames are looked at from the first on and never counted by Pillow: it believes what headers claim.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any, cast

from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Array = np.ndarray[Any, np.dtype[np.uint8]]

CANVAS_PIXELS = (
    8_000_000  # a larger canvas is not decoded here: RGBA and its differences would fill the child
)
WORK_PIXELS = 40_000_000  # over all frames of one look: about half a second
GRID_FRAMES = 8
GRID_EDGES = 8  # distinct edges on each axis before they count as a grid
GRID_LARGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFrames:
    """What a look at the first frames gave. ``transparency``: a transparent pixel was met; None: none in the frames looked at, and there
    are more. ``pixel_grid``: whole factor of enlarged pixel art, 1 = none. ``problem``: why the look ended early."""

    transparency: bool | None = None
    pixel_grid: int | None = None
    problem: str | None = None


def look(source: Readable, *, frames: int, alpha: bool, all_frames: bool) -> FirstFrames:
    """Decode the first frames. ``alpha``: transparency is in question; ``all_frames``: it may begin in any frame, else in the first."""
    grid, met, problem, seen = _ColourGrid(), False, None, 0
    try:
        for rgba in _frames(source, frames):
            seen += 1
            met = met or (alpha and bool((rgba[..., 3] < 128).any()))
            if seen <= GRID_FRAMES and grid.factor != 1:
                grid.add(rgba)
            if (met or not alpha or not all_frames) and (grid.factor == 1 or seen >= GRID_FRAMES):
                break
    except _damage() as damage:
        problem = f"{type(damage).__name__}: {damage}"[:200]
    if not seen:
        return FirstFrames(problem=problem or f"the canvas has more than {CANVAS_PIXELS} pixels")
    decided = met or not alpha or seen >= (frames if all_frames else 1)
    return FirstFrames(
        transparency=met if decided else None, pixel_grid=grid.result(), problem=problem
    )


def durations(source: Readable, *, frames: int) -> tuple[Fraction, ...] | None:
    """Seconds of each frame as Pillow reads them (AVIF: its container keeps them in tables); None where a frame cannot be read."""
    try:
        with _opened(source) as image:
            found = []
            for index in range(frames):
                image.seek(index)
                image.load()
                found.append(
                    Fraction(round(float(image.info.get("duration", 0)) * 1000), 1_000_000)
                )
    except _damage():
        return None
    return tuple(found)


def _damage() -> tuple[type[Exception], ...]:
    """What Pillow's readers raise on damaged files."""
    from PIL import Image

    shared = (
        OSError,
        EOFError,
        SyntaxError,
        ValueError,
        LookupError,
        TypeError,
        RuntimeError,
        MemoryError,
    )
    return (*shared, struct.error, Image.DecompressionBombError)


def _opened(source: Readable) -> Image.Image:
    from PIL import Image

    return Image.open(cast("IO[bytes]", SourceFile(source)), formats=("GIF", "PNG", "WEBP", "AVIF"))


def _frames(source: Readable, count: int) -> Iterator[Array]:
    """H×W×4 uint8 RGBA, colour 0 where transparent; ends at the budget."""
    import numpy as np

    with _opened(source) as image:
        spent = 0
        for index in range(count):
            pixels = image.size[0] * image.size[1]
            if pixels > CANVAS_PIXELS or spent + pixels > max(WORK_PIXELS, pixels):
                return
            spent += pixels
            if index:
                image.seek(index)
            rgba = np.array(image.convert("RGBA"))
            rgba[rgba[..., 3] == 0] = 0
            yield rgba


class _ColourGrid:
    """The greatest common divisor of where colours change, over frames."""

    def __init__(self) -> None:
        self.factor = 0
        self._edges: tuple[set[int], set[int]] = (set(), set())

    def add(self, rgba: Array) -> None:
        import numpy as np

        whole = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
        self.factor = math.gcd(self.factor, *whole.shape)
        for axis, edges in enumerate(self._edges):
            at = np.flatnonzero(np.diff(whole, axis=axis).any(axis=1 - axis)) + 1
            edges.update(int(place) for place in at[:4096])
            self.factor = math.gcd(self.factor, int(np.gcd.reduce(at)) if at.size else 0)
            if self.factor == 1:
                return

    def result(self) -> int:
        """1 where the evidence is thin: a grid needs edges on both axes."""
        enough = all(len(edges) >= GRID_EDGES for edges in self._edges)
        return self.factor if enough and 1 < self.factor <= GRID_LARGEST else 1
