"""What each kind of media brings to a plan: its spans, what is asked of it by wishes, what else settles when something changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import Constraint
from mediaprep.model.media import Animation, Image, Kind, Media, Subtitle, Video
from mediaprep.model.options import Wishes
from mediaprep.model.placement import Spec
from mediaprep.model.report import Safety
from mediaprep.model.tolerance import AtMostBytes, Promise
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


def becomes(have: Media, wishes: Wishes) -> Kind | None:
    """The other kind that a wish asks for; None: it stays what it is."""
    wanted = BY_WISH.get(wishes.to)
    return None if wanted == have.kind else wanted


def told(have: Media, wishes: Wishes) -> Media:
    """The facts with what the wishes tell of the source (``--frame-rate``)."""
    return video_settle.told(have, wishes) if isinstance(have, Video) else have


def spans(have: Media, spec: Spec, wishes: Wishes) -> tuple[Span | None, ...] | Refused:
    """The parts that are kept, one for each output; None: the whole."""
    seen = (
        conversion.as_video(have, spec)
        if isinstance(have, Animation) and spec.kind == "video"
        else have
    )
    if isinstance(seen, Refused):
        return seen
    if isinstance(seen, Video) and spec.kind == "video":
        return video_settle.spans(seen, spec, wishes)
    if isinstance(seen, Video) and spec.kind == "animation" and isinstance(wishes.trim, tuple):
        return (wishes.trim,)
    return (None,)


def case(have: Media, spec: Spec, wishes: Wishes, limit: Constraint | None = None) -> Case:
    """What a fix is given."""
    return Case(have=have, limit=limit, spec=spec, wishes=wishes)


def asked(
    have: Media, span: Span | None, spec: Spec, wishes: Wishes
) -> Iterator[tuple[str, Media | Refused]]:
    """What the wishes change before any rule is asked: by the name of the wish."""
    means = case(have, spec, wishes)
    kind = becomes(have, wishes)
    if isinstance(have, Video) and kind == "animation":
        yield "--to", conversion.as_gif(have, span, means)
    elif isinstance(have, Animation) and kind == "video":
        seen = conversion.as_video(have, spec)
        yield "--to", seen if isinstance(seen, Refused) else picture_encoded(seen, means)
        if isinstance(seen, Video):
            yield from video_settle.asked(seen, span, means)
    elif isinstance(have, Video):
        yield from video_settle.asked(have, span, means)
    elif isinstance(have, Animation) and spec.kind == "animation":
        yield from animation_settle.asked(have, means)
    elif isinstance(have, Image) and spec.kind == "image":
        yield from image_settle.asked(have, means)
    elif isinstance(have, Subtitle) and span is not None and have.cues is not None:
        cut = replace(have, cues=within(have.cues, span), clip_duration=span[1] - span[0])
        yield "--trim" if wishes.trim is not None else "--split", cut


def settle(
    have: Media, want: Media, spec: Spec, wishes: Wishes
) -> tuple[Media, tuple[Promise, ...]]:
    """What follows from the changes so far, and what is promised of facts that only the made file can tell."""
    if isinstance(have, Video) and isinstance(want, Video):
        return video_settle.settle(have, want, case(have, spec, wishes))
    if isinstance(have, Animation) and isinstance(want, Video):
        seen = conversion.as_video(have, spec)
        return (
            (want, ())
            if isinstance(seen, Refused)
            else video_settle.settle(seen, want, case(have, spec, wishes))
        )
    if isinstance(want, Animation) and spec.kind == "animation":
        return animation_settle.settle(have, want, case(have, spec, wishes))
    if (
        isinstance(have, Animation)
        and isinstance(want, Animation)
        and want != have
        and spec.kind == "image"
    ):
        if have.format != "gif" or have.size_bytes is None:
            return have, ()  # sent as a picture; only the comments of a GIF can be left out
        return replace(want, size_bytes=None), (AtMostBytes(limit=have.size_bytes, varies=()),)
    if isinstance(have, Image) and isinstance(want, Image) and spec.kind == "image":
        return image_settle.settle(have, want, case(have, spec, wishes))
    if isinstance(have, Subtitle) and isinstance(want, Subtitle):
        return subtitle_settle.settle(have, want, case(have, spec, wishes)), ()
    return want, ()


def impossible(
    have: Media, want: Media, promises: tuple[Promise, ...], spec: Spec
) -> tuple[str, Refused] | None:
    """The rule that no output can keep, and why; None: nothing stands in the way."""
    if not (isinstance(have, Video) and isinstance(want, Video)):
        return None
    return video_settle.impossible(have, want, promises, spec)


def safety(rule: Rule, fixed: Media, wishes: Wishes) -> Safety:
    """The rule's word, save where its fix did without an encode, or cuts content off as wished."""
    if isinstance(fixed, Video) and not fixed.video.anew and not (fixed.audio and fixed.audio.anew):
        return "lossless"
    if isinstance(fixed, Image) and not fixed.anew:
        return "lossless"
    return (
        "destructive" if rule.id == "video-aspect-ratio" and wishes.fit == "crop" else rule.safety
    )
