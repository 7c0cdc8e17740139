"""Groups of pictures: open GOP, length, random access points."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model import units
from mediaprep.model.fix import Case
from mediaprep.model.limits import OneOf, Range, Required
from mediaprep.model.media import Video
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, rule
from mediaprep.targets.video import first_shown, lead, picture_encoded, rewrapped

_WORDS = {
    "closed": "closed",
    "closed-nonidr": "closed, with random access points that are not IDR",
    "open": "open",
    "gdr": "gradual refresh without key pictures",
    "no-rap": "no random access point",
    "starts-mid-gop": "begins in the middle of a GOP",
}


@rule(
    "video-open-gop",
    kinds=("video",),
    subject="GOP structure",
    facts=("video.gop.structure", "video.gop.open_count"),
)
def open_gop(source: Video, limit: OneOf) -> Judgement:
    """What it checks: every group of pictures, packet by packet: none may have leading pictures that refer to a picture before its random
    access point. Streams
    without a true random access point, with gradual refresh, or beginning in mid-GOP fail too. Container flags and encoder settings are
    no evidence.

    Why it matters: the platform cuts the video into segments at key frames; frames of an open GOP cannot be decoded there.

    The fix: encodes anew; no remux or bitstream filter can close a GOP. Lossy.
    """
    gop = source.video.gop
    if gop.structure is None:
        return Unknown(fact="video.gop.structure")
    if limit.allows(gop.structure):
        return Passed(measured=_WORDS[gop.structure])
    first, count = gop.first_open, gop.open_count
    detail = (
        ""
        if first is None or not count
        else f"{count} open, the first at {units.duration_text(first)}"
    )
    return Failed(measured=_WORDS[gop.structure], detail=detail)


@fix("video-open-gop", safety="lossy", says="encode with closed GOPs")
def closed_gop(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-gop-length", kinds=("video",), subject="GOP length", facts=("video.gop.length_max",))
def gop_length(source: Video, limit: Range) -> Judgement:
    """What it checks: the frames of the longest GOP: at most 512; two field pictures are one frame.

    Why it matters: not on the page, but the server answers "Video GOP is too large. Largest number of frames allowed in one GOP: 512".

    The fix: encodes with a key frame every two seconds. A warning by itself; mended where the file is rewritten anyway, and always kept
    by what is written.
    """
    longest = source.video.gop.length_max
    if longest is None:
        return Unknown(fact="video.gop.length_max")
    return (
        Passed(measured=f"{longest} frames")
        if limit.allows(longest)
        else Failed(measured=f"{longest} frames")
    )


@fix("video-gop-length", safety="lossy", says="encode with a key frame every two seconds")
def shorter_gop(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-idr", kinds=("video",), subject="random access", facts=("video.gop.nonidr_count",))
def idr(source: Video, limit: Required) -> Judgement:
    """What it checks: that every random access point is an IDR picture.

    Why it matters: an I picture with a recovery point decodes rightly, but segmenters that look for IDR find none there.

    The fix: encodes anew. A warning; mended only where the file is rewritten anyway.
    """
    count = source.video.gop.nonidr_count
    if count is None:
        return Unknown(fact="video.gop.nonidr_count")
    if not count:
        return Passed(measured="by IDR alone")
    return Failed(measured=f"without IDR at {count} point{'s' if count > 1 else ''}")


@fix("video-idr", safety="lossy", says="encode with IDR pictures")
def with_idr(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-start",
    kinds=("video",),
    subject="start",
    facts=("video.gop.starts_with_idr", "video.start"),
)
def start(source: Video, limit: Required) -> Judgement:
    """What it checks: that the file begins with an IDR picture, at time 0 (within half a frame).

    Why it matters: a late or broken start shows a black or grey first frame and shifts the sound.

    The fix: encodes anew from time 0; where nothing comes before the picture but the priming of the sound, and no edit list delays it, time
    is counted from there and nothing is encoded. A warning; mended only where the file is rewritten anyway.
    """
    video = source.video
    if video.gop.starts_with_idr is None:
        return Unknown(fact="video.gop.starts_with_idr")
    if video.start is None:
        return Unknown(fact="video.start")
    if not video.gop.starts_with_idr:
        return Failed(measured="without an IDR picture")
    slack = (
        Fraction(1, 50)
        if video.frame_rate is None
        else max(Fraction(1, 1000), 1 / (2 * video.frame_rate))
    )
    at_zero = abs(video.start) <= slack
    return (
        Passed(measured="IDR at time 0")
        if at_zero
        else Failed(measured=f"at {units.duration_text(video.start)}")
    )


@fix("video-start", safety="lossy", says="encode from time 0")
def from_zero(target: Video, case: Case) -> Video:
    if (
        target.video.gop.starts_with_idr
        and not target.video.reencode
        and (lead(target) or (isinstance(case.source, Video) and first_shown(case.source)))
    ):
        return rewrapped(replace(target, video=replace(target.video, start=Fraction(0))))
    return picture_encoded(target, case)
