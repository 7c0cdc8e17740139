"""How near an encoded picture is to its source: VMAF, or XPSNR where ffmpeg has no libvmaf."""

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
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import MAX_PIXELS, Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import Filter
from mediaprep.transcoding.progress import progress
from mediaprep.transcoding.video import command as video
from mediaprep.transcoding.video.bit_rate import length
from mediaprep.transcoding.video.command import EncodeJob
from mediaprep.transcoding.video.encoders import SOFTWARE

WORST = Fraction(5, 100)  # of the frames
METRICS = ("libvmaf", "xpsnr")  # by ffmpeg's name of the filter, in the order of preference
_LOG = "frames"
_BASE_SECONDS, _SECONDS_PER_MPIXEL_SECOND = (
    60.0,
    20.0,
)  # deadline: a guess, ten times what libvmaf took on one slow core
_MEMORY = 4 * 2**30
_MADE = replace(ffmpeg.MADE, max_pixels=MAX_PIXELS)


def measure_steps(
    output: Output, means: EncodeJob, binary: str, source: Source, made: Source, context: Context
) -> Steps[QualityMeasurement | None]:
    """Steps: the made file held against the source, which goes through the filters of the encode. None where ffmpeg has neither metric.

    Raises: ToolError, DeadlineExceeded, Cancelled, EnvironmentProblem.
    """
    can = yield from call(ffmpeg.capabilities, binary, context)
    metric = next((name for name in METRICS if name in can.filters), None)
    source_media, target = output.source, output.target
    if (
        metric is None
        or not isinstance(source_media, Video)
        or not isinstance(target, Video)
        or not target.video.reencode
    ):
        return None
    folder = yield from call(tempfile.mkdtemp, "", "mediaprep-")
    descriptors = source.reopen(), made.reopen()
    try:
        job = video.job(output, replace(means, encoder=SOFTWARE))
        judge = judges(
            metric, target.video.frame_rate or Fraction(25), f"{folder}/{_LOG}", means.threads
        )
        words = ffmpeg.compare_argv(binary, job.input, job.tracks[0], _MADE, judge, means.threads)
        pixels = math.prod(target.video.display_size or (0, 0)) / 1e6
        command = Command(
            argv=ffmpeg.bound(words, descriptors[0], None, descriptors[1]),
            what="measure the output",
            seconds=_BASE_SECONDS
            + _SECONDS_PER_MPIXEL_SECOND * max(1.0, pixels) * float(length(output)),
            pass_fds=descriptors,
            reads=(binary,),
            writes=(folder,),
            memory_bytes=_MEMORY,
            on_line=progress(source.name, "measure", length(output), context),
        )
        yield from run_child(command)
        return (yield from call(_read, metric, Path(folder) / _LOG))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        yield from call(shutil.rmtree, folder, True)


def judges(metric: str, rate: Fraction, log: str, threads: int) -> tuple[Filter, ...]:
    """Both pictures on the same clock, then the metric."""
    clock = (
        Filter(name="settb", options={"expr": f"{rate.denominator}/{rate.numerator}"}),
        Filter(name="setpts", options={"expr": "N"}),
        Filter(name="format", options={"pix_fmts": "yuv420p"}),
    )
    if metric == "libvmaf":
        return (
            *clock,
            Filter(
                name="libvmaf",
                options={"log_fmt": "json", "log_path": log, "n_threads": threads, "shortest": 1},
            ),
        )
    return (*clock, Filter(name="xpsnr", options={"stats_file": log, "shortest": 1}))


def vmaf_of(text: str) -> QualityMeasurement | None:
    """From libvmaf's JSON. None where it holds no frame."""
    scores = [float(frame["metrics"]["vmaf"]) for frame in json.loads(text)["frames"]]
    return _summed("VMAF", scores)


def xpsnr_of(text: str) -> QualityMeasurement | None:
    """From the lines of xpsnr's statistics (``n:    1  XPSNR y: 41.2  XPSNR u: ...``); frames without a difference count as 100 dB."""
    words = [
        line.split("XPSNR y:")[1].split()[0]
        for line in text.splitlines()
        if line.startswith("n:") and "XPSNR y:" in line
    ]
    return _summed("XPSNR", [min(100.0, float(word)) for word in words])


def _summed(metric: str, scores: Sequence[float]) -> QualityMeasurement | None:
    known = sorted(score for score in scores if not math.isnan(score))
    if not known:
        return None
    low = known[: max(1, math.ceil(len(known) * WORST))]
    return QualityMeasurement(
        metric=metric,
        mean=round(sum(known) / len(known), 3),
        worst=round(sum(low) / len(low), 3),
        frames=len(known),
    )


def _read(metric: str, log: Path) -> QualityMeasurement | None:
    text = log.read_text(encoding="utf-8", errors="replace")
    return vmaf_of(text) if metric == "libvmaf" else xpsnr_of(text)
