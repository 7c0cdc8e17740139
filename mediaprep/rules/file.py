"""Rules for any file: its kind, whether it is whole, what it tells about its owner."""

from __future__ import annotations

from dataclasses import replace

from mediaprep.model.fix import Case
from mediaprep.model.limits import OneOf, Required
from mediaprep.model.media import KINDS, Media
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, rule

_WORDS = {
    "video": "a video",
    "animation": "an animation",
    "image": "a still picture",
    "subtitle": "subtitles",
    "sound": "sound alone",
}
TELLING = ("location", "device", "owner", "maker", "comment", "thumbnail")


@rule("file-kind", kinds=KINDS, subject="kind of media", facts=("kind",))
def kind(source: Media, limit: OneOf) -> Judgement:
    """What it checks: that the content is of a kind that the category takes: a picture that moves, an animation, a still or subtitles.
    The bytes decide, never the name.

    Why it matters: each category has its own limits and its own path on the platform; sound alone is taken by none of them.

    The fix: none; nothing can be made of a file without a picture. A GIF becomes a video, or a video a GIF, when asked: ``--to video``,
    ``--to gif``.
    """
    word = _WORDS[source.kind]
    if limit.allows(source.kind):
        return Passed(measured=word)
    remedy = {
        "animation": "--to video makes a video of it, or leave the category to be inferred",
        "video": "leave the category to be inferred",
    }
    return Failed(
        measured=word,
        remedy=remedy.get(source.kind, "give a file of a kind that the category takes"),
    )


@rule("file-complete", kinds=KINDS, subject="file", facts=("complete",))
def complete(source: Media, limit: Required) -> Judgement:
    """What it checks: that the file is whole: its structure ends where it says, the samples it lists lie inside it, no packet is cut.
    A transport stream or a raw stream has no mark of its end; where nothing is missing that can be told, it passes.

    Why it matters: a half-copied or cut file plays to the cut, if at all, and servers refuse it without a reason. Most tools return
    success on it.

    The fix: none: what is not there cannot be restored. Copy or download the file again.
    """
    if source.complete is False:
        return Failed(
            measured="cut short or damaged",
            detail=source.incomplete_because or "",
            remedy="copy or download the file again",
        )
    return Passed(measured="whole" if source.complete else "whole, as far as its format can tell")


@rule("file-private-metadata", kinds=KINDS, subject="private metadata", facts=("private",))
def private_metadata(source: Media, limit: Required) -> Judgement:
    """What it checks: location, device, owner and maker metadata: GPS in EXIF or XMP, QuickTime and 3GPP location atoms, make and model,
    artist and author tags, comments, embedded thumbnails.

    Why it matters: whoever downloads the upload learns where it was taken and by whom; platforms differ in what they strip.

    The fix: removes it without touching picture or sound; a colour profile is kept, an orientation is kept or applied. Nothing visible is
    lost. It never
    fails a check, but ``fix`` always does it; ``--keep-metadata`` leaves it in.
    """
    if source.private is None:
        return Unknown(fact="private")
    telling = [item for item in source.private if item.kind in TELLING]
    if not telling:
        return Passed(measured="none")
    kinds = ", ".join(sorted({item.kind for item in telling}))
    return Failed(
        measured=kinds, detail="in " + ", ".join(sorted({item.where for item in telling})[:4])
    )


@fix(
    "file-private-metadata", safety="lossless", says="remove it; picture and sound stay as they are"
)
def without_private_metadata(target: Media, case: Case) -> Media:
    return replace(target, private=())
