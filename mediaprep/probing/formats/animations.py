"""The facts of an animation that its walker returns, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mediaprep.model.media import UnknownFact

MAX_DELAYS = 20_000  # that are reported one by one; nobody rewrites longer animations


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationFacts:
    """What a walk over the blocks of an animation found.

    width, height       None: not stated where the walker looks
    frame_count         whole frames
    delays              seconds, one a frame, as browsers play them; None: unknown
    loop                plays; 0 = for ever
    may_be_transparent  frames that may be: none, the first alone, or any
    disposals           names in use, sorted: background none previous ...
    complete            None: unknown; False: ``incomplete_because``
    unknown             facts that the walk could not establish
    """

    width: int | None
    height: int | None
    frame_count: int
    delays: tuple[Fraction, ...] | None
    loop: int | None
    may_be_transparent: Literal["no", "first", "any"]
    disposals: tuple[str, ...] | None
    trailing_bytes: int | None
    complete: bool | None
    incomplete_because: str | None
    unknown: tuple[UnknownFact, ...] = ()


def browser_delay(delay: Fraction) -> Fraction:
    """Return the seconds for which browsers show a frame.

    Chromium, Firefox and WebKit play delays of 10 ms or less as 100 ms, in GIF, APNG and WebP.
    """
    return delay if delay > Fraction(1, 100) else Fraction(1, 10)
