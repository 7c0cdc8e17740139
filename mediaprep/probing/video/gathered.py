"""Everything that was read of one file, before it is put together."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mediaprep.model import containers
from mediaprep.probing.formats.isobmff import IsoFile
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.video.audio import seconds
from mediaprep.probing.video.gop import GopResult
from mediaprep.probing.video.notes import ReaderLog
from mediaprep.tools.pyav import ContainerReader, PacketSpan, StreamInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketScan:
    """The pass over all packets: what it counted of picture and sound, what ended it early, payload digests of both where asked for."""

    picture: PacketSpan
    sound: PacketSpan
    gops: GopResult | None
    ended_by: str | None
    digests: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemuxedFile:
    """Everything that was read of one file, before it is put together."""

    reader: ContainerReader
    sniffed: Sniffed
    iso: IsoFile | None
    info: StreamInfo | None
    sound: StreamInfo | None
    passed: PacketScan
    notes: ReaderLog

    def box_track(self, info: StreamInfo) -> IsoTrack | None:
        """The boxes of a stream's track."""
        return (
            next((track for track in self.iso.tracks if track.id == info.id), None)
            if self.iso is not None
            else None
        )

    @property
    def starts(self) -> tuple[Fraction, ...]:
        """When picture and sound begin, in seconds, where known."""
        spans = ((self.info, self.passed.picture), (self.sound, self.passed.sound))
        starts = (seconds(span.first, info.time_base) for info, span in spans if info is not None)
        return tuple(start for start in starts if start is not None)

    @property
    def zero(self) -> Fraction:
        """Where the time line begins: at 0 where the format says so, else where picture or sound do."""
        return (
            Fraction(0)
            if containers.of(self.sniffed.format).starts_at_zero
            else min(self.starts, default=Fraction(0))
        )
