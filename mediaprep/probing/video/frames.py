"""The few frames that are decoded: the first for size and orientation, some more for the scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.video import scan
from mediaprep.probing.video.scan import FieldContent
from mediaprep.tools import fieldfilters
from mediaprep.tools.pyav import ContainerReader, StreamInfo, VideoFrame

HEAD_PACKETS = scan.SCREEN_FRAMES + 6  # as many frames, and what a decoder holds back
MOST_SKIPPED = 100  # frames decoded again to get past what was seen, where key frames are far apart


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedFacts:
    """What decoding showed: of the first frame ``size``, ``pixel_format`` and ``matrix``; ``side_data`` over the frames; whether each is
    ``flagged`` as interlaced, and the ``parities`` of those that are (tff, bff); ``content`` None where the picture was not looked at.
    ``reason``: why no frame was decoded."""

    size: tuple[int, int] | None = None
    parities: frozenset[str] = frozenset()
    pixel_format: str | None = None
    matrix: tuple[int, ...] | None = None
    side_data: frozenset[str] = frozenset()
    flagged: tuple[bool, ...] = ()
    content: FieldContent | None = None
    pixel_grid: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingDepth:
    """How far to look: ``content`` at all; ``deep``: every window in full; ``doubt``: something says interlaced, so do not stop at the
    screen; ``span`` of the presented picture in seconds (start, end); None: it cannot be sought."""

    content: bool = True
    deep: bool = False
    doubt: bool = False
    span: tuple[Fraction, Fraction] | None = None


def look(
    reader: ContainerReader,
    info: StreamInfo,
    head: list[Any],
    wanted: SamplingDepth,
    max_pixels: int,
) -> DecodedFacts:
    """Decode the first frames (one, where the picture is larger than what is ever interlaced and nothing says that it is), and more where
    that leaves the scan in doubt. Never raises for what does not decode."""
    if info.width * info.height > max_pixels:
        return DecodedFacts(
            reason=f"{info.width}x{info.height} is more than the {max_pixels} pixels that are decoded"
        )
    small = min(info.width, info.height) <= scan.MOST_LINES
    few = not wanted.content or not (small or wanted.doubt or wanted.deep)
    try:
        most = (
            scan.SCREEN_FRAMES
            if info.width * info.height <= 1280 * 720
            else scan.SCREEN_FRAMES_LARGE
        )
        pictures = list(islice(reader.pictures(info.index, head), 1 if few else most))
    except SourceUnreadable as problem:
        return DecodedFacts(reason=problem.reason)
    if not pictures:
        return DecodedFacts(reason="no frame of the picture decodes: damaged or encrypted")
    first = pictures[0]
    order = (
        fieldfilters.FieldOrder(first) if any(picture.interlaced for picture in pictures) else None
    )
    return DecodedFacts(
        parities=frozenset(
            parity for picture in pictures if order and (parity := order.of(picture))
        ),
        size=first.size,
        pixel_format=first.pixel_format,
        matrix=first.matrix,
        side_data=frozenset().union(*(picture.side_data for picture in pictures[:2])),
        flagged=tuple(picture.interlaced for picture in pictures),
        content=None if few else _content(reader, info, pictures, wanted),
        pixel_grid=_pixel_grid(pictures),
    )


def _pixel_grid(pictures: list[VideoFrame]) -> int | None:
    """Of the first and the last picture, one of which may be blank; None where they contradict each other, or are not looked at."""
    grids = {grid for picture in (pictures[0], pictures[-1]) if (grid := picture.pixel_grid()) != 1}
    return 1 if not grids else grids.pop() if len(grids) == 1 else None


def _content(
    reader: ContainerReader, info: StreamInfo, pictures: list[VideoFrame], wanted: SamplingDepth
) -> FieldContent:
    doubt = likely = wanted.doubt or wanted.deep or any(picture.interlaced for picture in pictures)
    if not doubt:
        screened = scan.screen(pictures, fieldfilters.FieldDetector(pictures[0]))
        if not screened.interlaced:
            return screened.content("idet")
        likely = screened.likely
    tally = scan.FieldTally()
    windows = _windows(reader, info, pictures, wanted.span, lambda: likely or tally.decided > 0)
    return scan.measure(windows, deep=wanted.deep, only_screened=not doubt, tally=tally)


def _windows(
    reader: ContainerReader,
    info: StreamInfo,
    pictures: list[VideoFrame],
    span: tuple[Fraction, Fraction] | None,
    worth: Callable[[], bool],
) -> Iterator[Iterator[VideoFrame]]:
    """The frames at hand, then those after each of the places in the file, none twice. ``worth``: whether to decode again what lies between
    a key frame and what was not seen."""
    yield iter(pictures)
    if span is None or any(picture.pts is None for picture in pictures):
        return
    seen = max(picture.pts or 0 for picture in pictures)

    def fresh(window: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        nonlocal seen
        for count, picture in enumerate(window):
            if picture.pts is None or count > MOST_SKIPPED + scan.WINDOW_FRAMES:
                return
            if picture.pts > seen:
                seen = picture.pts
                yield picture
            elif not worth():
                return

    for place in scan.WINDOWS:
        yield fresh(reader.pictures_from(info.index, span[0] + (span[1] - span[0]) * place))
