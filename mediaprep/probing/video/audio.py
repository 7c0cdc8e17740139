"""The sound track: what the demuxer, the configuration and the first decoded frames say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mediaprep.probing.bitstream.aac import AacConfig
from mediaprep.probing.video.notes import ReaderLog

LC_SAMPLES = (1024, 960)
SBR_PROFILES = ("HE-AAC", "HE-AACv2")
HEAD_PACKETS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFrame:
    """One decoded frame: samples a channel, channels, layout ("" unknown), rate."""

    samples: int
    channels: int
    layout: str
    sample_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AacVerdict:
    """Profile, SBR and PS; None where the witnesses cannot tell."""

    profile: str | None
    sbr: bool | None
    ps: bool | None


def aac_profile(
    decoder: str | None,
    config: AacConfig | None,
    frames: Sequence[SoundFrame],
    notes: ReaderLog,
    fact: str,
) -> AacVerdict:
    """By three witnesses: the decoder's profile after opening, the AudioSpecificConfig (or ADTS header), the length of a decoded frame.
    LC only where all three agree; 2048 samples a frame are SBR, whatever the headers say (ISO/IEC 14496-3, 4.6.18)."""
    samples = max((frame.samples for frame in frames), default=None)
    announced = None if config is None else config.object_type or f"object type {config.aot}"
    doubled = samples is not None and samples > max(LC_SAMPLES)
    has_ps = bool(config and config.ps) or decoder == "HE-AACv2"
    has_sbr = (
        doubled
        or has_ps
        or bool(config and config.sbr)
        or decoder in SBR_PROFILES
        or announced in SBR_PROFILES
    )
    profile: str | None
    if has_sbr:
        profile = "HE-AACv2" if has_ps or announced == "HE-AACv2" else "HE-AAC"
    elif decoder == announced == "LC":
        profile = "LC" if samples in LC_SAMPLES else None
    else:
        profile = next((name for name in (announced, decoder) if name not in ("LC", None)), None)
    notes.say(f"{fact}.profile", "pyav", decoder, agrees=decoder == profile)
    notes.say(f"{fact}.profile", "bitstream", announced, agrees=announced == profile)
    notes.say(
        f"{fact}.profile",
        "frames",
        samples and f"{samples} samples a frame",
        agrees=(samples in LC_SAMPLES) == (profile == "LC"),
    )
    if profile is None:
        notes.missing(f"{fact}.profile", _why_unsure(decoder, announced, samples))
    known = profile is not None
    return AacVerdict(profile=profile, sbr=has_sbr if known else None, ps=has_ps if known else None)


def _why_unsure(decoder: str | None, announced: str | None, samples: int | None) -> str:
    if samples is None:
        return "no frame of the sound decodes: damaged or encrypted"
    if announced is None:
        return "no configuration of the AAC stream was found"
    return f"the decoder says {decoder or 'nothing'}, the configuration {announced}, frames have {samples} samples"


def seconds(ticks: int | None, time_base: Fraction | None) -> Fraction | None:
    """Ticks in seconds; None stays None."""
    return None if ticks is None or time_base is None else ticks * time_base
