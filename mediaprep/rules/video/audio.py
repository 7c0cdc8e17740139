"""The sound that goes with a video."""

from __future__ import annotations

from mediaprep.model.fix import Case
from mediaprep.model.limits import OneOf, Range
from mediaprep.model.media import Video
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, rule
from mediaprep.targets.video import sound_encoded


@rule(
    "audio-codec", kinds=("video",), subject="audio codec", facts=("audio.codec", "audio.profile")
)
def codec(source: Video, limit: OneOf) -> Judgement:
    """What it checks: AAC with the Low Complexity profile, by three witnesses: the decoder, the AudioSpecificConfig and the length of a
    decoded frame. HE-AAC is found
    even where it is only implicit. No sound at all is fine.

    Why it matters: High-Efficiency AAC, MP3 in MP4, AC-3, Opus and PCM lose their sound on the platform, or the whole file is refused.

    The fix: encodes the sound to AAC LC; the picture is copied untouched. Lossy for the sound.
    """
    if source.audio_present is False:
        return Passed(measured="no sound")
    if source.audio is None or source.audio.codec is None:
        return Unknown(fact="audio.codec")
    audio = source.audio
    if audio.codec == "aac" and audio.profile is None:
        return Unknown(fact="audio.profile")
    measured = f"{audio.codec}/{audio.profile}" if audio.profile else str(audio.codec)
    return Passed(measured=measured) if limit.allows(measured) else Failed(measured=measured)


@fix("audio-codec", safety="lossy", says="encode the sound to AAC LC; the picture is copied")
def aac_lc(target: Video, case: Case) -> Video:
    return sound_encoded(target, case)


@rule(
    "audio-channels",
    kinds=("video",),
    subject="number of audio channels",
    facts=("audio.channels",),
)
def channels(source: Video, limit: Range) -> Judgement:
    """What it checks: one or two channels, as decoded.

    Why it matters: 5.1 and more is refused, or only the front pair is heard.

    The fix: mixes down to stereo by the ITU coefficients without clipping; the picture is copied. Lossy for the sound.
    """
    if source.audio_present is False:
        return Passed(measured="no sound")
    if source.audio is None or source.audio.channels is None:
        return Unknown(fact="audio.channels")
    measured = {1: "1 (mono)", 2: "2 (stereo)"}.get(
        source.audio.channels, str(source.audio.channels)
    )
    return (
        Passed(measured=measured)
        if limit.allows(source.audio.channels)
        else Failed(measured=measured)
    )


@fix("audio-channels", safety="lossy", says="mix down to stereo; the picture is copied")
def stereo(target: Video, case: Case) -> Video:
    return sound_encoded(target, case)
