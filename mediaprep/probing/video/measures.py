"""Measure what only some options require: shot changes and loudness.

Both decode the whole file, with ffmpeg's filters in a confined child process.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mediaprep.errors import ToolError
from mediaprep.model.media import Track, Video
from mediaprep.model.options import Options
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.context import MAX_PIXELS, Context
from mediaprep.runtime.effects import Steps, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg, ffmpeg_program
from mediaprep.tools.ffmpeg import FfmpegCommand, Filter, Input, OutputTrack

_SHOT_KEY = "lavfi.scd.time"
_SHOT_THRESHOLD = 10  # scdet's default
_SHOT_WIDTH = 320  # pixels; shot changes show as well as at full size
_SILENCE_LUFS = -70
# Deadline: a guess, ten times what decoding 1080p takes on a slow core
_BASE_SECONDS = 60.0
_SECONDS_PER_MPIXEL_SECOND = 1.0
_MEMORY_BYTES = 3 * 2**30
_LAYOUTS = {1: "mono"}  # anything else is measured in stereo


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeasuredFile:
    """The file that is decoded."""

    source: Source
    sniffed: Sniffed
    media: Video

    def chosen(self, kind: str) -> Track | None:
        """Return the chosen track of a kind."""
        tracks = self.media.container.tracks or ()
        return next((track for track in tracks if track.kind == kind and track.chosen), None)


def measure_steps(
    source: Source, sniffed: Sniffed, media: Video, options: Options, context: Context
) -> Steps[Video]:
    """Return the video with the facts that the options require.

    Raises: DeadlineExceeded, Cancelled, EnvironmentProblem.
    """
    file = _MeasuredFile(source=source, sniffed=sniffed, media=media)
    if options.split and media.duration:
        media = replace(media, shots=(yield from _shots_steps(file, context)))
    if options.loudness is not None:
        media = yield from _loudness_steps(replace(file, media=media), options, context)
    return media


def _shots_steps(file: _MeasuredFile, context: Context) -> Steps[tuple[Fraction, ...]]:
    """Return when shots change, in seconds from the file's start."""
    filters = (
        Filter(name="scale", options={"w": _SHOT_WIDTH, "h": -2, "flags": "fast_bilinear"}),
        Filter(name="scdet", options={"t": _SHOT_THRESHOLD}),
        Filter(name="metadata", options={"mode": "print", "key": _SHOT_KEY, "file": "-"}),
    )
    track = file.chosen("video")
    if track is None:
        return ()
    command = _ffmpeg_command(file, track, filters, context, options={"fps_mode": "passthrough"})
    completed = yield from _run_steps(file, command, context, what="find shot changes")
    return () if completed is None else parse_shots(completed.stdout.decode(errors="replace"))


def parse_shots(text: str) -> tuple[Fraction, ...]:
    """Return the times that ffmpeg's ``metadata`` filter prints, without invalid ones."""
    prefix = f"{_SHOT_KEY}="
    values = (line.partition("=")[2] for line in text.splitlines() if line.startswith(prefix))
    times = {Fraction(value) for value in values if value.replace(".", "", 1).isdigit()}
    return tuple(sorted(time for time in times if time > 0))


def _loudness_steps(file: _MeasuredFile, options: Options, context: Context) -> Steps[Video]:
    """Measure the loudness of what is retained, in the channels that are written."""
    media, audio, track = file.media, file.media.audio, file.chosen("audio")
    if audio is None or audio.decodable is False or track is None:
        return media
    layout = _LAYOUTS.get(audio.channels or 2, "stereo")
    filters = (
        Filter(name="aresample", options=ffmpeg.downmix(audio.channels)),
        Filter(name="aformat", options={"channel_layouts": layout}),
        Filter(name="loudnorm", options={"print_format": "json", "stats_file": "-"}),
    )
    span = options.trim if isinstance(options.trim, tuple) else None
    command = _ffmpeg_command(file, track, filters, context, span=span)
    completed = yield from _run_steps(file, command, context, what="measure loudness")
    levels = None if completed is None else parse_loudness(completed.stdout)
    if levels is None:
        return media
    integrated, spread, peak, threshold = levels
    measured = replace(
        audio,
        loudness=integrated,
        loudness_range=spread,
        true_peak=peak,
        loudness_threshold=threshold,
    )
    return replace(media, audio=measured)


def parse_loudness(data: bytes) -> tuple[float, float, float, float] | None:
    """Return integrated loudness (LUFS), range (LU), true peak (dBTP) and gate (LUFS).

    ``data``: what ffmpeg's loudnorm wrote. None for silence, and if values are missing.
    """
    try:
        values = json.loads(data[data.index(b"{") : data.rindex(b"}") + 1])
        levels = tuple(float(values[f"input_{key}"]) for key in ("i", "lra", "tp", "thresh"))
    except (ValueError, KeyError, TypeError):
        return None
    integrated, spread, peak, threshold = levels
    if not all(map(math.isfinite, levels)) or integrated <= _SILENCE_LUFS:
        return None
    return integrated, spread, peak, threshold


def _ffmpeg_command(
    file: _MeasuredFile,
    track: Track,
    filters: Sequence[Filter],
    context: Context,
    *,
    span: tuple[Fraction, Fraction] | None = None,
    options: dict[str, str | int] | None = None,
) -> FfmpegCommand:
    """Describe one decode of a track, or of ``span`` of it, through filters that print."""
    limit: dict[str, str | int] = {}
    if span is not None:
        limit["t"] = ffmpeg.seconds(span[1] - span[0])
    return FfmpegCommand(
        input=Input(
            demuxer=file.sniffed.demuxer or "",
            whitelist=file.sniffed.format_whitelist or "",
            start=None if span is None else span[0],
            max_pixels=MAX_PIXELS,
            options=limit,
        ),
        tracks=(OutputTrack(index=track.index, filters=tuple(filters)),),
        options=options or {},
        muxer="null",
        threads=context.limits.threads,
    )


def _run_steps(
    file: _MeasuredFile, command: FfmpegCommand, context: Context, *, what: str
) -> Steps[Completed | None]:
    """Run ffmpeg; None if it fails on this file."""
    binary = ffmpeg_program.locate(context.ffmpeg)
    words = ffmpeg.argv(binary, command, progress=False)
    video = file.media.video
    megapixels = (video.width or 0) * (video.height or 0) / 1e6
    descriptor = file.source.reopen()
    try:
        child = Command(
            argv=ffmpeg.bound(words, descriptor, None),
            what=what,
            seconds=_BASE_SECONDS
            + _SECONDS_PER_MPIXEL_SECOND * max(1.0, megapixels) * float(file.media.duration or 0),
            pass_fds=(descriptor,),
            reads=(binary,),
            memory_bytes=_MEMORY_BYTES,
            capture=True,
        )
        return (yield from run_child(child))
    except ToolError:
        return None
    finally:
        os.close(descriptor)
