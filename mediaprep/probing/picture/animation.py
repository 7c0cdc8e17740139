"""Animations: frames, delays, loop and size by a walk over the blocks; frames are decoded only for transparency and the pixel grid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Animation, UnknownFact
from mediaprep.probing.formats import gif, isobmff, isotrack, png, riff
from mediaprep.probing.identify.private import private_items
from mediaprep.probing.identify.sniff import Sniffed
from mediaprep.probing.request import ReadRequest, wants
from mediaprep.runtime.source import Source
from mediaprep.tools import pilframes

MAX_FRAMES = 400_000  # counted; 23 bytes each at the least, so 9 MB: about 2 s
MAX_DELAYS = 20_000  # told one by one; nobody rewrites more


@dataclass(frozen=True, slots=True, kw_only=True)
class _BlockWalk:
    """What a block walk gave, whatever the format. ``may_show_through``: no, in the first frame only, or in any frame."""

    width: int | None
    height: int | None
    frame_count: int
    delays: tuple[Fraction, ...] | None
    loop: int | None
    may_show_through: str
    disposals: tuple[str, ...] | None
    trailing_bytes: int | None
    complete: bool | None
    because: str | None
    unknown: tuple[UnknownFact, ...] = ()


def read_animation(source: Source, sniffed: Sniffed, request: ReadRequest) -> Animation:
    """The facts of a GIF, APNG, animated WebP or AVIF. Raises: SourceUnreadable where its header is damaged or no frame is there."""
    walked = _WALKERS[sniffed.format](source)
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
        incomplete_because=walked.because,
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


def _seen(source: Source, walked: _BlockWalk, request: ReadRequest) -> pilframes.FirstFrames:
    asked = (
        wants(request, "pixel_grid"),
        wants(request, "transparency") and walked.may_show_through != "no",
    )
    if not any(asked):
        return pilframes.FirstFrames(
            transparency=False if walked.may_show_through == "no" else None
        )
    return pilframes.look(
        source,
        frames=walked.frame_count,
        alpha=asked[1],
        all_frames=walked.may_show_through == "any",
    )


def _gif(source: Source) -> _BlockWalk:
    facts = gif.walk(source, max_frames=MAX_FRAMES)
    restored = {"background", "previous"} & set(facts.disposals)
    return _BlockWalk(
        width=facts.width,
        height=facts.height,
        frame_count=facts.frame_count,
        delays=None if facts.capped else facts.delays,
        loop=facts.loop,
        may_show_through="any"
        if facts.transparency and restored
        else "first"
        if facts.transparency
        else "no",
        disposals=facts.disposals,
        trailing_bytes=facts.trailing_bytes,
        complete=facts.complete,
        because=facts.incomplete_because,
        unknown=(
            UnknownFact(fact="complete", reason=f"more than {MAX_FRAMES} frames are not read"),
        )
        if facts.capped
        else (),
    )


def _apng(source: Source) -> _BlockWalk:
    facts = png.walk(source)
    return _BlockWalk(
        width=facts.width,
        height=facts.height,
        frame_count=facts.frame_count,
        delays=facts.delays,
        loop=facts.loop,
        may_show_through="any" if facts.alpha else "no",
        disposals=facts.disposals,
        trailing_bytes=facts.trailing_bytes,
        complete=facts.complete,
        because=facts.incomplete_because,
    )


def _webp(source: Source) -> _BlockWalk:
    facts = riff.walk_webp(source)
    return _BlockWalk(
        width=facts.width,
        height=facts.height,
        frame_count=facts.frame_count,
        delays=facts.delays,
        loop=facts.loop,
        may_show_through="any" if facts.alpha else "no",
        disposals=facts.disposals,
        trailing_bytes=facts.trailing_bytes,
        complete=facts.complete,
        because=facts.incomplete_because,
    )


def _avif(source: Source) -> _BlockWalk:
    """An image sequence is a track of pictures (ISO/IEC 23008-12, 7); its loop lies in an edit list that browsers ignore: they repeat."""
    facts = isobmff.walk(source)
    tracks = [track for track in facts.tracks if track.handler == "pict" and track.sample_count]
    picture = max(tracks, key=lambda track: (track.width or 0) * (track.height or 0), default=None)
    count = 0 if picture is None or picture.sample_count is None else picture.sample_count
    delays = (
        _avif_delays(source, picture, count)
        if picture is not None and count <= MAX_DELAYS
        else None
    )
    return _BlockWalk(
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        frame_count=count,
        delays=delays,
        loop=0,
        may_show_through="any",
        disposals=("none",),
        trailing_bytes=None,
        complete=facts.complete,
        because=facts.incomplete_because,
        unknown=()
        if delays
        else (UnknownFact(fact="delays", reason="the times of its frames cannot be read"),),
    )


def _avif_delays(
    source: Source, picture: isotrack.IsoTrack, count: int
) -> tuple[Fraction, ...] | None:
    """Alike for all frames where one sample duration makes up the whole; else as the decoder says."""
    if (
        picture.timescale
        and picture.frame_ticks
        and picture.duration == picture.frame_ticks * count
    ):
        return (gif.browser_delay(Fraction(picture.frame_ticks, picture.timescale)),) * count
    found = pilframes.durations(source, frames=count)
    return None if found is None else tuple(gif.browser_delay(delay) for delay in found)


_WALKERS = {"gif": _gif, "apng": _apng, "webp": _webp, "avif": _avif, "heif": _avif}
