"""Read image sequences of AVIF and HEIF: a track of pictures (ISO/IEC 23008-12, clause 7)."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.model.media import UnknownFact
from mediaprep.probing.formats import isobmff
from mediaprep.probing.formats.animations import MAX_DELAYS, AnimationFacts, browser_delay
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.runtime.source import Readable
from mediaprep.tools import animation_frames


def animation(source: Readable) -> AnimationFacts:
    """Return the facts of an animated AVIF.

    Its loop is an edit list, which browsers ignore: they repeat for ever.
    """
    facts = isobmff.walk(source)
    tracks = [track for track in facts.tracks if track.handler == "pict" and track.sample_count]
    picture = max(tracks, key=_area, default=None)
    count = 0 if picture is None or picture.sample_count is None else picture.sample_count
    delays = None
    if picture is not None and count <= MAX_DELAYS:
        delays = _delays(source, picture, count)
    unknown = UnknownFact(fact="delays", reason="the times of its frames cannot be read")
    return AnimationFacts(
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        frame_count=count,
        delays=delays,
        loop=0,
        may_be_transparent="any",
        disposals=("none",),
        trailing_bytes=None,
        complete=facts.complete,
        incomplete_because=facts.incomplete_because,
        unknown=() if delays else (unknown,),
    )


def _area(track: IsoTrack) -> int:
    return (track.width or 0) * (track.height or 0)


def _delays(source: Readable, picture: IsoTrack, count: int) -> tuple[Fraction, ...] | None:
    """Return the seconds of each frame: one sample duration for all, else what Pillow reads."""
    ticks, second = picture.frame_ticks, picture.timescale
    if second and ticks and picture.duration == ticks * count:
        return (browser_delay(Fraction(ticks, second)),) * count
    found = animation_frames.durations(source, "avif", frames=count)
    return None if found is None else tuple(browser_delay(delay) for delay in found)
