"""Groups of pictures: structure, length, random access points, start."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import get_args

from mediaprep.model import units
from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import OneOfForm, RangeForm, RequiredForm
from mediaprep.model.limits import OneOf, Range, Required
from mediaprep.model.media import GopStructure, Video
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, judge, rule
from mediaprep.targets.video import audio_lead, picture_encoded, remuxed, starts_with_picture

_STRUCTURES: dict[GopStructure, str] = {
    "closed": "closed",
    "closed-nonidr": "closed, with random access points that are not IDR",
    "open": "open",
    "gdr": "gradual refresh without key pictures",
    "no-rap": "without a random access point",
    "starts-mid-gop": "incomplete: starts in the middle of a GOP",
}
# How far the first picture may be from time 0: half a frame, but at least a millisecond (the
# resolution of Matroska); a fiftieth of a second if the frame rate is unknown (a guess).
_START_TOLERANCE_MIN = Fraction(1, 1000)
_START_TOLERANCE_UNKNOWN_RATE = Fraction(1, 50)


@rule(
    "video-open-gop",
    kinds=("video",),
    subject="GOP structure",
    limit=OneOfForm(names=get_args(GopStructure)),
    facts=("video.gop.structure", "video.gop.open_count"),
)
def open_gop(source: Video, limit: OneOf) -> Judgement:
    """What it checks: no group of pictures has leading pictures that refer to a picture before its
    random access point. Every packet is examined; container flags and encoder settings prove
    nothing. Streams without a true random access point, with gradual refresh, or starting in the
    middle of a GOP fail, too.

    Why it matters: the platform cuts the video into segments at key frames. Frames of an open GOP
    cannot be decoded there.

    The fix: encodes the picture with closed GOPs. Lossy. No remux or bitstream filter can close a
    GOP.
    """
    gop = source.video.gop
    if gop.structure is None:
        return Unknown(fact="video.gop.structure")
    measured = _STRUCTURES[gop.structure]
    if limit.allows(gop.structure):
        return Passed(measured=measured)
    detail = ""
    if gop.first_open is not None and gop.open_count:
        detail = f"{gop.open_count} open, the first at {units.duration_text(gop.first_open)}"
    return Failed(measured=measured, detail=detail)


@fix("video-open-gop", safety="lossy", summary="encode with closed GOPs")
def closed_gop(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-gop-length",
    kinds=("video",),
    subject="GOP length",
    limit=RangeForm(quantity="count"),
    facts=("video.gop.length_max",),
)
def gop_length(source: Video, limit: Range) -> Judgement:
    """What it checks: the longest GOP has at most the allowed number of frames, such as 512. Two
    field pictures count as one frame.

    Why it matters: Twitter's documentation does not mention it, but its server answers "Video GOP
    is too large. Largest number of frames allowed in one GOP: 512".

    The fix: encodes with a key frame every two seconds. Lossy. The finding is a warning; it is
    fixed only if the file is rewritten anyway, and every encoded output satisfies it.
    """
    longest = source.video.gop.length_max
    if longest is None:
        return Unknown(fact="video.gop.length_max")
    return judge(f"{longest} frames", allowed=limit.allows(longest))


@fix("video-gop-length", safety="lossy", summary="encode with a key frame every two seconds")
def shorter_gop(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-idr",
    kinds=("video",),
    subject="random access",
    limit=RequiredForm(text="IDR at every random access point"),
    facts=("video.gop.nonidr_count",),
)
def idr(source: Video, limit: Required) -> Judgement:
    """What it checks: every random access point is an IDR picture.

    Why it matters: an I picture with a recovery point decodes correctly, but segmenters that look
    for IDR pictures do not find it.

    The fix: encodes with IDR pictures. Lossy. The finding is a warning; it is fixed only if the
    file is rewritten anyway.
    """
    count = source.video.gop.nonidr_count
    if count is None:
        return Unknown(fact="video.gop.nonidr_count")
    if not count:
        return Passed(measured="by IDR only")
    return Failed(measured=f"without IDR at {count} point{'s' if count > 1 else ''}")


@fix("video-idr", safety="lossy", summary="encode with IDR pictures")
def with_idr(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-start",
    kinds=("video",),
    subject="start",
    limit=RequiredForm(text="an IDR picture at time 0"),
    facts=("video.gop.starts_with_idr", "video.start"),
)
def start(source: Video, limit: Required) -> Judgement:
    """What it checks: the video starts with an IDR picture, at time 0 (within half a frame).

    Why it matters: after a late or broken start, the first frame is black or grey and the sound is
    shifted.

    The fix: encodes from time 0. Lossy. If only encoder delay of the sound comes before the
    picture, and no edit list delays the picture, the timestamps are shifted and nothing is encoded.
    The finding is a warning; it is fixed only if the file is rewritten anyway.
    """
    video = source.video
    if video.gop.starts_with_idr is None:
        return Unknown(fact="video.gop.starts_with_idr")
    if video.start is None:
        return Unknown(fact="video.start")
    if not video.gop.starts_with_idr:
        return Failed(measured="without an IDR picture")
    tolerance = _START_TOLERANCE_UNKNOWN_RATE
    if video.frame_rate is not None:
        tolerance = max(_START_TOLERANCE_MIN, 1 / (2 * video.frame_rate))
    if abs(video.start) <= tolerance:
        return Passed(measured="IDR at time 0")
    return Failed(measured=f"at {units.duration_text(video.start)}")


@fix("video-start", safety="lossy", summary="encode from time 0")
def from_zero(target: Video, case: Case) -> Video:
    shifts = audio_lead(target) or (
        isinstance(case.source, Video) and starts_with_picture(case.source)
    )
    if target.video.gop.starts_with_idr and not target.video.reencode and shifts:
        return remuxed(replace(target, video=replace(target.video, start=Fraction(0))))
    return picture_encoded(target, case)
