"""The text of a new profile that builds on another one."""

from __future__ import annotations

import json
import re

from mediaprep.errors import UsageProblem
from mediaprep.model.limits import Attachments
from mediaprep.model.placement import Requirement
from mediaprep.profile.find import SCHEMA_NAME, SUFFIX, find_profile, folder

_quoted = json.dumps  # a JSON string is a valid TOML string


def draft(name: str, like: str) -> str:
    """Return the text of a new profile whose categories are ``like`` those of another profile.

    Raises: ProfileError for an unknown profile; UsageProblem for an invalid name, or if ``like`` is
    a path or a placement.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise UsageProblem(
            f"{name!r}: invalid name; use lower-case letters, digits and -, starting with a letter"
        )
    if "/" in like or like.endswith(SUFFIX):
        raise UsageProblem(
            f"{like!r}: not the name of a profile; pass a name such as twitter, not a path or a "
            "placement"
        )
    base = find_profile(like)
    blocks = [
        f"#:schema {folder() / SCHEMA_NAME}",
        f"# Keys stated here replace those of {like}; see `mediaprep profiles show {like}`.",
        f"\n[profile]\nname = {_quoted(name)}\ntitle = {_quoted(name)}",
        f"source = {_quoted(base.source)}\ndate = {_quoted(base.date)}",
        "\n[profile.defaults]",
        *(f"{kind} = {_quoted(category)}" for kind, category in base.defaults.items()),
    ]
    if base.post is not None and isinstance(base.post.limit, Attachments):
        blocks.append(f"\n[post]\n{_attachments_line(base.post, base.post.limit)}")
    blocks += [
        f"\n[{key}]\nkind = {_quoted(placement.kind)}\nlike = {_quoted(f'{like}/{key}')}"
        for key, placement in base.placements.items()
    ]
    return "\n".join(blocks) + "\n"


def _attachments_line(requirement: Requirement, limit: Attachments) -> str:
    values = [
        f"images = {limit.images}",
        f"animations = {limit.animations}",
        f"videos = {limit.videos}",
        f"level = {_quoted(requirement.level)}",
        *([f"gate = {_quoted(requirement.gate)}"] if requirement.gate else []),
        f"source = {_quoted(requirement.source)}",
    ]
    return f"{requirement.rule} = {{ {', '.join(values)} }}"
