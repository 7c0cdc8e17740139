"""What ``--quality`` means to the encoder: x264's preset and CRF. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mediaprep.model.options import Quality
from mediaprep.model.placement import VideoEncoding
from mediaprep.planning.plan import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderPreset:
    """The encoder settings of one quality.

    preset       x264's preset
    crf          x264's constant rate factor
    advised_cap  cap the bit rate at the placement's advised rate, not at the rung's lower one
    """

    preset: str
    crf: int
    advised_cap: bool = False


# Chosen by measurement; docs/videos.md compares the results with other tools.
PRESETS: dict[Quality, EncoderPreset] = {
    "fast": EncoderPreset(preset="veryfast", crf=23),
    "default": EncoderPreset(preset="medium", crf=23),
    "best": EncoderPreset(preset="slow", crf=23),
    "hq": EncoderPreset(preset="medium", crf=18, advised_cap=True),
}
MAX_ENCODES = 3  # for a requested VMAF
_CRF_STEP = 4  # by which each retry for a requested VMAF is finer


def preset_of(output: Output, effort: int = 0) -> EncoderPreset:
    """Return the preset of the requested quality, else of the profile's.

    ``effort`` above 0 gives a slower preset and a finer CRF within the same cap.
    """
    preset = PRESETS[output.options.quality or video_encoding(output).quality]
    if effort == 0:
        return preset
    return replace(preset, preset="slow", crf=preset.crf - _CRF_STEP * effort)


def video_encoding(output: Output) -> VideoEncoding:
    """Return how the placement wants videos encoded. Raises: ValueError if it takes no video."""
    if not isinstance(output.placement.encoding, VideoEncoding):
        raise ValueError(f"{output.placement.name} takes no video")
    return output.placement.encoding
