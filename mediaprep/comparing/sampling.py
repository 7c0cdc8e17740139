"""Pairs of pictures of source and output at the same presentation times, and votes on their timing.

A sample is a short run of pictures of the output and, around the same time, of the source. Runs are
taken at the source's key frames, where decoding is cheap: first, last, evenly spaced, and where
most
bits are spent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from mediaprep.comparing import geometry, picture
from mediaprep.comparing.geometry import Fit
from mediaprep.comparing.picture import SmallPicture
from mediaprep.tools.planes import ContentReader, DecodedPicture, PacketTime

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray

SAMPLES = 8
RUN_FRAMES = 3  # of the output at each sample time
MARGIN_FRAMES = 3  # of the source before and after
MOST_FRAMES = 24
_BLOCKS = 6  # of a picture, each way, for the error of a timing


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoExpectation:
    """What the output should show of the source.

    start   seconds of the source's presentation at which the output begins
    fit     how the shape was changed; None: find out
    """

    start: Fraction = Fraction(0)
    fit: Fit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two files: its reader, its video stream, time zero, shape, packets in order of
    time.
    """

    reader: ContentReader
    index: int
    zero: Fraction
    aspect: Fraction
    packets: tuple[PacketTime, ...]

    @property
    def frame_seconds(self) -> Fraction:
        """The usual time from one picture to the next."""
        gaps = [
            later.time - earlier.time
            for earlier, later in zip(self.packets, self.packets[1:], strict=False)
        ]
        return median(gaps) if gaps else Fraction(1, 25)

    @property
    def end(self) -> Fraction:
        """When the last picture is shown, on the presented clock."""
        return self.packets[-1].time - self.zero


@dataclass(frozen=True, slots=True)
class Vote:
    """How late one picture of the output is.

    at      seconds in the output
    late    seconds by which it shows what should have been shown earlier
    error   standard error of ``late``
    """

    at: float
    late: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An output picture beside the source's of the same time, and the votes of its run on
    timing.
    """

    at: Fraction
    source: SmallPicture
    output: SmallPicture
    votes: tuple[Vote, ...] = ()


def open_side(reader: ContentReader, zero: Fraction | None = None) -> Side | None:
    """Return a file's video with its packets listed; None where it has none."""
    index = reader.first("video")
    if index is None:
        return None
    packets = tuple(reader.packets(index))
    if not packets:
        return None
    return Side(
        reader=reader,
        index=index,
        zero=packets[0].time if zero is None else zero,
        aspect=reader.pixel_aspect(index),
        packets=packets,
    )


def sample_times(source: Side, output: Side, start: Fraction) -> list[Fraction]:
    """Return times of the source's clock worth looking at: key frames, evenly spread, with the
    first and last.
    """
    last = min(source.end, start + output.end)
    keys = [p.time - source.zero for p in source.packets if p.key]
    inside = [time for time in keys if start <= time <= last] or [start]
    step = max(1, math.ceil(len(inside) / SAMPLES))
    chosen = {start, *inside[::step], inside[-1]}
    busiest = max(source.packets, key=lambda p: 0 if p.key else p.size)
    before = [time for time in inside if time <= busiest.time - source.zero]
    return sorted(chosen | ({before[-1]} if before else set()))


def sampled_pairs(source: Side, output: Side, expected: VideoExpectation) -> Iterator[Pair]:
    """Yield the pairs of a short run of pictures at each sample time; costs few decoded frames
    each.
    """
    for time in sample_times(source, output, expected.start):
        begin = max(Fraction(0), time - expected.start + 2 * source.frame_seconds)
        run = pictures_between(output, begin, begin + RUN_FRAMES * output.frame_seconds)
        if not run:
            continue
        first, last = run[0].time - output.zero, run[-1].time - output.zero
        margin = MARGIN_FRAMES * max(source.frame_seconds, output.frame_seconds)
        around = pictures_between(
            source, first + expected.start - margin, last + expected.start + margin
        )
        if around:
            yield matched(source, output, expected, run, around)


def pictures_between(side: Side, start: Fraction, end: Fraction) -> list[DecodedPicture]:
    """Return the pictures shown from ``start`` to ``end`` on the side's clock, at most
    ``MOST_FRAMES``.
    """
    found: list[DecodedPicture] = []
    last = None
    for shown in side.reader.pictures(side.index, max(Fraction(0), start + side.zero)):
        time = shown.time - side.zero
        if time > end and found:
            break
        last = shown
        if time >= start:
            found.append(shown)
        if len(found) == MOST_FRAMES:
            break
    return found or ([last] if last is not None else [])


def matched(
    source: Side,
    output: Side,
    expected: VideoExpectation,
    run: Sequence[DecodedPicture],
    around: Sequence[DecodedPicture],
) -> Pair:
    """Return the pair of the run's first picture, and the votes of all on timing."""
    times = [float(one.time - source.zero) for one in around]
    slack = float(min(source.frame_seconds, output.frame_seconds)) / 2
    luma = [brought(source, output, expected, one, run[0], luma_only=True).luma for one in around]
    votes = []
    for shown in run:
        seconds = float(shown.time - output.zero)
        moment, error = best_moment(times, luma, own(output, shown, luma_only=True).luma)
        if moment is not None:
            due = times[number_due(times, seconds + float(expected.start), slack)]
            votes.append(Vote(seconds, due - moment, error))
    at = run[0].time - output.zero
    nearest = number_due(times, float(at + expected.start), slack)
    if votes and votes[0].at == float(at):
        moment = times[nearest] - votes[0].late
        nearest = min(range(len(times)), key=lambda number: abs(times[number] - moment))
    return Pair(
        at=at,
        source=brought(source, output, expected, around[nearest], run[0]),
        output=own(output, run[0]),
        votes=tuple(votes),
    )


def number_due(times: Sequence[float], time: float, slack: float) -> int:
    """Return which picture is shown at ``time``: the last that begins by then."""
    return max((n for n, begin in enumerate(times) if begin <= time + slack), default=0)


def best_moment(
    times: Sequence[float], frames: Sequence[Array], goal: Array
) -> tuple[float | None, float]:
    """Return the time whose picture is most like ``goal``, between frames too, and its standard
    error.

    The nearest frame, refined along the change from the frame before to the frame after: noise of
    an
    encode is not correlated with motion, so that slow motion is enough. None where nothing moves.
    """
    fitted = [levelled(frame, goal)[1] - frame for frame in frames]
    distances = [float((error**2).mean()) for error in fitted]
    best = min(range(len(frames)), key=lambda number: distances[number])
    before, after = max(0, best - 1), min(len(frames) - 1, best + 1)
    motion = frames[after] - frames[before]
    if before == after or float((motion**2).mean()) < 1e-6:
        return None, 0.0
    span = times[after] - times[before]
    share, error = _share(fitted[best], motion)
    return times[best] + min(0.75, max(-0.75, share)) * span, error * span


def _share(error: Array, motion: Array) -> tuple[float, float]:
    """Return how much of ``motion`` is in ``error`` (1 = all), and its standard error from block to
    block.
    """
    import numpy as np

    both, energy = in_blocks(error * motion), in_blocks(motion**2)
    share = float(both.sum() / max(energy.sum(), 1e-12))
    spread = float(np.sqrt(((both - share * energy) ** 2).sum()) / max(energy.sum(), 1e-12))
    return share, spread


def in_blocks(plane: Array) -> Array:
    """Return the sums of a plane over ``_BLOCKS`` x ``_BLOCKS`` blocks."""
    height, width = (size // _BLOCKS * _BLOCKS for size in plane.shape)
    cut = plane[:height, :width].reshape(_BLOCKS, height // _BLOCKS, _BLOCKS, width // _BLOCKS)
    return cut.sum(axis=(1, 3)).ravel()


def own(side: Side, shown: DecodedPicture, *, luma_only: bool = False) -> SmallPicture:
    """Return a picture upright at comparison size."""
    orientation = geometry.orientation_of(shown.turn)
    columns, rows = geometry.grid_size(*display_size(side, shown))
    return picture.small(shown, geometry.WHOLE, columns, rows, orientation, luma_only=luma_only)


def brought(
    source: Side,
    output: Side,
    expected: VideoExpectation,
    one: DecodedPicture,
    shown: DecodedPicture,
    *,
    luma_only: bool = False,
) -> SmallPicture:
    """Return a picture of the source as the output should show it, at comparison size."""
    target = display_size(output, shown)
    columns, rows = geometry.grid_size(*target)
    size = display_size(source, one)
    fit = expected.fit or likely_fit(size, target, shown)
    area = geometry.area_shown(size, target, fit)
    orientation = geometry.orientation_of(one.turn)
    coded = area_before_turn(area, orientation)
    return picture.small(one, coded, columns, rows, orientation, luma_only=luma_only)


def area_before_turn(area: geometry.Area, orientation: tuple[int, bool]) -> geometry.Area:
    """Return the part of the coded picture that is ``area`` of the upright one; centred areas
    only.
    """
    if geometry.swapped(orientation):
        return geometry.Area(area.top, area.left, area.bottom, area.right)
    return area


def display_size(side: Side, shown: DecodedPicture) -> tuple[float, float]:
    """Return width and height as displayed: upright, with square pixels."""
    width, height = shown.size[0] * float(side.aspect), float(shown.size[1])
    return (
        (height, width)
        if geometry.swapped(geometry.orientation_of(shown.turn))
        else (width, height)
    )


def likely_fit(
    source: tuple[float, float], target: tuple[float, float], shown: DecodedPicture
) -> Fit:
    """Return how a change of shape was made: bars on the output's edges stand for padding."""
    wide = source[0] / source[1] * target[1] / target[0]
    if abs(wide - 1.0) < 0.02:
        return "scale"
    return "pad" if has_bars(shown, horizontal=wide > 1.0) else "crop"


def has_bars(shown: DecodedPicture, *, horizontal: bool) -> bool:
    """Whether the edge lines of the first plane are flat and dark on both sides."""
    luma = shown.planes[0]
    edges = (luma[0], luma[-1]) if horizontal else (luma[:, 0], luma[:, -1])
    dark = 48 << (shown.bits - 8)
    return all(
        float(edge.max()) <= dark and float(edge.max() - edge.min()) <= dark / 4 for edge in edges
    )


def levelled(reference: Array, other: Array) -> tuple[Array, Array]:
    """Return both planes with the second's levels fitted to the first's, so that colour does not
    count.
    """
    import numpy as np

    spread = float(other.std())
    gain = float(np.cov(reference.ravel(), other.ravel())[0, 1]) / max(spread**2, 1e-9)
    return reference, (other - other.mean()) * gain + reference.mean()
