"""Duration, frame rate and scan."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import AnyOf, OneOf, Range
from mediaprep.model.media import Video
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, named, rule
from mediaprep.targets.video import no_timing, picture_encoded, sound_encoded

TOO_LONG_WAYS = ("--trim first", "--trim START-END", "--split")


def _untimed(source: Video, fact: str) -> Unknown:
    missing = source.video.timestamps == "missing"
    return Unknown(fact=fact, remedy="tell its frame rate with --frame-rate N" if missing else None)


@rule("video-duration", kinds=("video",), subject="duration", facts=("duration", "video.duration"))
def duration(source: Video, limit: Range) -> Judgement:
    """What it checks: the presented time, from packets that are not discarded, not from what a header claims: at least 0.5 s of picture,
    at most 140 s of
    picture and sound together. Both ends are allowed; 140.0065 s is over.

    Why it matters: longer videos are refused when the post is created, often after the whole upload.

    The fix: too short is extended by holding the last frame, to the end of a longer sound. Too long loses content
    whatever is done, so it is done only as told: ``--trim first`` (the first 139.9 s),
    ``--trim START-END``, or ``--split`` into parts.
    """
    shown = source.video.duration
    if source.duration is None:
        return _untimed(source, "duration")
    if limit.max is not None and source.duration > limit.max:
        over = source.duration - limit.max
        frame = source.video.frame_rate and 1 / source.video.frame_rate
        less = (
            "over by less than one frame"
            if frame and over < frame
            else f"over by {units.duration_text(over)}"
        )
        return Failed(
            measured=units.duration_text(source.duration),
            detail=less,
            remedy="loses content: " + ", ".join(TOO_LONG_WAYS),
        )
    if shown is None:
        return Unknown(fact="video.duration")
    if limit.min is not None and shown < limit.min:
        return Failed(measured=units.duration_text(shown), remedy="hold the last frame")
    return Passed(measured=units.duration_text(source.duration))


@fix(
    "video-duration",
    safety="lossy",
    says="hold the last frame of a short clip; a long one needs --trim or --split",
)
def of_allowed_length(target: Video, case: Case) -> Video | Refused:
    limit = case.limit
    if not isinstance(limit, Range) or target.duration is None:
        return no_timing(target)
    if limit.max is not None and target.duration > limit.max:
        lengths = f"it is {units.duration_text(target.duration)} long, {units.duration_text(limit.max)} are allowed"
        return Refused(reason=f"{lengths}, and shortening it loses content", remedies=TOO_LONG_WAYS)
    made = sound_encoded(picture_encoded(target, case), case)
    least = limit.min or Fraction(0)
    rate = made.video.frame_rate
    whole = max(
        least, target.duration
    )  # a still picture with its sound is shown as long as that lasts
    length = (
        whole
        if rate is None
        else Fraction(max(math.ceil(least * rate), math.floor(whole * rate))) / rate
    )
    audio = None if made.audio is None else replace(made.audio, duration=None)
    return replace(
        made,
        duration=max(length, target.duration),
        video=replace(made.video, duration=length),
        audio=audio,
    )


@rule(
    "video-frame-rate",
    kinds=("video",),
    subject="frame rate",
    facts=("video.frame_rate", "video.frame_rate_peak"),
)
def frame_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: the nominal rate, snapped to the standard values, and the most frames presented in any one second, time-stamp
    jitter allowed for. Never
    a single short interval, and never the header's guess alone.

    Why it matters: above 60 frames a second the upload is refused.

    The fix: divides the rate by the smallest whole number that brings it to 60 or less (120 to 60, 100 to 50, 119.88 to 59.94): evenly
    spaced frames are dropped. Lossy.
    """
    video = source.video
    if video.frame_rate is None:
        return _untimed(source, "video.frame_rate")
    peak = (
        None
        if video.frame_rate_peak is None
        else video.frame_rate_peak - (video.jitter_frames or 0)
    )
    measured = f"{units.rate_text(video.frame_rate)} fps"
    if not limit.allows(video.frame_rate):
        return Failed(measured=measured)
    if peak is not None and not limit.allows(peak):
        return Failed(measured=f"{peak} frames in one second", detail=f"nominal rate {measured}")
    return Passed(measured=measured)


@fix("video-frame-rate", safety="lossy", says="divide the rate by a whole number")
def slower(target: Video, case: Case) -> Video | Refused:
    return no_timing(target) if target.video.frame_rate is None else picture_encoded(target, case)


@rule(
    "video-peak-frame-rate",
    kinds=("video",),
    subject="peak frame rate",
    facts=("video.frame_rate_burst", "video.frame_rate_declared"),
)
def peak_frame_rate(source: Video, limit: Range) -> Judgement:
    """What it checks: a burst over six intervals, or a base rate declared by the container, above 60.

    Why it matters: the page does not say so, but a server may look at the declared rate alone.

    The fix: encodes at a constant rate. A warning, mended only where the file is rewritten anyway.
    """
    burst, declared = source.video.frame_rate_burst, source.video.frame_rate_declared
    if burst is None and declared is None:
        return Unknown(fact="video.frame_rate_burst")
    slack = Fraction(1, 2)  # codec-facts: 60.5, time-stamp rounding over six intervals
    if (
        limit.max is not None
        and source.video.rate_mode != "cfr"
        and burst is not None
        and burst > limit.max + slack
    ):
        return Failed(measured=f"{units.rate_text(burst)} fps in bursts")
    if (
        limit.max is not None and declared is not None and declared > limit.max * Fraction(501, 500)
    ):  # as rates are snapped: 60.06 is 60
        return Failed(
            measured=f"{units.rate_text(declared)} fps",
            detail="the base rate that the container declares",
        )
    return Passed(measured="no burst" if burst is None else f"{units.rate_text(burst)} fps")


@fix("video-peak-frame-rate", safety="lossy", says="encode at a constant rate")
def constant_rate(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-recommended-frame-rate",
    kinds=("video",),
    subject="frame rate",
    facts=("video.frame_rate",),
)
def recommended_frame_rate(source: Video, limit: AnyOf) -> Judgement:
    """What it checks: whether the rate is 30 or 60 frames a second (29.97 and 59.94 count as those).

    Why it matters: advice only; 24, 25 and 50 are legal and play well.

    The fix: none: resampling a legal rate makes motion worse.
    """
    rate = source.video.frame_rate
    if rate is None:
        return Unknown(fact="video.frame_rate")
    measured = f"{units.rate_text(rate)} fps"
    return Passed(measured=measured) if limit.allows(rate) else Failed(measured=measured)


@rule("video-scan", kinds=("video",), subject="scan", facts=("video.scan",))
def scan(source: Video, limit: OneOf) -> Judgement:
    """What it checks: that the picture is progressive, by the stream's flags and by what sampled pictures show. Flagged interlaced fails
    even
    where the picture is progressive (PsF); interlaced content under a progressive flag fails too; soft telecine (progressive frames with
    repeat flags) passes.

    Why it matters: the platform does not deinterlace: combs stay in the picture for ever.

    The fix: real interlace by bwdif at field rate (25i becomes 50p), field order taken from the picture; telecine is undone; PsF only
    loses its flag. Lossy (an encode).
    """
    flags, content = source.video.scan_flags, source.video.scan_content
    judged = named(source.video.scan, "video.scan", limit)
    if isinstance(judged, Failed) and content is not None:
        return replace(judged, detail=f"flags say {flags or 'nothing'}, the picture {content}")
    return judged


@fix("video-scan", safety="lossy", says="deinterlace, or undo the telecine")
def progressive(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)
