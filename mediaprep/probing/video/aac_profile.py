"""The AAC profile, by the decoder, the configuration and the decoded frames together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mediaprep.probing.bitstream.aac import AacConfig
from mediaprep.probing.reader_log import ReaderLog

LC_SAMPLES = (1024, 960)
SBR_PROFILES = ("HE-AAC", "HE-AACv2")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFrame:
    """A decoded frame: samples per channel, channels, layout ("" = unknown), sample rate."""

    samples: int
    channels: int
    layout: str
    sample_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AacVerdict:
    """Profile, SBR and PS; None if they are undecided."""

    profile: str | None
    sbr: bool | None
    ps: bool | None


def aac_profile(
    decoder: str | None, config: AacConfig | None, frames: Sequence[AudioFrame], log: ReaderLog
) -> AacVerdict:
    """Return the profile by three readers, and log what each of them reports.

    They are the decoder's profile after opening, the AudioSpecificConfig (or ADTS header), and the
    length of a decoded frame. It is LC only if all three agree; 2048 samples per frame mean SBR,
    whatever the headers state (ISO/IEC 14496-3, 4.6.18).
    """
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
    fact = "audio.profile"
    log.report(fact, "pyav", decoder, agrees=decoder == profile)
    log.report(fact, "bitstream", announced, agrees=announced == profile)
    log.report(
        fact,
        "frames",
        samples and f"{samples} samples a frame",
        agrees=(samples in LC_SAMPLES) == (profile == "LC"),
    )
    if profile is None:
        log.unknown_because(fact, _reason(decoder, announced, samples))
        return AacVerdict(profile=None, sbr=None, ps=None)
    return AacVerdict(profile=profile, sbr=has_sbr, ps=has_ps)


def _reason(decoder: str | None, announced: str | None, samples: int | None) -> str:
    if samples is None:
        return "no audio frame can be decoded: damaged or encrypted"
    if announced is None:
        return "the AAC stream has no configuration"
    return (
        f"the decoder reports {decoder or 'nothing'}, the configuration {announced},"
        f" frames have {samples} samples"
    )
