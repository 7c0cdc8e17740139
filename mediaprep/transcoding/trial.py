"""Encode a few seconds of a planned output and discard them, to predict its size and time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from mediaprep.errors import ToolError
from mediaprep.model.media import Video
from mediaprep.model.tolerance import Near, Tolerance
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.effects import Steps, run_child
from mediaprep.tools import ffmpeg
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.video.bit_rate import duration, rate_target
from mediaprep.transcoding.video.command import video_command
from mediaprep.transcoding.video.encoders import SOFTWARE, FfmpegOptions
from mediaprep.transcoding.video.presets import preset_of

WINDOW = Fraction(2)  # seconds: one group of pictures
WINDOWS = 3
_DEADLINE_SECONDS = 60.0
_MEMORY = 3 * 2**30
_PICTURE_OPTIONS = (
    "c:v",
    "preset",
    "crf",
    "maxrate",
    "bufsize",
    "aq-mode",
    "x264-params",
    "profile:v",
    "g",
    "flags:v",
    "pix_fmt",
    "r",
    "fps_mode",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What a trial encode measured.

    bit_rate  of the picture, in bit/s
    work      seconds of work for each second of the output, without the start of ffmpeg
    """

    bit_rate: float
    work: float


def trial_steps(job: EncodeJob) -> Steps[TrialResult | None]:
    """Steps: encode up to three windows of two seconds. Return None if no picture is encoded or a
    window fails.

    Each window is encoded twice, the second time only one frame of it: the time to start ffmpeg
    and to decode up to the window is no work for the output.
    """
    output = job.output
    target = output.target
    if not isinstance(output.source, Video) or not isinstance(target, Video):
        return None
    seconds, frame_rate = duration(output), target.video.frame_rate
    if not target.video.reencode or not frame_rate or seconds <= 0:
        return None
    cap = rate_target(output)
    bit_rates, work, encoded = [], 0.0, Fraction(0)
    try:
        for start, length in _windows(seconds):
            size, elapsed = yield from _window_steps(job, start, length)
            _, start_up = yield from _window_steps(job, start, 1 / frame_rate)
            bit_rates.append(min(float(cap.bit_rate), size * 8 / float(length)))
            work += max(0.0, elapsed - start_up)
            encoded += length
    except ToolError:
        return None
    bit_rate = float(cap.bit_rate)
    if cap.way == "quality":
        bit_rate = sum(bit_rates) / len(bit_rates)
    return TrialResult(bit_rate=bit_rate, work=work / float(encoded))


def window_of(output: Output, start: Fraction, length: Fraction) -> Output:
    """Return the output reduced to ``length`` seconds from ``start``, both in its own time."""
    zero = output.span[0] if output.span is not None else Fraction(0)
    rate = output.target.video.frame_rate if isinstance(output.target, Video) else None
    planned = {
        "duration": length,
        "video.duration": length,
        "video.frame_count": int(length * (rate or Fraction(25))),
    }

    def shortened(item: Tolerance) -> Tolerance:
        if isinstance(item, Near) and item.fact in planned:
            return replace(item, value=planned[item.fact])
        return item

    return replace(
        output,
        span=(zero + start, zero + start + length),
        tolerances=tuple(shortened(item) for item in output.tolerances),
    )


def _windows(seconds: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield start and length of each window: the whole of a short output, else three windows in
    the middle of its thirds.
    """
    if seconds <= WINDOWS * WINDOW:
        yield Fraction(0), seconds
        return
    for number in range(WINDOWS):
        yield (seconds - WINDOW) * (2 * number + 1) / (2 * WINDOWS), WINDOW


def _window_steps(job: EncodeJob, start: Fraction, length: Fraction) -> Steps[tuple[int, float]]:
    """Steps: encode one window. Return the bytes of the picture and the seconds it took."""
    window = replace(job, output=window_of(job.output, start, length), encoder=SOFTWARE)
    command = video_command(window)
    preset, cap = preset_of(job.output), rate_target(job.output).bit_rate
    options: FfmpegOptions = {
        key: value for key, value in command.options.items() if key in _PICTURE_OPTIONS
    }
    options |= {"preset": preset.preset, "crf": preset.crf, "maxrate": cap}
    command = replace(command, tracks=command.tracks[:1], options=options, muxer="h264")
    argv = ffmpeg.argv(job.binary, command, progress=False)
    descriptor = job.source.reopen()
    try:
        completed = yield from run_child(
            Command(
                argv=ffmpeg.bound(argv, descriptor, None),
                what="encode a trial",
                seconds=_DEADLINE_SECONDS,
                pass_fds=(descriptor,),
                reads=(job.binary,),
                memory_bytes=_MEMORY,
                capture=True,
            )
        )
    finally:
        os.close(descriptor)
    return len(completed.stdout), completed.seconds
