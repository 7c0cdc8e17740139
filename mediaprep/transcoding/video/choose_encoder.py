"""Which encoder is used, and by which means colours are converted: what ffmpeg has, what the hardware answers; fallbacks are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mediaprep.errors import ToolError, UsageProblem
from mediaprep.model.media import Video
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.tools import ffmpeg
from mediaprep.transcoding.video import encoders
from mediaprep.transcoding.video.bit_rate import QUALITY, RateTarget
from mediaprep.transcoding.video.colour import needs_zscale
from mediaprep.transcoding.video.command import EncodeJob
from mediaprep.transcoding.video.encoders import DEVICES, HARDWARE, SOFTWARE

KNOWN = (SOFTWARE, *HARDWARE, "auto")
_TRIAL = RateTarget(way="quality", bit_rate=500_000)
_TRIAL_SECONDS = 20.0
_DARKER = (
    "this ffmpeg has no zscale: HDR and wide colours are converted by swscale, which is darker"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderChoice:
    """The means to encode with, and what is otherwise than asked, one line each."""

    means: EncodeJob
    notes: tuple[str, ...] = ()


def choose_encoder_steps(
    output: Output, means: EncodeJob, binary: str, context: Context
) -> Steps[EncoderChoice]:
    """Steps: the encoder asked for where a test encode succeeds, else x264. Raises: UsageProblem for an encoder that is not known."""
    asked, source_media = output.options.encoder, output.source
    if asked not in KNOWN:
        raise UsageProblem(f"--encoder {asked}: want one of {', '.join(KNOWN)}")
    if not isinstance(output.target, Video) or not output.target.video.reencode:
        return EncoderChoice(means=means)
    notes: list[str] = []
    if isinstance(source_media, Video) and needs_zscale(source_media.video):
        can = yield from call(ffmpeg.capabilities, binary, context)
        if "zscale" not in can.filters:
            means, notes = replace(means, zscale=False), [_DARKER]
    if asked == SOFTWARE:
        return EncoderChoice(means=means, notes=tuple(notes))
    can = yield from call(ffmpeg.capabilities, binary, context)
    for name in HARDWARE if asked == "auto" else (asked,):
        if name in can.encoders and (yield from _answers(name, binary)):
            return EncoderChoice(means=replace(means, encoder=name), notes=tuple(notes))
    if asked == "auto":
        reason = "no hardware encoder answered a test encode"
    else:
        reason = (
            f"{asked} did not answer a test encode"
            if asked in can.encoders
            else f"this ffmpeg lacks {asked}"
        )
    return EncoderChoice(means=means, notes=(*notes, f"{reason}: {SOFTWARE} is used"))


def devices(encoder: str) -> list[str]:
    """The host's device files that the encoder works through."""
    return [device for device in DEVICES.get(encoder, ()) if Path(device).exists()]


def _answers(encoder: str, binary: str) -> Steps[bool]:
    options: Mapping[str, str | int] = encoders.options(encoder, QUALITY["default"], _TRIAL, 60)
    words = ffmpeg.trial_argv(binary, options, encoders.upload_filters(encoder))
    command = Command(
        argv=ffmpeg.bound(words, -1, None),
        what=f"try {encoder}",
        seconds=_TRIAL_SECONDS,
        reads=(binary,),
        writes=tuple(devices(encoder)),
    )
    try:
        yield from run_child(command)
    except ToolError:
        return False
    return True
