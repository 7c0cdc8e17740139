"""Read a video or audio file and assemble its facts into a Media.

Facts come from one pass over every packet, a few decoded frames, and the boxes; MediaInfo gives a
second opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mediaprep.errors import SourceUnreadable
from mediaprep.model import containers
from mediaprep.model.media import (
    AudioStream,
    Container,
    PrivateItem,
    Sound,
    Track,
    Video,
    VideoStream,
)
from mediaprep.model.units import duration_text
from mediaprep.probing.formats import isobmff, walkers
from mediaprep.probing.formats.isofile import IsoFile
from mediaprep.probing.identify.private import private_items
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.probing.request import ReadRequest
from mediaprep.probing.video import audio_stream, provenance, sampling, second_opinion
from mediaprep.probing.video.audio_stream import read_audio_stream
from mediaprep.probing.video.completeness import file_completeness
from mediaprep.probing.video.demuxed import DemuxedFile, PacketScan
from mediaprep.probing.video.duration import file_duration, is_plausible, presented_duration
from mediaprep.probing.video.gop_scanner import GopScanner, scanner_for
from mediaprep.probing.video.video_stream import read_video_stream
from mediaprep.runtime.source import Source
from mediaprep.tools import mediainfo, pyav
from mediaprep.tools.pyav import ContainerReader
from mediaprep.tools.pyav_streams import StreamInfo

if TYPE_CHECKING:
    from mediaprep.probing.video.payload_digest import PayloadDigest


def read_video(source: Source, sniffed: Sniffed, request: ReadRequest) -> Video | Sound:
    """Return the facts of a file with video or audio streams. Raises: SourceUnreadable."""
    record = containers.of(sniffed.format)
    iso = isobmff.walk(source) if record.iso_boxes else None
    with pyav.open_container(
        source,
        demuxer=sniffed.demuxer,
        whitelist=sniffed.format_whitelist or None,
        max_pixels=request.max_pixels,
        presentation_times=record.presentation_times,
    ) as reader:
        video, audio = choose_streams(reader.streams)
        if video is None and audio is None:
            raise SourceUnreadable(
                "the file has neither a video nor an audio track: pass a file that has one"
            )
        _refuse_encrypted(source, sniffed, iso, video=video, audio=audio)
        demuxed = DemuxedFile(
            reader=reader,
            sniffed=sniffed,
            iso=iso,
            video=video,
            audio=audio,
            packets=scan_packets(reader, video, audio, payload=request.payload),
            log=ReaderLog(),
        )
        audio_facts = None if audio is None else read_audio_stream(demuxed, audio)
        video_facts = None if video is None else read_video_stream(demuxed, video, request)
        return _assemble(source, demuxed, video_facts, audio_facts)


def choose_streams(
    streams: Sequence[StreamInfo],
) -> tuple[StreamInfo | None, StreamInfo | None]:
    """Return the video and the audio stream that are judged and retained.

    Of each kind it is the default stream, else the first. Cover art is not a video stream.
    """

    def choose(kind: str) -> StreamInfo | None:
        candidates = [info for info in streams if info.kind == kind and not info.cover]
        first = candidates[0] if candidates else None
        return next((info for info in candidates if info.default), first)

    return choose("video"), choose("audio")


def _refuse_encrypted(
    source: Source,
    sniffed: Sniffed,
    iso: IsoFile | None,
    *,
    video: StreamInfo | None,
    audio: StreamInfo | None,
) -> None:
    """Raise SourceUnreadable if the container declares a chosen stream to be encrypted.

    If only parts of each packet are encrypted, its headers can be read and seem damaged.
    """
    encrypted: set[int] = set()
    if iso is not None:
        encrypted = {track.id for track in iso.tracks if track.encrypted and track.id is not None}
    elif reference := containers.of(sniffed.format).encrypted_tracks:
        encrypted = walkers.function(reference)(source)
    for info, kind in ((video, "video"), (audio, "audio")):
        if info is not None and info.id in encrypted:
            raise SourceUnreadable(
                f"its {kind} track is encrypted: pass the file without encryption",
                rule="file-complete",
            )


def scan_packets(
    reader: ContainerReader, video: StreamInfo | None, audio: StreamInfo | None, *, payload: bool
) -> PacketScan:
    """Read every packet of the chosen streams once; ``payload``: compute digests, too."""
    scanner = None
    if video is not None:
        scanner = scanner_for(
            video.codec or "",
            video.extradata,
            video.time_base or Fraction(1),
            has_pts=reader.presentation_times,
        )
    video_digest, audio_digest = (_digest(info) if payload else None for info in (video, audio))
    video_span, audio_span, ended_by = reader.scan(
        None if video is None else video.index,
        None if audio is None else audio.index,
        feed_video=_feed(scanner, video_digest),
        feed_audio=None if audio_digest is None else audio_digest.add,
        keep_video=sampling.HEAD_PACKETS,
        keep_audio=audio_stream.HEAD_PACKETS,
    )
    return PacketScan(
        video=video_span,
        audio=audio_span,
        gops=None if scanner is None else scanner.result(),
        ended_by=ended_by,
        video_payload=None if video_digest is None else video_digest.digest(),
        audio_payload=None if audio_digest is None else audio_digest.digest(),
    )


def _digest(info: StreamInfo | None) -> PayloadDigest | None:
    if info is None:
        return None
    from mediaprep.probing.video.payload_digest import PayloadDigest  # local: with hashlib

    return PayloadDigest(info.codec or "", info.extradata)


def _feed(
    scanner: GopScanner | None, digest: PayloadDigest | None
) -> Callable[[memoryview, int | None, bool, bool], None] | None:
    """Return the function that receives every video packet."""
    if scanner is None:
        return None
    if digest is None:
        return scanner.add
    add_packet, hash_packet = scanner.add, digest.add

    def feed(data: memoryview, pts: int | None, keyframe: bool, discard: bool) -> None:
        add_packet(data, pts, keyframe, discard)
        hash_packet(data)

    return feed


def _assemble(
    source: Source,
    demuxed: DemuxedFile,
    video: VideoStream | None,
    audio: AudioStream | None,
) -> Video | Sound:
    """Assemble the facts of the streams, those of the whole file, and the second opinion."""
    presented, header = presented_duration(demuxed, video), demuxed.reader.duration
    complete, incomplete_because = file_completeness(source, demuxed, presented)
    common: dict[str, Any] = {
        "name": source.name,
        "size_bytes": source.size_bytes,
        "complete": complete,
        "incomplete_because": incomplete_because,
        "private": _private_items(source, demuxed),
        "container": _container(demuxed),
        "duration": file_duration(presented, header),
    }
    video = _second_opinion(source, demuxed, common, video, audio)
    _report_file(demuxed, presented, common["duration"])
    if video is not None:
        provenance.report_video(demuxed.log, video)
        video = replace(video, payload=demuxed.packets.video_payload)
    if audio is not None:
        provenance.report_audio(demuxed.log, audio)
        audio = replace(audio, payload=demuxed.packets.audio_payload)
    common["reported_facts"] = tuple(demuxed.log.reported_facts)
    common["unknown"] = tuple(demuxed.log.unknown)
    if video is None:
        return Sound(audio=audio or AudioStream(), **common)
    return Video(
        video=video,
        audio=audio,
        audio_present=audio is not None,
        keyframes=_keyframes(demuxed),
        **common,
    )


def _private_items(source: Source, demuxed: DemuxedFile) -> tuple[PrivateItem, ...] | None:
    if demuxed.iso is not None:
        return demuxed.iso.private
    return private_items(source, demuxed.sniffed)


def _container(demuxed: DemuxedFile) -> Container:
    iso, name = demuxed.iso, demuxed.sniffed.format
    return Container(
        format="raw" if name.startswith("raw-") else name,
        brand=None if iso is None else iso.brand,
        faststart=None if iso is None else iso.faststart,
        fragmented=None if iso is None else iso.fragmented,
        duration_from_header=demuxed.reader.duration,
        chapters=demuxed.reader.chapters,
        tracks=tuple(_track(demuxed, info) for info in demuxed.reader.streams),
    )


def _track(demuxed: DemuxedFile, info: StreamInfo) -> Track:
    boxes = demuxed.iso_track(info)
    kind = info.kind
    if info.cover:
        kind = "cover"
    elif boxes is not None and boxes.handler == "tmcd":
        kind = "timecode"
    return Track(
        index=info.index,
        kind=kind,
        codec=info.codec or (None if boxes is None else boxes.codec),
        language=info.language,
        default=info.default,
        chosen=info in (demuxed.video, demuxed.audio),
        encrypted=None if boxes is None else boxes.encrypted,
    )


def _second_opinion(
    source: Source,
    demuxed: DemuxedFile,
    common: dict[str, Any],
    video: VideoStream | None,
    audio: AudioStream | None,
) -> VideoStream | None:
    """Compare the facts with MediaInfo; return the video with what only MediaInfo reports."""
    report = mediainfo.read_report(source, parser=containers.of(demuxed.sniffed.format).mediainfo)
    if report is None:
        return video
    log, streams = demuxed.log, demuxed.reader.streams
    second_opinion.compare_file(log, common["duration"], common["complete"], report.general())
    if audio is not None and demuxed.audio is not None:
        fields = report.track("Audio", _position(streams, demuxed.audio))
        second_opinion.compare_audio(log, audio, fields)
    if video is None or demuxed.video is None:
        return video
    fields = report.track("Video", _position(streams, demuxed.video))
    second_opinion.compare_video(log, video, fields)
    hdr = second_opinion.complete_dolby_vision(video.colour.hdr or (), fields)
    return replace(video, colour=replace(video.colour, hdr=hdr))


def _position(streams: Sequence[StreamInfo], info: StreamInfo) -> int:
    """Return the position of a stream among those of its kind."""
    same_kind = [item.index for item in streams if item.kind == info.kind and not item.cover]
    return same_kind.index(info.index)


def _report_file(
    demuxed: DemuxedFile, presented: Fraction | None, duration: Fraction | None
) -> None:
    """Report format and duration of the file."""
    log, header = demuxed.log, demuxed.reader.duration
    log.report("container.format", "bytes", _container(demuxed).format)
    if presented is not None:
        text = duration_text(presented)
        log.report("duration", "packets", text, agrees=presented == duration)
    if header is not None:
        agrees = is_plausible(presented, header)
        log.report("duration", "container", duration_text(header), agrees=agrees)


def _keyframes(demuxed: DemuxedFile) -> tuple[Fraction, ...]:
    """Return when IDR frames are presented, in seconds."""
    base = None if demuxed.video is None else demuxed.video.time_base
    if base is None or demuxed.packets.gops is None:
        return ()
    return tuple(ticks * base - demuxed.zero for ticks in demuxed.packets.gops.idr_pts)
