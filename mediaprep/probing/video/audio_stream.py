"""Read the facts of the chosen audio stream."""

from __future__ import annotations

from dataclasses import replace

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import AudioStream
from mediaprep.probing.bitstream import aac
from mediaprep.probing.bitstream.aac import AacConfig
from mediaprep.probing.video.aac_profile import AudioFrame, aac_profile
from mediaprep.probing.video.demuxed import DemuxedFile, seconds
from mediaprep.tools.pyav_streams import StreamInfo

HEAD_PACKETS = 4  # that are decoded


def read_audio_stream(demuxed: DemuxedFile, info: StreamInfo) -> AudioStream:
    """Return the facts of the chosen audio stream, from its packets and first decoded frames."""
    span = demuxed.packets.audio
    frames = _decoded_frames(demuxed, info)
    if not frames:
        demuxed.log.unknown_because(
            "audio.decodable", "no audio frame can be decoded: damaged, encrypted or unsupported"
        )
    first, end = seconds(span.first, info.time_base), seconds(span.end, info.time_base)
    length = None if first is None or end is None else end - first
    stream = AudioStream(
        codec=info.codec,
        tag=info.tag,
        profile="" if info.profile is None else info.profile,
        channels=frames[-1].channels if frames else info.channels,
        layout=frames[-1].layout if frames else info.layout,
        sample_rate=frames[-1].sample_rate if frames else info.sample_rate,
        bit_rate=round(span.bytes * 8 / length) if length else None,
        start=None if first is None else first - demuxed.zero,
        duration=length,
        decodable=bool(frames),
    )
    if info.codec not in ("aac", "aac_latm"):
        return replace(stream, sbr=False, ps=False)
    verdict = aac_profile(info.profile, _config(demuxed, info), frames, demuxed.log)
    return replace(stream, profile=verdict.profile, sbr=verdict.sbr, ps=verdict.ps)


def _decoded_frames(demuxed: DemuxedFile, info: StreamInfo) -> list[AudioFrame]:
    try:
        return [
            AudioFrame(samples=samples, channels=channels, layout=layout, sample_rate=rate)
            for samples, channels, layout, rate in demuxed.reader.audio_frames(
                info.index, demuxed.packets.audio.head
            )
        ]
    except SourceUnreadable:
        return []


def _config(demuxed: DemuxedFile, info: StreamInfo) -> AacConfig | None:
    """Return the AAC configuration.

    It is that of the boxes or the container's header, else that of the first packets: LATM's own,
    or the ADTS header.
    """
    track = demuxed.iso_track(info)
    stored = (track.asc if track is not None else None) or info.extradata
    packets = [bytes(packet) for packet in demuxed.packets.audio.head]
    head = packets[0] if packets else b""
    framing = aac.packet_framing(head)
    try:
        if framing == "latm":
            return next(filter(None, map(aac.parse_latm, packets)), None)
        if stored:
            return aac.parse_config(stored)
        return aac.parse_adts(head) if framing == "adts" else None
    except ValueError as problem:
        demuxed.log.unknown_because(
            "audio.profile", f"the configuration of the AAC stream is damaged: {problem}"
        )
        return None
