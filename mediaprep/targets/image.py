"""The facts of a rewritten still image: the same coded picture without metadata, or a new one."""

from __future__ import annotations

from dataclasses import replace

from mediaprep.model import containers
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, OneOf
from mediaprep.model.media import Image
from mediaprep.model.placement import ImageEncoding, Placement

WRITABLE = containers.written("image")


def encoding(placement: Placement) -> ImageEncoding:
    """Return how a still image is encoded. Raises: TypeError for a placement of another kind."""
    if not isinstance(placement.encoding, ImageEncoding):
        raise TypeError(f"{placement.name} takes no still images")
    return placement.encoding


def written_limit(case: Case) -> int | None:
    """Return how many bytes the output may have; None: any."""
    limit = case.placement.limit("image-size")
    limits = [limit.written] if isinstance(limit, ByteLimit) else []
    if case.options.max_size is not None:
        limits.append(case.options.max_size)
    return min(limits, default=None)


def target_formats(source: Image, placement: Placement) -> tuple[str, ...]:
    """Return the formats to write, the preferred one first; () = the placement takes none of ours.

    A later format is used if the output does not fit in an earlier one. Lossless sources stay
    lossless if they fit; transparency is kept if an accepted format has it.
    """
    limit = placement.limit("image-type")
    accepted = limit.values if isinstance(limit, OneOf) else WRITABLE
    preferred = ("webp", "png", "jpeg") if source.alpha else ("jpeg", "png", "webp")
    formats = tuple(form for form in preferred if form in accepted)
    if containers.of(source.format).lossless and "png" in accepted:
        return ("png", *[form for form in formats if form != "png"][:1])
    return formats[:1]


def encoded(target: Image, case: Case) -> Image | Refused:
    """Return the image encoded: upright, 8 bits per sample, its first picture only.

    Tagged colours are converted to sRGB.
    """
    source = case.source
    if not isinstance(source, Image):
        return Refused(reason="only still images can become a still image")
    if source.mode is None:
        reasons = (unknown.reason for unknown in source.unknown if unknown.fact == "mode")
        reason = next(reasons, "its pixels cannot be read")
        return Refused(
            reason=f"the {source.format} picture cannot be converted: {reason}",
            remedies=("export it as JPEG or PNG",),
        )
    formats = target_formats(source, case.placement)
    if not formats:
        writable = ", ".join(WRITABLE)
        return Refused(
            reason=f"{case.placement.name} takes no format that mediaprep writes ({writable})"
        )
    alpha = {bool(source.alpha) and form != "jpeg" for form in formats}
    tagged = source.colour_space not in (None, "unspecified")
    return replace(
        target,
        format=formats[0] if len(formats) == 1 else None,
        width=None,
        height=None,
        orientation=1,
        mode=None,
        bit_depth=None,
        alpha=alpha.pop() if len(alpha) == 1 else None,
        colour_space="sRGB" if tagged else source.colour_space,
        pictures=None if source.pictures is None else 1,
        gain_map=None if source.gain_map is None else False,
        complete=True,
        size_bytes=None,
        private=None if case.options.keep_metadata else (),
        reencode=True,
    )


def stripped(target: Image, case: Case) -> Image:
    """Return the image with the same coded picture, but without metadata and further pictures."""
    return replace(
        target,
        private=(),
        pictures=None if target.pictures is None else 1,
        gain_map=None if target.gain_map is None else False,
        size_bytes=None,
    )


def can_strip(source: Image, case: Case) -> bool:
    """Return True if removing the metadata is possible and makes the file small enough."""
    if not containers.of(source.format).coded_picture or source.least_bytes is None:
        return False
    most = written_limit(case)
    return most is None or source.least_bytes <= most
