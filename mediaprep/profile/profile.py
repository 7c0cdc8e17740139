"""A profile: the placements of one platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mediaprep.errors import ProfileError
from mediaprep.model.media import Kind
from mediaprep.model.placement import Placement, Requirement
from mediaprep.profile.suggest import similar_or_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One platform.

    source      the document that states its limits
    date        the day the document was read (ISO 8601)
    placements  by category, in the order of the file
    defaults    the category for each kind of media if none is named
    post        the attachments that one post takes; None: the profile does not state it
    digest      SHA-256 of the content in canonical form: it changes with any limit or source, but
                not with comments or layout
    """

    name: str
    title: str
    source: str
    date: str
    placements: Mapping[str, Placement]
    defaults: Mapping[Kind, str]
    post: Requirement | None
    digest: str

    def placement_for(self, kind: Kind | None, category: str | None = None) -> Placement:
        """Return the placement of a category, by default of the one for the kind of media.

        For a kind that the profile does not take, and for None, that is the first default; its
        rule ``file-kind`` then reports which kind it takes.
        Raises: ProfileError for an unknown category.
        """
        default = (self.defaults.get(kind) if kind else None) or next(iter(self.defaults.values()))
        wanted = category or default
        if wanted not in self.placements:
            suggestion = similar_or_all(wanted, self.placements)
            raise ProfileError([f"{self.name}: no category {wanted!r}{suggestion}"])
        return self.placements[wanted]

    def companions(self, placement: Placement) -> Mapping[Kind, Placement]:
        """Return the placements for media that are converted on the way to ``placement``, by kind.

        They belong to the same family (``dm_gif`` and ``dm_video``); otherwise the defaults apply.
        """
        family = placement.category.partition("_")[0] + "_"
        found = {kind: self.placements[category] for kind, category in self.defaults.items()}
        for other in reversed(list(self.placements.values())):
            if other.category.startswith(family):
                found[other.kind] = other
        return {kind: other for kind, other in found.items() if other.kind == kind}
