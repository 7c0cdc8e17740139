"""Decode frames of an animation with Pillow: transparency, and the grid of pixel art.

Only in confined children. Frames are decoded from the first on; Pillow never counts them, because
it believes the headers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any, cast

from mediaprep.model import containers
from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools import pillow

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Array = np.ndarray[Any, np.dtype[np.uint8]]

# A larger canvas is not decoded: RGBA and its differences would exhaust the child's memory.
CANVAS_PIXELS = 8_000_000
WORK_PIXELS = 40_000_000  # over all frames of one file: about half a second
GRID_FRAMES = 8
GRID_EDGES = 8  # distinct edges on each axis that are evidence of a grid
GRID_LARGEST = 64
_MAX_EDGES = 4096  # of one frame and axis that are kept
_OPAQUE = 128  # alpha from which a pixel counts as opaque, as in GIF


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFrames:
    """What the first frames show.

    transparency   a pixel is transparent; None: none in the decoded frames, but there are more
    pixel_grid     whole factor of enlarged pixel art, 1 = none
    problem        why decoding ended early
    """

    transparency: bool | None = None
    pixel_grid: int | None = None
    problem: str | None = None


def first_frames(
    source: Readable, name: str, *, frames: int, alpha: bool, all_frames: bool
) -> FirstFrames:
    """Decode as many first frames as it takes.

    name         format of the animation
    frames       number of its frames
    alpha        transparency is to be determined
    all_frames   it may begin in any frame; False: in the first alone
    """
    grid, transparent, problem, count = _ColourGrid(), False, None, 0
    try:
        for rgba in _frames(source, name, frames):
            count += 1
            transparent = transparent or (alpha and bool((rgba[..., 3] < _OPAQUE).any()))
            if count <= GRID_FRAMES and grid.factor != 1:
                grid.add(rgba)
            alpha_decided = transparent or not alpha or not all_frames
            if alpha_decided and (grid.factor == 1 or count >= GRID_FRAMES):
                break
    except pillow.damage() as damage:
        problem = f"{type(damage).__name__}: {damage}"[:200]
    except MemoryError:
        problem = "its frames take more memory than allowed"
    if not count:
        return FirstFrames(problem=problem or f"the canvas has more than {CANVAS_PIXELS} pixels")
    decided = transparent or not alpha or count >= (frames if all_frames else 1)
    return FirstFrames(
        transparency=transparent if decided else None, pixel_grid=grid.result(), problem=problem
    )


def durations(source: Readable, name: str, *, frames: int) -> tuple[Fraction, ...] | None:
    """Return the seconds of each frame; None if a frame cannot be decoded."""
    found = []
    try:
        with _opened(source, name) as image:
            for index in range(frames):
                image.seek(index)
                image.load()
                milliseconds = float(image.info.get("duration", 0))
                found.append(Fraction(round(milliseconds * 1000), 1_000_000))
    except pillow.damage():
        return None
    except MemoryError:
        return None
    return tuple(found)


def _opened(source: Readable, name: str) -> Image.Image:
    from PIL import Image

    readers = [reader for reader in containers.of(name).pillow if reader != "HEIF"]
    if not readers:
        raise LookupError(f"Pillow cannot read animations of the format {name}")
    return Image.open(cast("IO[bytes]", SourceFile(source)), formats=readers)


def _frames(source: Readable, name: str, count: int) -> Iterator[Array]:
    """Yield H×W×4 uint8 RGBA, colour 0 in transparent pixels, until the work is used up."""
    import numpy as np

    with _opened(source, name) as image:
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
    """The greatest common divisor of the positions where colours change, over frames."""

    def __init__(self) -> None:
        self.factor = 0
        self._edges: tuple[set[int], set[int]] = (set(), set())

    def add(self, rgba: Array) -> None:
        import numpy as np

        whole = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
        self.factor = math.gcd(self.factor, *whole.shape)
        for axis, edges in enumerate(self._edges):
            at = np.flatnonzero(np.diff(whole, axis=axis).any(axis=1 - axis)) + 1
            edges.update(int(place) for place in at[:_MAX_EDGES])
            self.factor = math.gcd(self.factor, int(np.gcd.reduce(at)) if at.size else 0)
            if self.factor == 1:
                return

    def result(self) -> int:
        """Return the factor; 1 without enough edges on both axes."""
        enough = all(len(edges) >= GRID_EDGES for edges in self._edges)
        return self.factor if enough and 1 < self.factor <= GRID_LARGEST else 1
