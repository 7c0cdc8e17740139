"""Encode or copy a video: one run of ffmpeg, two passes for a bit rate, or two passes and a few
corrections for a byte limit.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mediaprep.errors import VerifyError
from mediaprep.model.media import Animation, Video
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import FfmpegCommand
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.progress import progress_reader
from mediaprep.transcoding.video import two_pass
from mediaprep.transcoding.video.bit_rate import (
    RateTarget,
    duration,
    picture_bit_rate,
    rate_target,
)
from mediaprep.transcoding.video.choose_encoder import devices
from mediaprep.transcoding.video.command import video_command
from mediaprep.transcoding.video.encoders import SOFTWARE
from mediaprep.transcoding.video.from_animation import video_from_animation_command
from mediaprep.transcoding.video.two_pass import RateTrial

_BASE_SECONDS = 60.0
# A guess: ten times what 1080p at preset slow took on one slow core.
_SECONDS_PER_SECOND_AT_30_MPIXELS = 6.0
_BASE_MEMORY = 3 * 2**30  # ffmpeg, and tone mapping in floating point
_MEMORY_PER_PIXEL = 8 * 24  # 8 bytes in each of 24 frames: H.264 has at most 16 reference frames
# x264 writes some 300 bytes of statistics a frame, and a byte a macroblock of each reference frame.
_STATISTICS_BYTES = 2**30
_FIRST_PASS_SHARE = 0.35  # of the time of both passes


@dataclass(slots=True)
class _EncodeRun:
    """What the runs of ffmpeg for one job share, and what they report."""

    job: EncodeJob
    part: Path
    argv: list[tuple[str, ...]] = field(default_factory=list)
    sandbox: str | None = None

    @property
    def software(self) -> bool:
        """Whether x264 encodes; only x264 is run in two passes."""
        return self.job.encoder == SOFTWARE

    def ffmpeg_steps(
        self,
        command: FfmpegCommand,
        target: Path | None,
        share: tuple[float, float],
        statistics: str | None = None,
    ) -> Steps[None]:
        """Steps: run ffmpeg once.

        target      the file to write; None if the run writes nothing but statistics
        share       the part of the whole encode that this run is, for progress
        statistics  the folder of the statistics files
        """
        job = self.job
        argv = ffmpeg.argv(job.binary, command)
        self.argv.append(argv)
        seconds = duration(job.output)
        pixels, rate = _source_frames(job.output)
        descriptor = job.source.reopen()
        try:
            bound = ffmpeg.bound(argv, descriptor, target)
            writes = [str(self.part.parent), *devices(job.encoder)]
            if statistics is not None:
                prefix = f"{statistics}/x264"
                bound = tuple(prefix if word == two_pass.STATISTICS else word for word in bound)
                writes.append(statistics)
            deadline = _SECONDS_PER_SECOND_AT_30_MPIXELS * max(1.0, pixels * rate / 30e6)
            completed = yield from run_child(
                Command(
                    argv=bound,
                    what="encode",
                    seconds=_BASE_SECONDS + deadline * float(seconds),
                    pass_fds=(descriptor,),
                    reads=(job.binary,),
                    writes=tuple(writes),
                    memory_bytes=_BASE_MEMORY + _MEMORY_PER_PIXEL * pixels,
                    file_bytes=_max_written_bytes(job.output),
                    on_line=progress_reader(
                        job.source.name, "encode", seconds, job.context, share=share
                    ),
                )
            )
            self.sandbox = completed.sandbox
        finally:
            os.close(descriptor)


def encode_steps(job: EncodeJob, part: Path) -> Steps[EncodeLog]:
    """Steps: write the video of the job into ``part``.

    Raises: ToolError, VerifyError (no bit rate meets the byte limit), DeadlineExceeded, Cancelled.
    """
    run = _EncodeRun(job, part)
    output = job.output
    is_animation = isinstance(output.source, Animation)
    command = video_from_animation_command(job) if is_animation else video_command(job)
    target = rate_target(output, job.effort)
    encoded = isinstance(output.target, Video) and output.target.video.reencode
    if encoded and target.way != "quality":
        yield from _rate_controlled_steps(run, command, target)
    else:
        yield from run.ffmpeg_steps(command, part, (0.0, 1.0))
    return EncodeLog(argv=tuple(run.argv), sandbox=run.sandbox)


def _rate_controlled_steps(
    run: _EncodeRun, command: FfmpegCommand, target: RateTarget
) -> Steps[None]:
    folder = yield from call(tempfile.mkdtemp, "", "mediaprep-")
    try:
        if run.software:
            first = two_pass.first_pass(command, target.bit_rate)
            yield from run.ffmpeg_steps(first, None, (0.0, _FIRST_PASS_SHARE), folder)
        if target.limit is None:
            yield from _write_steps(run, command, target.bit_rate, folder)
        else:
            yield from _fill_limit_steps(run, command, target.bit_rate, target.limit, folder)
    finally:
        yield from call(shutil.rmtree, folder, True)


def _fill_limit_steps(
    run: _EncodeRun, command: FfmpegCommand, bit_rate: int, limit: int, folder: str
) -> Steps[None]:
    """Steps: write the largest file within ``limit`` bytes that a few trials find.

    Raises: VerifyError if no trial is within the limit.
    """
    output = run.job.output
    picture_bytes = picture_bit_rate(output, limit) * int(duration(output) * 1000) // 8000
    other_bytes = max(0, limit - picture_bytes)
    trials: list[RateTrial] = []
    wanted: int | None = bit_rate
    while wanted is not None:
        size = yield from _write_steps(run, command, wanted, folder)
        trials.append(RateTrial(bit_rate=wanted, size_bytes=size))
        wanted = two_pass.next_bit_rate(trials, limit, other_bytes)
    best = two_pass.best_trial(trials, limit)
    if best is None:
        raise VerifyError([_over_limit(trials, limit)])
    if best != trials[-1]:
        yield from _write_steps(run, command, best.bit_rate, folder)


def _write_steps(run: _EncodeRun, command: FfmpegCommand, bit_rate: int, folder: str) -> Steps[int]:
    """Steps: write the file at an average bit rate. Return its size in bytes."""
    if run.software:
        second = two_pass.second_pass(command, bit_rate)
        yield from run.ffmpeg_steps(second, run.part, (_FIRST_PASS_SHARE, 1.0), folder)
    else:
        yield from run.ffmpeg_steps(two_pass.single_pass(command, bit_rate), run.part, (0.0, 1.0))
    return run.part.stat().st_size


def _over_limit(trials: Sequence[RateTrial], limit: int) -> str:
    smallest = min(trial.size_bytes for trial in trials)
    return (
        f"the smallest of {len(trials)} encodes has {smallest} bytes; allowed: {limit}."
        " Shorten the video, or choose a smaller --rung"
    )


def _source_frames(output: Output) -> tuple[int, float]:
    """Return pixels of a source frame and frames per second, for deadline and memory."""
    source = output.source
    if isinstance(source, Animation):
        pixels = (source.width or 0) * (source.height or 0)
        return pixels, float((source.frame_count or 0) / (source.duration or 1))
    if isinstance(source, Video):
        pixels = (source.video.width or 0) * (source.video.height or 0)
        return pixels, float(source.video.frame_rate or 30)
    return 0, 0.0


def _max_written_bytes(output: Output) -> int | None:
    """Return the bytes that the child may write to one file: four times the source, and the
    statistics. None if the source's size is unknown.
    """
    size = output.source.size_bytes
    return None if size is None else _STATISTICS_BYTES + 4 * size
