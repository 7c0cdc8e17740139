"""Determine what an edit list does to a track (ISO/IEC 14496-12, 8.6.6)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mediaprep.model.media import EditList
from mediaprep.probing.formats.isotrack import IsoTrack

_PRIMING_FRAMES = Fraction(5, 2)  # AAC: 1024, 2112 or 2048 samples in frames of 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _PresentedSpan:
    """What the edits present, in ticks of the track.

    begin       media time of the first part; None: nothing but empty edits
    shown       sum of the parts
    delay       sum of the empty edits
    jumps       the parts do not follow one another, or one is not played at its own rate
    to_the_end  the last part plays on to the end
    """

    begin: int | None
    shown: Fraction
    delay: Fraction
    jumps: bool
    to_the_end: bool


def edit_effect(track: IsoTrack, movie_timescale: int | None) -> EditList:
    """Return what the edit list does.

    A ``plain`` list only skips what a decoder needs first (a picture's composition offset, two and
    a half frames of a sound's priming) and plays on to the end, within one frame of the picture,
    three of sound and the rounding of the movie's clock. An empty edit of half a frame or more
    delays.
    """
    if not track.edits:
        return "none"
    if not track.timescale or not movie_timescale:
        return "plain" if all(edit.media_time == 0 for edit in track.edits) else "trims-and-delays"
    frame = track.frame_ticks or 1
    presented = _presented(track, Fraction(track.timescale, movie_timescale))
    trims = presented.jumps or _trims(track, presented, movie_timescale)
    if presented.delay * 2 < frame:
        return "trims" if trims else "plain"
    return "trims-and-delays" if trims else "delays"


def _presented(track: IsoTrack, ticks_per_movie_tick: Fraction) -> _PresentedSpan:
    delay, shown, jumps = Fraction(0), Fraction(0), False
    begin: int | None = None
    following: Fraction | None = None  # the media time at which the next part should begin
    to_the_end = False
    for edit in track.edits:
        ticks = edit.duration * ticks_per_movie_tick
        if edit.media_time < 0 or edit.rate == 0:
            delay += ticks
            continue
        skips = following is not None and abs(edit.media_time - following) > (
            track.frame_ticks or 1
        )
        jumps = jumps or edit.rate != 1 or skips
        begin = edit.media_time if begin is None else begin
        following, shown = edit.media_time + ticks, shown + ticks
        to_the_end = edit.duration == 0
    return _PresentedSpan(begin=begin, shown=shown, delay=delay, jumps=jumps, to_the_end=to_the_end)


def _trims(track: IsoTrack, presented: _PresentedSpan, movie_timescale: int) -> bool:
    """Return True if the edits skip more at the beginning or the end than a decoder needs."""
    if presented.begin is None:
        return True
    sound, frame = track.handler == "soun", track.frame_ticks or 1
    reordering = Fraction(max(track.first_composition_offset or 0, 0))
    allowed = _PRIMING_FRAMES * frame if sound else reordering
    if presented.begin > allowed:
        return True
    if not track.duration or presented.to_the_end:
        return False
    slack = Fraction(2 * (track.timescale or 1), movie_timescale) + frame
    if sound:
        slack += 2 * frame + presented.begin
    return presented.shown < track.duration - slack
