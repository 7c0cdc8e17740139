"""What the planner knows of animations: what is promised of a GIF that is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mediaprep.model.fix import Case, Refused
from mediaprep.model.media import Animation, Media
from mediaprep.model.tolerance import AtMost, AtMostBytes, Tolerance
from mediaprep.targets.animation import encoded, encoding, written_limit


def requested_changes(source: Animation, case: Case) -> Iterator[tuple[str, Animation | Refused]]:
    """What the user's wishes alone make of the facts: the option that asks and what is wanted from there on."""
    options = case.options
    if options.trim is not None:
        yield "--trim", Refused(reason="a GIF is not cut", remedies=("--to video",))
    if (
        options.max_size is not None
        and source.size_bytes is not None
        and source.size_bytes > options.max_size
    ):
        yield "--max-size", encoded(source, case)


def derive(source: Media, target: Animation, case: Case) -> tuple[Animation, tuple[Tolerance, ...]]:
    """The wanted facts as they will be written, and the promises about what they leave free: of a GIF made anew width and height, found
    by the search for the byte limit. The source itself, and none, where nothing changes."""
    if not target.reencode:
        return _copied(source, target)
    tolerances: list[Tolerance] = [
        AtMost(fact="width", value=target.width),
        AtMost(fact="height", value=target.height),
    ]
    if (most := written_limit(case)) is not None:
        art = (target.pixel_grid or 1) > 1
        tolerances.append(
            AtMostBytes(
                limit=most,
                fill=None if art else encoding(case.placement).fill,
                varies=("width", "height"),
            )
        )
    return replace(target, width=None, height=None, pixel_grid=None, size_bytes=None), tuple(
        tolerances
    )


def _copied(source: Media, target: Animation) -> tuple[Animation, tuple[Tolerance, ...]]:
    """Blocks are copied, comments and what lies behind the trailer are left out."""
    if target == source or source.size_bytes is None:
        return target, ()
    return replace(target, size_bytes=None, trailing_bytes=0), (
        AtMostBytes(limit=source.size_bytes),
    )
