"""The ffmpeg command that writes an MP4 from an animation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

from mediaprep.model.fix import Refused
from mediaprep.model.media import Animation, Container, Track, Video
from mediaprep.model.tolerance import Near
from mediaprep.planning.plan import Output
from mediaprep.targets.conversion import as_video
from mediaprep.tools.ffmpeg import FfmpegCommand, Filter, OutputTrack
from mediaprep.transcoding.animation_input import animation_input
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.video.command import upright_filters, video_command

_CLOCK = 100_000  # ticks per second: enough for the delays of every format


def video_from_animation_command(job: EncodeJob) -> FfmpegCommand:
    """Return the ffmpeg command. Each frame starts within half an output frame of its time, the
    last one stays for its delay, a short animation is repeated, and transparency shows white.

    Raises: ValueError if the source is not an animation, or a fact that a plan states is missing.
    """
    output = job.output
    source, target = output.source, output.target
    if not isinstance(source, Animation) or source.delays is None or not isinstance(target, Video):
        raise ValueError("the source has to be an animation, the target a video")
    video = as_video(source, output.placement)
    if isinstance(video, Refused):
        raise ValueError(video.reason)
    rate, size = target.video.frame_rate, target.video.display_size
    frame_count = video.video.frame_count
    if rate is None or frame_count is None or size is None:
        raise ValueError("the target has no frame rate, frame count or picture size")
    # Encoder options depend on the source as a video: one picture track, no sound.
    container = Container(format=source.format, tracks=(Track(index=0, kind="video", chosen=True),))
    as_source = replace(output, source=replace(video, container=container), span=None)
    command = video_command(replace(job, output=as_source))
    source_input, picture = animation_input(job, source)
    filters = (
        *_timing_filters(source.delays),
        *_white_background_filters(source),
        *upright_filters(video.video, rate, size, output.options.fit),
        *_constant_rate_filters(source, rate, frame_count),
        *_span_filters(output, rate),
    )
    track = OutputTrack(index=picture.index, filters=filters)
    return replace(command, input=source_input, tracks=(track,))


def _timing_filters(delays: Sequence[Fraction]) -> list[Filter]:
    """Return the filters that start each frame at its time, whatever the demuxer makes of delays.

    The time of frame N is a sum over runs of equal delays.
    """
    terms, first = [], 0
    for delay, run in groupby(delays):
        count, step = len(list(run)), delay * _CLOCK
        term = f"{step.numerator}*clip(N-{first},0,{count})"
        terms.append(term if step.denominator == 1 else f"{term}/{step.denominator}")
        first += count
    return [
        Filter(name="settb", options={"expr": f"1/{_CLOCK}"}),
        Filter(name="setpts", options={"expr": "+".join(terms)}),
    ]


def _white_background_filters(source: Animation) -> list[Filter]:
    """Return the filters that put white behind transparent pixels: premultiplying puts black
    behind the negated colours, and negating again turns it white.
    """
    if source.transparency is False:
        return []
    negate = Filter(name="negate", options={"components": "r+g+b"})
    return [
        Filter(name="format", options={"pix_fmts": "gbrap"}),
        negate,
        Filter(name="premultiply", options={"inplace": 1}),
        negate,
        Filter(name="format", options={"pix_fmts": "gbrp"}),
    ]


def _constant_rate_filters(source: Animation, rate: Fraction, frame_count: int) -> list[Filter]:
    """Return the filters that put each frame on the nearest output frame and repeat the play
    until there are ``frame_count`` frames.
    """
    once = max(1, round((source.duration or Fraction(0)) * rate))
    last_delay = source.delays[-1] if source.delays else Fraction(0)
    fps = f"{rate.numerator}/{rate.denominator}"
    hold = f"{float(last_delay + 2 / rate):.6f}"
    filters = [
        Filter(name="tpad", options={"stop_mode": "clone", "stop_duration": hold}),
        Filter(name="fps", options={"fps": fps, "start_time": 0, "round": "near"}),
        Filter(name="trim", options={"end_frame": once}),
    ]
    if frame_count > once:
        repeats = -(-frame_count // once) - 1
        filters.append(Filter(name="loop", options={"loop": repeats, "size": once}))
        filters.append(Filter(name="trim", options={"end_frame": frame_count}))
    return filters


def _span_filters(output: Output, rate: Fraction) -> list[Filter]:
    if output.span is None:
        return []
    first, end = (round(edge * rate) for edge in output.span)
    for item in output.tolerances:
        if isinstance(item, Near) and item.fact == "video.frame_count":
            end = first + int(item.value)
    return [
        Filter(name="trim", options={"start_frame": first, "end_frame": end}),
        Filter(name="setpts", options={"expr": "PTS-STARTPTS"}),
    ]
