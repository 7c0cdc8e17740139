"""The wrapping of a video: container, size in bytes, edit list."""

from __future__ import annotations

from dataclasses import replace

from mediaprep.model import units
from mediaprep.model.fix import Case
from mediaprep.model.limits import ByteLimit, OneOf
from mediaprep.model.media import Video
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, named, rule
from mediaprep.targets.video import picture_encoded, rewrapped, sound_encoded

_EDITS = {
    "trims": "it cuts off some of the picture",
    "delays": "the picture begins late by it",
    "trims-and-delays": "it cuts off some of the picture, and delays it",
}


@rule("video-container", kinds=("video",), subject="container", facts=("container.format",))
def container(source: Video, limit: OneOf) -> Judgement:
    """What it checks: that picture and sound are wrapped as MP4 or MOV, told from the content, never from the file's extension.

    Why it matters: the platform's upload takes MP4 and QuickTime; Matroska, WebM, AVI, FLV, 3GP, transport streams and raw streams are
    refused or fail in processing.

    The fix: moves the streams into an MP4 with its index in front (faststart). Nothing is encoded and nothing lost; extra tracks and
    chapters stay behind.
    """
    return named(source.container.format, "container.format", limit)


@fix("video-container", safety="lossless", says="move the streams into MP4, without encoding")
def into_mp4(target: Video, case: Case) -> Video:
    return rewrapped(target)


@rule("video-size", kinds=("video",), subject="file size", facts=("size_bytes",))
def size(source: Video, limit: ByteLimit) -> Judgement:
    """What it checks: the bytes of the whole file. A limit of "512 MB" is judged at 512 x 2^20, as the servers count; what is written
    stays under 512 x 10^6.

    Why it matters: the upload's first call states the total bytes and is refused above the limit.

    The fix: encodes the picture at the ladder's bit rate, which for the longest clip allowed takes a tenth of the limit. Lossy.
    """
    if source.size_bytes is None:
        return Unknown(fact="size_bytes")
    measured = f"{units.bytes_text(source.size_bytes)} ({source.size_bytes} bytes)"
    return (
        Passed(measured=measured) if limit.allows(source.size_bytes) else Failed(measured=measured)
    )


@fix("video-size", safety="lossy", says="encode at the ladder's bit rate")
def smaller(target: Video, case: Case) -> Video:
    return picture_encoded(target, case)


@rule("video-edit-list", kinds=("video",), subject="edit list", facts=("video.edit_list",))
def edit_list(source: Video, limit: OneOf) -> Judgement:
    """What it checks: whether the container's edit list cuts the beginning or end off the picture, or delays it. An edit that only skips
    the reordering delay is plain.

    Why it matters: players and servers differ on edit lists: one shows what another cuts, and sound and picture drift apart.

    The fix: encodes just what is presented, from time 0, without such a list. Lossy; reported as a warning, mended only where the file is
    rewritten anyway.
    """
    if source.video.edit_list is None:
        return Unknown(fact="video.edit_list")
    judged = named(source.video.edit_list, "video.edit_list", limit)
    return (
        replace(judged, detail=_EDITS.get(source.video.edit_list, ""))
        if isinstance(judged, Failed)
        else judged
    )


@fix("video-edit-list", safety="lossy", says="encode what is presented, from time 0")
def edits_applied(target: Video, case: Case) -> Video:
    return rewrapped(sound_encoded(picture_encoded(target, case), case))
