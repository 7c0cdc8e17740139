"""The two fields of pictures set against each other, by Pillow: whole planes at a time, in 8 bits. Importing numpy for it would cost more
than all the rest of a probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from PIL import Image, ImageChops


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameComparison:
    """One frame against the frame before.

    The three combings are sums over the places that have something near that moves: how far each line lies from the mean of its neighbours
    in the other field.

    own        of the frame's own fields; top_late: of its top field with the bottom field before (the top field came after that one);
               bottom_late the other way round
    doubled    how much nearer the lines of the top field are to the line below than to the one above: 0 but where lines come in twos
    changes    how much the top and the bottom field change, in sum; moves: in how many places by more than the step
    """

    own: int
    top_late: int
    bottom_late: int
    doubled: int
    changes: tuple[int, int]
    moves: tuple[int, int]


class FieldPlane:
    """One field: the plane, without its last and without its first line, and of these two the mean (half steps cut off)."""

    __slots__ = ("front", "means", "plane", "rest")

    def __init__(self, plane: Image.Image) -> None:
        self.plane = plane
        self.front, self.rest = _but_last(plane), _but_first(plane)
        self.means = Image.blend(self.front, self.rest, 0.5)


Fields = tuple[FieldPlane, FieldPlane]


def split(
    plane: memoryview, line_bytes: int, bits: int, size: tuple[int, int], columns: int
) -> Fields:
    """Top and bottom field of a luma plane in 8 bits a sample, thinned to so many columns at most. ``bits`` above 8: two bytes each, the
    lower first."""
    (width, lines), mode = (size[0], size[1] // 2), "L" if bits <= 8 else "I;16"
    line = line_bytes if bits <= 8 else line_bytes // 2
    samples: Any = plane[: 2 * lines * line_bytes]  # a buffer: more than Pillow's annotation names
    pairs = Image.frombuffer(mode, (2 * line, lines), samples, "raw", mode, 2 * line_bytes, 1)
    thin = width // -(-width // columns), lines
    top, bottom = (
        pairs.resize(thin, Image.Resampling.NEAREST, (left, 0, left + width, lines))
        for left in (0, line)
    )
    return FieldPlane(_upper_bits(top, bits)), FieldPlane(_upper_bits(bottom, bits))


def _upper_bits(plane: Image.Image, bits: int) -> Image.Image:
    """In 8 bits: all samples are shifted at once, as one number, after which the lower byte of each is what is wanted."""
    if bits <= 8:
        return plane
    samples = plane.tobytes()
    shifted = (int.from_bytes(samples, "little") >> (bits - 8)).to_bytes(len(samples), "little")
    return Image.frombytes("L", plane.size, shifted[::2])


def compare(now: Fields, before: Fields, *, step: int, fewest: int) -> FrameComparison | None:
    """Set a frame's fields against those of the frame before, of equal size. ``step``: 8-bit steps above which a place moves. None where
    fewer than ``fewest`` places have something near that moves."""
    changes = [
        ImageChops.difference(new.plane, old.plane) for new, old in zip(now, before, strict=True)
    ]
    top, bottom = (_above(change, step) for change in changes)
    # what moves about each line of the bottom field, and of the top field
    upper = ImageChops.lighter(
        ImageChops.lighter(_but_last(top), _but_first(top)), _but_last(bottom)
    )
    lower = ImageChops.lighter(
        ImageChops.lighter(_but_last(bottom), _but_first(bottom)), _but_first(top)
    )
    moving = upper.histogram()[255] + lower.histogram()[255]
    if moving < fewest:
        return None

    def combing(tops: FieldPlane, bottoms: FieldPlane) -> int:
        return _apart(tops.means, bottoms.front, upper) + _apart(bottoms.means, tops.rest, lower)

    below = _apart(
        now[0].plane, now[1].plane, ImageChops.lighter(top, bottom)
    )  # a line of the top field and the one below
    above = _apart(
        now[0].rest, now[1].front, ImageChops.lighter(_but_first(top), _but_last(bottom))
    )
    counts = [change.histogram() for change in changes]
    return FrameComparison(
        own=combing(*now),
        top_late=combing(now[0], before[1]),
        bottom_late=combing(before[0], now[1]),
        doubled=above - below,
        changes=(_sum(counts[0]), _sum(counts[1])),
        moves=(sum(counts[0][step + 1 :]), sum(counts[1][step + 1 :])),
    )


def _apart(one: Image.Image, other: Image.Image, moving: Image.Image) -> int:
    return _sum(ImageChops.darker(ImageChops.difference(one, other), moving).histogram())


def _above(plane: Image.Image, step: int) -> Image.Image:
    """255 where it is above the step, else 0: a steep line, cut off at both ends. ``point`` would round a table each time."""
    return ImageChops.add(plane, plane, scale=2 / 1000, offset=-1000 * step - 500)


def _but_last(plane: Image.Image) -> Image.Image:
    return plane.crop((0, 0, plane.width, plane.height - 1))


def _but_first(plane: Image.Image) -> Image.Image:
    return plane.crop((0, 1, plane.width, plane.height))


def _sum(counts: Sequence[int]) -> int:
    return sum(map(mul, counts, range(256)))
