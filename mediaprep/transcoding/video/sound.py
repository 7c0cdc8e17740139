"""From the source's sound to AAC LC: in step with the picture, downmixed, resampled. Pure."""

from __future__ import annotations

from mediaprep.model.media import AudioStream, Video
from mediaprep.planning.plan import Output
from mediaprep.planning.video import TRUE_PEAK
from mediaprep.tools.ffmpeg import Filter, downmix
from mediaprep.transcoding.video.bit_rate import encoded_sound_bit_rate
from mediaprep.transcoding.video.timing import missing_time, sound_cut_filters

# LU; loudnorm's default for the loudness range. A programme of a wider range keeps its own: a
# smaller target would level it.
_MIN_LOUDNESS_RANGE = 7
_MAX_LOUDNESS_RANGE = 50.0  # LU, the most that loudnorm accepts
_LAYOUTS = {1: "mono", 2: "stereo"}


def sound_filters(output: Output, source: Video, target: Video) -> tuple[Filter, ...]:
    """Return the filters of re-encoded sound. Gaps and a late start become silence, so that sound
    and picture start together and stay in step.
    """
    audio = source.audio
    mixed = downmix(audio.channels if audio is not None else None)
    filters = [
        *sound_cut_filters(output, source),
        Filter(name="aresample", options={"async": 1, "first_pts": 0, **mixed}),
    ]
    if target.audio is not None and audio is not None and output.options.loudness is not None:
        filters += loudness_filters(float(output.options.loudness), audio, target.audio)
    if missing_time(output, source) > 0:
        filters.append(Filter(name="apad"))
    return tuple(filters)


def loudness_filters(level: float, source: AudioStream, target: AudioStream) -> list[Filter]:
    """Return the second pass of loudnorm (EBU R 128), which follows the downmix: one gain for the
    whole programme if its peaks allow it, else a gain that varies.
    """
    measured = (
        source.loudness,
        source.loudness_range,
        source.true_peak,
        source.loudness_threshold,
    )
    if any(value is None for value in measured):
        return []  # silence has no loudness
    wanted_range = max(_MIN_LOUDNESS_RANGE, source.loudness_range or 0)
    options = {
        "I": f"{level:.2f}",
        "TP": f"{TRUE_PEAK}",
        "LRA": f"{min(_MAX_LOUDNESS_RANGE, wanted_range):.2f}",
        "measured_I": f"{source.loudness:.2f}",
        "measured_LRA": f"{source.loudness_range:.2f}",
        "measured_TP": f"{source.true_peak:.2f}",
        "measured_thresh": f"{source.loudness_threshold:.2f}",
        "linear": "true",
    }
    filters = [Filter(name="loudnorm", options=options)]
    if target.channels in _LAYOUTS:
        layout = {"channel_layouts": _LAYOUTS[target.channels]}
        filters.insert(0, Filter(name="aformat", options=layout))
    return filters


def sound_options(output: Output, target: AudioStream) -> dict[str, str | int]:
    """Return the encoder options of re-encoded sound."""
    options: dict[str, str | int] = {
        "c:a": "aac",
        "profile:a": "aac_low",
        "b:a": encoded_sound_bit_rate(output),
        "flags:a": "+bitexact",
    }
    if target.channels is not None:
        options["ac"] = target.channels
    if target.sample_rate is not None:
        options["ar"] = target.sample_rate
    return options
