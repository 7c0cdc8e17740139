"""Format and file size of still images."""

from __future__ import annotations

from mediaprep.model import containers, units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limit_forms import ByteLimitForm, OneOfForm
from mediaprep.model.limits import ByteLimit, OneOf
from mediaprep.model.media import Animation, Image
from mediaprep.rules.registry import Judgement, Unknown, fix, judge, judge_name, rule
from mediaprep.targets.image import can_strip, encoded, stripped

_ANIMATED = Refused(
    reason="the image is animated, and animations have limits of their own",
    remedies=("omit the category so that it is inferred",),
)


@rule(
    "image-type",
    kinds=("image", "animation"),
    placements=("image",),
    subject="picture format",
    limit=OneOfForm(names=containers.names("image")),
    facts=("format",),
)
def image_type(source: Image | Animation, limit: OneOf) -> Judgement:
    """What it checks: the image has a format that the platform accepts, such as JPEG, PNG, GIF or
    WebP. The format is detected from the content; the file name extension is ignored.

    Why it matters: the upload recognises only these formats. HEIC and AVIF photos from phones,
    TIFF, BMP and others are rejected with "media type unrecognized".

    The fix: decodes the picture and writes a JPEG. Losslessly compressed images become a PNG if it
    is within the size limit, and transparent ones a PNG or WebP. The output is upright, with 8 bits
    per sample and converted to sRGB by its colour profile; of several pictures in one file, only
    the first is kept. Lossy.
    """
    return judge_name(source.format, "format", limit)


@fix("image-type", safety="lossy", summary="convert it to an accepted format")
def converted(target: Image | Animation, case: Case) -> Image | Refused:
    return encoded(target, case) if isinstance(target, Image) else _ANIMATED


@rule(
    "image-size",
    kinds=("image", "animation"),
    placements=("image",),
    subject="file size",
    limit=ByteLimitForm(),
    facts=("size_bytes",),
)
def image_size(source: Image | Animation, limit: ByteLimit) -> Judgement:
    """What it checks: the size of the whole file. A limit of "5 MB" is checked as 5 x 2^20 bytes,
    as servers count; output files stay below 5 x 10^6 bytes.

    Why it matters: the upload is rejected above the limit.

    The fix: removes metadata if that is enough, which is lossless. Otherwise it encodes with the
    highest JPEG or WebP quality that fits; if that is below the minimum of the profile, both sides
    of the picture are halved until it fits. A PNG with few colours stays a PNG, with a palette, if
    that fits.
    """
    if source.size_bytes is None:
        return Unknown(fact="size_bytes")
    measured = f"{units.bytes_text(source.size_bytes)} ({source.size_bytes} bytes)"
    return judge(measured, allowed=limit.allows(source.size_bytes))


@fix(
    "image-size",
    safety="lossy",
    summary="remove metadata, or lower the quality as far as necessary",
)
def smaller(target: Image | Animation, case: Case) -> Image | Refused:
    if not isinstance(target, Image) or not isinstance(case.source, Image):
        return _ANIMATED
    if target.reencode:
        return target
    if can_strip(case.source, case) and not case.options.keep_metadata:
        return stripped(target, case)
    return encoded(target, case)
