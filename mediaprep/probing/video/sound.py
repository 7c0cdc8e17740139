"""The sound: from the packets, the first decoded frames and the configuration to an AudioStream."""

from __future__ import annotations

from dataclasses import replace

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import AudioStream
from mediaprep.probing.bitstream import aac
from mediaprep.probing.bitstream.aac import AacConfig
from mediaprep.probing.video import audio
from mediaprep.probing.video.audio import SoundFrame, seconds
from mediaprep.probing.video.gathered import DemuxedFile
from mediaprep.tools.pyav import StreamInfo


def read_sound(found: DemuxedFile, info: StreamInfo) -> AudioStream:
    """The facts of the chosen sound track."""
    span, notes = found.passed.sound, found.notes
    try:
        decoded = [
            SoundFrame(samples=samples, channels=channels, layout=layout, sample_rate=rate)
            for samples, channels, layout, rate in found.reader.sound_frames(info.index, span.head)
        ]
    except SourceUnreadable:
        decoded = []
    if not decoded:
        notes.missing(
            "audio.decodable", "no frame of the sound decodes: damaged, encrypted or unknown"
        )
    first, end = seconds(span.first, info.time_base), seconds(span.end, info.time_base)
    length = None if first is None or end is None else end - first
    stream = AudioStream(
        codec=info.codec,
        tag=info.tag,
        profile="" if info.profile is None else info.profile,
        channels=decoded[-1].channels if decoded else info.channels,
        layout=decoded[-1].layout if decoded else info.layout,
        sample_rate=decoded[-1].sample_rate if decoded else info.sample_rate,
        bit_rate=round(span.bytes * 8 / length) if length else None,
        start=None if first is None else first - found.zero,
        duration=length,
        decodable=bool(decoded),
    )
    if info.codec not in ("aac", "aac_latm"):
        return replace(stream, sbr=False, ps=False)
    told = audio.aac_profile(info.profile, _config(found, info), decoded, notes, "audio")
    return replace(stream, profile=told.profile, sbr=told.sbr, ps=told.ps)


def _config(found: DemuxedFile, info: StreamInfo) -> AacConfig | None:
    """The AudioSpecificConfig of the boxes or the container's header, else that of the first packets: LATM's own, or the ADTS header."""
    track = found.box_track(info)
    stated = (track.asc if track is not None else None) or info.extradata
    packets = [bytes(packet) for packet in found.passed.sound.head]
    head = packets[0] if packets else b""
    try:
        if aac.packet_framing(head) == "latm":
            return next(filter(None, map(aac.parse_latm, packets)), None)
        if stated:
            return aac.parse_config(stated)
        return aac.parse_adts(head) if aac.packet_framing(head) == "adts" else None
    except ValueError as problem:
        found.notes.missing(
            "audio.profile", f"the configuration of the AAC stream is damaged: {problem}"
        )
        return None
