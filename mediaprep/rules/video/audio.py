"""The sound of a video."""

from __future__ import annotations

from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import OneOfForm, RangeForm
from mediaprep.model.limits import OneOf, Range
from mediaprep.model.media import Video
from mediaprep.rules.registry import Judgement, Passed, Unknown, fix, judge, rule
from mediaprep.targets.video import sound_encoded

_CODECS = ("aac/LC", "aac/HE-AAC", "aac/HE-AACv2", "mp3", "opus", "vorbis", "ac3", "eac3")
_CHANNELS = {1: "1 (mono)", 2: "2 (stereo)"}


@rule(
    "audio-codec",
    kinds=("video",),
    subject="audio codec",
    limit=OneOfForm(names=_CODECS),
    facts=("audio.codec", "audio.profile"),
)
def codec(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the sound has a codec that the platform accepts, such as AAC with the Low
    Complexity profile. The profile is read from the decoder, the AudioSpecificConfig and the length
    of a decoded frame, so that HE-AAC is found even if it is signalled implicitly. A video without
    sound passes.

    Why it matters: High-Efficiency AAC, MP3 in MP4, AC-3, Opus and PCM lose their sound on the
    platform, or the whole file is rejected.

    The fix: encodes the sound to AAC LC and copies the picture unchanged. Lossy for the sound.
    """
    if source.audio_present is False:
        return Passed(measured="no sound")
    if source.audio is None or source.audio.codec is None:
        return Unknown(fact="audio.codec")
    audio = source.audio
    if audio.codec == "aac" and audio.profile is None:
        return Unknown(fact="audio.profile")
    measured = f"{audio.codec}/{audio.profile}" if audio.profile else str(audio.codec)
    return judge(measured, allowed=limit.allows(measured))


@fix("audio-codec", safety="lossy", summary="encode the sound to AAC LC; the picture is copied")
def aac_lc(target: Video, case: Case) -> Video:
    return sound_encoded(target, case)


@rule(
    "audio-channels",
    kinds=("video",),
    subject="number of audio channels",
    limit=RangeForm(quantity="count"),
    facts=("audio.channels",),
)
def channels(source: Video, limit: Range) -> Judgement:
    """What it checks: the decoded sound has a number of channels that the platform accepts, such as
    one or two. A video without sound passes.

    Why it matters: sound with more channels is rejected, or only the front pair is played.

    The fix: mixes down to stereo with the ITU coefficients, without clipping, and copies the
    picture unchanged. Lossy for the sound.
    """
    if source.audio_present is False:
        return Passed(measured="no sound")
    if source.audio is None or source.audio.channels is None:
        return Unknown(fact="audio.channels")
    count = source.audio.channels
    return judge(_CHANNELS.get(count, str(count)), allowed=limit.allows(count))


@fix("audio-channels", safety="lossy", summary="mix down to stereo; the picture is copied")
def stereo(target: Video, case: Case) -> Video:
    return sound_encoded(target, case)
