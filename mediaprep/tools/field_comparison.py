"""Compare the two fields of frames with Pillow: whole planes at a time, in 8 bits.

Importing numpy for it would take longer than the rest of a probe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from PIL import Image, ImageChops


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameComparison:
    """One frame compared with the previous frame.

    The three combings are sums over the pixels that have motion nearby: the distance of each line
    from the mean of its neighbours in the other field.

    own          of the frame's own fields
    top_late     of its top field and the previous bottom field, which it came after
    bottom_late  of its bottom field and the previous top field
    doubled      how much nearer the lines of the top field are to the line below than to the line
                 above: 0 unless lines are doubled
    changes      sum of the changes of the top and of the bottom field
    moves        pixels of each that change by more than the step
    """

    own: int
    top_late: int
    bottom_late: int
    doubled: int
    changes: tuple[int, int]
    moves: tuple[int, int]


class FieldPlane:
    """One field: the plane, without its last, without its first line, and the mean of these two."""

    __slots__ = ("front", "means", "plane", "rest")

    def __init__(self, plane: Image.Image) -> None:
        self.plane = plane
        self.front, self.rest = _but_last(plane), _but_first(plane)
        self.means = Image.blend(self.front, self.rest, 0.5)


Fields = tuple[FieldPlane, FieldPlane]


def split(
    plane: memoryview, line_bytes: int, bits: int, size: tuple[int, int], columns: int
) -> Fields:
    """Return the top and the bottom field of a luma plane in 8 bits.

    At most ``columns`` columns are sampled. With more than 8 bits, a sample has two bytes, the
    lower first.
    """
    width, lines = size[0], size[1] // 2
    mode, line = ("L", line_bytes) if bits <= 8 else ("I;16", line_bytes // 2)
    samples: Any = plane[: 2 * lines * line_bytes]  # any buffer, despite Pillow's annotation
    pairs = Image.frombuffer(mode, (2 * line, lines), samples, "raw", mode, 2 * line_bytes, 1)
    sampled = width // -(-width // columns), lines
    top, bottom = (
        pairs.resize(sampled, Image.Resampling.NEAREST, (left, 0, left + width, lines))
        for left in (0, line)
    )
    return FieldPlane(_upper_bits(top, bits)), FieldPlane(_upper_bits(bottom, bits))


def compare(now: Fields, before: Fields, *, step: int, fewest: int) -> FrameComparison | None:
    """Compare a frame's fields with those of the previous frame, of equal size.

    A pixel moves if it changes by more than ``step`` 8-bit steps. Return None if fewer than
    ``fewest`` pixels have motion nearby.
    """
    changes = [
        ImageChops.difference(new.plane, old.plane) for new, old in zip(now, before, strict=True)
    ]
    top, bottom = (_above(change, step) for change in changes)
    # motion around each line of the bottom field, and of the top field
    near_bottom = _any(_but_last(top), _but_first(top), _but_last(bottom))
    near_top = _any(_but_last(bottom), _but_first(bottom), _but_first(top))
    moving = near_bottom.histogram()[255] + near_top.histogram()[255]
    if moving < fewest:
        return None

    def combing(tops: FieldPlane, bottoms: FieldPlane) -> int:
        of_bottom = _distance(tops.means, bottoms.front, near_bottom)
        return of_bottom + _distance(bottoms.means, tops.rest, near_top)

    # a line of the top field and the line below it, and above it
    below = _distance(now[0].plane, now[1].plane, _any(top, bottom))
    above = _distance(now[0].rest, now[1].front, _any(_but_first(top), _but_last(bottom)))
    counts = [change.histogram() for change in changes]
    return FrameComparison(
        own=combing(*now),
        top_late=combing(now[0], before[1]),
        bottom_late=combing(before[0], now[1]),
        doubled=above - below,
        changes=(_sum(counts[0]), _sum(counts[1])),
        moves=(sum(counts[0][step + 1 :]), sum(counts[1][step + 1 :])),
    )


def _upper_bits(plane: Image.Image, bits: int) -> Image.Image:
    """Convert to 8 bits: shift all samples at once, as one number, and keep each lower byte."""
    if bits <= 8:
        return plane
    samples = plane.tobytes()
    shifted = (int.from_bytes(samples, "little") >> (bits - 8)).to_bytes(len(samples), "little")
    return Image.frombytes("L", plane.size, shifted[::2])


def _any(*masks: Image.Image) -> Image.Image:
    """Return the union of masks."""
    union = masks[0]
    for mask in masks[1:]:
        union = ImageChops.lighter(union, mask)
    return union


def _distance(one: Image.Image, other: Image.Image, mask: Image.Image) -> int:
    """Return the sum of differences inside a mask of 0 and 255."""
    return _sum(ImageChops.darker(ImageChops.difference(one, other), mask).histogram())


def _above(plane: Image.Image, step: int) -> Image.Image:
    """Return 255 where the plane is above the step, else 0.

    A steep line, clipped at both ends, is faster than ``point``, which would round a table.
    """
    return ImageChops.add(plane, plane, scale=2 / 1000, offset=-1000 * step - 500)


def _but_last(plane: Image.Image) -> Image.Image:
    return plane.crop((0, 0, plane.width, plane.height - 1))


def _but_first(plane: Image.Image) -> Image.Image:
    return plane.crop((0, 1, plane.width, plane.height))


def _sum(counts: Sequence[int]) -> int:
    """Return the sum of the values that a histogram counts."""
    return sum(map(mul, counts, range(256)))
