"""Animations: frames, delays, loop and size by a walk over the blocks; frames are decoded only for transparency and the pixel grid."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from mediaprep.errors import SourceUnreadable
from mediaprep.model import containers
from mediaprep.model.media import Animation, UnknownFact
from mediaprep.probing.formats import walkers
from mediaprep.probing.formats.animations import MAX_DELAYS, AnimationFacts
from mediaprep.probing.identify.private import private_items
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.request import ReadRequest, wants
from mediaprep.runtime.source import Source
from mediaprep.tools import pilframes


def read_animation(source: Source, sniffed: Sniffed, request: ReadRequest) -> Animation:
    """The facts of a GIF, APNG, animated WebP or AVIF. Raises: SourceUnreadable where its header is damaged or no frame is there."""
    walked: AnimationFacts = walkers.function(containers.of(sniffed.format).animation)(source)
    width, height = walked.width or sniffed.width, walked.height or sniffed.height
    if not walked.frame_count or not width or not height:
        raise SourceUnreadable(
            "an animation in which no whole frame is left: copy or download it again",
            rule="file-complete",
        )
    seen = _seen(source, walked, request)
    unknown = list(walked.unknown)
    for fact, value in (("transparency", seen.transparency), ("pixel_grid", seen.pixel_grid)):
        if value is None and wants(request, fact):
            unknown.append(
                UnknownFact(fact=fact, reason=seen.problem or "more frames than are decoded for it")
            )
    delays = walked.delays
    if delays is not None and len(delays) > MAX_DELAYS:
        unknown.append(UnknownFact(fact="delays", reason=f"more than {MAX_DELAYS} frames"))
    private = private_items(source, sniffed)
    if private is None:
        unknown.append(UnknownFact(fact="private", reason="the metadata cannot be read"))
    return Animation(
        size_bytes=source.size_bytes,
        complete=walked.complete,
        incomplete_because=walked.incomplete_because,
        private=private,
        unknown=tuple(unknown),
        format=sniffed.format,
        width=width,
        height=height,
        frame_count=walked.frame_count,
        delays=delays if delays is not None and len(delays) <= MAX_DELAYS else None,
        duration=None if delays is None else _total(delays),
        loop=walked.loop,
        transparency=seen.transparency,
        disposals=walked.disposals,
        trailing_bytes=walked.trailing_bytes,
        pixel_grid=seen.pixel_grid,
    )


def _total(delays: tuple[Fraction, ...]) -> Fraction:
    return sum((delay * count for delay, count in Counter(delays).items()), Fraction(0))


def _seen(source: Source, walked: AnimationFacts, request: ReadRequest) -> pilframes.FirstFrames:
    asked = (
        wants(request, "pixel_grid"),
        wants(request, "transparency") and walked.may_be_transparent != "no",
    )
    if not any(asked):
        return pilframes.FirstFrames(
            transparency=False if walked.may_be_transparent == "no" else None
        )
    return pilframes.look(
        source,
        frames=walked.frame_count,
        alpha=asked[1],
        all_frames=walked.may_be_transparent == "any",
    )
