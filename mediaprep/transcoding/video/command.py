"""The ffmpeg command that turns the source into the planned video. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

from mediaprep.model.media import Track as SourceTrack
from mediaprep.model.media import Video, VideoStream
from mediaprep.planning.plan import Output
from mediaprep.runtime.context import MAX_PIXELS
from mediaprep.targets.video import audio_lead, with_corrected_sar
from mediaprep.tools.ffmpeg import FfmpegCommand, Filter, Input, OutputTrack, seconds
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.video.bit_rate import rate_target
from mediaprep.transcoding.video.colour import colour_filters
from mediaprep.transcoding.video.cutting import copies_span, drop_filter, shift_filter
from mediaprep.transcoding.video.encoders import FfmpegOptions, encoder_options, upload_filters
from mediaprep.transcoding.video.presets import preset_of, video_encoding
from mediaprep.transcoding.video.scale_crop_pad import Fit, Size, aperture_filters, framing_filters
from mediaprep.transcoding.video.sound import sound_filters, sound_options
from mediaprep.transcoding.video.timing import (
    clock_filters,
    constant_rate_filters,
    deinterlace_filters,
    read_window,
    rounded_rate,
    stop_at,
)

_COMMON: FfmpegOptions = {"map_chapters": "-1", "write_tmcd": 0, "fflags": "+bitexact"}
_REMOVE_METADATA: FfmpegOptions = {
    "map_metadata": "-1",
    "map_metadata:s": "-1",
    "movflags": "+faststart",
}
_KEEP_METADATA: FfmpegOptions = {
    "map_metadata": "0",
    "movflags": "+faststart+use_metadata_tags",
}
# Apple's players need hvc1 (HLS Authoring Specification); ffmpeg writes hev1 by default.
_TAGS = {"h264": "avc1", "hevc": "hvc1"}


def video_command(job: EncodeJob) -> FfmpegCommand:
    """Return the ffmpeg command that writes the output in one run.

    Raises: ValueError if source or target is not a video, or the source has no chosen picture.
    """
    output = job.output
    source, target = output.source, output.target
    if not isinstance(source, Video) or not isinstance(target, Video):
        raise ValueError("source and target have to be videos")
    picture = chosen_track(source, "video")
    if picture is None:
        raise ValueError("the source has no chosen picture track")
    sound = None if target.audio is None else chosen_track(source, "audio")
    metadata = _KEEP_METADATA if output.options.keep_metadata else _REMOVE_METADATA
    options = {**_COMMON, **metadata}
    if target.video.reencode:
        tracks = [OutputTrack(index=picture.index, filters=_picture_filters(job, source, target))]
        options |= _encoded_picture_options(job, target)
    else:
        tracks = [OutputTrack(index=picture.index)]
        options |= _copied_picture_options(output, source, target)
    if sound is not None and target.audio is not None:
        if target.audio.reencode:
            filters = sound_filters(output, source, target)
            tracks.append(OutputTrack(index=sound.index, filters=filters))
            options |= sound_options(output, target.audio)
        else:
            tracks.append(OutputTrack(index=sound.index))
            options["c:a"] = "copy"
    if copies_span(output):
        _add_span_filters(options, output)
    elif target.video.reencode or (target.audio is not None and target.audio.reencode):
        options["t"] = seconds(stop_at(output, source))
    return FfmpegCommand(
        input=source_input(job, source),
        tracks=tuple(tracks),
        options=options,
        muxer="mp4",
        threads=job.threads,
    )


def chosen_track(source: Video, kind: str) -> SourceTrack | None:
    """Return the track of a kind (video or audio) that is checked and kept; None without one."""
    for track in source.container.tracks or ():
        if track.kind == kind and track.chosen:
            return track
    return None


def source_input(job: EncodeJob, source: Video) -> Input:
    """Return the source as ffmpeg's input, read from the start of the span. A picture that is
    decoded is not rotated by ffmpeg: the filters do that.
    """
    output = job.output
    options: FfmpegOptions = {}
    if not isinstance(output.target, Video) or output.target.video.reencode:
        options["noautorotate"] = None  # type: ignore[assignment]  # a flag without a value
    if source.video.timestamps == "missing" and output.options.frame_rate is not None:
        rate = output.options.frame_rate
        options["framerate"] = f"{rate.numerator}/{rate.denominator}"
    offset = audio_lead(source)
    if offset:
        options["itsoffset"] = f"-{seconds(offset)}"
    start = None
    window = read_window(output, source)
    if window is not None:
        start, length = window
        options["t"] = seconds(length + offset)
    return Input(
        demuxer=job.demuxer,
        whitelist=job.whitelist,
        start=start,
        max_pixels=MAX_PIXELS,
        options=options,
    )


def upright_filters(
    video: VideoStream,
    rate: Fraction | None,
    size: Size,
    fit: Fit,
    *,
    before: list[Filter] | None = None,
    after_fields: list[Filter] | None = None,
    zscale: bool = True,
) -> list[Filter]:
    """Return the filters from the decoded picture to a progressive, upright one of ``size``, with
    square pixels, in BT.709.

    rate          frames per second of the target
    before        filters that come first
    after_fields  filters that follow deinterlacing, which needs every field at its time
    """
    return [
        *(before or ()),
        *deinterlace_filters(video, rate),
        *(after_fields or ()),
        *aperture_filters(video),
        *_rotation_filters(video),
        *framing_filters(video, size, fit),
        *colour_filters(video, zscale=zscale),
    ]


def _picture_filters(job: EncodeJob, source: Video, target: Video) -> tuple[Filter, ...]:
    output, size = job.output, target.video.display_size
    if size is None:
        raise ValueError("the target has no picture size")
    filters = upright_filters(
        with_corrected_sar(source.video, output.options),
        target.video.frame_rate,
        size,
        output.options.fit,
        before=clock_filters(output, source),
        after_fields=constant_rate_filters(output, source),
        zscale=job.zscale,
    )
    return (*filters, *upload_filters(job.encoder))


def _encoded_picture_options(job: EncodeJob, target: Video) -> FfmpegOptions:
    output, rate = job.output, target.video.frame_rate
    if rate is None:
        raise ValueError("the target has no frame rate")
    keyint = math.ceil(video_encoding(output).keyframe_seconds * rate)
    preset, bits = preset_of(output, job.effort), rate_target(output, job.effort)
    return {
        **encoder_options(job.encoder, preset, bits, keyint),
        "r": f"{rate.numerator}/{rate.denominator}",
        "fps_mode": "cfr",
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "color_range": "tv",
        "video_track_timescale": 90000 if 90000 % rate == 0 else rate.numerator,
    }


def _copied_picture_options(output: Output, source: Video, target: Video) -> FfmpegOptions:
    options: FfmpegOptions = {"c:v": "copy"}
    rate = rounded_rate(source) if output.span is None else None
    if rate is not None:
        # Behind any bitstream filter, ffmpeg rounds timestamps to multiples of 1/r.
        options |= {"r": f"{rate.numerator}/{rate.denominator}", "bsf:v": "null"}
    tag = _TAGS.get(target.video.codec or "")
    if tag is not None:
        options["tag:v"] = tag
    if target.video.sars != source.video.sars and target.video.width and target.video.height:
        shape = Fraction(target.video.width, target.video.height)
        options["aspect"] = f"{shape.numerator}:{shape.denominator}"
        options["bsf:v"] = f"{target.video.codec}_metadata=sample_aspect_ratio=1/1"
    return options


def _add_span_filters(options: FfmpegOptions, output: Output) -> None:
    """Add the bitstream filters that cut a span out of copied tracks."""
    cut = f"{drop_filter(output)},{shift_filter(output)}"
    options["bsf:v"] = f"{options['bsf:v']},{cut}" if "bsf:v" in options else cut
    if options.get("c:a") == "copy":
        options["bsf:a"] = cut


def _rotation_filters(video: VideoStream) -> list[Filter]:
    """Return the filters that mirror, then rotate clockwise, and delete the display matrix, which
    the output would inherit.
    """
    filters = [Filter(name="hflip")] if video.mirrored else []
    match video.rotation:
        case 90:
            filters.append(Filter(name="transpose", options={"dir": "clock"}))
        case 180:
            filters += [Filter(name="hflip"), Filter(name="vflip")]
        case 270:
            filters.append(Filter(name="transpose", options={"dir": "cclock"}))
    delete = {"mode": "delete", "type": "DISPLAYMATRIX"}
    return [*filters, Filter(name="sidedata", options=delete)]
