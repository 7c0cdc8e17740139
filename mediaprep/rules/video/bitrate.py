"""Advice on bit rates."""

from __future__ import annotations

from mediaprep.model import units
from mediaprep.model.limits import Range
from mediaprep.model.media import Video
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, rule


def _judged(bit_rate: int | None, fact: str, limit: Range) -> Judgement:
    if bit_rate is None:
        return Unknown(fact=fact)
    measured = units.bit_rate_text(bit_rate)
    return Passed(measured=measured) if limit.allows(bit_rate) else Failed(measured=measured)


@rule(
    "video-recommended-bitrate",
    kinds=("video",),
    subject="video bit rate",
    facts=("video.bit_rate",),
)
def video_bit_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: whether the picture has at least the recommended 5,000 kbit/s.

    Why it matters: advice only, and the page's own table of renditions stays under it; more bits give the platform's own encoder more to
    work with.

    The fix: none: bits that were not there cannot be added. ``--quality hq`` encodes with 5,000 kbit/s as its cap.
    """
    return _judged(source.video.bit_rate, "video.bit_rate", limit)


@rule(
    "audio-recommended-bitrate",
    kinds=("video",),
    subject="audio bit rate",
    facts=("audio.bit_rate",),
)
def audio_bit_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: whether the sound, where there is any, has at least the recommended 128 kbit/s.

    Why it matters: advice only.

    The fix: none: bits that were not there cannot be added.
    """
    if source.audio_present is False:
        return Passed(measured="no sound")
    return _judged(None if source.audio is None else source.audio.bit_rate, "audio.bit_rate", limit)
