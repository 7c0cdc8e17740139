"""Codec and profile of the picture."""

from __future__ import annotations

from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import OneOfForm
from mediaprep.model.limits import OneOf
from mediaprep.model.media import Video
from mediaprep.rules.registry import Judgement, fix, judge_name, rule
from mediaprep.targets.video import picture_encoded

_CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "prores")
_PROFILES = ("High", "Main", "Baseline", "Constrained Baseline", "Extended", "High 10")


@rule(
    "video-codec",
    kinds=("video",),
    subject="video codec",
    limit=OneOfForm(names=_CODECS),
    facts=("video.codec",),
)
def codec(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the picture has a codec that the platform accepts, such as H.264 (AVC).

    Why it matters: videos with other codecs fail in processing with "file is invalid", or are
    accepted and never shown.

    The fix: encodes to H.264 High with closed GOPs of two seconds, at the quality of the ladder.
    Lossy.
    """
    return judge_name(source.video.codec, "video.codec", limit)


@fix("video-codec", safety="lossy", summary="encode to H.264 High")
def h264(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-profile",
    kinds=("video",),
    subject="H.264 profile",
    limit=OneOfForm(names=_PROFILES),
    facts=("video.profile",),
)
def profile(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the H.264 stream has the profile that the platform recommends, such as High.

    Why it matters: this is advice only. Main and Baseline streams are accepted.

    The fix: none by itself, because another encode costs more quality than the profile gains.
    Videos that are encoded for another reason get the High profile.
    """
    return judge_name(source.video.profile, "video.profile", limit)
