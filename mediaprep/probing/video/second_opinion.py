"""MediaInfo's word on the facts, set beside what was established: agreement and disagreement, never an average."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from mediaprep.model.media import AudioStream, DeclaredSar, HdrFormat, VideoStream
from mediaprep.probing.video.notes import ReaderLog
from mediaprep.tools.mediainfo import Fields

SOURCE = "mediainfo"
_COMPATIBILITY = {
    "HDR10": 1,
    "SDR": 2,
    "HLG": 4,
}  # Dolby Vision base layer compatibility, by MediaInfo's names
_SECONDS_OFF = Fraction(1, 10)


def on_picture(notes: ReaderLog, video: VideoStream, fields: Fields) -> None:
    """Scan, every SAR, rotation, rate mode, crop."""
    _scan(notes, video, fields)
    _sars(notes, video.sars, fields)
    if (turn := _number(fields.get("Rotation"))) is not None and video.rotation is not None:
        notes.say(
            "video.rotation",
            SOURCE,
            f"{turn:g}",
            agrees=turn % 360 == video.rotation and not video.mirrored,
        )
    if (mode := fields.get("FrameRate_Mode")) is not None:
        notes.say("video.rate_mode", SOURCE, mode.lower(), agrees=mode.lower() == video.rate_mode)
    for fact, name, found in (
        ("video.width", "Width", video.width),
        ("video.height", "Height", video.height),
    ):
        if (text := fields.get(name)) is not None:
            notes.say(fact, SOURCE, text, agrees=text == str(found))
    if (
        structure := fields.get("Gop_OpenClosed")
    ) is not None:  # MPEG-1/2 only, and the header's flag, not the order of the pictures
        notes.say(
            "video.gop.structure",
            SOURCE,
            structure.lower(),
            agrees=(video.gop.structure == "open") == (structure == "Open"),
        )


def _scan(notes: ReaderLog, video: VideoStream, fields: Fields) -> None:
    kind = fields.get("ScanType")
    if kind is None:
        return
    order = fields.get("ScanOrder")
    says_progressive = kind == "Progressive"
    agrees = video.scan_flags is None or says_progressive == (
        video.scan_flags in ("progressive", "unspecified")
    )
    notes.say("video.scan_flags", SOURCE, " ".join(filter(None, (kind, order))), agrees=agrees)


def _sars(notes: ReaderLog, stated: tuple[DeclaredSar, ...] | None, fields: Fields) -> None:
    """MediaInfo gives 1.000 where nothing is stated, rounds to three places, and keeps the bitstream's apart where the two differ."""
    values = {sar.where: sar.value for sar in stated or ()}
    applied = values.get("container", values.get("bitstream", Fraction(1)))
    for name, expected in (
        ("PixelAspectRatio", applied),
        ("PixelAspectRatio_Original", values.get("bitstream")),
    ):
        if (ratio := _number(fields.get(name))) is not None:
            agrees = expected is not None and abs(ratio - expected) < 0.002
            notes.say(
                "video.sars",
                SOURCE,
                f"{'bitstream ' if name.endswith('Original') else ''}{ratio:g}",
                agrees=agrees,
            )


def on_sound(notes: ReaderLog, audio: AudioStream, fields: Fields) -> None:
    """SBR and channels."""
    features = fields.get("Format_AdditionalFeatures", "")
    if audio.codec == "aac" and features:
        notes.say("audio.sbr", SOURCE, features, agrees=("SBR" in features.split()) == audio.sbr)
    if (text := fields.get("Channels")) is not None:
        notes.say("audio.channels", SOURCE, text, agrees=text == str(audio.channels))


def on_file(
    notes: ReaderLog, duration: Fraction | None, complete: bool | None, general: Fields
) -> None:
    """Duration and truncation."""
    if (length := _number(general.get("Duration"))) is not None:
        near = duration is not None and abs(Fraction(length) - duration) <= max(
            _SECONDS_OFF, duration / 50
        )
        notes.say("duration", SOURCE, f"{length:g}", agrees=near)
    if general.get("IsTruncated") == "Yes":
        notes.say("complete", SOURCE, "truncated", agrees=complete is False)


def dolby_vision(formats: tuple[HdrFormat, ...], fields: Fields) -> tuple[HdrFormat, ...]:
    """Fill in profile and compatibility where only the presence of Dolby Vision is known (Matroska: PyAV gives no configuration)."""
    profile = re.search(r"(?:dv[a-z0-9]{2})\.(\d+)", fields.get("HDR_Format_Profile", ""))
    base = fields.get("HDR_Format_Compatibility", "").split(" / ")[0]
    if profile is None:
        return formats
    return tuple(
        replace(item, profile=int(profile[1]), compatibility=_COMPATIBILITY.get(base))
        if item.name == "Dolby Vision" and item.profile is None
        else item
        for item in formats
    )


def _number(text: str | None) -> float | None:
    """A decimal number; None for any other text."""
    return float(text) if text is not None and re.fullmatch(r"-?\d+(\.\d+)?", text) else None
