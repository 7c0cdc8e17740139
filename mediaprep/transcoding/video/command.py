"""From the difference of the facts at hand and the facts wanted to ffmpeg jobs. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mediaprep.model.media import Track as SourceTrack
from mediaprep.model.media import Video, VideoStream
from mediaprep.planning.plan import Output
from mediaprep.runtime.context import MAX_PIXELS
from mediaprep.targets.video import audio_lead, with_corrected_sar
from mediaprep.tools.ffmpeg import FfmpegCommand, Filter, Input, OutputTrack, seconds
from mediaprep.transcoding.video import encoders
from mediaprep.transcoding.video.bit_rate import aim, encoding, setting
from mediaprep.transcoding.video.colour import colour_filters
from mediaprep.transcoding.video.cutting import by_packet, drop, shift
from mediaprep.transcoding.video.scale_crop_pad import aperture_filters, framing_filters
from mediaprep.transcoding.video.sound import sound_filters, sound_options
from mediaprep.transcoding.video.timing import (
    clock_filters,
    constant_rate,
    rounded_rate,
    scan_filters,
    seek,
    stop_at,
)

_NEVER_KEPT: Mapping[str, str | int] = {
    "map_chapters": "-1",
    "write_tmcd": 0,
    "fflags": "+bitexact",
}
_METADATA_LEFT: Mapping[str, str | int] = {
    "map_metadata": "-1",
    "map_metadata:s": "-1",
    "movflags": "+faststart",
}
_METADATA_KEPT: Mapping[str, str | int] = {
    "map_metadata": "0",
    "movflags": "+faststart+use_metadata_tags",
}
_TAGS = {
    "h264": "avc1",
    "hevc": "hvc1",
}  # codec-facts.md, section 11: players want hvc1, ffmpeg writes hev1


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeJob:
    """What the host and the source's bytes add to the facts: the demuxer to force, the formats allowed, threads of one child, the encoder
    that answered, whether ffmpeg has zscale, and which try this is for a quality that was asked for."""

    demuxer: str
    whitelist: str
    threads: int = 2
    encoder: str = "libx264"
    zscale: bool = True
    effort: int = 0


def job(output: Output, means: EncodeJob) -> FfmpegCommand:
    """The one run that makes the output. Raises: ValueError where the facts name no picture track (a plan never asks that)."""
    source_media, target = output.source, output.target
    if not isinstance(source_media, Video) or not isinstance(target, Video):
        raise ValueError("a video output is made of a video")
    picture, sound = (
        chosen(source_media, "video"),
        chosen(source_media, "audio") if target.audio is not None else None,
    )
    if picture is None:
        raise ValueError("no picture track is chosen")
    options: dict[str, str | int] = {
        **_NEVER_KEPT,
        **(_METADATA_KEPT if output.options.keep_metadata else _METADATA_LEFT),
    }
    tracks = [
        OutputTrack(
            index=picture.index,
            filters=_picture_filters(output, source_media, target, means)
            if target.video.reencode
            else (),
        )
    ]
    options |= (
        _picture_options(output, target, means)
        if target.video.reencode
        else _copied_picture(output, source_media, target)
    )
    if sound is not None and target.audio is not None:
        tracks.append(
            OutputTrack(
                index=sound.index,
                filters=sound_filters(output, source_media, target)
                if target.audio.reencode
                else (),
            )
        )
        options |= sound_options(output, target.audio) if target.audio.reencode else {"c:a": "copy"}
    if by_packet(output):
        kept = f"{drop(output)},{shift(output)}"
        options["bsf:v"] = f"{options['bsf:v']},{kept}" if "bsf:v" in options else kept
        options |= {"bsf:a": kept} if options.get("c:a") == "copy" else {}
    elif target.video.reencode or (target.audio is not None and target.audio.reencode):
        options["t"] = seconds(stop_at(output, source_media))
    return FfmpegCommand(
        input=source_input(output, source_media, means),
        tracks=tuple(tracks),
        options=options,
        muxer="mp4",
        threads=means.threads,
    )


def chosen(source_media: Video, kind: str) -> SourceTrack | None:
    """The track of a kind that is judged and kept."""
    return next(
        (
            track
            for track in source_media.container.tracks or ()
            if track.kind == kind and track.chosen
        ),
        None,
    )


def source_input(output: Output, source_media: Video, means: EncodeJob) -> Input:
    """The source as ffmpeg gets it: not turned by ffmpeg where its picture is decoded, from the span's start on."""
    decoded = output.target.video.reencode if isinstance(output.target, Video) else True
    options: dict[str, str | int] = {"noautorotate": None} if decoded else {}  # type: ignore[dict-item]  # ffmpeg-python: None is a bare flag
    if source_media.video.timestamps == "missing" and output.options.frame_rate is not None:
        options["framerate"] = (
            f"{output.options.frame_rate.numerator}/{output.options.frame_rate.denominator}"
        )
    if ahead := audio_lead(source_media):
        options["itsoffset"] = f"-{seconds(ahead)}"
    start = None
    if (read := seek(output, source_media)) is not None:
        start = read[0]
        options["t"] = seconds(read[1] + ahead)
    return Input(
        demuxer=means.demuxer,
        whitelist=means.whitelist,
        start=start,
        max_pixels=MAX_PIXELS,
        options=options,
    )


def _picture_options(output: Output, target: Video, means: EncodeJob) -> dict[str, str | int]:
    rate = target.video.frame_rate
    if rate is None:
        raise ValueError("no frame rate is wanted")
    return {
        **encoders.options(
            means.encoder,
            setting(output, means.effort),
            aim(output, means.effort),
            math.ceil(encoding(output).keyframe_seconds * rate),
        ),
        "r": f"{rate.numerator}/{rate.denominator}",
        "fps_mode": "cfr",
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "color_range": "tv",
        "video_track_timescale": 90000 if 90000 % rate == 0 else rate.numerator,
    }


def _copied_picture(output: Output, source_media: Video, target: Video) -> dict[str, str | int]:
    options: dict[str, str | int] = {"c:v": "copy"}
    if output.span is None and (rate := rounded_rate(source_media)) is not None:
        # a bitstream filter, even one that does nothing, gets times as multiples of what ``r`` says a frame lasts
        options |= {"r": f"{rate.numerator}/{rate.denominator}", "bsf:v": "null"}
    if (tag := _TAGS.get(target.video.codec or "")) is not None:
        options["tag:v"] = tag
    if target.video.sars != source_media.video.sars and target.video.width and target.video.height:
        shape = Fraction(target.video.width, target.video.height)
        options["aspect"] = f"{shape.numerator}:{shape.denominator}"
        options["bsf:v"] = f"{target.video.codec}_metadata=sample_aspect_ratio=1/1"
    return options


def _picture_filters(
    output: Output, source_media: Video, target: Video, means: EncodeJob
) -> tuple[Filter, ...]:
    size = target.video.display_size
    if size is None:
        raise ValueError("no picture size is wanted")
    video = with_corrected_sar(source_media.video, output.options)
    timing = clock_filters(output, source_media), constant_rate(output, source_media)
    filters = upright_filters(
        video, target.video.frame_rate, size, output.options.fit, timing=timing, zscale=means.zscale
    )
    return (*filters, *encoders.upload_filters(means.encoder))


def upright_filters(
    video: VideoStream,
    rate: Fraction | None,
    size: tuple[int, int],
    fit: Literal["pad", "crop", "scale"],
    *,
    timing: tuple[list[Filter], list[Filter]] = ([], []),
    zscale: bool = True,
) -> list[Filter]:
    """From the decoded picture to a progressive, upright one of ``size`` with square pixels in BT.709; ``rate``: frames a second wanted;
    ``timing``: what stands before and behind the work on fields, which needs all of them at their times."""
    filters = [
        *timing[0],
        *scan_filters(video, rate),
        *timing[1],
        *aperture_filters(video),
        *_turn_filters(video),
    ]
    return [
        *filters,
        *framing_filters(video, size, fit),
        *colour_filters(video, size, zscale=zscale),
    ]


def _turn_filters(video: VideoStream) -> list[Filter]:
    """Mirror, then turn clockwise; the matrix is deleted, or the output would carry it on."""
    turns: dict[int, list[Filter]] = {
        90: [Filter(name="transpose", options={"dir": "clock"})],
        180: [Filter(name="hflip"), Filter(name="vflip")],
        270: [Filter(name="transpose", options={"dir": "cclock"})],
    }
    filters = [Filter(name="hflip")] if video.mirrored else []
    return [
        *filters,
        *turns.get(video.rotation or 0, []),
        Filter(name="sidedata", options={"mode": "delete", "type": "DISPLAYMATRIX"}),
    ]
