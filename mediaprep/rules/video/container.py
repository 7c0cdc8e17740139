"""Container, file size and edit list of a video."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from mediaprep.model import containers, units
from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import ByteLimitForm, OneOfForm
from mediaprep.model.limits import ByteLimit, OneOf
from mediaprep.model.media import EditList, Video
from mediaprep.rules.registry import Failed, Judgement, Unknown, fix, judge, judge_name, rule
from mediaprep.targets.video import picture_encoded, remuxed, sound_encoded

_EDIT_EFFECTS = {
    "trims": "it cuts part of the picture off",
    "delays": "it delays the picture",
    "trims-and-delays": "it cuts part of the picture off and delays the rest",
}


@rule(
    "video-container",
    kinds=("video",),
    subject="container",
    limit=OneOfForm(names=containers.names("video")),
    facts=("container.format",),
)
def container(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the container is one that the platform accepts, such as MP4 or MOV. It is
    detected from the content; the file name extension is ignored.

    Why it matters: platforms reject other containers at the upload, or fail while processing them.
    Typical cases are Matroska, WebM, AVI, FLV, 3GP, transport streams and raw streams.

    The fix: moves the streams into an MP4 whose index comes first (faststart). Nothing is encoded,
    so no quality is lost. Further tracks and chapters are dropped.
    """
    return judge_name(source.container.format, "container.format", limit)


@fix("video-container", safety="lossless", summary="move the streams into MP4 without encoding")
def into_mp4(target: Video, case: Case) -> Video:
    return remuxed(target)


@rule(
    "video-size",
    kinds=("video",),
    subject="file size",
    limit=ByteLimitForm(),
    facts=("size_bytes",),
)
def size(source: Video, limit: ByteLimit) -> Judgement:
    """What it checks: the size of the whole file. A limit of "512 MB" is checked as 512 x 2^20
    bytes, as servers count; output files stay below 512 x 10^6 bytes.

    Why it matters: the first request of an upload states the size, and the server rejects it above
    the limit.

    The fix: encodes the picture at the bit rate of the ladder; with Twitter's limits, the longest
    clip then takes a tenth of the limit. Lossy.
    """
    if source.size_bytes is None:
        return Unknown(fact="size_bytes")
    measured = f"{units.bytes_text(source.size_bytes)} ({source.size_bytes} bytes)"
    return judge(measured, allowed=limit.allows(source.size_bytes))


@fix("video-size", safety="lossy", summary="encode at the bit rate of the ladder")
def smaller(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule(
    "video-edit-list",
    kinds=("video",),
    subject="edit list",
    limit=OneOfForm(names=get_args(EditList)),
    facts=("video.edit_list",),
)
def edit_list(source: Video, limit: OneOf) -> Judgement:
    """What it checks: the edit list of the container neither cuts off the beginning or end of the
    picture nor delays it. An edit that only compensates for the reordering delay is "plain".

    Why it matters: players and servers treat edit lists differently. One shows what another cuts,
    and sound and picture drift apart.

    The fix: encodes exactly what is presented, from time 0 and without such a list. Lossy. The
    finding is a warning; it is fixed only if the file is rewritten anyway.
    """
    if source.video.edit_list is None:
        return Unknown(fact="video.edit_list")
    judgement = judge_name(source.video.edit_list, "video.edit_list", limit)
    if isinstance(judgement, Failed):
        return replace(judgement, detail=_EDIT_EFFECTS.get(source.video.edit_list, ""))
    return judgement


@fix("video-edit-list", safety="lossy", summary="encode what is presented, from time 0")
def edits_applied(target: Video, case: Case) -> Video:
    return remuxed(sound_encoded(picture_encoded(target, case), case))
