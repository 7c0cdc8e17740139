"""Find the limits that a command checks against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediaprep.cli._console import Console
from mediaprep.errors import UsageProblem
from mediaprep.model.options import DEFAULT_PROFILE

if TYPE_CHECKING:
    from mediaprep.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPlacement:
    """The profile and category of a command.

    name       profile, or profile/category, as it can be passed to ``--profile``
    category   None: inferred from the content of each file
    """

    name: str
    profile: Profile
    category: str | None


def find_placement(console: Console, profile: str | None, category: str | None) -> ChosenPlacement:
    """Find the profile that ``--profile`` or the settings name.

    Raises: ProfileError, UsageProblem.
    """
    from mediaprep.profile import find_profile, split_name

    name = profile or console.settings.text("profile") or DEFAULT_PROFILE
    category_of_name = split_name(name)[1]
    if category_of_name and category and category_of_name != category:
        raise UsageProblem(
            f"two categories: {category_of_name!r} in {name!r}, and --category {category!r}; "
            "pass one of them"
        )
    found = find_profile(name)
    chosen = category_of_name or category
    if chosen is not None:
        found.placement_for(None, chosen)  # raises ProfileError if there is no such category
    if category and not category_of_name:
        name = f"{name}/{category}"
    return ChosenPlacement(name=name, profile=found, category=chosen)
