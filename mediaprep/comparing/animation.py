"""Animations: frames of source and output as browsers show them, times and plays.

Every frame of the output is compared with the frame of the source that is shown at that time. Alpha
is compared pixel by pixel, colour on a grid of cells, since the output has a palette and may be
dithered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from mediaprep.comparing import thresholds
from mediaprep.comparing.cells import (
    CellColours,
    FrameFigures,
    FrameShaper,
    OutputFrame,
    SourceFrame,
    frame_figures,
    shows_another,
)
from mediaprep.comparing.compositor import ByteSource, FrameSequence, ShownFrame, open_frames
from mediaprep.comparing.shape import same_shape, size_difference, turned_words
from mediaprep.comparing.thresholds import Threshold
from mediaprep.comparing.timeline import Timeline, likewise, time_differences, timeline
from mediaprep.errors import SourceUnreadable
from mediaprep.model.comparison import Aspect, Comparison, Difference, Figure
from mediaprep.tools.reference_decoders import ReferenceUndecodable

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_ALL_PIXELS = 30_000_000  # canvas pixels of both sides that are all compared
_SAMPLES = 40  # frames compared where there are more pixels
_ANYWAY = 0.8  # share of the frames that is decoded anyway to show the sampled ones
_MOVES = 0.5  # mean distance, OKLab times 100, from which a frame may be one of its neighbours
_ONE_BIT = ("gif",)  # formats whose pixels are opaque or transparent


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationExpectation:
    """What the output of an animation may change.

    span          seconds of the source's first play that the output shows; None: all
    frame_count   frames that the output should have; None: any number, none of them invented
    plays         0 = for ever; None: as the source
    scale         the output may be smaller
    background    R, G, B that transparent parts were laid on; None: they stay transparent
    """

    span: tuple[Fraction, Fraction] | None = None
    frame_count: int | None = None
    plays: int | None = None
    scale: bool = True
    background: tuple[int, int, int] | None = None


def compare_animation(
    source: ByteSource, output: ByteSource, expected: AnimationExpectation
) -> Comparison:
    """Return how the output's frames, times and plays differ from the source's."""
    try:
        one = open_frames(source)
    except SourceUnreadable as problem:
        return Comparison(unknown=(f"the source's frames were not compared: {problem}",))
    try:
        other = open_frames(output)
    except SourceUnreadable as problem:
        message = f"the output's frames cannot be read: {problem}"
        return Comparison(
            differences=(Difference(aspect="animation", message=message),),
            compared=("animation",),
        )
    return _AnimationJudge(one, other, expected).result()


def composited_frames(
    source: ByteSource, times: Sequence[Fraction] | None = None
) -> Iterator[tuple[Fraction, Array]]:
    """Yield (time, height×width×4 RGBA) of the first play: every frame, or those at ``times``.

    The array is valid until the next one is yielded. Raises: SourceUnreadable,
    ReferenceUndecodable.
    """
    sequence = open_frames(source)
    wanted = None
    if times is not None:
        starts = sequence.starts()
        last = len(sequence.frames) - 1
        wanted = {min(last, max(0, bisect_right(starts, time) - 1)) for time in times}
    for frame in sequence.shown(wanted):
        yield frame.time, frame.rgba


@dataclass(frozen=True, slots=True)
class _FrameCheck:
    """A check of every frame.

    figure    field of FrameFigures that must not exceed the limit
    message   {n}: number of the frame, {v}: the figure, {s}: s for a plural
    named     figure that the message names instead
    """

    figure: str
    limit: Threshold
    aspect: Aspect
    message: str
    named: str | None = None


_CHECKS = (
    _FrameCheck(
        figure="ghost",
        limit=thresholds.ALPHA_PIXELS,
        aspect="alpha",
        message="frame {n} shows a ghost: {v:,.0f} pixel{s} should be transparent",
    ),
    _FrameCheck(
        figure="hole",
        limit=thresholds.ALPHA_PIXELS,
        aspect="alpha",
        message="frame {n} has holes: {v:,.0f} pixel{s} should be opaque",
    ),
    _FrameCheck(
        figure="alpha",
        limit=thresholds.CELL_ALPHA,
        aspect="alpha",
        message="the alpha of frame {n} differs by {v:.0%} in one place",
    ),
    _FrameCheck(
        figure="stale",
        limit=thresholds.STALE_CELLS,
        aspect="animation",
        message="frame {n} shows a ghost: about {v:,.0f} pixel{s} still show the frame before",
        named="stale_pixels",
    ),
    _FrameCheck(
        figure="mean",
        limit=thresholds.FRAME_COLOUR,
        aspect="colour",
        message="the colours of frame {n} differ by {v:.1f} on average (2 is just visible)",
    ),
    _FrameCheck(
        figure="cast",
        limit=thresholds.FRAME_CAST,
        aspect="colour",
        message="the colours of frame {n} are shifted by {v:.1f} on average (2 is just visible)",
    ),
    _FrameCheck(
        figure="worst",
        limit=thresholds.CELL_COLOUR,
        aspect="colour",
        message="about {v:,.0f} pixel{s} of frame {n} have another colour",
        named="far",
    ),
)
_EXPLAINED_BY = {"worst": ("stale", "mean"), "cast": ("mean", "worst")}


class _AnimationJudge:
    """Judges an output's frames against a source's, and says in one line each what is wrong."""

    def __init__(
        self, source: FrameSequence, output: FrameSequence, expected: AnimationExpectation
    ) -> None:
        self._source, self._output, self._expected = source, output, expected
        self._shaper = FrameShaper(output.width, output.height, expected.background)
        self._differences: list[Difference] = []
        self._unknown: list[str] = []
        self._failed: dict[str, list[tuple[float, int, float]]] = {}
        self._neighbours: list[int] = []
        self._worst = FrameFigures()
        self._turn: str | None = None

    def result(self) -> Comparison:
        """Compare everything that can be compared."""
        self._plays()
        times = timeline(self._source.starts(), self._output.starts(), self._expected.span)
        self._differences += time_differences(times, self._expected.frame_count)
        figures: tuple[Figure, ...] = ()
        if self._size():
            self._frames(times)
            figures = self._judged()
        aspects: tuple[Aspect, ...] = ("animation", "timing", "picture", "alpha", "colour")
        return Comparison(
            differences=tuple(self._differences),
            figures=figures,
            compared=aspects,
            unknown=tuple(self._unknown),
        )

    def _differs(self, aspect: Aspect, message: str, **more: Any) -> None:
        self._differences.append(Difference(aspect=aspect, message=message, **more))

    def _plays(self) -> None:
        wanted = self._source.plays if self._expected.plays is None else self._expected.plays
        if wanted is None:
            self._unknown.append("readers disagree how often the source plays")
        elif self._output.plays not in (None, wanted) and len(self._output.frames) > 1:
            self._differs(
                "animation",
                f"the animation plays {_plays_words(self._output.plays)}"
                f" instead of {_plays_words(wanted)}",
            )

    def _size(self) -> bool:
        """Judge the canvas; return False if its shape differs: then frames cannot be compared."""
        size = self._source.width, self._source.height
        made = self._output.width, self._output.height
        words = size_difference(size, made, scale=self._expected.scale)
        if same_shape(size, made):
            if words is not None:
                self._differs("picture", words)
            return True
        self._differs("picture", self._first_turn() or words or "")
        return False

    def _first_turn(self) -> str | None:
        """Return what is wrong with the orientation of the first frame, if that is the fault."""
        cells = []
        try:
            for sequence in (self._source, self._output):
                shaper = FrameShaper(sequence.width, sequence.height, self._expected.background)
                cells += [
                    shaper.output_frame(shown, colours=True).cells for shown in sequence.shown({0})
                ]
        except ReferenceUndecodable:
            return None
        one, other = cells
        return None if one is None or other is None else _turned(one, other)

    # -- frames

    def _frames(self, times: Timeline) -> None:
        candidates = times.candidates()
        compared, alpha_only = self._sampled(candidates)
        needed = {
            index
            for number in compared
            for index in range(candidates[number].start - 1, candidates[number].stop + 1)
        }
        more = _indices(candidates, alpha_only) - needed
        source = _Window(self._source.shown(needed | more), self._shaper, needed)
        try:
            for shown in self._output.shown(compared | alpha_only):
                meant = candidates[shown.index]
                try:
                    around = source.between(meant.start - 1, meant.stop + 1)
                except ReferenceUndecodable as problem:
                    self._unknown.append(f"the source's frames cannot all be decoded: {problem}")
                    break
                frame = self._shaper.output_frame(shown, colours=shown.index in compared)
                self._frame(shown.index, frame, around, meant)
        except ReferenceUndecodable as problem:
            self._differs("animation", f"the output's frames cannot all be decoded: {problem}")

    def _sampled(self, candidates: Sequence[range]) -> tuple[set[int], set[int]]:
        """Return the output frames to compare, and further ones of which alpha is compared.

        All are compared where they have few pixels. Otherwise some that are evenly spread, and
        alpha of the others if something shows through, or if they have to be decoded anyway.
        """
        count = len(self._output.frames)
        everything = set(range(count))
        pixels = self._output.width * self._output.height * count
        pixels += self._source.width * self._source.height * len(self._source.frames)
        if pixels <= _ALL_PIXELS or count <= _SAMPLES:
            return everything, set()
        chosen = {round(i * (count - 1) / (_SAMPLES - 1)) for i in range(_SAMPLES)}
        wanted = _indices(candidates, chosen)
        decoded = len(self._output.drawn(chosen)) >= _ANYWAY * count
        if decoded and len(self._source.drawn(wanted)) >= _ANYWAY * len(self._source.frames):
            return chosen, everything - chosen
        few = (0, count // 2, count - 1)
        starts = [candidates[number].start for number in few]
        if _shows_through(self._output, few) or _shows_through(self._source, starts):
            return chosen, everything - chosen
        return chosen, set()

    def _frame(
        self, index: int, output: OutputFrame, around: Sequence[SourceFrame], meant: range
    ) -> None:
        """Judge one output frame against the best of the source frames that it may show."""
        judged = {}
        for position, frame in enumerate(around):
            if frame.index in meant:
                before = around[position - 1] if position else None
                judged[frame.index] = frame_figures(frame, before, output, self._shaper)
        if not judged:
            return
        best = min(judged, key=lambda index: judged[index].badness)
        figures = judged[best]
        self._worst = _largest(self._worst, figures)
        failed = [
            check for check in self._checks() if getattr(figures, check.figure) > check.limit.limit
        ]
        right = next(frame for frame in around if frame.index == best)
        others = [frame for frame in around if frame.index not in meant]
        if figures.mean > _MOVES and shows_another(output, right, others):
            self._neighbours.append(index + 1)
            return
        shaped = any(check.aspect != "alpha" for check in failed)
        if shaped and self._turn is None and right.cells and output.cells:
            self._turn = _turned(right.cells, output.cells)
        for check in failed:
            value = getattr(figures, check.figure)
            named = getattr(figures, check.named or check.figure)
            self._failed.setdefault(check.figure, []).append((value, -index - 1, named))

    def _checks(self) -> tuple[_FrameCheck, ...]:
        if self._output.form in _ONE_BIT:
            return tuple(check for check in _CHECKS if check.figure != "alpha")
        return _CHECKS

    # -- the result

    def _judged(self) -> tuple[Figure, ...]:
        """Add a difference for each check that frames failed; return the worst figures."""
        if self._turn is not None:
            self._differs("picture", self._turn)
        elif self._neighbours:
            first = self._neighbours[0]
            self._differs(
                "animation",
                f"frame {first} shows the frame before or after it"
                f"{likewise(len(self._neighbours))}",
                at=self._output.starts()[first - 1],
            )
        if self._turn is None:
            for check in self._checks():
                if not any(name in self._failed for name in _EXPLAINED_BY.get(check.figure, ())):
                    self._frame_difference(check)
        return tuple(
            Figure(
                name=check.limit.name,
                value=getattr(self._worst, check.figure),
                limit=check.limit.limit,
            )
            for check in self._checks()
        )

    def _frame_difference(self, check: _FrameCheck) -> None:
        found = self._failed.get(check.figure)
        if not found:
            return
        value, place, named = max(found)
        number = -place
        words = check.message.format(n=number, v=named, s="" if round(named) == 1 else "s")
        self._differs(
            check.aspect,
            f"{words}{likewise(len(found))}",
            at=self._output.starts()[number - 1],
            measured=value,
            limit=check.limit.limit,
        )


class _Window:
    """Source frames in ascending order, of which only the last few are held."""

    def __init__(
        self, frames: Iterator[ShownFrame], shaper: FrameShaper, coloured: Collection[int]
    ) -> None:
        self._frames, self._shaper, self._coloured = frames, shaper, coloured
        self._held: list[SourceFrame] = []

    def between(self, first: int, end: int) -> list[SourceFrame]:
        """Return the frames from ``first`` to before ``end`` that there are.

        Raises: ReferenceUndecodable.
        """
        while not self._held or self._held[-1].index < end - 1:
            shown = next(self._frames, None)
            if shown is None:
                break
            colours = shown.index in self._coloured
            self._held.append(self._shaper.source_frame(shown, colours=colours))
        self._held = [frame for frame in self._held if frame.index >= first]
        return [frame for frame in self._held if frame.index < end]


def _indices(candidates: Sequence[range], numbers: Iterable[int]) -> set[int]:
    """Return the source frames that these output frames may show."""
    return {index for number in numbers for index in candidates[number]}


def _shows_through(sequence: FrameSequence, numbers: Iterable[int]) -> bool:
    """Whether one of some frames has transparent pixels; one that cannot be decoded has none."""
    try:
        return any(bool((shown.rgba[..., 3] < 255).any()) for shown in sequence.shown(set(numbers)))
    except ReferenceUndecodable:
        return False


def _largest(one: FrameFigures, other: FrameFigures) -> FrameFigures:
    names = [item.name for item in fields(FrameFigures)]
    return FrameFigures(**{name: max(getattr(one, name), getattr(other, name)) for name in names})


def _turned(reference: CellColours, other: CellColours) -> str | None:
    """Return what is wrong with the orientation if another one fits far better."""
    return turned_words(reference.lab[..., 0], other.lab[..., 0])


def _plays_words(plays: int | None) -> str:
    if plays == 0:
        return "for ever"
    return "once" if plays == 1 else f"{plays} times"
