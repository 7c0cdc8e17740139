"""Changes to cues: order, times, overlaps, spans. Times are seconds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model.media import Cue

# Seconds that a cue without a duration is shown, at most until the next cue: a common default of
# caption editors, and a choice of mediaprep.
_DEFAULT_DURATION = Fraction(2)


def in_order(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Sort cues by start, then by end; equal cues keep their order."""
    return tuple(sorted(cues, key=lambda cue: (cue.start, cue.end)))


def with_times(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Return the cues with valid times.

    Reversed times are swapped, starts before 0 become 0, cues that end before 0 are dropped, and
    cues without a duration get one.
    """
    starts = sorted({cue.start for cue in cues})
    valid: list[Cue] = []
    for cue in cues:
        start, end = max(Fraction(0), min(cue.start, cue.end)), max(cue.start, cue.end)
        if end <= 0:
            continue
        if end == start:
            end = start + _DEFAULT_DURATION
            following = next((other for other in starts if other > start), None)
            if following is not None:
                end = min(end, following)
        valid.append(replace(cue, start=start, end=end))
    return tuple(valid)


def without_empty(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Return the cues that have text."""
    return tuple(cue for cue in cues if cue.text)


def without_overlap(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """End each cue where the next one starts, at the latest; merge cues that start together."""
    separate: list[Cue] = []
    for cue in in_order(cues):
        last = separate[-1] if separate else None
        if last is not None and last.start == cue.start:
            merged = replace(last, end=max(last.end, cue.end), text=f"{last.text}\n{cue.text}")
            separate[-1] = merged
            continue
        if last is not None and last.end > cue.start:
            separate[-1] = replace(last, end=cue.start)
        separate.append(cue)
    return tuple(separate)


def within_span(cues: tuple[Cue, ...], span: tuple[Fraction, Fraction]) -> tuple[Cue, ...]:
    """Return the cues of a span of the video, with times from the start of the span.

    Invalid times are corrected first; the results are rounded to milliseconds, which files store.
    """
    start, length = span[0], span[1] - span[0]
    shifted = (
        replace(
            cue,
            start=_whole_milliseconds(max(Fraction(0), cue.start - start)),
            end=_whole_milliseconds(min(length, cue.end - start)),
        )
        for cue in with_times(cues)
    )
    return tuple(cue for cue in shifted if cue.start < cue.end)


def _whole_milliseconds(seconds: Fraction) -> Fraction:
    return Fraction(int(seconds * 1000), 1000)
