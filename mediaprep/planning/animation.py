"""What the planner knows of animations: what is promised of a GIF that is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mediaprep.model.fix import Case, Refused
from mediaprep.model.media import Animation, Media
from mediaprep.model.tolerance import AtMost, AtMostBytes, Promise
from mediaprep.targets.animation import encoded, encoding, written_limit


def asked(have: Animation, case: Case) -> Iterator[tuple[str, Animation | Refused]]:
    """What the user's wishes alone make of the facts: the option that asks and what is wanted from there on."""
    wishes = case.wishes
    if wishes.trim is not None:
        yield "--trim", Refused(reason="a GIF is not cut", ways_out=("--to video",))
    if (
        wishes.max_size is not None
        and have.size_bytes is not None
        and have.size_bytes > wishes.max_size
    ):
        yield "--max-size", encoded(have, case)


def settle(have: Media, want: Animation, case: Case) -> tuple[Animation, tuple[Promise, ...]]:
    """The wanted facts as they will be written, and the promises about what they leave free: of a GIF made anew width and height, found
    by the search for the byte limit. The source itself, and none, where nothing changes."""
    if not want.anew:
        return _copied(have, want)
    promises: list[Promise] = [
        AtMost(fact="width", value=want.width),
        AtMost(fact="height", value=want.height),
    ]
    if (most := written_limit(case)) is not None:
        art = (want.pixel_grid or 1) > 1
        promises.append(
            AtMostBytes(
                limit=most,
                fill=None if art else encoding(case.spec).fill,
                varies=("width", "height"),
            )
        )
    return replace(want, width=None, height=None, pixel_grid=None, size_bytes=None), tuple(promises)


def _copied(have: Media, want: Animation) -> tuple[Animation, tuple[Promise, ...]]:
    """Blocks are copied, comments and what lies behind the trailer are left out."""
    if want == have or have.size_bytes is None:
        return want, ()
    return replace(want, size_bytes=None, trailing_bytes=0), (AtMostBytes(limit=have.size_bytes),)
