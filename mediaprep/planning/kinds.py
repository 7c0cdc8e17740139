"""The steps of a plan that depend on the kind of media: each calls the module of the kind. Pure."""

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
from mediaprep.planning import animation, image, subtitle, video
from mediaprep.rules import Rule
from mediaprep.targets import conversion
from mediaprep.targets.cues import within_span
from mediaprep.targets.video import picture_encoded

Span: TypeAlias = tuple[Fraction, Fraction]
CONVERTIBLE: Mapping[str, Kind] = {"video": "video", "gif": "animation"}  # by the value of --to


def target_kind(source: Media, options: Options) -> Kind | None:
    """Return the other kind that ``--to`` requests; None: the kind stays."""
    requested = CONVERTIBLE.get(options.to)
    return None if requested == source.kind else requested


def with_declared_facts(source: Media, options: Options) -> Media:
    """Return the facts completed by those that options declare (``--frame-rate``)."""
    return video.with_declared_facts(source, options) if isinstance(source, Video) else source


def spans(
    source: Media, placement: Placement, options: Options
) -> tuple[Span | None, ...] | Refused:
    """Return the spans of the source to keep, one for each output; None: the whole source."""
    shown: Media | Refused = source
    if isinstance(source, Animation) and placement.kind == "video":
        shown = conversion.as_video(source, placement)
    if isinstance(shown, Refused):
        return shown
    if isinstance(shown, Video) and placement.kind == "video":
        return video.spans(shown, placement, options)
    to_gif = isinstance(shown, Video) and placement.kind == "animation"
    return (options.trim,) if to_gif and isinstance(options.trim, tuple) else (None,)


def case(
    source: Media, placement: Placement, options: Options, limit: Constraint | None = None
) -> Case:
    """Return the circumstances of a fix."""
    return Case(source=source, limit=limit, placement=placement, options=options)


def requested_changes(
    source: Media, span: Span | None, placement: Placement, options: Options
) -> Iterator[tuple[str, Media | Refused]]:
    """Yield each option that changes the facts before any rule is checked, and the new facts."""
    current = case(source, placement, options)
    kind = target_kind(source, options)
    if isinstance(source, Video) and kind == "animation":
        yield "--to", conversion.as_gif(source, span, current)
    elif isinstance(source, Animation) and kind == "video":
        converted = conversion.as_video(source, placement)
        if isinstance(converted, Refused):
            yield "--to", converted
            return
        yield "--to", picture_encoded(converted, current)
        yield from video.requested_changes(converted, span, current)
    elif isinstance(source, Video):
        yield from video.requested_changes(source, span, current)
    elif isinstance(source, Animation) and placement.kind == "animation":
        yield from animation.requested_changes(source, current)
    elif isinstance(source, Image) and placement.kind == "image":
        yield from image.requested_changes(source, current)
    elif isinstance(source, Subtitle) and span is not None and source.cues is not None:
        cues = within_span(source.cues, span)
        option = "--trim" if options.trim is not None else "--split"
        yield option, replace(source, cues=cues, clip_duration=span[1] - span[0])


def derive(
    source: Media, target: Media, placement: Placement, options: Options
) -> tuple[Media, tuple[Tolerance, ...]]:
    """Return the target with the consequences of its changes, and the tolerances.

    A tolerance covers a fact that is None because only the output can settle it.
    """
    current = case(source, placement, options)
    if isinstance(target, Video):
        original: Media | Refused = source
        if isinstance(source, Animation):
            original = conversion.as_video(source, placement)
        return (
            video.derive(original, target, current) if isinstance(original, Video) else (target, ())
        )
    if isinstance(target, Animation) and placement.kind == "animation":
        return animation.derive(source, target, current)
    if isinstance(source, Animation) and isinstance(target, Animation):
        return _animation_as_image(source, target, placement)
    if isinstance(source, Image) and isinstance(target, Image) and placement.kind == "image":
        return image.derive(source, target, current)
    if isinstance(source, Subtitle) and isinstance(target, Subtitle):
        return subtitle.derive(source, target, current), ()
    return target, ()


def _animation_as_image(
    source: Animation, target: Animation, placement: Placement
) -> tuple[Animation, tuple[Tolerance, ...]]:
    """Derive for an animation that is uploaded as an image: only a GIF loses its comments."""
    if target == source or placement.kind != "image":
        return target, ()
    if source.format != "gif" or source.size_bytes is None:
        return source, ()
    return replace(target, size_bytes=None), (AtMostBytes(limit=source.size_bytes, varies=()),)


def unsatisfiable(
    source: Media, target: Media, tolerances: tuple[Tolerance, ...], placement: Placement
) -> tuple[str, Refused] | None:
    """Return the rule that no output can satisfy, and the reason; None: there is none."""
    if not (isinstance(source, Video) and isinstance(target, Video)):
        return None
    return video.unsatisfiable(source, target, tolerances, placement)


def safety(rule: Rule, fixed: Media, options: Options) -> Safety:
    """Return the safety of a fix as it was done.

    It is lossless if nothing was encoded, and destructive if ``--fit crop`` cuts the picture.
    """
    encoded = True
    if isinstance(fixed, Video):
        encoded = fixed.video.reencode or (fixed.audio is not None and fixed.audio.reencode)
    elif isinstance(fixed, Image):
        encoded = fixed.reencode
    if not encoded:
        return "lossless"
    cropped = rule.id == "video-aspect-ratio" and options.fit == "crop"
    return "destructive" if cropped else rule.safety
