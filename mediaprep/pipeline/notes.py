"""Notes: one line for each way in which an output falls short of what was requested. Pure."""

from __future__ import annotations

from mediaprep.model import units
from mediaprep.model.media import Media, Video
from mediaprep.model.record import QualityMeasurement
from mediaprep.planning.plan import Output
from mediaprep.planning.video import loudness_reachable
from mediaprep.transcoding.video.bit_rate import bit_rate_cap
from mediaprep.transcoding.video.presets import MAX_ENCODES

LOUDNESS_TOLERANCE = 1.0  # LU


def max_encodes(output: Output) -> int:
    """Return how many encodes may be tried to reach a requested VMAF."""
    return MAX_ENCODES if output.options.min_vmaf is not None and _encoded(output) else 1


def reaches_quality(output: Output, measured: QualityMeasurement | None) -> bool:
    """Return True if the output reaches the requested VMAF, or if there is no VMAF to compare."""
    requested = output.options.min_vmaf
    if requested is None or measured is None or measured.metric != "VMAF":
        return True
    return measured.mean >= requested


def notes_of(
    output: Output, written: Media | None, measured: QualityMeasurement | None
) -> tuple[str, ...]:
    """Return the notes about the span, the quality and the loudness of an output."""
    return (
        *_span_notes(output),
        *_quality_notes(output, measured),
        *_loudness_notes(output, written),
    )


def _span_notes(output: Output) -> tuple[str, ...]:
    if output.options.snap is None or output.span is None or not _encoded(output):
        return ()
    distance = units.duration_text(output.options.snap)
    return (
        f"the span was encoded, not copied: no keyframes within {distance} of the cuts, or the"
        " picture has to be encoded anyway",
    )


def _quality_notes(output: Output, measured: QualityMeasurement | None) -> tuple[str, ...]:
    requested = output.options.min_vmaf
    if not isinstance(output.target, Video):
        return ()
    if requested is None and not output.options.measure:
        return ()
    if not output.target.video.reencode:
        return ("the quality was not measured: the picture is copied",)
    if measured is None:
        return ("the quality was not measured: this ffmpeg has neither libvmaf nor xpsnr",)
    if requested is None:
        return ()
    if measured.metric != "VMAF":
        return (
            f"requested: VMAF {requested:g}; this ffmpeg measures only {measured.metric}:"
            f" {measured.mean:.1f} dB",
        )
    if measured.mean >= requested:
        return ()
    cap = units.bit_rate_text(bit_rate_cap(output))
    return (
        f"VMAF is {measured.mean:.1f}, requested: {requested:g}; at most {cap} are allowed. Try a"
        " smaller --rung or --quality hq",
    )


def _loudness_notes(output: Output, written: Media | None) -> tuple[str, ...]:
    requested = output.options.loudness
    if requested is None or not isinstance(written, Video) or written.audio is None:
        return ()
    loudness = written.audio.loudness
    if loudness is None:
        return ("the loudness was not changed: the sound is silent or cannot be measured",)
    if abs(loudness - float(requested)) <= LOUDNESS_TOLERANCE:
        return ()
    reason = "the peaks of the sound allow no more"
    if isinstance(output.source, Video) and loudness_reachable(output.source, output.options):
        reason = "the bit rate of the sound allows no more"
    return (f"the loudness is {loudness:.1f} LUFS, requested: {float(requested):g}; {reason}",)


def _encoded(output: Output) -> bool:
    return isinstance(output.target, Video) and output.target.video.reencode
