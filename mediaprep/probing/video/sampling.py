"""Decode a few frames: the first for size and orientation, some more for the scan type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.video import interlace
from mediaprep.probing.video.field_tally import FieldAnalysis, FieldTally
from mediaprep.tools import field_filters, pixel_grid
from mediaprep.tools.pyav import ContainerReader
from mediaprep.tools.pyav_frames import VideoFrame
from mediaprep.tools.pyav_streams import StreamInfo

HEAD_PACKETS = interlace.SCREEN_FRAMES + 6  # one per frame, and what a decoder holds back
_SMALL_PIXELS = 1280 * 720
# Frames that are decoded a second time to get past those that were sampled, if key frames are far
# apart.
_MOST_REPEATED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedFacts:
    """What the decoded frames show.

    size, pixel_format, matrix
                of the first frame; ``matrix``: its display matrix
    side_data   names of the first frames' side data
    flagged     the interlaced flag of each frame
    parities    field orders (tff, bff) of the flagged frames
    content     None: the frames were not analysed for interlace
    pixel_grid  whole factor by which pixel art was enlarged
    reason      why no frame was decoded
    """

    size: tuple[int, int] | None = None
    pixel_format: str | None = None
    matrix: tuple[int, ...] | None = None
    side_data: frozenset[str] = frozenset()
    flagged: tuple[bool, ...] = ()
    parities: frozenset[str] = frozenset()
    content: FieldAnalysis | None = None
    pixel_grid: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingDepth:
    """How many frames to sample, and where.

    content    analyse frames for interlace
    deep       measure every window in full
    suspected  a flag, or lines and rate, suggest interlace: do not stop at the screen
    span       start and end of the presented video in seconds; None: the stream cannot be sought
    """

    content: bool = True
    deep: bool = False
    suspected: bool = False
    span: tuple[Fraction, Fraction] | None = None


def sample_frames(
    reader: ContainerReader,
    info: StreamInfo,
    head: list[Any],
    depth: SamplingDepth,
    max_pixels: int,
) -> DecodedFacts:
    """Decode the first frames, and more if they leave the scan type undecided.

    One frame suffices if the picture has more lines than anything interlaced and nothing suggests
    interlace. ``head``: the first packets. Frames that do not decode raise nothing.
    """
    pixels = info.width * info.height
    if pixels > max_pixels:
        size = f"{info.width}x{info.height}"
        return DecodedFacts(reason=f"{size} exceeds the {max_pixels} pixels that are decoded")
    few_lines = min(info.width, info.height) <= interlace.MOST_LINES
    analyse = depth.content and (few_lines or depth.suspected or depth.deep)
    count = 1
    if analyse:
        small = pixels <= _SMALL_PIXELS
        count = interlace.SCREEN_FRAMES if small else interlace.SCREEN_FRAMES_LARGE
    try:
        frames = list(islice(reader.frames(info.index, head), count))
    except SourceUnreadable as problem:
        return DecodedFacts(reason=problem.reason)
    if not frames:
        return DecodedFacts(reason="no video frame can be decoded: damaged or encrypted")
    first = frames[0]
    return DecodedFacts(
        size=first.size,
        pixel_format=first.pixel_format,
        matrix=first.matrix,
        side_data=frozenset().union(*(frame.side_data for frame in frames[:2])),
        flagged=tuple(frame.interlaced for frame in frames),
        parities=_parities(frames),
        content=_analyse(reader, info, frames, depth) if analyse else None,
        pixel_grid=_pixel_grid(frames),
    )


def _parities(frames: list[VideoFrame]) -> frozenset[str]:
    if not any(frame.interlaced for frame in frames):
        return frozenset()
    order = field_filters.FieldOrder(frames[0])
    parities = (order.of(frame) for frame in frames)
    return frozenset(parity for parity in parities if parity is not None)


def _pixel_grid(frames: list[VideoFrame]) -> int | None:
    """Return the factor of the first and the last frame, one of which may be blank.

    None if they contradict each other, or are not analysed.
    """
    ends = (frames[0], frames[-1])
    factors = {factor for frame in ends if (factor := pixel_grid.enlargement(frame)) != 1}
    if not factors:
        return 1
    return factors.pop() if len(factors) == 1 else None


def _analyse(
    reader: ContainerReader, info: StreamInfo, frames: list[VideoFrame], depth: SamplingDepth
) -> FieldAnalysis:
    """Screen the first frames; measure windows of the file if that is inconclusive."""
    suspected = depth.suspected or depth.deep or any(frame.interlaced for frame in frames)
    mostly_combed = suspected
    if not suspected:
        screened = interlace.screen_frames(frames, field_filters.FieldDetector(frames[0]))
        if not screened.combed:
            return screened.analysis("idet")
        mostly_combed = screened.mostly_combed
    tally = FieldTally()
    windows = _windows(reader, info, frames, depth.span, lambda: mostly_combed or tally.decided > 0)
    return interlace.measure_windows(windows, tally, deep=depth.deep, only_screened=not suspected)


def _windows(
    reader: ContainerReader,
    info: StreamInfo,
    frames: list[VideoFrame],
    span: tuple[Fraction, Fraction] | None,
    may_repeat: Callable[[], bool],
) -> Iterator[Iterator[VideoFrame]]:
    """Yield the first frames, then windows after each position of the file; no frame twice.

    ``may_repeat``: whether it is worthwhile to decode frames again that lie between a key frame and
    the first new frame.
    """
    yield iter(frames)
    if span is None or any(frame.pts is None for frame in frames):
        return
    latest = max(frame.pts or 0 for frame in frames)

    def new_frames(window: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        nonlocal latest
        for count, frame in enumerate(window):
            if frame.pts is None or count > _MOST_REPEATED + interlace.WINDOW_FRAMES:
                return
            if frame.pts > latest:
                latest = frame.pts
                yield frame
            elif not may_repeat():
                return

    start, end = span
    for position in interlace.WINDOW_POSITIONS:
        yield new_frames(reader.frames_from(info.index, start + (end - start) * position))
