"""The file of a still: its format and its size in bytes."""

from __future__ import annotations

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, OneOf
from mediaprep.model.media import Animation, Image
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, named, rule
from mediaprep.targets.image import can_strip, encoded, stripped

_MOVES = "the picture moves: as an animation it has limits of its own"


@rule("image-type", kinds=("image", "animation"), subject="picture format", facts=("format",))
def image_type(source: Image | Animation, limit: OneOf) -> Judgement:
    """What it checks: that a still is a JPEG, PNG, GIF or WebP, told from the content, never from the file's extension.

    Why it matters: the upload recognises these four; HEIC and AVIF photos from phones, TIFF, BMP and the like are answered with "media type
    unrecognized".

    The fix: decodes the picture and writes a JPEG; what was lossless becomes a PNG where that fits the size limit; alpha stays alpha in PNG
    or WebP. It is written upright, with 8 bits a sample and in sRGB by its colour profile; of several pictures in a file the first is kept.
    """
    return named(source.format, "format", limit)


@fix("image-type", safety="lossy", says="convert it to a format that is taken")
def into_taken(target: Image | Animation, case: Case) -> Image | Refused:
    if not isinstance(target, Image):
        return Refused(reason=_MOVES, remedies=("leave the category to be inferred",))
    return encoded(target, case)


@rule("image-size", kinds=("image", "animation"), subject="file size", facts=("size_bytes",))
def image_size(source: Image | Animation, limit: ByteLimit) -> Judgement:
    """What it checks: the bytes of the whole file. A limit of "5 MB" is judged at 5 x 2^20, as the servers count; what is written stays
    under 5 x 10^6.

    Why it matters: the upload is refused above the limit.

    The fix: leaves out metadata where that is enough. Else it finds the highest JPEG or WebP quality that fits; where that would fall below
    the profile's least, the picture is halved exactly, as often as it takes. A PNG of few colours stays one, with a palette, if that fits.
    """
    if source.size_bytes is None:
        return Unknown(fact="size_bytes")
    measured = f"{units.bytes_text(source.size_bytes)} ({source.size_bytes} bytes)"
    return (
        Passed(measured=measured) if limit.allows(source.size_bytes) else Failed(measured=measured)
    )


@fix(
    "image-size",
    safety="lossy",
    says="leave out metadata, or lower the quality, so far as it takes",
)
def smaller(target: Image | Animation, case: Case) -> Image | Refused:
    if not isinstance(target, Image) or not isinstance(case.source, Image):
        return Refused(reason=_MOVES, remedies=("leave the category to be inferred",))
    if target.reencode:
        return target
    if can_strip(case.source, case) and not case.options.keep_metadata:
        return stripped(target, case)
    return encoded(target, case)
