"""What the planner knows of stills: what is promised of a picture that is written."""

from __future__ import annotations

from collections.abc import Iterator

from mediaprep.model.fix import Case, Refused
from mediaprep.model.media import Image
from mediaprep.model.tolerance import Among, AtMost, AtMostBytes, Promise
from mediaprep.targets.image import can_strip, encoded, stripped, targets, written_limit


def asked(have: Image, case: Case) -> Iterator[tuple[str, Image]]:
    """What the user's wishes alone make of the facts: the option that asks and the still wanted from there on."""
    most = case.wishes.max_size
    if most is not None and have.size_bytes is not None and have.size_bytes > most:
        strip = can_strip(have, case) and not case.wishes.keep_metadata
        smaller = stripped(have, case) if strip else encoded(have, case)
        if isinstance(smaller, Image):
            yield "--max-size", smaller


def settle(have: Image, want: Image, case: Case) -> tuple[Image, tuple[Promise, ...]]:
    """The wanted facts as they will be written, and the promises about what they leave free. The source itself, and none, where nothing
    changes.
    """
    if want == have and not want.anew:
        return want, ()
    if not want.anew:
        bare = (
            encoded(want, case)
            if case.wishes.keep_metadata or not can_strip(have, case)
            else stripped(want, case)
        )
        if isinstance(bare, Refused):
            return want, ()  # its rules refuse it
        want = bare
    promises: list[Promise] = []
    most = written_limit(case)
    if want.anew:
        formats = targets(have, case.spec)
        if len(formats) > 1:
            promises.append(Among(fact="format", values=formats))
        for name, value in (("width", have.width), ("height", have.height)):
            if value is not None:
                promises.append(AtMost(fact=name, value=value))
        promises.append(AtMost(fact="bit_depth", value=8))
        if most is not None:
            promises.append(AtMostBytes(limit=most, varies=("quality", "width", "height")))
    else:
        least = have.least_bytes
        limits = [limit for limit in (most, least) if limit is not None]
        if limits:
            promises.append(AtMostBytes(limit=min(limits), varies=()))
    return want, tuple(promises)
