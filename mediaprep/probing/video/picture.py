"""The picture: from the packets, the few decoded frames, the bitstream and the boxes to a VideoStream."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from mediaprep.model import containers
from mediaprep.model.media import Colour, VideoStream
from mediaprep.probing.formats import isoedits
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.probing.request import ReadRequest, wants
from mediaprep.probing.video import colour, frames, geometry, scan
from mediaprep.probing.video.audio import seconds
from mediaprep.probing.video.frames import DecodedFacts, SamplingDepth
from mediaprep.probing.video.gathered import DemuxedFile
from mediaprep.probing.video.gop import GopResult
from mediaprep.probing.video.notes import ReaderLog
from mediaprep.probing.video.timing import Timing, frame_timing
from mediaprep.tools import pyav
from mediaprep.tools.pyav import StreamInfo

H263_SIZES = frozenset(
    {(128, 96), (176, 144), (352, 288), (704, 576), (1408, 1152)}
)  # ITU-T H.263, 4.1: source formats 1 to 5


def read_picture(found: DemuxedFile, info: StreamInfo, request: ReadRequest) -> VideoStream:
    """The facts of the chosen picture track."""
    gops, span, notes = found.passed.gops, found.passed.picture, found.notes
    assert gops is not None
    header = gops.stream
    timing = _timing(found, info, gops)
    flags_doubt = info.field_order > 1 or bool(header.field_seq or header.field_pictures)
    doubt = flags_doubt or scan.interlaced_material(info.height, timing.frame_rate)
    first, end = seconds(span.first, info.time_base), seconds(span.end, info.time_base)
    wanted = SamplingDepth(
        content=wants(request, "video.scan", "video.scan_content", "video.parity")
        and not header.field_seq,
        deep=request.deep,
        doubt=doubt,
        span=None if first is None or end is None else (first, end),
    )
    probed = frames.look(found.reader, info, span.head, wanted, request.max_pixels)
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
    video = _shape(found, video, info, probed, gops)
    video = _scan_facts(video, info, probed, gops, notes)
    if gops.reason is not None:
        notes.missing("video.gop.structure", gops.reason)
    else:
        notes.say("video.gop.structure", "bitstream", gops.gop.structure)
    notes.say("video.profile", "bitstream", header.profile, agrees=header.profile == video.profile)
    notes.say("video.profile", "pyav", info.profile, agrees=info.profile == video.profile)
    return replace(video, colour=_colour(found, info, probed, gops))


def _timing(found: DemuxedFile, info: StreamInfo, gops: GopResult) -> Timing:
    return frame_timing(
        gops.frame_pts or (),
        info.time_base or Fraction(1),
        declared=info.declared_rate,
        header_rate=gops.stream.timing_rate or info.average_rate,
        codec=info.codec,
        presentation_times=found.reader.presentation_times,
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


def _times(
    found: DemuxedFile,
    video: VideoStream,
    info: StreamInfo,
    first: Fraction | None,
    end: Fraction | None,
) -> VideoStream:
    span = found.passed.picture
    if first is None or end is None or video.timestamps == "missing":
        some = 0 < span.untimed < span.packets
        reason = (
            f"{span.untimed} of its {span.packets} packets carry no time stamp"
            if some
            else "the stream carries no time stamps"
        )
        for fact in ("video.start", "video.duration", "video.frame_rate", "duration"):
            found.notes.missing(fact, reason)
        return video
    if span.last_without_duration and video.frame_rate:
        end += 1 / video.frame_rate
    length = end - first
    if video.timestamps == "broken" and video.frame_rate and video.frame_count:
        first, length = (
            found.zero,
            video.frame_count / video.frame_rate,
        )  # the stamps are the demuxer's guesses
    elif video.rate_mode == "cfr" and video.frame_rate and video.frame_count and info.time_base:
        exact = video.frame_count / video.frame_rate
        if abs(exact - length) <= min(
            2 * info.time_base, 1 / (4 * video.frame_rate)
        ):  # the first stamp and the end are rounded to ticks
            length = exact
    return replace(
        video,
        start=first - found.zero,
        duration=length,
        bit_rate=round(span.bytes * 8 / length) if length else None,
    )


def _shape(
    found: DemuxedFile, video: VideoStream, info: StreamInfo, probed: DecodedFacts, gops: GopResult
) -> VideoStream:
    """Size, orientation, pixel aspect ratio, pixel format: of a decoded frame, else (where that is sure) of the bitstream and the boxes."""
    notes, header, track = found.notes, gops.stream, found.box_track(info)
    matrix = probed.matrix
    size = probed.size or (
        (header.width, header.height) if header.width and header.height else None
    )
    if probed.reason is not None:
        matrix = None if track is None else track.matrix
        if size is None:
            notes.missing("video.width", probed.reason)
        if track is None:
            notes.missing("video.rotation", probed.reason)
    turned = geometry.orientation(matrix)
    known = probed.reason is None or track is not None
    clap: tuple[int, ...] | None = ()
    if track is not None and track.clap is not None and size is not None:
        whole = (header.width, header.height) if header.width and header.height else size
        clap = geometry.clean_aperture(track.clap, *whole)
        size = whole if clap and clap[2:] == size else size  # the decoder may have cut already
    name = probed.pixel_format or info.pixel_format
    name = None if name is None else geometry.grey_aware(name, header.chroma == "4:0:0")
    pixels = None if name is None else pyav.pixel_format(name)
    told = None if not (header.width and header.height) else (header.width, header.height)
    for fact, place in (("video.width", 0), ("video.height", 1)):
        notes.say(
            fact,
            "frames",
            None if probed.size is None else probed.size[place],
            agrees=probed.size == size,
        )
        notes.say(fact, "bitstream", None if told is None else told[place], agrees=told == size)
    notes.say("video.chroma", "bitstream", header.chroma)
    if name is None:
        notes.missing("video.pixel_format", probed.reason or "the decoder does not say")
    return replace(
        video,
        width=None if size is None else size[0],
        height=None if size is None else size[1],
        clap=clap,
        sars=_sars(found, info, gops, track),
        rotation=turned.rotation if known else None,
        mirrored=turned.mirrored if known else None,
        matrix_exact=turned.exact if known else None,
        pixel_grid=probed.pixel_grid,
        pixel_format=name,
        chroma=header.chroma or (pixels.chroma if pixels else None),
        bit_depth=header.bit_depth or (pixels.bits if pixels else None),
        alpha=(pixels.alpha if pixels else False) or info.metadata.get("alpha_mode") == "1",
    )


def _sars(
    found: DemuxedFile, info: StreamInfo, gops: GopResult, track: IsoTrack | None
) -> tuple[Any, ...]:
    """PyAV's ratio of the stream is a guess that falls back on the bitstream's: it is the container's where it differs, or where the
    container has a place for it and filled it in."""
    bitstream = gops.stream.sar if gops.stream.width else info.bitstream_sar
    stated = info.container_sar
    if (info.width, info.height) in H263_SIZES and info.codec in (
        "h263",
        "h261",
    ):  # 12:11 goes with these sizes, unstated
        bitstream, stated = None, None if stated == info.bitstream_sar else stated
    in_boxes = track is not None and track.pasp is not None and all(track.pasp)
    declares_sar = containers.of(found.sniffed.format).declares_sar
    if track is not None and in_boxes and track.pasp is not None:
        stated = Fraction(*track.pasp)
    elif stated == bitstream and declares_sar == "no":
        stated = None
    if declares_sar == "rounded" and stated and round(stated * info.width) == info.width:
        stated = Fraction(1)  # 16384:16383 is the rounding of a display aspect ratio
    found.notes.say("video.sars", "container", stated)
    found.notes.say("video.sars", "bitstream", bitstream)
    return geometry.stated_sars(stated, bitstream)


def _scan_facts(
    video: VideoStream, info: StreamInfo, probed: DecodedFacts, gops: GopResult, notes: ReaderLog
) -> VideoStream:
    flags = scan.scan_flags(
        info.codec, info.field_order, gops.stream, probed.flagged, probed.parities
    )
    content = probed.content
    soft = scan.soft_telecine(gops.stream)
    verdict = (
        scan.verdict(flags, None, soft)
        if content is None
        else scan.verdict(flags, content.scan, soft, content.sure)
    )
    if content is not None:
        agrees = (
            content.scan == "undetermined"
            or content.scan == flags
            or (content.scan, verdict) == ("progressive", "progressive")
        )
        notes.say(
            "video.scan_content",
            content.source,
            f"{content.scan}: {content.evidence}",
            agrees=agrees,
        )
    notes.say("video.scan_flags", "bitstream", flags)
    if verdict is None:
        notes.missing("video.scan", probed.reason or "neither flags nor the picture tell")
    return replace(
        video,
        scan=verdict,
        scan_flags=flags,
        scan_content=None if content is None else content.scan,
        parity=None if content is None else content.parity,
    )


def _colour(found: DemuxedFile, info: StreamInfo, probed: DecodedFacts, gops: GopResult) -> Colour:
    header, track = gops.stream, found.box_track(info)
    codes = [
        own if own not in (0, 2) else stated
        for own, stated in (
            (info.primaries, header.primaries),
            (info.transfer, header.alternative_transfer or header.transfer),
        )
    ]
    matrix = info.matrix if info.matrix != 2 else header.matrix
    transfer = colour.TRANSFERS.get(codes[1] or 0, "unspecified")
    dolby = None
    if track is not None and track.dolby_vision is not None:
        dolby = colour.DolbyVision(
            profile=track.dolby_vision.profile, compatibility=track.dolby_vision.compatibility
        )
    elif any(name.startswith("DOVI") for name in probed.side_data):
        dolby = colour.DolbyVision()
    stated = (
        ("MASTERING_DISPLAY_METADATA", header.mastering_display),
        ("DYNAMIC_HDR_PLUS", header.hdr10_plus),
    )
    return Colour(
        primaries=colour.PRIMARIES.get(codes[0] or 0, "unspecified"),
        transfer=transfer,
        matrix=colour.MATRICES.get(2 if matrix is None else matrix, "unspecified"),
        range=colour.colour_range(info.range, info.pixel_format, header.full_range),
        hdr=colour.hdr_formats(
            transfer, probed.side_data | {name for name, there in stated if there}, dolby
        ),
    )


def _faults(found: DemuxedFile, gops: GopResult) -> tuple[str, ...]:
    passed = found.passed
    corrupt = passed.picture.corrupt
    return (
        *gops.faults,
        *((f"{corrupt} damaged packet{'s' if corrupt > 1 else ''}",) if corrupt else ()),
        *((f"reading stopped early: {passed.ended_by}",) if passed.ended_by else ()),
    )


def _edit_list(found: DemuxedFile, info: StreamInfo) -> Any:
    track = found.box_track(info)
    if found.iso is None:
        return "none"
    if track is None:
        found.notes.missing("video.edit_list", "the track's boxes were not found")
        return None
    return isoedits.edit_effect(track, found.iso.timescale)
