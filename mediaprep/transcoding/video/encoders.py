"""The words of each H.264 encoder: x264, and those of graphics hardware. Pure.

What is said of hardware follows ffmpeg's documentation of each encoder; none of it has been run on such hardware by this project.
"""

from __future__ import annotations

from collections.abc import Mapping

from mediaprep.tools.ffmpeg import Filter
from mediaprep.transcoding.video.bit_rate import BUFFER_SECONDS, EncoderPreset, RateTarget

SOFTWARE = "libx264"
HARDWARE = (
    "h264_nvenc",
    "h264_videotoolbox",
    "h264_qsv",
    "h264_vaapi",
)  # in the order that auto tries them
DEVICES: Mapping[str, tuple[str, ...]] = {
    "h264_nvenc": ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"),
    "h264_qsv": ("/dev/dri",),
    "h264_vaapi": ("/dev/dri",),
}
_PEAK = 2  # times the average that two passes may take for a while
# x264's presets in the words of others.
_NVENC = {"veryfast": "p3", "medium": "p5", "slow": "p7"}
_X264: dict[str, str | int] = {
    "aq-mode": 2,
    "x264-params": "open-gop=0:8x8dct=1:cabac=1:min-keyint=1",
    "pix_fmt": "yuv420p",
}


def options(
    encoder: str, setting: EncoderPreset, aim: RateTarget, keyint: int
) -> dict[str, str | int]:
    """H.264 High, closed GOPs of at most ``keyint`` frames, no more bits than aimed at. Raises: ValueError for an encoder not known."""
    common: dict[str, str | int] = {
        "c:v": encoder,
        "profile:v": "high",
        "g": keyint,
        "flags:v": "+cgop+bitexact",
    }
    if encoder == SOFTWARE:
        return {**common, **_X264, "preset": setting.preset, **_bits(setting, aim)}
    capped: dict[str, str | int] = {
        "maxrate": aim.bit_rate,
        "bufsize": BUFFER_SECONDS * aim.bit_rate,
    }
    average: dict[str, str | int] = {"b:v": aim.bit_rate, **capped}
    match encoder:
        case "h264_nvenc":
            wanted = {"cq": setting.crf, "b:v": 0, **capped} if aim.way == "quality" else average
            words: dict[str, str | int] = {
                "preset": _NVENC[setting.preset],
                "rc": "vbr",
                "strict_gop": 1,
                "forced-idr": 1,
                "spatial-aq": 1,
            }
            return {**common, **words, **wanted, "pix_fmt": "yuv420p"}
        case "h264_videotoolbox":
            return {**common, **average, "allow_sw": 0, "realtime": 0, "pix_fmt": "nv12"}
        case "h264_qsv":
            wanted = (
                {"global_quality": setting.crf, "b:v": aim.bit_rate, **capped}
                if aim.way == "quality"
                else average
            )
            return {
                **common,
                **wanted,
                "preset": setting.preset,
                "idr_interval": 0,
                "pix_fmt": "nv12",
            }
        case "h264_vaapi":
            return {**common, **average, "rc_mode": "VBR", "idr_interval": 0}
    raise ValueError(f"no encoder {encoder!r} is known")


def upload_filters(encoder: str) -> list[Filter]:
    """What hands the frames to the hardware."""
    return (
        [Filter(name="format", options={"pix_fmts": "nv12"}), Filter(name="hwupload")]
        if encoder == "h264_vaapi"
        else []
    )


def _bits(setting: EncoderPreset, aim: RateTarget) -> dict[str, str | int]:
    if aim.way == "quality":
        return {
            "crf": setting.crf,
            "maxrate": aim.bit_rate,
            "bufsize": BUFFER_SECONDS * aim.bit_rate,
        }
    return {
        "b:v": aim.bit_rate,
        "maxrate": _PEAK * aim.bit_rate,
        "bufsize": _PEAK * BUFFER_SECONDS * aim.bit_rate,
    }
