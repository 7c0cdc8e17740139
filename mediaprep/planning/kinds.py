"""What each kind of media brings to a plan: its spans, what is asked of it by wishes, what else settles when something changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import Constraint
from mediaprep.model.media import Animation, Image, Kind, Media, Subtitle, Video
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement
from mediaprep.model.report import Safety
from mediaprep.model.tolerance import AtMostBytes, Tolerance
from mediaprep.planning import animation as animation_settle
from mediaprep.planning import image as image_settle
from mediaprep.planning import subtitle as subtitle_settle
from mediaprep.planning import video as video_settle
from mediaprep.rules.registry import Rule
from mediaprep.targets import conversion
from mediaprep.targets.cues import within_span
from mediaprep.targets.video import picture_encoded

Span: TypeAlias = tuple[Fraction, Fraction]
BY_WISH: Mapping[str, Kind] = {"video": "video", "gif": "animation"}


def target_kind(source: Media, options: Options) -> Kind | None:
    """The other kind that a wish asks for; None: it stays what it is."""
    wanted = BY_WISH.get(options.to)
    return None if wanted == source.kind else wanted


def with_declared_facts(source: Media, options: Options) -> Media:
    """The facts with what the wishes tell of the source (``--frame-rate``)."""
    return (
        video_settle.with_declared_facts(source, options) if isinstance(source, Video) else source
    )


def spans(
    source: Media, placement: Placement, options: Options
) -> tuple[Span | None, ...] | Refused:
    """The parts that are kept, one for each output; None: the whole."""
    seen = (
        conversion.as_video(source, placement)
        if isinstance(source, Animation) and placement.kind == "video"
        else source
    )
    if isinstance(seen, Refused):
        return seen
    if isinstance(seen, Video) and placement.kind == "video":
        return video_settle.spans(seen, placement, options)
    if (
        isinstance(seen, Video)
        and placement.kind == "animation"
        and isinstance(options.trim, tuple)
    ):
        return (options.trim,)
    return (None,)


def case(
    source: Media, placement: Placement, options: Options, limit: Constraint | None = None
) -> Case:
    """What a fix is given."""
    return Case(source=source, limit=limit, placement=placement, options=options)


def requested_changes(
    source: Media, span: Span | None, placement: Placement, options: Options
) -> Iterator[tuple[str, Media | Refused]]:
    """What the wishes change before any rule is asked: by the name of the wish."""
    means = case(source, placement, options)
    kind = target_kind(source, options)
    if isinstance(source, Video) and kind == "animation":
        yield "--to", conversion.as_gif(source, span, means)
    elif isinstance(source, Animation) and kind == "video":
        seen = conversion.as_video(source, placement)
        yield "--to", seen if isinstance(seen, Refused) else picture_encoded(seen, means)
        if isinstance(seen, Video):
            yield from video_settle.requested_changes(seen, span, means)
    elif isinstance(source, Video):
        yield from video_settle.requested_changes(source, span, means)
    elif isinstance(source, Animation) and placement.kind == "animation":
        yield from animation_settle.requested_changes(source, means)
    elif isinstance(source, Image) and placement.kind == "image":
        yield from image_settle.requested_changes(source, means)
    elif isinstance(source, Subtitle) and span is not None and source.cues is not None:
        cut = replace(source, cues=within_span(source.cues, span), clip_duration=span[1] - span[0])
        yield "--trim" if options.trim is not None else "--split", cut


def derive(
    source: Media, target: Media, placement: Placement, options: Options
) -> tuple[Media, tuple[Tolerance, ...]]:
    """What follows from the changes so far, and what is promised of facts that only the made file can tell."""
    if isinstance(source, Video) and isinstance(target, Video):
        return video_settle.derive(source, target, case(source, placement, options))
    if isinstance(source, Animation) and isinstance(target, Video):
        seen = conversion.as_video(source, placement)
        return (
            (target, ())
            if isinstance(seen, Refused)
            else video_settle.derive(seen, target, case(source, placement, options))
        )
    if isinstance(target, Animation) and placement.kind == "animation":
        return animation_settle.derive(source, target, case(source, placement, options))
    if (
        isinstance(source, Animation)
        and isinstance(target, Animation)
        and target != source
        and placement.kind == "image"
    ):
        if source.format != "gif" or source.size_bytes is None:
            return source, ()  # sent as a picture; only the comments of a GIF can be left out
        return replace(target, size_bytes=None), (AtMostBytes(limit=source.size_bytes, varies=()),)
    if isinstance(source, Image) and isinstance(target, Image) and placement.kind == "image":
        return image_settle.derive(source, target, case(source, placement, options))
    if isinstance(source, Subtitle) and isinstance(target, Subtitle):
        return subtitle_settle.derive(source, target, case(source, placement, options)), ()
    return target, ()


def unsatisfiable(
    source: Media, target: Media, tolerances: tuple[Tolerance, ...], placement: Placement
) -> tuple[str, Refused] | None:
    """The rule that no output can keep, and why; None: nothing stands in the way."""
    if not (isinstance(source, Video) and isinstance(target, Video)):
        return None
    return video_settle.unsatisfiable(source, target, tolerances, placement)


def safety(rule: Rule, fixed: Media, options: Options) -> Safety:
    """The rule's word, save where its fix did without an encode, or cuts content off as wished."""
    if (
        isinstance(fixed, Video)
        and not fixed.video.reencode
        and not (fixed.audio and fixed.audio.reencode)
    ):
        return "lossless"
    if isinstance(fixed, Image) and not fixed.reencode:
        return "lossless"
    return (
        "destructive" if rule.id == "video-aspect-ratio" and options.fit == "crop" else rule.safety
    )
