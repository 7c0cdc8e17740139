"""Format and encoding of captions; times, order and text of their cues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from mediaprep.model import containers, units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limit_forms import OneOfForm, RequiredForm
from mediaprep.model.limits import OneOf, Required
from mediaprep.model.media import Cue, Subtitle
from mediaprep.model.placement import SubtitleEncoding
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, judge_name, rule
from mediaprep.targets import cues

_BY_HAND = "correct the line by hand; mediaprep does not guess"
_WITHOUT_CAPTIONS = "upload the video without captions"


@rule(
    "subtitle-format",
    kinds=("subtitle",),
    subject="caption format",
    limit=OneOfForm(names=containers.names("subtitle")),
    facts=("format",),
)
def caption_format(source: Subtitle, limit: OneOf) -> Judgement:
    """What it checks: the captions have the format that the platform accepts, such as SRT. The
    format is detected from the content; the file name extension is ignored.

    Why it matters: captions in another format are rejected when the post is created, or shown as
    plain text.

    The fix: writes the same cues in the accepted format. Bold, italic, underlined and coloured text
    is kept. Positions, voices and styles, which SRT cannot express, are dropped.
    """
    return judge_name(source.format, "format", limit)


@fix(
    "subtitle-format",
    safety="lossy",
    summary="write the same cues as SRT; positions and styles are dropped",
)
def reformatted(target: Subtitle, case: Case) -> Subtitle | Refused:
    rewritten = _rewritten(target, target.cues)
    if isinstance(rewritten, Refused):
        return rewritten
    encoding = case.placement.encoding
    form = encoding.format if isinstance(encoding, SubtitleEncoding) else "srt"
    return replace(target, format=form)


@rule(
    "subtitle-encoding",
    kinds=("subtitle",),
    subject="text encoding",
    limit=OneOfForm(names=("utf-8",)),
    facts=("encoding",),
)
def encoding(source: Subtitle, limit: OneOf) -> Judgement:
    """What it checks: the text is encoded as UTF-8, with or without a byte order mark.

    Why it matters: captions in other encodings show wrong characters, or none.

    The fix: writes the text as UTF-8. The present encoding is detected from the byte order mark,
    otherwise by trying the common encodings and comparing the words that result.
    """
    return judge_name(source.encoding, "encoding", limit)


@fix("subtitle-encoding", safety="lossless", summary="write the text as UTF-8")
def as_utf8(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _rewritten(target, target.cues)


@rule(
    "subtitle-cue-time",
    kinds=("subtitle",),
    subject="cue",
    limit=RequiredForm(text="cues that start before they end, none before 0"),
    facts=("cues",),
)
def cue_time(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: each cue starts before it ends, and none starts before 0.

    Why it matters: an invalid SRT file makes the server answer 503 when the post is created.

    The fix: swaps start and end if they are reversed, moves a start before 0 to 0, and drops cues
    that end before 0. A cue without a duration is shown until the next cue, but at most 2 s.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    for number, cue in enumerate(source.cues, 1):
        if not 0 <= cue.start < cue.end:
            return Failed(measured=f"shown from {_span(cue)}", detail=f"cue {number}")
    return Passed(measured=f"{len(source.cues)} cues with a duration")


@fix(
    "subtitle-cue-time",
    safety="lossy",
    summary="swap reversed times, move negative ones to 0, give each cue a duration",
)
def with_times(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _changed(target, cues.with_times)


@rule(
    "subtitle-cue-order",
    kinds=("subtitle",),
    subject="order of cues",
    limit=RequiredForm(text="cues in order of time"),
    facts=("cues",),
)
def cue_order(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: the cues are in the order of their start times.

    Why it matters: an invalid SRT file makes the server answer 503 when the post is created, and
    some players skip cues that come late.

    The fix: sorts the cues by start time, then by end time, and renumbers them.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    for number, (previous, cue) in enumerate(pairwise(source.cues), 2):
        if cue.start < previous.start:
            return Failed(
                measured="not by time", detail=f"cue {number} starts before cue {number - 1}"
            )
    return Passed(measured="by time")


@fix("subtitle-cue-order", safety="lossless", summary="sort the cues by time")
def in_order(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _changed(target, cues.in_order)


@rule(
    "subtitle-cue-empty",
    kinds=("subtitle",),
    subject="cue text",
    limit=RequiredForm(text="no empty cue"),
    facts=("cues",),
)
def cue_empty(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: there is at least one cue, and each cue has text.

    Why it matters: an empty cue shows nothing, and some parsers take it for the end of the file.

    The fix: drops empty cues. Nothing that was visible is lost.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    if not source.cues:
        return Failed(measured="missing", detail="the file has no cue", remedy=_WITHOUT_CAPTIONS)
    for number, cue in enumerate(source.cues, 1):
        if not cue.text:
            return Failed(measured="empty", detail=f"cue {number}")
    return Passed(measured="text in each cue")


@fix("subtitle-cue-empty", safety="lossless", summary="drop empty cues")
def without_empty(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _changed(target, cues.without_empty)


@rule(
    "subtitle-cue-overlap",
    kinds=("subtitle",),
    subject="cues",
    limit=RequiredForm(text="no cues that overlap"),
    facts=("cues",),
)
def cue_overlap(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: no cue starts before the previous one has ended.

    Why it matters: players show overlapping cues above each other, side by side, or show only one
    of them.

    The fix: ends each cue where the next one starts. Cues that start together become one cue of
    several lines.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    for previous, cue in pairwise(cues.in_order(source.cues)):
        if cue.start < previous.end:
            return Failed(measured="overlapping", detail=f"{_span(previous)} and {_span(cue)}")
    return Passed(measured="one after another")


@fix("subtitle-cue-overlap", safety="lossy", summary="end each cue where the next one starts")
def apart(target: Subtitle, case: Case) -> Subtitle | Refused:
    return _changed(target, cues.without_overlap)


@rule(
    "subtitle-duration",
    kinds=("subtitle",),
    subject="end of the last cue",
    limit=RequiredForm(text="cues within the duration of the video"),
    facts=("cues", "clip_duration"),
)
def duration(source: Subtitle, limit: Required) -> Judgement:
    """What it checks: all cues end within the duration of the video, if a video is given.

    Why it matters: a cue after the end of the video is never shown. It may also mean that the
    captions belong to another cut.

    The fix: ends cues with the video, and drops cues that start after its end.
    """
    if source.cues is None:
        return Unknown(fact="cues", remedy=_BY_HAND)
    last = max((cue.end for cue in source.cues), default=Fraction(0))
    measured = units.duration_text(last)
    if source.clip_duration is None or last <= source.clip_duration:
        return Passed(measured=measured)
    return Failed(
        measured=measured, detail=f"the video lasts {units.duration_text(source.clip_duration)}"
    )


@fix("subtitle-duration", safety="lossy", summary="end the captions with the video")
def within_clip(target: Subtitle, case: Case) -> Subtitle | Refused:
    length = target.clip_duration
    if length is None:
        return _rewritten(target, target.cues)
    return _changed(target, lambda all_cues: cues.within_span(all_cues, (Fraction(0), length)))


def _changed(
    target: Subtitle, change: Callable[[tuple[Cue, ...]], tuple[Cue, ...]]
) -> Subtitle | Refused:
    """Return the captions with changed cues; refuse if the cues are unknown or none is left."""
    return _rewritten(target, None if target.cues is None else change(target.cues))


def _rewritten(target: Subtitle, cues: tuple[Cue, ...] | None) -> Subtitle | Refused:
    """Return the captions with these cues, in UTF-8 as every output; refuse if there are none."""
    if cues is None:
        reasons = (unknown.reason for unknown in target.unknown if unknown.fact == "cues")
        reason = next(reasons, "no reason is known")
        return Refused(reason=f"the cues cannot be read: {reason}", remedies=(_BY_HAND,))
    if not cues:
        return Refused(reason="no cue is left to show", remedies=(_WITHOUT_CAPTIONS,))
    return replace(target, cues=cues, encoding="utf-8")


def _span(cue: Cue) -> str:
    return f"{units.duration_text(cue.start)} to {units.duration_text(cue.end)}"
