"""Load a profile from TOML, with every check."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mediaprep.errors import ProfileError
from mediaprep.model.placement import Placement, Requirement
from mediaprep.profile.categories import POST_RULES
from mediaprep.profile.find import locate
from mediaprep.profile.parse import ProfileContent, parse
from mediaprep.profile.profile import Profile


def load(path: Path) -> Profile:
    """Return the profile in a TOML file.

    Raises: ProfileError with every problem, one line each: ``file: key.path: problem``.
    """
    return load_with_sources(path)[0]


def load_with_sources(path: Path) -> tuple[Profile, tuple[Path, ...]]:
    """Return the profile in a TOML file, and the files that it was made from. See ``load``."""
    sources = {path: None}

    def base(name: str) -> Mapping[str, Any]:
        other = locate(name)
        sources[other] = None
        return _tables(other)

    content = parse(_tables(path), str(path), base)
    header = content.header
    placements = {
        name: Placement(
            profile=header.name,
            category=name,
            kind=category.table.kind,
            requirements=category.table.requirements(category.keys, header.date),
            encoding=category.table.target(),
        )
        for name, category in content.categories.items()
    }
    profile = Profile(
        name=header.name,
        title=header.title,
        source=header.source,
        date=header.date,
        placements=placements,
        defaults=content.defaults,
        post=_post_requirement(content),
        digest="",
    )
    return dataclasses.replace(profile, digest=_digest(profile)), tuple(sources)


def _post_requirement(content: ProfileContent) -> Requirement | None:
    """Return the requirement of the one rule for posts; None if the profile states none."""
    if content.post is None:
        return None
    keys = [rule.id for rule in POST_RULES]
    (requirement,) = content.post.requirements(keys, content.header.date).values()
    return requirement


def _tables(path: Path) -> Mapping[str, Any]:
    """Return the tables of a TOML file. Raises: ProfileError if it cannot be read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as problem:
        raise ProfileError([f"{path}: cannot be read: {problem.strerror}"]) from problem
    except UnicodeDecodeError as problem:
        raise ProfileError([f"{path}: not UTF-8 at byte {problem.start}"]) from problem
    except tomllib.TOMLDecodeError as problem:
        raise ProfileError([f"{path}: not TOML: {problem}"]) from problem


def _digest(profile: Profile) -> str:
    text = json.dumps(
        dataclasses.asdict(profile), sort_keys=True, default=str, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()
