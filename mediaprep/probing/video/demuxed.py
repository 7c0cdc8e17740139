"""Everything that was read of one video or audio file, before its facts are assembled."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mediaprep.model import containers
from mediaprep.probing.formats.isofile import IsoFile
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.probing.video.gop_scanner import GopResult
from mediaprep.tools.pyav import ContainerReader, PacketSpan
from mediaprep.tools.pyav_streams import StreamInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketScan:
    """What the pass over all packets shows.

    video, audio    the packets of the chosen streams
    gops            None: no video stream
    ended_by        what ended the pass early
    video_payload, audio_payload
                    digests of the coded streams, if they were requested
    """

    video: PacketSpan
    audio: PacketSpan
    gops: GopResult | None
    ended_by: str | None
    video_payload: str | None = None
    audio_payload: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemuxedFile:
    """Everything that was read of one file.

    iso           the boxes of an ISO base media file; None for other formats
    video, audio  the chosen streams
    """

    reader: ContainerReader
    sniffed: Sniffed
    iso: IsoFile | None
    video: StreamInfo | None
    audio: StreamInfo | None
    packets: PacketScan
    log: ReaderLog

    def iso_track(self, info: StreamInfo) -> IsoTrack | None:
        """Return the boxes of a stream's track."""
        if self.iso is None:
            return None
        return next((track for track in self.iso.tracks if track.id == info.id), None)

    @property
    def starts(self) -> tuple[Fraction, ...]:
        """When video and audio begin, in seconds, as far as it is known."""
        spans = ((self.video, self.packets.video), (self.audio, self.packets.audio))
        starts = (seconds(span.first, info.time_base) for info, span in spans if info is not None)
        return tuple(start for start in starts if start is not None)

    @property
    def zero(self) -> Fraction:
        """Where the timeline begins: at 0, or with the first packet if the format has no zero."""
        if containers.of(self.sniffed.format).starts_at_zero:
            return Fraction(0)
        return min(self.starts, default=Fraction(0))


def seconds(ticks: int | None, time_base: Fraction | None) -> Fraction | None:
    """Convert ticks to seconds; None if either is None."""
    return None if ticks is None or time_base is None else ticks * time_base
