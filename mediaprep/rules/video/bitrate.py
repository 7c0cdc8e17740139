"""Recommended bit rates."""

from __future__ import annotations

from mediaprep.model import units
from mediaprep.model.limit_forms import RangeForm
from mediaprep.model.limits import Range
from mediaprep.model.media import Video
from mediaprep.rules.registry import Judgement, Passed, Unknown, judge, rule


def _judge_bit_rate(bit_rate: int | None, fact: str, limit: Range) -> Judgement:
    if bit_rate is None:
        return Unknown(fact=fact)
    return judge(units.bit_rate_text(bit_rate), allowed=limit.allows(bit_rate))


@rule(
    "video-recommended-bitrate",
    kinds=("video",),
    subject="video bit rate",
    limit=RangeForm(quantity="bit_rate"),
    facts=("video.bit_rate",),
)
def video_bit_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: the picture has at least the recommended bit rate; Twitter recommends
    5,000 kbit/s.

    Why it matters: this is advice only, and Twitter's own table of renditions stays below it. A
    higher bit rate gives the platform's encoder more to work with.

    The fix: none. Detail that is not in the file cannot be added. ``--quality hq`` encodes with the
    recommended rate as its cap.
    """
    return _judge_bit_rate(source.video.bit_rate, "video.bit_rate", limit)


@rule(
    "audio-recommended-bitrate",
    kinds=("video",),
    subject="audio bit rate",
    limit=RangeForm(quantity="bit_rate"),
    facts=("audio.bit_rate",),
)
def audio_bit_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: the sound has at least the recommended bit rate; Twitter recommends
    128 kbit/s. A video without sound passes.

    Why it matters: this is advice only.

    The fix: none. Detail that is not in the file cannot be added.
    """
    if source.audio_present is False:
        return Passed(measured="no sound")
    bit_rate = None if source.audio is None else source.audio.bit_rate
    return _judge_bit_rate(bit_rate, "audio.bit_rate", limit)
