"""Compare the established facts with MediaInfo: report agreement or disagreement, never average."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from mediaprep.model.media import AudioStream, DeclaredSar, HdrFormat, VideoStream
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.tools.mediainfo import Fields

SOURCE = "mediainfo"
# Compatibility of a Dolby Vision base layer, by MediaInfo's names
_COMPATIBILITY = {"HDR10": 1, "SDR": 2, "HLG": 4}
_SECONDS_OFF = Fraction(1, 10)
_SAR_OFF = 0.002  # MediaInfo rounds to three places


def compare_video(log: ReaderLog, video: VideoStream, fields: Fields) -> None:
    """Compare scan type, every SAR, rotation, rate mode, size and GOP structure."""
    _compare_scan(log, video, fields)
    _compare_sars(log, video.sars, fields)
    angle = _number(fields.get("Rotation"))
    if angle is not None and video.rotation is not None:
        agrees = angle % 360 == video.rotation and not video.mirrored
        log.report("video.rotation", SOURCE, f"{angle:g}", agrees=agrees)
    if (mode := fields.get("FrameRate_Mode")) is not None:
        log.report("video.rate_mode", SOURCE, mode.lower(), agrees=mode.lower() == video.rate_mode)
    for fact, name, value in (
        ("video.width", "Width", video.width),
        ("video.height", "Height", video.height),
    ):
        if (text := fields.get(name)) is not None:
            log.report(fact, SOURCE, text, agrees=text == str(value))
    # MPEG-1 and MPEG-2 only, and the header's flag, not the order of the pictures
    if (structure := fields.get("Gop_OpenClosed")) is not None:
        agrees = (video.gop.structure == "open") == (structure == "Open")
        log.report("video.gop.structure", SOURCE, structure.lower(), agrees=agrees)


def _compare_scan(log: ReaderLog, video: VideoStream, fields: Fields) -> None:
    kind = fields.get("ScanType")
    if kind is None:
        return
    progressive = video.scan_flags in ("progressive", "unspecified")
    agrees = video.scan_flags is None or (kind == "Progressive") == progressive
    text = " ".join(filter(None, (kind, fields.get("ScanOrder"))))
    log.report("video.scan_flags", SOURCE, text, agrees=agrees)


def _compare_sars(log: ReaderLog, declared: tuple[DeclaredSar, ...] | None, fields: Fields) -> None:
    """Compare the ratio that players apply, and the bitstream's if MediaInfo lists it separately.

    MediaInfo reports 1.000 if no ratio is declared.
    """
    values = {sar.where: sar.value for sar in declared or ()}
    applied = values.get("container", values.get("bitstream", Fraction(1)))
    for name, prefix, expected in (
        ("PixelAspectRatio", "", applied),
        ("PixelAspectRatio_Original", "bitstream ", values.get("bitstream")),
    ):
        if (ratio := _number(fields.get(name))) is not None:
            agrees = expected is not None and abs(ratio - expected) < _SAR_OFF
            log.report("video.sars", SOURCE, f"{prefix}{ratio:g}", agrees=agrees)


def compare_audio(log: ReaderLog, audio: AudioStream, fields: Fields) -> None:
    """Compare SBR and channels."""
    features = fields.get("Format_AdditionalFeatures", "")
    if audio.codec == "aac" and features:
        agrees = ("SBR" in features.split()) == audio.sbr
        log.report("audio.sbr", SOURCE, features, agrees=agrees)
    if (text := fields.get("Channels")) is not None:
        log.report("audio.channels", SOURCE, text, agrees=text == str(audio.channels))


def compare_file(
    log: ReaderLog, duration: Fraction | None, complete: bool | None, general: Fields
) -> None:
    """Compare duration and truncation."""
    if (length := _number(general.get("Duration"))) is not None:
        near = duration is not None and abs(Fraction(length) - duration) <= max(
            _SECONDS_OFF, duration / 50
        )
        log.report("duration", SOURCE, f"{length:g}", agrees=near)
    if general.get("IsTruncated") == "Yes":
        log.report("complete", SOURCE, "truncated", agrees=complete is False)


def complete_dolby_vision(formats: tuple[HdrFormat, ...], fields: Fields) -> tuple[HdrFormat, ...]:
    """Fill in profile and compatibility if only the presence of Dolby Vision is known.

    That is so in Matroska: PyAV does not expose its configuration.
    """
    profile = re.search(r"(?:dv[a-z0-9]{2})\.(\d+)", fields.get("HDR_Format_Profile", ""))
    base = fields.get("HDR_Format_Compatibility", "").split(" / ")[0]
    if profile is None:
        return formats
    compatibility = _COMPATIBILITY.get(base)
    return tuple(
        replace(item, profile=int(profile[1]), compatibility=compatibility)
        if item.name == "Dolby Vision" and item.profile is None
        else item
        for item in formats
    )


def _number(text: str | None) -> float | None:
    """Parse a decimal number; None for any other text."""
    return float(text) if text is not None and re.fullmatch(r"-?\d+(\.\d+)?", text) else None
