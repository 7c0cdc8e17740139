"""What a fix receives, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.model.limits import Constraint
from mediaprep.model.media import Media
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The circumstances of a fix, besides the facts that it changes.

    source  the facts of the source
    limit   the limit that is broken; None: no rule, but an option requests the change
    """

    source: Media
    limit: Constraint | None
    placement: Placement
    options: Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A change that is impossible, or needs the user's consent.

    remedies  what the user can do, as options of the command or in words
    """

    reason: str
    remedies: tuple[str, ...] = ()
