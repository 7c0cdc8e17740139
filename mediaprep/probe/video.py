"""Video and sound: one pass over every packet, a few decoded frames, the boxes, and MediaInfo as second opinion, assembled into a Media."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from mediaprep.errors import SourceUnreadable
from mediaprep.files import Source
from mediaprep.media import AudioStream, Colour, Container, Sound, Track, Video, VideoStream
from mediaprep.probe import audio, colour, complete, explain, frames, geometry, gop, isobmff, private, scan, second_opinion
from mediaprep.probe.audio import SoundFrame, seconds
from mediaprep.probe.bitstream import aac
from mediaprep.probe.bitstream.aac import AacConfig
from mediaprep.probe.frames import Looked, Wanted
from mediaprep.probe.gop import GopResult
from mediaprep.probe.isobmff import IsoFile
from mediaprep.probe.isotrack import IsoTrack
from mediaprep.probe.notes import Notes
from mediaprep.probe.payload import Payload
from mediaprep.probe.reading import Request, wants
from mediaprep.probe.sniff import Sniffed
from mediaprep.probe.timing import Timing, frame_timing
from mediaprep.tools import mediainfo, pyav
from mediaprep.tools.pyav import Reader, Span, StreamInfo
from mediaprep.units import duration_text

ISO_FORMATS = ("mp4", "mov", "3gp")
OWN_ZERO = (*ISO_FORMATS, "matroska", "webm", "flv", "avi")  # formats whose time line begins at 0; a transport stream's anywhere
ROUNDING, PLAUSIBLE, PLAUSIBLE_SHARE = Fraction(1, 1000), Fraction(1, 2), Fraction(2, 100)
LEAST_SHARE = Fraction(98, 100)  # of the stated duration that the packets must cover: less is a truncated file


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The pass over all packets: what it counted of picture and sound, what ended it early, payload digests of both where asked for."""

    picture: Span
    sound: Span
    gops: GopResult | None
    ended_by: str | None
    digests: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that was read of one file, before it is put together."""

    reader: Reader
    sniffed: Sniffed
    iso: IsoFile | None
    info: StreamInfo | None
    sound: StreamInfo | None
    passed: Passed
    notes: Notes

    def box_track(self, info: StreamInfo) -> IsoTrack | None:
        """The boxes of a stream's track."""
        return next((track for track in self.iso.tracks if track.id == info.id), None) if self.iso is not None else None


def read_video(source: Source, sniffed: Sniffed, request: Request) -> Video | Sound:
    """The facts of a file with a picture that moves or with sound. Raises: SourceUnreadable."""
    iso = isobmff.walk(source) if sniffed.format in ISO_FORMATS else None
    whitelist = sniffed.format_whitelist or None
    with pyav.open_container(source, demuxer=sniffed.demuxer, whitelist=whitelist, max_pixels=request.max_pixels) as reader:
        picture, sound = choose(reader.streams)
        if picture is None and sound is None:
            raise SourceUnreadable("neither a picture nor a sound track: give a file that holds one")
        passed = _pass(reader, picture, sound, request.payload)
        found = Found(reader=reader, sniffed=sniffed, iso=iso, info=picture, sound=sound, passed=passed, notes=Notes())
        heard = None if sound is None else _audio(found, sound)
        seen = None if picture is None else _video(found, picture, request)
        return _finish(source, found, request, seen, heard)


def choose(streams: Sequence[StreamInfo]) -> tuple[StreamInfo | None, StreamInfo | None]:
    """The picture and the sound that are judged and kept: the default one, else the first; cover art is no picture."""
    pictures = [info for info in streams if info.kind == "video" and not info.cover]
    sounds = [info for info in streams if info.kind == "audio"]
    return tuple(next((info for info in those if info.default), next(iter(those), None)) for those in (pictures, sounds))  # type: ignore[return-value]


def _pass(reader: Reader, info: StreamInfo | None, sound: StreamInfo | None, payload: bool) -> Passed:
    scanner = None if info is None else gop.scanner(info.codec or "", info.extradata, info.time_base or Fraction(1))
    shown = Payload(info.codec or "", info.extradata) if payload and info is not None else None
    heard = Payload(sound.codec or "", sound.extradata) if payload and sound is not None else None
    feed = None if scanner is None else scanner.add if shown is None else _both(scanner.add, shown.add)
    picture, sounds, ended_by = reader.scan(
        None if info is None else info.index,
        None if sound is None else sound.index,
        feed,
        keep_video=frames.HEAD_PACKETS,
        keep_audio=audio.HEAD_PACKETS,
        hear=None if heard is None else heard.add,
    )
    return Passed(
        picture=picture,
        sound=sounds,
        gops=None if scanner is None else scanner.result(),
        ended_by=ended_by,
        digests=(None if shown is None else shown.digest(), None if heard is None else heard.digest()),
    )


def _both(scan: Callable[..., None], digest: Callable[[memoryview], None]) -> Callable[..., None]:
    def feed(data: memoryview, pts: int | None, dts: int | None, keyframe: bool, discard: bool) -> None:
        scan(data, pts, dts, keyframe, discard)
        digest(data)

    return feed


# -- the picture -------------------------------------------------------------------------------------------------------------------


def _video(found: Found, info: StreamInfo, request: Request) -> VideoStream:
    gops, span, notes = found.passed.gops, found.passed.picture, found.notes
    assert gops is not None
    header = gops.stream
    timing = _timing(found, info, gops)
    flags_doubt = info.field_order > 1 or bool(header.field_seq or header.field_pictures)
    doubt = flags_doubt or scan.interlaced_material(info.height, timing.frame_rate)
    first, end = seconds(span.first, info.time_base), seconds(span.end, info.time_base)
    wanted = Wanted(
        content=wants(request, "video.scan", "video.scan_content", "video.parity") and not header.field_seq,
        deep=request.deep,
        doubt=doubt,
        span=None if first is None or end is None else (first, end),
    )
    looked = frames.look(found.reader, info, span.head, wanted, request.max_pixels)
    video = VideoStream(
        codec=info.codec,
        tag=info.tag,
        profile=header.profile or info.profile,
        level=header.level,
        gop=gops.gop,
        size_changes=header.size_changes or False,
        faults=_faults(found, gops),
        frame_count=gops.frames_presented,
        edit_list=_edit_list(found, info),
    )
    video = _times(found, _rates(video, info, timing), info, first, end)
    video = _shape(found, video, info, looked, gops)
    video = _scan_facts(video, info, looked, gops, notes)
    if gops.reason is not None:
        notes.missing("video.gop.structure", gops.reason)
    else:
        notes.say("video.gop.structure", "bitstream", gops.gop.structure)
    notes.say("video.profile", "bitstream", header.profile, agrees=header.profile == video.profile)
    notes.say("video.profile", "pyav", info.profile, agrees=info.profile == video.profile)
    return replace(video, colour=_colour(found, info, looked, gops))


def _timing(found: Found, info: StreamInfo, gops: GopResult) -> Timing:
    return frame_timing(
        gops.frame_pts or (),
        info.time_base or Fraction(1),
        declared=info.declared_rate,
        header_rate=gops.stream.timing_rate or info.average_rate,
        codec=info.codec,
        container=found.sniffed.format,
    )


def _rates(video: VideoStream, info: StreamInfo, timing: Timing) -> VideoStream:
    return replace(
        video,
        frame_rate=timing.frame_rate,
        frame_rate_average=timing.frame_rate_average,
        frame_rate_peak=timing.frame_rate_peak,
        jitter_frames=timing.jitter_frames,
        frame_rate_burst=timing.frame_rate_burst,
        frame_rate_declared=info.declared_rate,
        rate_mode=timing.rate_mode,
        timestamps=timing.timestamps,
    )


def _times(found: Found, video: VideoStream, info: StreamInfo, first: Fraction | None, end: Fraction | None) -> VideoStream:
    span = found.passed.picture
    if first is None or end is None or video.timestamps == "missing":
        for fact in ("video.start", "video.duration", "video.frame_rate", "duration"):
            found.notes.missing(fact, "the stream carries no time stamps")
        return video
    if span.last_without_duration and video.frame_rate:
        end += 1 / video.frame_rate
    length = end - first
    return replace(
        video,
        start=first - _zero(found),
        duration=length,
        bit_rate=round(span.bytes * 8 / length) if length else None,
    )


def _zero(found: Found) -> Fraction:
    """Where the time line begins: at 0 where the format says so, else where picture or sound do."""
    if found.sniffed.format in OWN_ZERO:
        return Fraction(0)
    return min(start for start in _starts(found) if start is not None)


def _starts(found: Found) -> tuple[Fraction | None, ...]:
    spans = ((found.info, found.passed.picture), (found.sound, found.passed.sound))
    return tuple(seconds(span.first, info.time_base) for info, span in spans if info is not None)


def _shape(found: Found, video: VideoStream, info: StreamInfo, looked: Looked, gops: GopResult) -> VideoStream:
    """Size, orientation, pixel aspect ratio, pixel format: of a decoded frame, else (where that is sure) of the bitstream and the boxes."""
    notes, header, track = found.notes, gops.stream, found.box_track(info)
    matrix = looked.matrix
    size = looked.size or ((header.width, header.height) if header.width and header.height else None)
    if looked.reason is not None:
        matrix = None if track is None else track.matrix
        if size is None:
            notes.missing("video.width", looked.reason)
        if track is None:
            notes.missing("video.rotation", looked.reason)
    turned = geometry.orientation(matrix)
    known = looked.reason is None or track is not None
    clap: tuple[int, ...] | None = ()
    if track is not None and track.clap is not None and size is not None:
        whole = (header.width, header.height) if header.width and header.height else size
        clap = geometry.clean_aperture(track.clap, *whole)
        size = whole if clap and clap[2:] == size else size  # the decoder may have cut already
    name = looked.pixel_format or info.pixel_format
    name = None if name is None else geometry.grey_aware(name, header.chroma == "4:0:0")
    pixels = None if name is None else pyav.pixel_format(name)
    told = None if not (header.width and header.height) else (header.width, header.height)
    for fact, place in (("video.width", 0), ("video.height", 1)):
        notes.say(fact, "frames", None if looked.size is None else looked.size[place], agrees=looked.size == size)
        notes.say(fact, "bitstream", None if told is None else told[place], agrees=told == size)
    notes.say("video.chroma", "bitstream", header.chroma)
    if name is None:
        notes.missing("video.pixel_format", looked.reason or "the decoder does not say")
    return replace(
        video,
        width=None if size is None else size[0],
        height=None if size is None else size[1],
        clap=clap,
        sars=_sars(found, info, gops, track),
        rotation=turned.rotation if known else None,
        mirrored=turned.mirrored if known else None,
        matrix_exact=turned.exact if known else None,
        pixel_format=name,
        chroma=header.chroma or (pixels.chroma if pixels else None),
        bit_depth=header.bit_depth or (pixels.bits if pixels else None),
        alpha=(pixels.alpha if pixels else False) or info.metadata.get("alpha_mode") == "1",
    )


def _sars(found: Found, info: StreamInfo, gops: GopResult, track: IsoTrack | None) -> tuple[Any, ...]:
    """PyAV's ratio of the stream is a guess that falls back on the bitstream's: it is the container's where it differs, or where the
    container has a place for it and filled it in."""
    bitstream = gops.stream.sar if gops.stream.width else info.bitstream_sar
    stated = info.container_sar
    in_boxes = track is not None and track.pasp is not None and all(track.pasp)
    in_header = found.sniffed.format in ("matroska", "webm", "avi")
    if track is not None and in_boxes and track.pasp is not None:
        stated = Fraction(*track.pasp)
    elif stated == bitstream and not in_header:
        stated = None
    found.notes.say("video.sars", "container", stated)
    found.notes.say("video.sars", "bitstream", bitstream)
    return geometry.stated_sars(stated, bitstream)


def _scan_facts(video: VideoStream, info: StreamInfo, looked: Looked, gops: GopResult, notes: Notes) -> VideoStream:
    flags = scan.scan_flags(info.codec, info.field_order, gops.stream, looked.flagged, looked.parities)
    content = looked.content
    verdict = scan.verdict(flags, None if content is None else content.scan, scan.soft_telecine(gops.stream))
    if content is not None:
        agrees = content.scan == "undetermined" or content.scan == flags or (content.scan, verdict) == ("progressive", "progressive")
        notes.say("video.scan_content", content.source, f"{content.scan}: {content.evidence}", agrees=agrees)
    notes.say("video.scan_flags", "bitstream", flags)
    if verdict is None:
        notes.missing("video.scan", looked.reason or "neither flags nor the picture tell")
    return replace(
        video,
        scan=verdict,
        scan_flags=flags,
        scan_content=None if content is None else content.scan,
        parity=None if content is None else content.parity,
    )


def _colour(found: Found, info: StreamInfo, looked: Looked, gops: GopResult) -> Colour:
    header, track = gops.stream, found.box_track(info)
    codes = [
        own if own not in (0, 2) else stated
        for own, stated in ((info.primaries, header.primaries), (info.transfer, header.alternative_transfer or header.transfer))
    ]
    matrix = info.matrix if info.matrix != 2 else header.matrix
    transfer = colour.TRANSFERS.get(codes[1] or 0, "unspecified")
    dolby = None
    if track is not None and track.dolby_vision is not None:
        dolby = colour.DolbyVision(profile=track.dolby_vision.profile, compatibility=track.dolby_vision.compatibility)
    elif any(name.startswith("DOVI") for name in looked.side_data):
        dolby = colour.DolbyVision()
    stated = (("MASTERING_DISPLAY_METADATA", header.mastering_display), ("DYNAMIC_HDR_PLUS", header.hdr10_plus))
    return Colour(
        primaries=colour.PRIMARIES.get(codes[0] or 0, "unspecified"),
        transfer=transfer,
        matrix=colour.MATRICES.get(2 if matrix is None else matrix, "unspecified"),
        range=colour.colour_range(info.range, info.pixel_format, header.full_range),
        hdr=colour.hdr_formats(transfer, looked.side_data | {name for name, there in stated if there}, dolby),
    )


def _faults(found: Found, gops: GopResult) -> tuple[str, ...]:
    passed = found.passed
    corrupt = passed.picture.corrupt
    return (
        *gops.faults,
        *((f"{corrupt} damaged packet{'s' if corrupt > 1 else ''}",) if corrupt else ()),
        *((f"reading stopped early: {passed.ended_by}",) if passed.ended_by else ()),
    )


def _edit_list(found: Found, info: StreamInfo) -> Any:
    track = found.box_track(info)
    if found.iso is None:
        return "none"
    if track is None:
        found.notes.missing("video.edit_list", "the track's boxes were not found")
        return None
    return isobmff.edit_effect(track, found.iso.timescale)


# -- the sound ---------------------------------------------------------------------------------------------------------------------


def _audio(found: Found, info: StreamInfo) -> AudioStream:
    span, notes = found.passed.sound, found.notes
    try:
        decoded = [
            SoundFrame(samples=samples, channels=channels, layout=layout, sample_rate=rate)
            for samples, channels, layout, rate in found.reader.sound_frames(info.index, span.head)
        ]
    except SourceUnreadable:
        decoded = []
    if not decoded:
        notes.missing("audio.decodable", "no frame of the sound decodes: damaged, encrypted or unknown")
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
        start=None if first is None else first - _zero(found),
        duration=length,
        decodable=bool(decoded),
    )
    if info.codec not in ("aac", "aac_latm"):
        return replace(stream, sbr=False, ps=False)
    told = audio.aac_profile(info.profile, _config(found, info), decoded, notes, "audio")
    return replace(stream, profile=told.profile, sbr=told.sbr, ps=told.ps)


def _config(found: Found, info: StreamInfo) -> AacConfig | None:
    """The AudioSpecificConfig of the boxes or the container's header, else the first packet's ADTS header."""
    track = found.box_track(info)
    stated = (track.asc if track is not None else None) or info.extradata
    head = bytes(found.passed.sound.head[0]) if found.passed.sound.head else b""
    try:
        if stated:
            return aac.parse_config(stated)
        return aac.parse_adts(head) if aac.packet_framing(head) == "adts" else None
    except ValueError as problem:
        found.notes.missing("audio.profile", f"the configuration of the AAC stream is damaged: {problem}")
        return None


# -- the file ----------------------------------------------------------------------------------------------------------------------


def _finish(source: Source, found: Found, request: Request, video: VideoStream | None, heard: AudioStream | None) -> Video | Sound:
    """Put the parts together, with what concerns the whole file and the second opinion."""
    notes, header = found.notes, found.reader.duration
    presented = _presented(found, video)
    whole, because = _complete(source, found, presented, header)
    items = None
    if wants(request, "private"):
        items = found.iso.private if found.iso is not None else private.private_items(source, found.sniffed)
    common: dict[str, Any] = {
        "name": source.name,
        "size_bytes": source.size_bytes,
        "complete": whole,
        "incomplete_because": because,
        "private": items,
        "container": _container(found, header),
        "duration": _duration(presented, header),
    }
    if wants(request, "witnesses"):
        video = _second_opinion(source, found, common, video, heard)
    notes.say("container.format", "bytes", common["container"].format)
    notes.say("duration", "packets", None if presented is None else duration_text(presented), agrees=presented == common["duration"])
    notes.say("duration", "container", None if header is None else duration_text(header), agrees=_near(presented, header))
    if video is not None:
        explain.picture(notes, video)
    if heard is not None:
        explain.sound(notes, heard)
    common |= {"witnesses": tuple(notes.witnesses), "unknown": tuple(notes.unknown)}
    shown, sounded = found.passed.digests
    heard = None if heard is None else replace(heard, payload=sounded)
    if video is None:
        return Sound(audio=heard or AudioStream(), **common)
    video = replace(video, payload=shown)
    return Video(video=video, audio=heard, audio_present=heard is not None, **common)


def _second_opinion(
    source: Source, found: Found, common: dict[str, Any], video: VideoStream | None, heard: AudioStream | None
) -> VideoStream | None:
    opinion = mediainfo.opinion(source)
    if opinion is None:
        return video
    place = partial(_position, found.reader.streams)
    second_opinion.on_file(found.notes, common["duration"], common["complete"], opinion.general())
    if heard is not None and found.sound is not None:
        second_opinion.on_sound(found.notes, heard, opinion.track("Audio", place(found.sound)))
    if video is not None and found.info is not None:
        fields = opinion.track("Video", place(found.info))
        second_opinion.on_picture(found.notes, video, fields)
        video = replace(video, colour=replace(video.colour, hdr=second_opinion.dolby_vision(video.colour.hdr or (), fields)))
    return video


def _position(streams: Sequence[StreamInfo], info: StreamInfo) -> int:
    return [item.index for item in streams if item.kind == info.kind and not item.cover].index(info.index)


def _presented(found: Found, video: VideoStream | None) -> Fraction | None:
    """From the first to the last moment that is presented over picture and sound; an empty edit at the start counts, it is waited for."""
    if found.info is not None and (video is None or video.duration is None):
        return None
    spans = ((found.info, found.passed.picture), (found.sound, found.passed.sound))
    ends = [end for info, span in spans if info is not None and (end := seconds(span.end, info.time_base)) is not None]
    starts = [start for start in _starts(found) if start is not None]
    if not ends or not starts:
        return None
    delayed = video is not None and video.edit_list in ("delays", "trims-and-delays")
    if video is not None and video.start is not None and video.duration is not None:
        ends.append(video.start + video.duration + _zero(found))
    return max(ends) - min(starts if not delayed else [Fraction(0), *starts])


def _duration(presented: Fraction | None, header: Fraction | None) -> Fraction | None:
    """A server may look at the container's duration, so the larger counts, but only where it is plausible: headers state 143165 s over one
    second of content, and a truncated file keeps the header of the whole. Headers count milliseconds: less than one is rounding."""
    if presented is None or header is None:
        return presented
    return header if header - presented > ROUNDING and _near(presented, header) else presented


def _near(presented: Fraction | None, header: Fraction | None) -> bool:
    return presented is None or header is None or abs(header - presented) <= max(PLAUSIBLE, PLAUSIBLE_SHARE * presented)


def _complete(source: Source, found: Found, presented: Fraction | None, header: Fraction | None) -> tuple[bool | None, str | None]:
    """Structure first; where that holds, the packets: damaged ones at the end, or far less time than the header states."""
    iso = found.iso
    whole, because = complete.completeness(source, found.sniffed) if iso is None else (iso.complete, iso.incomplete_because)
    if whole is False:
        return whole, because
    spans = found.passed.picture, found.passed.sound
    if whole is None and any(span.corrupt and span.last_corrupt == span.packets for span in spans):
        return False, "its last packet is damaged: the file was cut off"
    if whole is None:
        found.notes.missing("complete", because or "the format cannot tell")
        because = None
    if found.passed.ended_by is not None:
        return False, f"reading stopped early: {found.passed.ended_by}"
    if found.iso is None and presented is not None and header is not None and presented < LEAST_SHARE * header - PLAUSIBLE:
        return False, f"the header states {float(header):.2f} s, the packets cover {float(presented):.2f} s"
    return whole, because


def _container(found: Found, header: Fraction | None) -> Container:
    iso = found.iso
    return Container(
        format="raw" if found.sniffed.format.startswith("raw-") else found.sniffed.format,
        brand=None if iso is None else iso.brand,
        faststart=None if iso is None else iso.faststart,
        fragmented=None if iso is None else iso.fragmented,
        duration_from_header=header,
        chapters=found.reader.chapters,
        tracks=tuple(_track(found, info) for info in found.reader.streams),
    )


def _track(found: Found, info: StreamInfo) -> Track:
    boxes = found.box_track(info)
    kind = "cover" if info.cover else "timecode" if boxes is not None and boxes.handler == "tmcd" else info.kind
    return Track(
        index=info.index,
        kind=kind,
        codec=info.codec or (None if boxes is None else boxes.codec),
        language=info.language,
        default=info.default,
        chosen=info in (found.info, found.sound),
        encrypted=None if boxes is None else boxes.encrypted,
    )
