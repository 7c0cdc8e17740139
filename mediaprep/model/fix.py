"""What a fix works with: the case it is given, and its refusal."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.model.limits import Constraint
from mediaprep.model.media import Media
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a fix may look at beside the facts: the source's facts, the limit that is broken, the whole placement, the user's wishes."""

    source: Media
    limit: Constraint | None
    placement: Placement
    options: Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A fix that may not be done unasked, or cannot be: why, and the ways out as command-line words."""

    reason: str
    remedies: tuple[str, ...] = ()
