"""Times of frames: which source frames an output frame may show, and wrong delays."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mediaprep.model.comparison import Difference

TICK = Fraction(1, 100)  # a GIF's clock
CANDIDATES = 6  # source frames that one output frame may stand for


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Starts of the frames of source and output on the output's clock; the last entry of each is
    the end.

    first   index of the source's frame that is shown first
    """

    source: tuple[Fraction, ...]
    output: tuple[Fraction, ...]
    first: int

    def candidates(self) -> tuple[range, ...]:
        """Return for each output frame the indices of the source frames that it may show.

        With as many frames on both sides each has its own; otherwise those whose time overlaps by
        more than the rounding to the output's clock.
        """
        last = len(self.source) - 2
        if len(self.source) == len(self.output):
            return tuple(range(self.first + n, self.first + n + 1) for n in range(last + 1))
        found = []
        for start, end in zip(self.output, self.output[1:], strict=False):
            low = bisect_right(self.source, start + TICK / 2) - 1
            high = bisect_left(self.source, end - TICK / 2)
            low = min(last, max(0, low))
            high = min(last + 1, max(low + 1, min(high, low + CANDIDATES)))
            found.append(range(self.first + low, self.first + high))
        return tuple(found)


def timeline(
    source: Sequence[Fraction], output: Sequence[Fraction], span: tuple[Fraction, Fraction] | None
) -> Timeline:
    """Return the times of both.

    ``span``: seconds of the source's first play that the output shows.
    """
    if span is None:
        return Timeline(source=tuple(source), output=tuple(output), first=0)
    begin, end = span[0], min(span[1], source[-1])
    first = max(0, bisect_right(source, begin) - 1)
    inside = [at - begin for at in source[first + 1 :] if at < end]
    shown = (Fraction(0), *inside, end - begin)
    return Timeline(source=shown, output=tuple(output), first=first)


def time_differences(times: Timeline, frame_count: int | None) -> list[Difference]:
    """Return wrong delays, a wrong duration, and frames that are missing or added.

    ``frame_count``: what the output should have; None: as many as the source's, or fewer.
    """
    made, wanted = len(times.output) - 1, len(times.source) - 1
    found = []
    if frame_count is not None and made != frame_count:
        found.append(_counted(made - frame_count))
    if made == wanted:
        return found + _delays(times)
    if made > wanted:
        return found or [_counted(made - wanted)]
    length, end = times.output[-1], times.source[-1]
    if abs(length - end) > 2 * TICK:
        message = f"the animation lasts {float(length):.2f} s instead of {float(end):.2f} s"
        found.append(Difference(aspect="timing", message=message))
    lost = [
        number
        for number, start in enumerate(times.output[:-1])
        if _distance(times.source, start) > TICK / 2
    ]
    if lost:
        start = times.output[lost[0]]
        message = (
            f"frame {lost[0] + 1} begins at {float(start):.2f} s,"
            f" where no frame of the source begins{likewise(len(lost))}"
        )
        found.append(Difference(aspect="timing", message=message, at=start))
    return found


def likewise(count: int) -> str:
    """Return how many other frames have the fault that a message reports of one."""
    if count <= 1:
        return ""
    return f" ({count - 1} other frame{'s' if count > 2 else ''} likewise)"


def _delays(times: Timeline) -> list[Difference]:
    """Compare delays one by one; each start may be rounded to the output's clock."""
    wrong = []
    drifted = []
    for number in range(len(times.output) - 1):
        wanted = times.source[number + 1] - times.source[number]
        shown = times.output[number + 1] - times.output[number]
        drift = abs(times.output[number + 1] - times.source[number + 1])
        off = abs(shown - wanted)
        if off > TICK or (off > TICK / 2 and drift > TICK / 2):
            wrong.append((off, -number))
        if drift > TICK / 2:
            drifted.append(number + 1)
    if wrong:
        off, number = max(wrong)
        at = -number
        shown = times.output[at + 1] - times.output[at]
        wanted = times.source[at + 1] - times.source[at]
        message = (
            f"frame {at + 1} is shown for {float(shown):.2f} s instead of {float(wanted):.2f} s"
            f"{likewise(len(wrong))}"
        )
        return [_timing(message, times.output[at], off)]
    if drifted:
        at = drifted[-1]
        off = abs(times.output[at] - times.source[at])
        name = f"frame {at + 1} begins" if at < len(times.output) - 1 else "the last frame ends"
        message = (
            f"the frames drift: {name} at {float(times.output[at]):.2f} s"
            f" instead of {float(times.source[at]):.2f} s"
        )
        return [_timing(message, times.output[at], off)]
    return []


def _timing(message: str, at: Fraction, off: Fraction) -> Difference:
    return Difference(
        aspect="timing", message=message, at=at, measured=float(off), limit=float(TICK / 2)
    )


def _distance(starts: Sequence[Fraction], time: Fraction) -> Fraction:
    """Return the distance of a time from the nearest start."""
    at = bisect_left(starts, time)
    return min(abs(start - time) for start in starts[max(0, at - 1) : at + 1])


def _counted(more: int) -> Difference:
    count, verb = abs(more), "added" if more > 0 else "missing"
    message = f"{count} frame{'s are' if count > 1 else ' is'} {verb}"
    return Difference(aspect="animation", message=message)
