"""Packets of a file, demuxed by PyAV, for the GOP scanner; nothing is decoded."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from mediaprep.probing.video.gop_scanner import GopResult, scanner_for
from mediaprep.probing.video.timing import Timing, frame_timing


@dataclass(frozen=True)
class Packet:
    data: bytes
    pts: int | None
    key: bool
    discard: bool


@dataclass(frozen=True)
class Track:
    """The first video stream that is not cover art."""

    codec: str
    extradata: bytes | None
    time_base: Fraction
    average_rate: Fraction | None
    base_rate: Fraction | None
    has_pts: bool
    packets: tuple[Packet, ...]

    def scan(self) -> GopResult:
        scanner = scanner_for(self.codec, self.extradata, self.time_base)
        for packet in self.packets:
            scanner.add(memoryview(packet.data), packet.pts, packet.key, packet.discard)
        return scanner.result()

    def timing(self, found: GopResult) -> Timing:
        return frame_timing(
            found.frame_pts or (),
            self.time_base,
            declared=self.base_rate,
            header_rate=found.stream.timing_rate or self.average_rate,
            codec=self.codec,
            has_pts=self.has_pts,
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
            Packet(bytes(p), p.pts, p.is_keyframe, p.is_discard)
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
