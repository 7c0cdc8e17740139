"""Choose the H.264 encoder and the way colours are converted, by what this ffmpeg has and whether
the hardware encodes a test clip. Each fallback is noted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from mediaprep.errors import ToolError, UsageProblem
from mediaprep.model.media import Video
from mediaprep.model.options import Encoder
from mediaprep.runtime.command import Command
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.tools import ffmpeg, ffmpeg_program
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.video.bit_rate import RateTarget
from mediaprep.transcoding.video.colour import needs_zscale
from mediaprep.transcoding.video.encoders import (
    DEVICES,
    HARDWARE,
    SOFTWARE,
    encoder_options,
    upload_filters,
)
from mediaprep.transcoding.video.presets import PRESETS

_TEST_RATE = RateTarget(way="quality", bit_rate=500_000)
_TEST_KEYINT = 60
_TEST_SECONDS = 20.0
_NO_ZSCALE = (
    "this ffmpeg has no zscale: HDR and wide colours are converted by swscale, which is darker"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderChoice:
    """The job with its encoder chosen, and one line for each way in which it differs from what
    was requested.
    """

    job: EncodeJob
    notes: tuple[str, ...] = ()


def choose_encoder_steps(job: EncodeJob) -> Steps[EncoderChoice]:
    """Steps: choose the requested encoder if it encodes a test clip, else x264.

    Raises: UsageProblem if the requested encoder is unknown.
    """
    output = job.output
    requested = output.options.encoder
    if requested not in get_args(Encoder):
        raise UsageProblem(f"--encoder: {requested!r} is not one of {', '.join(get_args(Encoder))}")
    if not isinstance(output.target, Video) or not output.target.video.reencode:
        return EncoderChoice(job=job)
    notes: list[str] = []
    if isinstance(output.source, Video) and needs_zscale(output.source.video):
        capabilities = yield from call(ffmpeg_program.capabilities, job.binary, job.context)
        if "zscale" not in capabilities.filters:
            job = replace(job, zscale=False)
            notes.append(_NO_ZSCALE)
    if requested == SOFTWARE:
        return EncoderChoice(job=job, notes=tuple(notes))
    capabilities = yield from call(ffmpeg_program.capabilities, job.binary, job.context)
    for encoder in HARDWARE if requested == "auto" else (requested,):
        if encoder in capabilities.encoders and (yield from _test_encode_steps(encoder, job)):
            return EncoderChoice(job=replace(job, encoder=encoder), notes=tuple(notes))
    if requested == "auto":
        reason = "no hardware encoder encoded the test clip"
    elif requested in capabilities.encoders:
        reason = f"{requested} did not encode the test clip"
    else:
        reason = f"this ffmpeg lacks {requested}"
    return EncoderChoice(job=job, notes=(*notes, f"{reason}: {SOFTWARE} is used"))


def devices(encoder: str) -> list[str]:
    """Return the device files of this host that the encoder writes to."""
    return [device for device in DEVICES.get(encoder, ()) if Path(device).exists()]


def _test_encode_steps(encoder: str, job: EncodeJob) -> Steps[bool]:
    options = encoder_options(encoder, PRESETS["default"], _TEST_RATE, _TEST_KEYINT)
    argv = ffmpeg.trial_argv(job.binary, options, upload_filters(encoder))
    command = Command(
        argv=ffmpeg.bound(argv, -1, None),
        what=f"try {encoder}",
        seconds=_TEST_SECONDS,
        reads=(job.binary,),
        writes=tuple(devices(encoder)),
    )
    try:
        yield from run_child(command)
    except ToolError:
        return False
    return True
