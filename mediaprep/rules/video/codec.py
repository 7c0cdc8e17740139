"""The picture's codec and profile."""

from __future__ import annotations

from mediaprep.model.fix import Case
from mediaprep.model.limits import OneOf
from mediaprep.model.media import Video
from mediaprep.rules.registry import Judgement, fix, named, rule
from mediaprep.targets.video import picture_encoded


@rule("video-codec", kinds=("video",), subject="video codec", facts=("video.codec",))
def codec(source: Video, limit: OneOf) -> Judgement:
    """What it checks: that the picture is H.264 (AVC).

    Why it matters: the page recommends H.264 High; other codecs fail in processing with "file is invalid" or are never shown to anybody.

    The fix: encodes to H.264 High with a closed GOP of two seconds. Lossy, at the ladder's quality.
    """
    return named(source.video.codec, "video.codec", limit)


@fix("video-codec", safety="lossy", says="encode to H.264 High")
def h264(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-profile", kinds=("video",), subject="H.264 profile", facts=("video.profile",))
def profile(source: Video, limit: OneOf) -> Judgement:
    """What it checks: whether the H.264 stream is of High profile.

    Why it matters: advice; Main and Baseline streams are taken as they are.

    The fix: none for this alone: another encode would cost more quality than the profile gains. What is encoded for another reason is High.
    """
    return named(source.video.profile, "video.profile", limit)
