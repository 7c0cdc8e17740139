"""Which limits a command judges by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediaprep.errors import UsageProblem

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.profile import Profile


def placement(
    console: Console, profile: str | None, category: str | None
) -> tuple[str, Profile, str | None]:
    """The placement as asked for, its profile, and the category (None: inferred from the content). Raises: ProfileError, UsageProblem."""
    from mediaprep.profile import find_profile, split_name

    name = profile or console.settings.text("profile") or "twitter"
    named = split_name(name)[1]
    if named and category and named != category:
        raise UsageProblem(
            f"two categories: {named!r} in {name!r}, and --category {category!r}; name one"
        )
    found = find_profile(name)
    asked = named or category
    if asked is not None:
        found.placement_for(None, asked)
    return name if named or asked is None else f"{name}/{asked}", found, asked
