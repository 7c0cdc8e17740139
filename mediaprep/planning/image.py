"""What the planner knows of stills: what is promised of a picture that is written."""

from __future__ import annotations

from collections.abc import Iterator

from mediaprep.model.fix import Case, Refused
from mediaprep.model.media import Image
from mediaprep.model.tolerance import Among, AtMost, AtMostBytes, Tolerance
from mediaprep.targets.image import can_strip, encoded, stripped, target_formats, written_limit


def requested_changes(source: Image, case: Case) -> Iterator[tuple[str, Image]]:
    """What the user's wishes alone make of the facts: the option that asks and the still wanted from there on."""
    most = case.options.max_size
    if most is not None and source.size_bytes is not None and source.size_bytes > most:
        strip = can_strip(source, case) and not case.options.keep_metadata
        smaller = stripped(source, case) if strip else encoded(source, case)
        if isinstance(smaller, Image):
            yield "--max-size", smaller


def derive(source: Image, target: Image, case: Case) -> tuple[Image, tuple[Tolerance, ...]]:
    """The wanted facts as they will be written, and the promises about what they leave free. The source itself, and none, where nothing
    changes.
    """
    if target == source and not target.reencode:
        return target, ()
    if not target.reencode:
        bare = (
            encoded(target, case)
            if case.options.keep_metadata or not can_strip(source, case)
            else stripped(target, case)
        )
        if isinstance(bare, Refused):
            return target, ()  # its rules refuse it
        target = bare
    tolerances: list[Tolerance] = []
    most = written_limit(case)
    if target.reencode:
        formats = target_formats(source, case.placement)
        if len(formats) > 1:
            tolerances.append(Among(fact="format", values=formats))
        for name, value in (("width", source.width), ("height", source.height)):
            if value is not None:
                tolerances.append(AtMost(fact=name, value=value))
        tolerances.append(AtMost(fact="bit_depth", value=8))
        if most is not None:
            tolerances.append(AtMostBytes(limit=most, varies=("quality", "width", "height")))
    else:
        least = source.least_bytes
        limits = [limit for limit in (most, least) if limit is not None]
        if limits:
            tolerances.append(AtMostBytes(limit=min(limits), varies=()))
    return target, tuple(tolerances)
