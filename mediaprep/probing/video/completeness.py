"""Decide whether a video or audio file is complete: by its structure first, then by its packets."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.probing.bitstream.nal import CUT_UNIT
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.video.demuxed import DemuxedFile, seconds
from mediaprep.probing.video.duration import PLAUSIBLE_SECONDS
from mediaprep.probing.video.gop_scanner import NO_PICTURE_READ
from mediaprep.runtime.source import Source

# The packets must cover this share of the header's duration; a truncated file covers less.
_LEAST_SHARE = Fraction(98, 100)
# Faults that mean missing data, as in a copy to preallocated space that is still running
_MISSING_DATA = (CUT_UNIT, NO_PICTURE_READ)


def file_completeness(
    source: Source, demuxed: DemuxedFile, presented: Fraction | None
) -> tuple[bool | None, str | None]:
    """Return True, False or None (unknown), and what is missing if it is False.

    ``presented``: the duration that the packets present.
    """
    complete, reason = _structure(source, demuxed)
    if complete is False:
        return False, reason
    packets = demuxed.packets
    if complete is None:
        spans = packets.video, packets.audio
        if any(span.corrupt and span.last_corrupt == span.packets for span in spans):
            return False, "its last packet is damaged: the file was cut off"
        demuxed.log.unknown_because("complete", reason or "the format does not show it")
    if packets.ended_by is not None:
        return False, f"reading stopped early: {packets.ended_by}"
    for fault in () if packets.gops is None else packets.gops.faults:
        if fault.startswith(_MISSING_DATA):
            return False, fault
    header = demuxed.reader.duration
    if demuxed.iso is None and presented is not None and header is not None:
        # A header may count the time before the start, and gaps.
        reached = max((presented, *_ends(demuxed)))
        if reached < _LEAST_SHARE * header - PLAUSIBLE_SECONDS:
            stated, covered = float(header), float(presented)
            return False, f"the header states {stated:.2f} s, the packets cover {covered:.2f} s"
    return complete, None


def _structure(source: Source, demuxed: DemuxedFile) -> tuple[bool | None, str | None]:
    if demuxed.iso is not None:
        return demuxed.iso.complete, demuxed.iso.incomplete_because
    return completeness(source, demuxed.sniffed)


def _ends(demuxed: DemuxedFile) -> list[Fraction]:
    """Return when video and audio end, as far as it is known."""
    packets = demuxed.packets
    streams = ((demuxed.video, packets.video), (demuxed.audio, packets.audio))
    ends = (seconds(span.end, info.time_base) for info, span in streams if info is not None)
    return [end for end in ends if end is not None]
