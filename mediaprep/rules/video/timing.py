"""Duration, frame rate and scan type of the picture."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import get_args

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limit_forms import AnyOfForm, OneOfForm, RangeForm
from mediaprep.model.limits import AnyOf, OneOf, Range
from mediaprep.model.media import Scan, Video
from mediaprep.rules.registry import (
    Failed,
    Judgement,
    Passed,
    Unknown,
    fix,
    judge,
    judge_name,
    rule,
)
from mediaprep.targets.video import picture_encoded, sound_encoded, unknown_timing

_SHORTENING = ("--trim first", "--trim START-END", "--split")
# Frames per second by which a burst may exceed the limit: rounding of timestamps over six intervals
# makes 60 fps look like up to 60.5.
_BURST_TOLERANCE = Fraction(1, 2)
_SNAPPING = Fraction(501, 500)  # a declared rate of 60.06 means 60, as in limits.AnyOf


def _unknown_timing(source: Video, fact: str) -> Unknown:
    missing = source.video.timestamps == "missing"
    return Unknown(fact=fact, remedy="pass the frame rate with --frame-rate N" if missing else None)


@rule(
    "video-duration",
    kinds=("video",),
    subject="duration",
    limit=RangeForm(quantity="duration"),
    facts=("duration", "video.duration"),
)
def duration(source: Video, limit: Range) -> Judgement:
    """What it checks: the presented time, from the packets that are not discarded; header values
    are not trusted. The picture must last at least the minimum, such as 0.5 s, and picture and
    sound together at most the maximum, such as 140 s. Both ends are allowed; 140.0065 s is over.

    Why it matters: longer videos are rejected when the post is created, often after the whole
    upload.

    The fix: holds the last frame of a video that is too short, up to the end of a longer sound.
    Lossy. Shortening a long video always loses content, so it is done only on request:
    ``--trim first`` keeps as much as the platform accepts, ``--trim START-END`` keeps a span, and
    ``--split`` makes several parts.
    """
    shown = source.video.duration
    if source.duration is None:
        return _unknown_timing(source, "duration")
    measured = units.duration_text(source.duration)
    if limit.max is not None and source.duration > limit.max:
        excess = source.duration - limit.max
        rate = source.video.frame_rate
        less_than_a_frame = rate is not None and excess < 1 / rate
        return Failed(
            measured=measured,
            detail="over by less than one frame"
            if less_than_a_frame
            else f"over by {units.duration_text(excess)}",
            remedy="loses content: " + ", ".join(_SHORTENING),
        )
    if shown is None:
        return Unknown(fact="video.duration")
    if limit.min is not None and shown < limit.min:
        return Failed(measured=units.duration_text(shown), remedy="hold the last frame")
    return Passed(measured=measured)


@fix(
    "video-duration",
    safety="lossy",
    summary="hold the last frame of a short clip; a long one needs --trim or --split",
)
def with_allowed_duration(target: Video, case: Case) -> Video | Refused:
    limit = case.limit
    if not isinstance(limit, Range) or target.duration is None:
        return unknown_timing(target)
    if limit.max is not None and target.duration > limit.max:
        length, most = units.duration_text(target.duration), units.duration_text(limit.max)
        return Refused(
            reason=f"the video lasts {length}, at most {most} are allowed; "
            "shortening it loses content",
            remedies=_SHORTENING,
        )
    extended = sound_encoded(picture_encoded(target, case), case)
    least = limit.min or Fraction(0)
    rate = extended.video.frame_rate
    # A still picture with sound is shown until the sound ends.
    shown = max(least, target.duration)
    if rate is not None:
        shown = Fraction(max(math.ceil(least * rate), math.floor(shown * rate))) / rate
    audio = None if extended.audio is None else replace(extended.audio, duration=None)
    return replace(
        extended,
        duration=max(shown, target.duration),
        video=replace(extended.video, duration=shown),
        audio=audio,
    )


@rule(
    "video-frame-rate",
    kinds=("video",),
    subject="frame rate",
    limit=RangeForm(quantity="rate"),
    facts=("video.frame_rate", "video.frame_rate_peak"),
)
def frame_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: the nominal frame rate, snapped to the standard values, and the highest
    number of frames presented within any one second, without those that only timestamp jitter adds.
    Neither a single short interval nor the header alone decides.

    Why it matters: videos above the limit, such as 60 fps, are rejected.

    The fix: divides the rate by the smallest whole number that brings it within the limit (120 to
    60, 100 to 50, 119.88 to 59.94), so that evenly spaced frames are dropped. Lossy.
    """
    video = source.video
    if video.frame_rate is None:
        return _unknown_timing(source, "video.frame_rate")
    measured = f"{units.rate_text(video.frame_rate)} fps"
    if not limit.allows(video.frame_rate):
        return Failed(measured=measured)
    if video.frame_rate_peak is not None:
        peak = video.frame_rate_peak - (video.jitter_frames or 0)
        if not limit.allows(peak):
            return Failed(
                measured=f"{peak} frames in one second", detail=f"nominal rate {measured}"
            )
    return Passed(measured=measured)


@fix("video-frame-rate", safety="lossy", summary="divide the rate by a whole number")
def slower(target: Video, case: Case) -> Video | Refused:
    return (
        unknown_timing(target) if target.video.frame_rate is None else picture_encoded(target, case)
    )


@rule(
    "video-peak-frame-rate",
    kinds=("video",),
    subject="peak frame rate",
    limit=RangeForm(quantity="rate"),
    facts=("video.frame_rate_burst", "video.frame_rate_declared"),
)
def peak_frame_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: neither a burst of six intervals nor the base rate that the container
    declares exceeds the limit, such as 60 fps.

    Why it matters: platforms do not document it, but a server may read only the declared rate.

    The fix: encodes at a constant rate. Lossy. The finding is a warning; it is fixed only if the
    file is rewritten anyway.
    """
    burst, declared = source.video.frame_rate_burst, source.video.frame_rate_declared
    if burst is None and declared is None:
        return Unknown(fact="video.frame_rate_burst")
    most, variable = limit.max, source.video.rate_mode != "cfr"
    if most is not None:
        if variable and burst is not None and burst > most + _BURST_TOLERANCE:
            return Failed(measured=f"{units.rate_text(burst)} fps in bursts")
        if declared is not None and declared > most * _SNAPPING:
            return Failed(
                measured=f"{units.rate_text(declared)} fps",
                detail="the base rate that the container declares",
            )
    return Passed(measured="no burst" if burst is None else f"{units.rate_text(burst)} fps")


@fix("video-peak-frame-rate", safety="lossy", summary="encode at a constant rate")
def constant_rate(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-recommended-frame-rate",
    kinds=("video",),
    subject="frame rate",
    limit=AnyOfForm(quantity="rate"),
    facts=("video.frame_rate",),
)
def recommended_frame_rate(source: Video, limit: AnyOf) -> Judgement:
    """What it checks: the frame rate is one that the platform recommends, such as 30 or 60 fps.
    29.97 and 59.94 count as 30 and 60.

    Why it matters: this is advice only; 24, 25 and 50 fps are accepted and play well.

    The fix: none. Resampling an accepted rate makes motion worse.
    """
    rate = source.video.frame_rate
    if rate is None:
        return Unknown(fact="video.frame_rate")
    return judge(f"{units.rate_text(rate)} fps", allowed=limit.allows(rate))


@rule(
    "video-scan",
    kinds=("video",),
    subject="scan",
    limit=OneOfForm(names=get_args(Scan)),
    facts=("video.scan",),
)
def scan(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the picture is progressive, according to the flags of the stream and to
    sampled pictures. A stream flagged as interlaced fails even if its pictures are progressive
    (PsF), and interlaced pictures fail even if they are flagged as progressive. Soft telecine
    (progressive frames with repeat flags) passes.

    Why it matters: the platform does not deinterlace, so comb artefacts stay in the picture.

    The fix: deinterlaces interlaced video with bwdif at field rate (25i becomes 50p), with the
    field order detected in the pictures; reverses telecine; removes the flag of PsF. Lossy, because
    the picture is encoded.
    """
    flags, content = source.video.scan_flags, source.video.scan_content
    judgement = judge_name(source.video.scan, "video.scan", limit)
    if isinstance(judgement, Failed) and content is not None:
        detail = f"flagged {flags or 'unspecified'}, detected {content}"
        return replace(judgement, detail=detail)
    return judgement


@fix("video-scan", safety="lossy", summary="deinterlace, or reverse the telecine")
def progressive(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)
