"""The ffmpeg options of each H.264 encoder: x264 and four hardware encoders. Pure.

The options of the hardware encoders follow ffmpeg's documentation of each; this project has run
none of them on such hardware.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from mediaprep.model.options import Encoder
from mediaprep.tools.ffmpeg import Filter
from mediaprep.transcoding.video.bit_rate import BUFFER_SECONDS, RateTarget
from mediaprep.transcoding.video.presets import EncoderPreset

FfmpegOptions = dict[str, str | int]
SOFTWARE = "libx264"
# In the order that ``--encoder auto`` tries them.
HARDWARE = tuple(name for name in get_args(Encoder) if name not in (SOFTWARE, "auto"))
DEVICES: Mapping[str, tuple[str, ...]] = {
    "h264_nvenc": ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"),
    "h264_qsv": ("/dev/dri",),
    "h264_vaapi": ("/dev/dri",),
}
_PEAK_FACTOR = 2  # short peaks of a two-pass encode over its average bit rate
_NVENC_PRESETS = {"veryfast": "p3", "medium": "p5", "slow": "p7"}  # of x264's presets
_X264_OPTIONS: FfmpegOptions = {
    "aq-mode": 2,
    "x264-params": "open-gop=0:8x8dct=1:cabac=1:min-keyint=1",
    "pix_fmt": "yuv420p",
}


def encoder_options(
    encoder: str, preset: EncoderPreset, target: RateTarget, keyint: int
) -> FfmpegOptions:
    """Return the options for H.264 High with closed GOPs of at most ``keyint`` frames.

    Raises: ValueError if the encoder is unknown.
    """
    common: FfmpegOptions = {
        "c:v": encoder,
        "profile:v": "high",
        "g": keyint,
        "flags:v": "+cgop+bitexact",
    }
    if encoder == SOFTWARE:
        return {**common, **_X264_OPTIONS, "preset": preset.preset, **_x264_rate(preset, target)}
    cap: FfmpegOptions = {"maxrate": target.bit_rate, "bufsize": BUFFER_SECONDS * target.bit_rate}
    average: FfmpegOptions = {"b:v": target.bit_rate, **cap}
    match encoder:
        case "h264_nvenc":
            rate = average
            if target.way == "quality":
                rate = {"cq": preset.crf, "b:v": 0, **cap}
            return {
                **common,
                "preset": _NVENC_PRESETS[preset.preset],
                "rc": "vbr",
                "strict_gop": 1,
                "forced-idr": 1,
                "spatial-aq": 1,
                **rate,
                "pix_fmt": "yuv420p",
            }
        case "h264_videotoolbox":
            return {**common, **average, "allow_sw": 0, "realtime": 0, "pix_fmt": "nv12"}
        case "h264_qsv":
            rate = average
            if target.way == "quality":
                rate = {"global_quality": preset.crf, **average}
            return {
                **common,
                **rate,
                "preset": preset.preset,
                "idr_interval": 0,
                "pix_fmt": "nv12",
            }
        case "h264_vaapi":
            return {**common, **average, "rc_mode": "VBR", "idr_interval": 0}
    raise ValueError(f"unknown encoder: {encoder!r}")


def upload_filters(encoder: str) -> list[Filter]:
    """Return the filters that upload frames to the graphics hardware, if the encoder needs it."""
    if encoder != "h264_vaapi":
        return []
    return [Filter(name="format", options={"pix_fmts": "nv12"}), Filter(name="hwupload")]


def _x264_rate(preset: EncoderPreset, target: RateTarget) -> FfmpegOptions:
    if target.way == "quality":
        return {
            "crf": preset.crf,
            "maxrate": target.bit_rate,
            "bufsize": BUFFER_SECONDS * target.bit_rate,
        }
    return {
        "b:v": target.bit_rate,
        "maxrate": _PEAK_FACTOR * target.bit_rate,
        "bufsize": _PEAK_FACTOR * BUFFER_SECONDS * target.bit_rate,
    }
