"""Planning for animations: requested changes, and the tolerances of a GIF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mediaprep.model.fix import Case, Refused
from mediaprep.model.media import Animation, Media
from mediaprep.model.tolerance import AtMost, AtMostBytes, Tolerance
from mediaprep.targets.animation import encoded, encoding, written_limit


def requested_changes(source: Animation, case: Case) -> Iterator[tuple[str, Animation | Refused]]:
    """Yield each option that changes the facts, and the new facts."""
    most = case.options.max_size
    if case.options.trim is not None:
        yield "--trim", Refused(reason="a GIF cannot be trimmed", remedies=("--to video",))
    if most is not None and source.size_bytes is not None and source.size_bytes > most:
        yield "--max-size", encoded(source, case)


def derive(source: Media, target: Animation, case: Case) -> tuple[Animation, tuple[Tolerance, ...]]:
    """Return the target with the consequences of its changes, and the tolerances.

    Width and height of an encoded GIF result from the search for the byte limit.
    """
    if not target.reencode:
        return _derive_copy(source, target)
    tolerances: list[Tolerance] = [
        AtMost(fact="width", value=target.width),
        AtMost(fact="height", value=target.height),
    ]
    if (most := written_limit(case)) is not None:
        pixel_art = (target.pixel_grid or 1) > 1
        fill = None if pixel_art else encoding(case.placement).fill
        tolerances.append(AtMostBytes(limit=most, fill=fill, varies=("width", "height")))
    open_target = replace(target, width=None, height=None, pixel_grid=None, size_bytes=None)
    return open_target, tuple(tolerances)


def _derive_copy(source: Media, target: Animation) -> tuple[Animation, tuple[Tolerance, ...]]:
    """Derive a copy of the blocks without comments and without data after the trailer."""
    if target == source or source.size_bytes is None:
        return target, ()
    copy = replace(target, size_bytes=None, trailing_bytes=0)
    return copy, (AtMostBytes(limit=source.size_bytes),)
