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
from mediaprep.targets.cues import within
from mediaprep.targets.video import picture_encoded

Span: TypeAlias = tuple[Fraction, Fraction]
BY_WISH: Mapping[str, Kind] = {"video": "video", "gif": "animation"}


def target_kind(have: Media, options: Options) -> Kind | None:
    """The other kind that a wish asks for; None: it stays what it is."""
    wanted = BY_WISH.get(options.to)
    return None if wanted == have.kind else wanted


def with_declared_facts(have: Media, options: Options) -> Media:
    """The facts with what the wishes tell of the source (``--frame-rate``)."""
    return video_settle.with_declared_facts(have, options) if isinstance(have, Video) else have


def spans(have: Media, placement: Placement, options: Options) -> tuple[Span | None, ...] | Refused:
    """The parts that are kept, one for each output; None: the whole."""
    seen = (
        conversion.as_video(have, placement)
        if isinstance(have, Animation) and placement.kind == "video"
        else have
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
    have: Media, placement: Placement, options: Options, limit: Constraint | None = None
) -> Case:
    """What a fix is given."""
    return Case(have=have, limit=limit, placement=placement, options=options)


def requested_changes(
    have: Media, span: Span | None, placement: Placement, options: Options
) -> Iterator[tuple[str, Media | Refused]]:
    """What the wishes change before any rule is asked: by the name of the wish."""
    means = case(have, placement, options)
    kind = target_kind(have, options)
    if isinstance(have, Video) and kind == "animation":
        yield "--to", conversion.as_gif(have, span, means)
    elif isinstance(have, Animation) and kind == "video":
        seen = conversion.as_video(have, placement)
        yield "--to", seen if isinstance(seen, Refused) else picture_encoded(seen, means)
        if isinstance(seen, Video):
            yield from video_settle.requested_changes(seen, span, means)
    elif isinstance(have, Video):
        yield from video_settle.requested_changes(have, span, means)
    elif isinstance(have, Animation) and placement.kind == "animation":
        yield from animation_settle.requested_changes(have, means)
    elif isinstance(have, Image) and placement.kind == "image":
        yield from image_settle.requested_changes(have, means)
    elif isinstance(have, Subtitle) and span is not None and have.cues is not None:
        cut = replace(have, cues=within(have.cues, span), clip_duration=span[1] - span[0])
        yield "--trim" if options.trim is not None else "--split", cut


def derive(
    have: Media, target: Media, placement: Placement, options: Options
) -> tuple[Media, tuple[Tolerance, ...]]:
    """What follows from the changes so far, and what is promised of facts that only the made file can tell."""
    if isinstance(have, Video) and isinstance(target, Video):
        return video_settle.derive(have, target, case(have, placement, options))
    if isinstance(have, Animation) and isinstance(target, Video):
        seen = conversion.as_video(have, placement)
        return (
            (target, ())
            if isinstance(seen, Refused)
            else video_settle.derive(seen, target, case(have, placement, options))
        )
    if isinstance(target, Animation) and placement.kind == "animation":
        return animation_settle.derive(have, target, case(have, placement, options))
    if (
        isinstance(have, Animation)
        and isinstance(target, Animation)
        and target != have
        and placement.kind == "image"
    ):
        if have.format != "gif" or have.size_bytes is None:
            return have, ()  # sent as a picture; only the comments of a GIF can be left out
        return replace(target, size_bytes=None), (AtMostBytes(limit=have.size_bytes, varies=()),)
    if isinstance(have, Image) and isinstance(target, Image) and placement.kind == "image":
        return image_settle.derive(have, target, case(have, placement, options))
    if isinstance(have, Subtitle) and isinstance(target, Subtitle):
        return subtitle_settle.derive(have, target, case(have, placement, options)), ()
    return target, ()


def unsatisfiable(
    have: Media, target: Media, tolerances: tuple[Tolerance, ...], placement: Placement
) -> tuple[str, Refused] | None:
    """The rule that no output can keep, and why; None: nothing stands in the way."""
    if not (isinstance(have, Video) and isinstance(target, Video)):
        return None
    return video_settle.unsatisfiable(have, target, tolerances, placement)


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
