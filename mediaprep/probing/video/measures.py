"""What only a wish needs and takes a decode of the whole file: shot changes and loudness, by ffmpeg's filters in a confined child."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from mediaprep.errors import ToolError
from mediaprep.model.media import Video
from mediaprep.model.options import Options
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.context import MAX_PIXELS, Context
from mediaprep.runtime.effects import Steps, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import FfmpegCommand, Filter, Input, OutputTrack

_SHOT = "lavfi.scd.time"
_WIDTH = 320  # pixels that a shot change is seen at as well as at full size
_BASE_SECONDS = 60.0
_SECONDS_PER_MPIXEL_SECOND = (
    1.0  # deadline: a guess, ten times what decoding 1080p takes on a slow core
)
_MEMORY = 3 * 2**30
_DOWNMIX = {1: "mono"}  # anything else is heard in stereo


def measure_steps(
    source: Source, sniffed: Sniffed, media: Video, options: Options, context: Context
) -> Steps[Video]:
    """Steps: the video with the facts that the wishes need. Raises: DeadlineExceeded, Cancelled, EnvironmentProblem."""
    if options.split and media.duration:
        media = replace(media, shots=(yield from _shots(source, sniffed, media, context)))
    if (
        options.loudness is not None
        and media.audio is not None
        and media.audio.decodable is not False
    ):
        media = yield from _loudness(source, sniffed, media, options, context)
    return media


def _shots(
    source: Source, sniffed: Sniffed, media: Video, context: Context
) -> Steps[tuple[Fraction, ...]]:
    """When the shot changes, in seconds from the file's start (scdet, its usual threshold of 10)."""
    filters = (
        Filter(name="scale", options={"w": _WIDTH, "h": -2, "flags": "fast_bilinear"}),
        Filter(name="scdet", options={"t": 10}),
        Filter(name="metadata", options={"mode": "print", "key": _SHOT, "file": "-"}),
    )
    done = yield from _run(
        source, sniffed, media, "video", filters, context, span=None, what="find shot changes"
    )
    return () if done is None else shots_of(done.stdout.decode(errors="replace"))


def shots_of(text: str) -> tuple[Fraction, ...]:
    """The times that ffmpeg's ``metadata`` filter prints, without those it cannot have meant."""
    values = (line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{_SHOT}="))
    times = {Fraction(value) for value in values if value.replace(".", "", 1).isdigit()}
    return tuple(sorted(time for time in times if time > 0))


def _loudness(
    source: Source, sniffed: Sniffed, media: Video, options: Options, context: Context
) -> Steps[Video]:
    """Loudness of what is kept, heard as it will be written: in one or two channels."""
    audio = media.audio
    if audio is None:
        return media
    filters = (
        Filter(name="aresample", options=ffmpeg.downmix(audio.channels)),
        Filter(
            name="aformat", options={"channel_layouts": _DOWNMIX.get(audio.channels or 2, "stereo")}
        ),
        Filter(name="loudnorm", options={"print_format": "json", "stats_file": "-"}),
    )
    span = options.trim if isinstance(options.trim, tuple) else None
    done = yield from _run(
        source, sniffed, media, "audio", filters, context, span=span, what="measure loudness"
    )
    levels = None if done is None else loudness_of(done.stdout)
    if levels is None:
        return media
    integrated, spread, peak, threshold = levels
    heard = replace(
        audio,
        loudness=integrated,
        loudness_range=spread,
        true_peak=peak,
        loudness_threshold=threshold,
    )
    return replace(media, audio=heard)


def loudness_of(data: bytes) -> tuple[float, float, float, float] | None:
    """(LUFS, LU, dBTP, LUFS of the gate) of what loudnorm wrote; None for silence, or for what it did not write."""
    try:
        said = json.loads(data[data.index(b"{") : data.rindex(b"}") + 1])
        levels = tuple(float(said[f"input_{key}"]) for key in ("i", "lra", "tp", "thresh"))
    except (ValueError, KeyError, TypeError):
        return None
    integrated, spread, peak, threshold = levels
    return (
        (integrated, spread, peak, threshold)
        if all(math.isfinite(level) for level in levels) and integrated > -70
        else None
    )


def _run(
    source: Source,
    sniffed: Sniffed,
    media: Video,
    kind: str,
    filters: Sequence[Filter],
    context: Context,
    *,
    span: tuple[Fraction, Fraction] | None,
    what: str,
) -> Steps[Completed | None]:
    """One decode of the chosen track through filters that print; None where ffmpeg cannot do it."""
    track = next(
        (track for track in media.container.tracks or () if track.kind == kind and track.chosen),
        None,
    )
    if track is None:
        return None
    options: dict[str, str | int] = {} if span is None else {"t": ffmpeg.seconds(span[1] - span[0])}
    reading = Input(
        demuxer=sniffed.demuxer or "",
        whitelist=sniffed.format_whitelist or "",
        start=None if span is None else span[0],
        max_pixels=MAX_PIXELS,
        options=options,
    )
    threads = context.limits.threads
    muxed: dict[str, str | int] = {"fps_mode": "passthrough"} if kind == "video" else {}
    job = FfmpegCommand(
        input=reading,
        tracks=(OutputTrack(index=track.index, filters=tuple(filters)),),
        options=muxed,
        muxer="null",
        threads=threads,
    )
    binary = ffmpeg.locate(context.ffmpeg)
    words = ffmpeg.argv(binary, job, progress=False)
    megapixels = (media.video.width or 0) * (media.video.height or 0) / 1e6
    descriptor = source.reopen()
    try:
        command = Command(
            argv=ffmpeg.bound(words, descriptor, None),
            what=what,
            seconds=_BASE_SECONDS
            + _SECONDS_PER_MPIXEL_SECOND * max(1.0, megapixels) * float(media.duration or 0),
            pass_fds=(descriptor,),
            reads=(binary,),
            memory_bytes=_MEMORY,
            capture=True,
        )
        return (yield from run_child(command))
    except ToolError:
        return None
    finally:
        os.close(descriptor)
