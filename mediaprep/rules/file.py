"""Rules for files of every kind: the kind itself, completeness, private metadata."""

from __future__ import annotations

from dataclasses import replace

from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import RequiredForm
from mediaprep.model.limits import OneOf, Required
from mediaprep.model.media import KINDS, Media
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, rule

_KIND_NAMES = {
    "video": "a video",
    "animation": "an animation",
    "image": "a still image",
    "subtitle": "a caption file",
    "sound": "audio without video",
}
_KIND_REMEDIES = {
    "animation": "convert it with --to video, or omit the category so that it is inferred",
    "video": "omit the category so that it is inferred",
}


@rule(
    "file-kind",
    kinds=KINDS,
    subject="kind of media",
    limit=RequiredForm(text="content that the category takes"),
    facts=("kind",),
    required=True,
)
def kind(source: Media, limit: OneOf) -> Judgement:
    """What it checks: the file is of a kind that the category takes: video, animation, still image
    or captions. The content decides; the file name is ignored.

    Why it matters: each category has its own limits, and the platform processes each in its own
    way. No category takes audio without video.

    The fix: none. A file without a picture cannot be repaired. ``--to video`` converts a GIF into a
    video, ``--to gif`` a video into a GIF.
    """
    name = _KIND_NAMES[source.kind]
    if limit.allows(source.kind):
        return Passed(measured=name)
    remedy = _KIND_REMEDIES.get(source.kind, "pass a file of a kind that the category takes")
    return Failed(measured=name, remedy=remedy)


@rule(
    "file-complete",
    kinds=KINDS,
    subject="file",
    limit=RequiredForm(text="a complete file"),
    facts=("complete",),
    required=True,
)
def complete(source: Media, limit: Required) -> Judgement:
    """What it checks: the file is complete: its structure ends where its headers say, the samples
    that it indexes lie inside it, and no packet is cut off. Transport streams and raw streams have
    no end marker; they pass if nothing is known to be missing.

    Why it matters: a partly copied or downloaded file plays up to the cut, if at all. Servers
    reject it without giving a reason, and most tools report success on it.

    The fix: none. Missing data cannot be restored. Copy or download the file again.
    """
    if source.complete is False:
        return Failed(
            measured="truncated or damaged",
            detail=source.incomplete_because or "",
            remedy="copy or download the file again",
        )
    if source.complete:
        return Passed(measured="complete")
    return Passed(measured="complete, as far as its format can show")


@rule(
    "file-private-metadata",
    kinds=KINDS,
    subject="private metadata",
    limit=RequiredForm(text="no location, device or owner metadata"),
    facts=("private",),
)
def private_metadata(source: Media, limit: Required) -> Judgement:
    """What it checks: the file has no metadata about location, device, owner or maker: GPS
    positions in EXIF or XMP, location atoms of QuickTime and 3GPP, camera make and model, artist
    and author tags, comments, embedded thumbnails.

    Why it matters: anyone who downloads the upload can read where it was made and by whom.
    Platforms differ in what they remove.

    The fix: removes the metadata and leaves picture and sound untouched. A colour profile is kept;
    an orientation is kept or applied. Nothing visible is lost. The rule never fails a check, but
    ``fix`` always applies it; ``--keep-metadata`` keeps the metadata.
    """
    if source.private is None:
        return Unknown(fact="private")
    items = [item for item in source.private if item.identifying]
    if not items:
        return Passed(measured="none")
    places = sorted({item.where for item in items})
    return Failed(
        measured=", ".join(sorted({item.kind for item in items})),
        detail="in " + ", ".join(places[:4]),
    )


@fix(
    "file-private-metadata",
    safety="lossless",
    summary="remove it; picture and sound stay as they are",
)
def without_private_metadata(target: Media, case: Case) -> Media:
    return replace(target, private=())
