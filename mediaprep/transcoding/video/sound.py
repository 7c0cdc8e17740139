"""From the source's sound to AAC LC: in step with the picture, downmixed, at a sample rate that is taken. Pure."""

from __future__ import annotations

from mediaprep.model.media import AudioStream, Video
from mediaprep.planning.plan import Output
from mediaprep.planning.video import TRUE_PEAK
from mediaprep.tools.ffmpeg import Filter, downmix
from mediaprep.transcoding.video.bit_rate import encoded_sound_bit_rate
from mediaprep.transcoding.video.timing import missing_time, sound_cut

_LEAST_RANGE = 7  # LU: loudnorm's own default; a programme of a wider range keeps its own, else its loudness would be levelled
_LAYOUTS = {1: "mono", 2: "stereo"}


def sound_filters(output: Output, source_media: Video, target: Video) -> tuple[Filter, ...]:
    """Gaps and a late start are filled with silence, so that sound and picture begin together and stay so."""
    mixed = downmix(source_media.audio.channels if source_media.audio is not None else None)
    filters = [
        *sound_cut(output, source_media),
        Filter(name="aresample", options={"async": 1, "first_pts": 0, **mixed}),
    ]
    if (
        target.audio is not None
        and source_media.audio is not None
        and output.options.loudness is not None
    ):
        filters += loudness_filters(
            float(output.options.loudness), source_media.audio, target.audio
        )
    if missing_time(output, source_media) > 0:
        filters.append(Filter(name="apad"))
    return tuple(filters)


def loudness_filters(level: float, source_media: AudioStream, target: AudioStream) -> list[Filter]:
    """The second pass of loudnorm (EBU R 128), after the downmix: one gain for all, where the peaks allow it; else levelled."""
    measured = (
        source_media.loudness,
        source_media.loudness_range,
        source_media.true_peak,
        source_media.loudness_threshold,
    )
    if any(value is None for value in measured):
        return []  # silence has no loudness
    levels = {
        "I": f"{level:.2f}",
        "TP": f"{TRUE_PEAK}",
        "LRA": f"{min(50.0, max(_LEAST_RANGE, source_media.loudness_range or 0)):.2f}",
        "measured_I": f"{source_media.loudness:.2f}",
        "measured_LRA": f"{source_media.loudness_range:.2f}",
        "measured_TP": f"{source_media.true_peak:.2f}",
        "measured_thresh": f"{source_media.loudness_threshold:.2f}",
        "linear": "true",
    }
    layout = (
        [Filter(name="aformat", options={"channel_layouts": _LAYOUTS[target.channels]})]
        if target.channels in _LAYOUTS
        else []
    )
    return [*layout, Filter(name="loudnorm", options=levels)]


def sound_options(output: Output, audio: AudioStream) -> dict[str, str | int]:
    """AAC LC at the rung's bit rate, or what the source's is worth."""
    options: dict[str, str | int] = {
        "c:a": "aac",
        "profile:a": "aac_low",
        "b:a": encoded_sound_bit_rate(output),
        "flags:a": "+bitexact",
    }
    if audio.channels is not None:
        options["ac"] = audio.channels
    if audio.sample_rate is not None:
        options["ar"] = audio.sample_rate
    return options
