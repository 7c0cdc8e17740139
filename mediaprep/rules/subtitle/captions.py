"""Captions: format, encoding, and the times, order and text of their cues."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import OneOf, Required
from mediaprep.model.media import Cue, Subtitle
from mediaprep.model.placement import SubtitleEncoding
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, named, rule
from mediaprep.targets import cues

_BY_HAND = "mend the line by hand; nothing is guessed about it"


@rule("subtitle-format", kinds=("subtitle",), subject="caption format", facts=("format",))
def caption_format(source: Subtitle, limit: OneOf) -> Judgement:
    """What it checks: that captions are in the format that is taken (SRT), told from the content, never from the file's extension.

    Why it matters: WebVTT and ASS are answered with an error when the post is created, or shown as plain text.

    The fix: writes the same cues in that format. Bold, italic, underlined and coloured text stays so; positions, voices and styles, for
    which SRT has no words, are left out.
    """
    return named(source.format, "format", limit)


@fix(
    "subtitle-format",
    safety="lossy",
    says="write the same cues as SRT; positions and styles are left out",
)
def reformatted(target: Subtitle, case: Case) -> Subtitle | Refused:
    encoding = case.placement.encoding
    kept = _with(target, target.cues)
    form = encoding.format if isinstance(encoding, SubtitleEncoding) else "srt"
    return kept if isinstance(kept, Refused) else replace(target, format=form)


@rule("subtitle-encoding", kinds=("subtitle",), subject="text encoding", facts=("encoding",))
def encoding(source: Subtitle, limit: OneOf) -> Judgement:
    """What it checks: that the text is UTF-8, with or without a byte order mark.

    Why it matters: captions in other encodings show wrong characters, or none.

    The fix: writes the text as UTF-8. The encoding it has is told from its byte order mark, else from which of the usual ones gives words.
    """
    return named(source.encoding, "encoding", limit)


@fix("subtitle-encoding", safety="lossless", says="write the text as UTF-8")
def as_utf8(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _with(target, target.cues)


@rule("subtitle-cue-time", kinds=("subtitle",), subject="cue", facts=("cues",))
def cue_time(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: that each cue begins before it ends, and none before 0.

    Why it matters: a broken SRT is answered with a 503 when posting.

    The fix: a cue whose times are swapped is turned round, a beginning before 0 becomes 0, a cue that ends before 0 is left out, one
    without length is shown until the next, 2 s at most.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    bad = next(
        ((n, cue) for n, cue in enumerate(source.cues, 1) if not 0 <= cue.start < cue.end), None
    )
    if bad is None:
        return Passed(measured=f"{len(source.cues)} cues with a length")
    return Failed(measured=f"shown from {_span(bad[1])}", detail=f"cue {bad[0]}")


@fix(
    "subtitle-cue-time",
    safety="lossy",
    says="turn swapped times round, clamp negative ones to 0, give a length to what has none",
)
def with_times(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _with(target, None if target.cues is None else cues.with_times(target.cues))


@rule("subtitle-cue-order", kinds=("subtitle",), subject="order of cues", facts=("cues",))
def cue_order(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: that cues stand in the order of their times.

    Why it matters: a broken SRT is answered with a 503 when posting; some players skip what comes late.

    The fix: sorts them by their beginning, then their end, and numbers them anew.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    bad = next(
        (n for n, (one, other) in enumerate(pairwise(source.cues), 2) if other.start < one.start),
        None,
    )
    return (
        Passed(measured="in order")
        if bad is None
        else Failed(measured="not that of time", detail=f"cue {bad} begins before cue {bad - 1}")
    )


@fix("subtitle-cue-order", safety="lossless", says="sort the cues by time")
def in_order(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _with(target, None if target.cues is None else cues.in_order(target.cues))


@rule("subtitle-cue-empty", kinds=("subtitle",), subject="cue text", facts=("cues",))
def cue_empty(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: that each cue has text, and that there is a cue.

    Why it matters: an empty cue shows nothing; some readers take it for the end of the file.

    The fix: leaves empty cues out.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    if not source.cues:
        return Failed(
            measured="missing", detail="there is no cue", remedy="leave the captions away"
        )
    bad = next((n for n, cue in enumerate(source.cues, 1) if not cue.text), None)
    return (
        Passed(measured="text in each cue")
        if bad is None
        else Failed(measured="empty", detail=f"cue {bad}")
    )


@fix("subtitle-cue-empty", safety="lossless", says="leave empty cues out")
def without_empty(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _with(target, None if target.cues is None else cues.without_empty(target.cues))


@rule("subtitle-cue-overlap", kinds=("subtitle",), subject="cues", facts=("cues",))
def cue_overlap(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: that no cue begins before the one before it has ended.

    Why it matters: players show overlapping cues one over the other, side by side, or only one of them.

    The fix: ends each cue where the next begins; cues that begin together become one of several lines.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    ordered = cues.in_order(source.cues)
    bad = next(((one, other) for one, other in pairwise(ordered) if other.start < one.end), None)
    return (
        Passed(measured="apart")
        if bad is None
        else Failed(measured="overlapping", detail=f"{_span(bad[0])} and {_span(bad[1])}")
    )


@fix("subtitle-cue-overlap", safety="lossy", says="end each cue where the next begins")
def apart(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _with(target, None if target.cues is None else cues.without_overlap(target.cues))


@rule(
    "subtitle-duration",
    kinds=("subtitle",),
    subject="last cue's end",
    facts=("cues", "clip_duration"),
)
def duration(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: that cues end within the video's length, where a video is given.

    Why it matters: a cue after the video's end is never shown; it may be a sign that the captions belong to another cut.

    The fix: ends cues with the video, and leaves out those that begin after it.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    last = max((cue.end for cue in source.cues), default=Fraction(0))
    if source.clip_duration is None or last <= source.clip_duration:
        return Passed(measured=units.duration_text(last))
    return Failed(
        measured=units.duration_text(last),
        detail=f"the video lasts {units.duration_text(source.clip_duration)}",
    )


@fix("subtitle-duration", safety="lossy", says="end the captions with the video")
def within_clip(target: Subtitle, case: Case) -> Subtitle | Refused:
    if target.cues is None or target.clip_duration is None:
        return _with(target, target.cues)
    return _with(target, cues.within(target.cues, (Fraction(0), target.clip_duration)))


def _unread(target: Subtitle) -> Refused:
    why = next(
        (unknown.reason for unknown in target.unknown if unknown.fact == "cues"),
        "no reason is known",
    )
    return Refused(reason=f"the cues cannot be read: {why}", remedies=(_BY_HAND,))


def _span(cue: Cue) -> str:
    return f"{units.duration_text(cue.start)} to {units.duration_text(cue.end)}"


def _with(target: Subtitle, cues: tuple[Cue, ...] | None) -> Subtitle | Refused:
    """Whatever is written is UTF-8; its cues must be known."""
    if cues is None:
        return _unread(target)
    if not cues:
        return Refused(
            reason="no cue is left that could be shown", remedies=("leave the captions away",)
        )
    return replace(target, cues=cues, encoding="utf-8")
