"""What is done to cues: order, times, overlaps, spans. Pure; times in seconds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model.media import Cue

READING = Fraction(
    2
)  # seconds that a cue without a length is shown, at most until the next: a common default of caption editors; ours


def in_order(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """By start, then end; equals keep their order."""
    return tuple(sorted(cues, key=lambda cue: (cue.start, cue.end)))


def with_times(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Swapped ends swapped back, times before 0 clamped to it, what ends before it left out, what has no length given one."""
    starts = sorted({cue.start for cue in cues})
    made: list[Cue] = []
    for cue in cues:
        start, end = max(Fraction(0), min(cue.start, cue.end)), max(cue.start, cue.end)
        if end <= 0:
            continue
        if end == start:
            following = next((other for other in starts if other > start), None)
            end = start + READING if following is None else min(start + READING, following)
        made.append(replace(cue, start=start, end=end))
    return tuple(made)


def without_empty(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Those that show something."""
    return tuple(cue for cue in cues if cue.text)


def without_overlap(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Each ends where the next begins at the latest; those that begin together become one."""
    made: list[Cue] = []
    for cue in in_order(cues):
        if made and made[-1].start == cue.start:
            made[-1] = replace(
                made[-1], end=max(made[-1].end, cue.end), text=f"{made[-1].text}\n{cue.text}"
            )
            continue
        if made and made[-1].end > cue.start:
            made[-1] = replace(made[-1], end=cue.start)
        made.append(cue)
    return tuple(made)


def within_span(cues: tuple[Cue, ...], span: tuple[Fraction, Fraction]) -> tuple[Cue, ...]:
    """What is shown in a span of the video, counted from its start, to the millisecond that files hold; bad times are mended first."""
    cues, (start, end) = with_times(cues), span
    length = end - start
    cut = (
        replace(
            cue,
            start=_ms(max(Fraction(0), cue.start - start)),
            end=_ms(min(length, cue.end - start)),
        )
        for cue in cues
    )
    return tuple(cue for cue in cut if cue.start < cue.end)


def _ms(seconds: Fraction) -> Fraction:
    return Fraction(int(seconds * 1000), 1000)
