"""The duration that a file presents, from its packets and its header. Pure."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.model.media import VideoStream
from mediaprep.probing.video.demuxed import DemuxedFile, seconds

# Headers count milliseconds: a smaller difference is rounding.
_ROUNDING = Fraction(1, 1000)
# A header's duration is plausible within half a second, or within 2 %.
PLAUSIBLE_SECONDS, _PLAUSIBLE_SHARE = Fraction(1, 2), Fraction(2, 100)


def presented_duration(demuxed: DemuxedFile, video: VideoStream | None) -> Fraction | None:
    """Return the seconds from the first to the last moment that video or audio presents.

    An empty edit at the start counts: players wait for it. None if it is unknown.
    """
    if demuxed.video is not None and (video is None or video.duration is None):
        return None
    ends = []
    if (audio_end := _audio_end(demuxed)) is not None:
        ends.append(audio_end)
    if video is not None and video.start is not None and video.duration is not None:
        ends.append(video.start + video.duration + demuxed.zero)
    starts = list(demuxed.starts)
    if demuxed.iso is not None:  # an edit may begin within a packet
        starts = [max(start, Fraction(0)) for start in starts]
    if not ends or not starts:
        return None
    if video is not None and video.edit_list in ("delays", "trims-and-delays"):
        starts.append(Fraction(0))
    return max(ends) - min(starts)


def _audio_end(demuxed: DemuxedFile) -> Fraction | None:
    """Return when the audio ends: with its last packet, or earlier by its edit list."""
    if demuxed.audio is None:
        return None
    end = seconds(demuxed.packets.audio.end, demuxed.audio.time_base)
    return None if end is None else min(end, _edit_list_end(demuxed) or end)


def _edit_list_end(demuxed: DemuxedFile) -> Fraction | None:
    """Return when the edit list ends the audio, possibly within a packet; None if it does not."""
    track = None if demuxed.audio is None else demuxed.iso_track(demuxed.audio)
    iso = demuxed.iso
    if track is None or iso is None or iso.fragmented or not iso.timescale:
        return None
    if not all(edit.duration for edit in track.edits):  # 0: to the end
        return None
    return Fraction(sum(edit.duration for edit in track.edits), iso.timescale) or None


def file_duration(presented: Fraction | None, header: Fraction | None) -> Fraction | None:
    """Return the duration that counts: the larger of packets and header, if that is plausible.

    A server may use the header's. Not every header is plausible: some state 143165 s for one second
    of content, and a truncated file retains the header of the whole.
    """
    if presented is None or header is None:
        return presented
    larger = header - presented > _ROUNDING
    return header if larger and is_plausible(presented, header) else presented


def is_plausible(presented: Fraction | None, header: Fraction | None) -> bool:
    """Return True if the header's duration is close to that of the packets, or either is None."""
    if presented is None or header is None:
        return True
    return abs(header - presented) <= max(PLAUSIBLE_SECONDS, _PLAUSIBLE_SHARE * presented)
