"""Packets of a file as a probe hands them to the GOP scanner: PyAV demuxes, nothing is decoded."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from mediaprep.probing.video import gop
from mediaprep.probing.video.gop import GopResult
from mediaprep.probing.video.timing import Timing, frame_timing


@dataclass(frozen=True)
class Packet:
    data: bytes
    pts: int | None
    dts: int | None
    key: bool
    discard: bool


@dataclass(frozen=True)
class Track:
    """The first picture track that is no cover."""

    codec: str
    extradata: bytes | None
    time_base: Fraction
    average_rate: Fraction | None
    base_rate: Fraction | None
    presentation_times: bool
    packets: tuple[Packet, ...]

    def scan(self) -> GopResult:
        scanner = gop.scanner(self.codec, self.extradata, self.time_base)
        for packet in self.packets:
            scanner.add(memoryview(packet.data), packet.pts, packet.dts, packet.key, packet.discard)
        return scanner.result()

    def timing(self, found: GopResult) -> Timing:
        return frame_timing(
            found.frame_pts or (),
            self.time_base,
            declared=self.base_rate,
            header_rate=found.stream.timing_rate or self.average_rate,
            codec=self.codec,
            presentation_times=self.presentation_times,
        )


@functools.lru_cache(maxsize=16)
def demux(path: Path) -> Track:
    with av.open(str(path)) as container:
        stream = next(
            s
            for s in container.streams.video
            if not s.disposition & av.stream.Disposition.attached_pic
        )
        packets = tuple(
            Packet(bytes(p), p.pts, p.dts, p.is_keyframe, p.is_discard)
            for p in container.demux(stream)
            if p.size
        )
        return Track(
            stream.codec.canonical_name,
            stream.codec_context.extradata,
            stream.time_base or Fraction(1),
            stream.average_rate,
            stream.base_rate,
            container.format.name != "avi",
            packets,
        )
