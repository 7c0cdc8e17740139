"""Read the facts of an animation: frames, delays, loop and size by a walk over its blocks.

Frames are decoded only for transparency and the pixel grid.
"""

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
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime.source import Source
from mediaprep.tools import animation_frames


def read_animation(source: Source, sniffed: Sniffed, request: ReadRequest) -> Animation:
    """Return the facts of a GIF, APNG, animated WebP or AVIF.

    Raises: SourceUnreadable if its header is damaged or it has no frame.
    """
    walk = walkers.function(containers.of(sniffed.format).animation)
    walked: AnimationFacts = walk(source)
    width, height = walked.width or sniffed.width, walked.height or sniffed.height
    if not walked.frame_count or not width or not height:
        raise SourceUnreadable(
            "an animation without a complete frame: copy or download it again",
            rule="file-complete",
        )
    unknown = list(walked.unknown)
    decoded = _decode_frames(source, sniffed.format, walked)
    for fact, value in (
        ("transparency", decoded.transparency),
        ("pixel_grid", decoded.pixel_grid),
    ):
        if value is None:
            reason = decoded.problem or "the animation has more frames than are decoded"
            unknown.append(UnknownFact(fact=fact, reason=reason))
    delays = walked.delays
    too_many = delays is not None and len(delays) > MAX_DELAYS
    if too_many:
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
        delays=None if too_many else delays,
        duration=None if delays is None else _total(delays),
        loop=walked.loop,
        transparency=decoded.transparency,
        disposals=walked.disposals,
        trailing_bytes=walked.trailing_bytes,
        pixel_grid=decoded.pixel_grid,
    )


def _total(delays: tuple[Fraction, ...]) -> Fraction:
    """Add up the delays; few of them differ."""
    return sum((delay * count for delay, count in Counter(delays).items()), Fraction(0))


def _decode_frames(
    source: Source, name: str, walked: AnimationFacts
) -> animation_frames.FirstFrames:
    return animation_frames.first_frames(
        source,
        name,
        frames=walked.frame_count,
        alpha=walked.may_be_transparent != "no",
        all_frames=walked.may_be_transparent == "any",
    )
