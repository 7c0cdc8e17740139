"""Planning for still images: requested changes, and the tolerances of an output."""

from __future__ import annotations

from collections.abc import Iterator

from mediaprep.model.fix import Case, Refused
from mediaprep.model.media import Image
from mediaprep.model.tolerance import Among, AtMost, AtMostBytes, Tolerance
from mediaprep.targets.image import can_strip, encoded, stripped, target_formats, written_limit


def requested_changes(source: Image, case: Case) -> Iterator[tuple[str, Image]]:
    """Yield each option that changes the facts, and the new facts."""
    most = case.options.max_size
    if most is None or source.size_bytes is None or source.size_bytes <= most:
        return
    smaller = _stripped_or_encoded(source, source, case)
    if isinstance(smaller, Image):
        yield "--max-size", smaller


def derive(source: Image, target: Image, case: Case) -> tuple[Image, tuple[Tolerance, ...]]:
    """Return the target with the consequences of its changes, and the tolerances."""
    if target == source and not target.reencode:
        return target, ()
    if not target.reencode:
        rewritten = _stripped_or_encoded(source, target, case)
        if isinstance(rewritten, Refused):
            return target, ()  # the rules of the target report the reason
        target = rewritten
    if target.reencode:
        return target, _encode_tolerances(source, case)
    limits = [limit for limit in (written_limit(case), source.least_bytes) if limit is not None]
    return target, (AtMostBytes(limit=min(limits), varies=()),) if limits else ()


def _stripped_or_encoded(source: Image, target: Image, case: Case) -> Image | Refused:
    """Return the image without metadata if that suffices and is allowed, else encoded."""
    if can_strip(source, case) and not case.options.keep_metadata:
        return stripped(target, case)
    return encoded(target, case)


def _encode_tolerances(source: Image, case: Case) -> tuple[Tolerance, ...]:
    tolerances: list[Tolerance] = []
    formats = target_formats(source, case.placement)
    if len(formats) > 1:
        tolerances.append(Among(fact="format", values=formats))
    for name, value in (("width", source.width), ("height", source.height)):
        if value is not None:
            tolerances.append(AtMost(fact=name, value=value))
    tolerances.append(AtMost(fact="bit_depth", value=8))
    if (most := written_limit(case)) is not None:
        tolerances.append(AtMostBytes(limit=most, varies=("quality", "width", "height")))
    return tuple(tolerances)
