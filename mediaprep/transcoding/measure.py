"""Measure how similar an encoded picture is to its source: VMAF, or XPSNR if ffmpeg has no
libvmaf.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from mediaprep.model.media import Video
from mediaprep.model.record import QualityMeasurement
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import MAX_PIXELS
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg, ffmpeg_program
from mediaprep.tools.ffmpeg import Filter
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.progress import progress_reader
from mediaprep.transcoding.video.bit_rate import duration
from mediaprep.transcoding.video.command import video_command
from mediaprep.transcoding.video.encoders import SOFTWARE

WORST_SHARE = Fraction(5, 100)  # of the frames
METRICS = ("libvmaf", "xpsnr")  # ffmpeg's filters, the preferred one first
_MAX_XPSNR = 100.0  # dB; frames without any difference have an infinite XPSNR
_LOG_NAME = "frames"
_BASE_SECONDS = 60.0
# A guess: ten times what libvmaf took on one slow core.
_SECONDS_PER_MPIXEL_SECOND = 20.0
_MEMORY = 4 * 2**30
_WRITTEN = replace(ffmpeg.WRITTEN, max_pixels=MAX_PIXELS)


def measure_steps(job: EncodeJob, written: Source) -> Steps[QualityMeasurement | None]:
    """Steps: compare the written file with the source, filtered as for the encode. Return None if
    no picture was encoded or ffmpeg has neither metric.

    Raises: ToolError, DeadlineExceeded, Cancelled, EnvironmentProblem.
    """
    capabilities = yield from call(ffmpeg_program.capabilities, job.binary, job.context)
    metric = next((name for name in METRICS if name in capabilities.filters), None)
    source, target = job.output.source, job.output.target
    if metric is None or not isinstance(source, Video):
        return None
    if not isinstance(target, Video) or not target.video.reencode:
        return None
    seconds, threads = duration(job.output), job.threads
    megapixels = math.prod(target.video.display_size or (0, 0)) / 1e6
    # x264's filters: a hardware encoder's end in graphics memory.
    command = video_command(replace(job, encoder=SOFTWARE))
    folder = yield from call(tempfile.mkdtemp, "", "mediaprep-")
    log = Path(folder) / _LOG_NAME
    filters = metric_filters(metric, target.video.frame_rate or Fraction(25), str(log), threads)
    argv = ffmpeg.compare_argv(
        job.binary, command.input, command.tracks[0], _WRITTEN, filters, threads
    )
    descriptors = job.source.reopen(), written.reopen()
    try:
        yield from run_child(
            Command(
                argv=ffmpeg.bound(argv, descriptors[0], None, descriptors[1]),
                what="measure the output",
                seconds=_BASE_SECONDS
                + _SECONDS_PER_MPIXEL_SECOND * max(1.0, megapixels) * float(seconds),
                pass_fds=descriptors,
                reads=(job.binary,),
                writes=(folder,),
                memory_bytes=_MEMORY,
                on_line=progress_reader(job.source.name, "measure", seconds, job.context),
            )
        )
        text = yield from call(_read, log)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        yield from call(shutil.rmtree, folder, True)
    return vmaf_of(text) if metric == "libvmaf" else xpsnr_of(text)


def metric_filters(metric: str, rate: Fraction, log: str, threads: int) -> tuple[Filter, ...]:
    """Return the filters of both pictures, which number their frames alike, and the metric last."""
    clock = (
        Filter(name="settb", options={"expr": f"{rate.denominator}/{rate.numerator}"}),
        Filter(name="setpts", options={"expr": "N"}),
        Filter(name="format", options={"pix_fmts": "yuv420p"}),
    )
    options: dict[str, str | int] = {"stats_file": log, "shortest": 1}
    if metric == "libvmaf":
        options = {"log_fmt": "json", "log_path": log, "n_threads": threads, "shortest": 1}
    return (*clock, Filter(name=metric, options=options))


def vmaf_of(text: str) -> QualityMeasurement | None:
    """Summarise libvmaf's JSON log. Return None if it holds no frame."""
    scores = [float(frame["metrics"]["vmaf"]) for frame in json.loads(text)["frames"]]
    return _summary("VMAF", scores)


def xpsnr_of(text: str) -> QualityMeasurement | None:
    """Summarise xpsnr's log (``n:    1  XPSNR y: 41.2  XPSNR u: ...``). Return None if it holds no
    frame.
    """
    scores = []
    for line in text.splitlines():
        if line.startswith("n:") and "XPSNR y:" in line:
            luma = float(line.split("XPSNR y:")[1].split()[0])
            scores.append(min(_MAX_XPSNR, luma))
    return _summary("XPSNR", scores)


def _summary(metric: str, scores: Sequence[float]) -> QualityMeasurement | None:
    known = sorted(score for score in scores if not math.isnan(score))
    if not known:
        return None
    worst = known[: max(1, math.ceil(len(known) * WORST_SHARE))]
    return QualityMeasurement(
        metric=metric,
        mean=round(sum(known) / len(known), 3),
        worst=round(sum(worst) / len(worst), 3),
        frames=len(known),
    )


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
