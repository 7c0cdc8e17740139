"""What a still is turned into: the same coded picture without its metadata, or a picture coded anew in a format that is taken."""

from __future__ import annotations

from dataclasses import replace

from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, OneOf
from mediaprep.model.media import Image
from mediaprep.model.placement import ImageEncoding, Placement

WRITABLE = ("jpeg", "png", "webp")
COPIED = (
    "jpeg",
    "png",
    "webp",
    "gif",
)  # whose metadata can be taken out without touching the picture
_LOSSLESS = ("png", "gif", "bmp", "tiff", "psd", "ico", "icns", "pnm", "pcx", "sgi", "qoi", "dds")


def encoding(placement: Placement) -> ImageEncoding:
    """The target of a rewritten still. Raises: TypeError for a placement of another kind."""
    if not isinstance(placement.encoding, ImageEncoding):
        raise TypeError(f"{placement.name} takes no stills")
    return placement.encoding


def written_limit(case: Case) -> int | None:
    """Bytes that what we write may have; None: no limit."""
    requirement = case.placement.requirements.get("image-size")
    limits = (
        [requirement.limit.written]
        if requirement and isinstance(requirement.limit, ByteLimit)
        else []
    )
    return min(
        [*limits, *([case.options.max_size] if case.options.max_size is not None else [])],
        default=None,
    )


def target_formats(source: Image, placement: Placement) -> tuple[str, ...]:
    """Formats to write, the preferred first; a later one where the first does not fit. () = none that is taken can be written.

    What was lossless stays so where it fits; what has alpha keeps it where some format that is taken can.
    """
    requirement = placement.requirements.get("image-type")
    taken = (
        requirement.limit.values
        if requirement and isinstance(requirement.limit, OneOf)
        else WRITABLE
    )
    lossy = ("webp", "png", "jpeg") if source.alpha else ("jpeg", "png", "webp")
    wanted = tuple(form for form in lossy if form in taken)
    if source.format in _LOSSLESS and "png" in taken:
        return ("png", *[form for form in wanted if form != "png"][:1])
    return wanted[:1]


def encoded(target: Image, case: Case) -> Image | Refused:
    """The picture coded anew: upright, 8 bits, sRGB where its colours are tagged, the first picture alone."""
    source = case.source
    if not isinstance(source, Image):
        return Refused(reason="a still is made of stills only")
    if source.mode is None:
        why = next(
            (unknown.reason for unknown in source.unknown if unknown.fact == "mode"),
            "its pixels cannot be read",
        )
        return Refused(
            reason=f"the {source.format} picture cannot be converted: {why}",
            remedies=("export it as JPEG or PNG",),
        )
    formats = target_formats(source, case.placement)
    if not formats:
        return Refused(
            reason=f"{case.placement.name} takes no format that can be written ({', '.join(WRITABLE)})"
        )
    alpha = {bool(source.alpha) and form != "jpeg" for form in formats}
    return replace(
        target,
        format=formats[0] if len(formats) == 1 else None,
        width=None,
        height=None,
        orientation=1,
        mode=None,
        bit_depth=None,
        alpha=alpha.pop() if len(alpha) == 1 else None,
        colour_space="unspecified"
        if source.colour_space == "unspecified"
        else None
        if source.colour_space is None
        else "sRGB",
        pictures=None if source.pictures is None else 1,
        gain_map=None if source.gain_map is None else False,
        complete=True,
        size_bytes=None,
        private=None if case.options.keep_metadata else (),
        reencode=True,
    )


def stripped(target: Image, case: Case) -> Image:
    """The same coded picture without metadata and without further pictures."""
    return replace(
        target,
        private=(),
        pictures=None if target.pictures is None else 1,
        gain_map=None if target.gain_map is None else False,
        size_bytes=None,
    )


def can_strip(source: Image, case: Case) -> bool:
    """Whether leaving out the metadata gives a file that may be written."""
    most = written_limit(case)
    return (
        source.format in COPIED
        and source.least_bytes is not None
        and (most is None or source.least_bytes <= most)
    )
