"""What an output is less than was asked for, one line each. Pure."""

from __future__ import annotations

from mediaprep.model import units
from mediaprep.model.media import Media, Video
from mediaprep.model.record import QualityMeasurement
from mediaprep.planning.plan import Output
from mediaprep.planning.video import loudness_reachable
from mediaprep.transcoding.video.bit_rate import EFFORTS, bit_rate_cap

LOUDNESS_STEP = 1.0  # LU


def efforts(output: Output) -> int:
    """How many encodes may be tried for the quality that was asked for."""
    return EFFORTS if output.options.min_vmaf is not None and _encoded(output) else 1


def reached(output: Output, measured: QualityMeasurement | None) -> bool:
    """Whether the output is as good as was asked for, or there is nothing to tell it by."""
    least = output.options.min_vmaf
    return least is None or measured is None or measured.metric != "VMAF" or measured.mean >= least


def notes_of(
    output: Output, made: Media | None, measured: QualityMeasurement | None
) -> tuple[str, ...]:
    """Why less than asked was made."""
    return (*_snap(output), *_quality(output, measured), *_loudness(output, made))


def _snap(output: Output) -> tuple[str, ...]:
    if output.options.snap is None or output.span is None or not _encoded(output):
        return ()
    near = f"no key frames within {units.duration_text(output.options.snap)} of the cuts"
    return (
        f"the span was encoded, not copied: {near}, or a picture that has to be encoded in any case",
    )


def _quality(output: Output, measured: QualityMeasurement | None) -> tuple[str, ...]:
    least = output.options.min_vmaf
    if not isinstance(output.target, Video) or (least is None and not output.options.measure):
        return ()
    if not output.target.video.reencode:
        return ("the quality was not measured: the picture is the source's own, copied",)
    if measured is None:
        return ("the quality was not measured: this ffmpeg has neither libvmaf nor xpsnr",)
    if least is None or (measured.metric == "VMAF" and measured.mean >= least):
        return ()
    if measured.metric != "VMAF":
        return (
            f"VMAF {least:g} was asked for; this ffmpeg measures only {measured.metric}: {measured.mean:.1f} dB",
        )
    cap = units.bit_rate_text(bit_rate_cap(output))
    return (
        f"VMAF is {measured.mean:.1f}, {least:g} was asked for: {cap} hold no more; a smaller --rung or --quality hq may",
    )


def _loudness(output: Output, made: Media | None) -> tuple[str, ...]:
    target = output.options.loudness
    if target is None or not isinstance(made, Video) or made.audio is None:
        return ()
    if made.audio.loudness is None:
        return ("the sound is silent or cannot be measured: its loudness is as it was",)
    if abs(made.audio.loudness - float(target)) <= LOUDNESS_STEP:
        return ()
    kept = isinstance(output.source, Video) and loudness_reachable(output.source, output.options)
    why = "so many bits hold no more of the sound" if kept else "the sound's peaks stand in the way"
    return (
        f"the loudness is {made.audio.loudness:.1f} LUFS, {float(target):g} was asked for: {why}",
    )


def _encoded(output: Output) -> bool:
    return isinstance(output.target, Video) and output.target.video.reencode
