"""Read the facts of the chosen video stream: packets, decoded frames, bitstream and boxes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model.media import Colour, EditList, VideoStream
from mediaprep.probing.bitstream.header import StreamHeader
from mediaprep.probing.formats import isoedits
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.probing.request import ReadRequest
from mediaprep.probing.video import colour, interlace
from mediaprep.probing.video.demuxed import DemuxedFile, seconds
from mediaprep.probing.video.field_tally import FieldAnalysis
from mediaprep.probing.video.frame_shape import with_shape
from mediaprep.probing.video.gop_scanner import GopResult
from mediaprep.probing.video.sampling import DecodedFacts, SamplingDepth, sample_frames
from mediaprep.probing.video.scan_type import scan_flags, scan_type, soft_telecine
from mediaprep.probing.video.timing import Timing, frame_timing
from mediaprep.tools.pyav_streams import StreamInfo

_UNSPECIFIED = 2  # ITU-T H.273


def read_video_stream(demuxed: DemuxedFile, info: StreamInfo, request: ReadRequest) -> VideoStream:
    """Return the facts of the chosen video stream."""
    gops, span, log = demuxed.packets.gops, demuxed.packets.video, demuxed.log
    assert gops is not None
    header = gops.stream
    timing = _timing(demuxed, info, gops)
    first, end = seconds(span.first, info.time_base), seconds(span.end, info.time_base)
    depth = _sampling_depth(info, header, timing, request, first, end)
    decoded = sample_frames(demuxed.reader, info, span.head, depth, request.max_pixels)
    video = VideoStream(
        codec=info.codec,
        tag=info.tag,
        profile=header.profile or info.profile,
        level=header.level,
        gop=gops.gop,
        size_changes=header.size_changes or False,
        faults=_faults(demuxed, gops),
        frame_count=gops.frames_presented,
        edit_list=_edit_list(demuxed, info),
        colour=_colour(demuxed, info, header, decoded),
    )
    video = _with_times(_with_rates(video, info, timing), demuxed, info, first, end)
    video = with_shape(video, demuxed, info, header, decoded)
    video = _with_scan_type(video, info, header, decoded, log)
    _report(log, video, info, gops)
    return video


def _timing(demuxed: DemuxedFile, info: StreamInfo, gops: GopResult) -> Timing:
    return frame_timing(
        gops.frame_pts or (),
        info.time_base or Fraction(1),
        declared=info.declared_rate,
        header_rate=gops.stream.timing_rate or info.average_rate,
        codec=info.codec,
        has_pts=demuxed.reader.presentation_times,
    )


def _sampling_depth(
    info: StreamInfo,
    header: StreamHeader,
    timing: Timing,
    request: ReadRequest,
    first: Fraction | None,
    end: Fraction | None,
) -> SamplingDepth:
    flagged = info.field_order > 1 or bool(header.field_seq or header.field_pictures)
    return SamplingDepth(
        content=not header.field_seq,
        deep=request.deep,
        suspected=flagged or interlace.is_television(info.height, timing.frame_rate),
        span=None if first is None or end is None else (first, end),
    )


def _with_rates(video: VideoStream, info: StreamInfo, timing: Timing) -> VideoStream:
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


def _with_times(
    video: VideoStream,
    demuxed: DemuxedFile,
    info: StreamInfo,
    first: Fraction | None,
    end: Fraction | None,
) -> VideoStream:
    """Return ``video`` with start, duration and bit rate.

    ``first``, ``end``: when its first packet begins and its last one ends.
    """
    span, rate = demuxed.packets.video, video.frame_rate
    if first is None or end is None or video.timestamps == "missing":
        reason = "the stream has no timestamps"
        if 0 < span.untimed < span.packets:
            reason = f"{span.untimed} of its {span.packets} packets have no timestamp"
        for fact in ("video.start", "video.duration", "video.frame_rate", "duration"):
            demuxed.log.unknown_because(fact, reason)
        return video
    if span.last_without_duration and rate:
        end += 1 / rate
    length = end - first
    if rate and video.frame_count:
        by_rate = video.frame_count / rate
        # The first timestamp and the end are rounded to ticks.
        rounding = min(2 * (info.time_base or 0), 1 / (4 * rate))
        if video.timestamps == "broken":  # the demuxer made the timestamps up
            first, length = demuxed.zero, by_rate
        elif video.rate_mode == "cfr" and abs(by_rate - length) <= rounding:
            length = by_rate
    return replace(
        video,
        start=first - demuxed.zero,
        duration=length,
        bit_rate=round(span.bytes * 8 / length) if length else None,
    )


def _with_scan_type(
    video: VideoStream,
    info: StreamInfo,
    header: StreamHeader,
    decoded: DecodedFacts,
    log: ReaderLog,
) -> VideoStream:
    flags = scan_flags(info.codec, info.field_order, header, decoded.flagged, decoded.parities)
    content = decoded.content or FieldAnalysis()
    soft = soft_telecine(header)
    verdict = scan_type(flags, content.scan, soft=soft, conclusive=content.conclusive)
    if decoded.content is not None:
        progressive = content.scan == verdict == "progressive"
        agrees = content.scan in ("undetermined", flags) or progressive
        text = f"{content.scan}: {content.counts}"
        log.report("video.scan_content", content.source, text, agrees=agrees)
    log.report("video.scan_flags", "bitstream", flags)
    if verdict is None:
        reason = decoded.reason or "neither flags nor frames show it"
        log.unknown_because("video.scan", reason)
    return replace(
        video,
        scan=verdict,
        scan_flags=flags,
        scan_content=content.scan,
        parity=content.parity,
    )


def _colour(
    demuxed: DemuxedFile, info: StreamInfo, header: StreamHeader, decoded: DecodedFacts
) -> Colour:
    primaries = _first_specified(info.primaries, header.primaries)
    transfer_code = _first_specified(info.transfer, header.alternative_transfer or header.transfer)
    matrix = info.matrix if info.matrix != _UNSPECIFIED else header.matrix
    transfer = colour.TRANSFERS.get(transfer_code, "unspecified")
    side_data = set(decoded.side_data)
    if header.mastering_display:
        side_data.add("MASTERING_DISPLAY_METADATA")
    if header.hdr10_plus:
        side_data.add("DYNAMIC_HDR_PLUS")
    return Colour(
        primaries=colour.PRIMARIES.get(primaries, "unspecified"),
        transfer=transfer,
        matrix=colour.MATRICES.get(_UNSPECIFIED if matrix is None else matrix, "unspecified"),
        range=colour.colour_range(info.range, info.pixel_format, header.full_range),
        hdr=colour.hdr_formats(
            transfer, frozenset(side_data), _dolby_vision(demuxed, info, decoded)
        ),
    )


def _first_specified(code: int, stated: int | None) -> int:
    """Return the decoder's code, or the bitstream's if the decoder reports none."""
    return code if code not in (0, _UNSPECIFIED) else stated or 0


def _dolby_vision(
    demuxed: DemuxedFile, info: StreamInfo, decoded: DecodedFacts
) -> colour.DolbyVision | None:
    track = demuxed.iso_track(info)
    if track is not None and track.dolby_vision is not None:
        return colour.DolbyVision(
            profile=track.dolby_vision.profile, compatibility=track.dolby_vision.compatibility
        )
    if any(name.startswith("DOVI") for name in decoded.side_data):
        return colour.DolbyVision()
    return None


def _faults(demuxed: DemuxedFile, gops: GopResult) -> tuple[str, ...]:
    faults = list(gops.faults)
    packets = demuxed.packets
    if corrupt := packets.video.corrupt:
        faults.append(f"{corrupt} damaged packet{'s' if corrupt > 1 else ''}")
    if packets.ended_by:
        faults.append(f"reading stopped early: {packets.ended_by}")
    return tuple(faults)


def _edit_list(demuxed: DemuxedFile, info: StreamInfo) -> EditList | None:
    if demuxed.iso is None:
        return "none"
    track = demuxed.iso_track(info)
    if track is None:
        demuxed.log.unknown_because("video.edit_list", "the file has no boxes for this track")
        return None
    return isoedits.edit_effect(track, demuxed.iso.timescale)


def _report(log: ReaderLog, video: VideoStream, info: StreamInfo, gops: GopResult) -> None:
    """Report the readers of GOP structure and profile."""
    if gops.reason is not None:
        log.unknown_because("video.gop.structure", gops.reason)
    else:
        log.report("video.gop.structure", "bitstream", gops.gop.structure)
    profile = gops.stream.profile
    log.report("video.profile", "bitstream", profile, agrees=profile == video.profile)
    log.report("video.profile", "pyav", info.profile, agrees=info.profile == video.profile)
