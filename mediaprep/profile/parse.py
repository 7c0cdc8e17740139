"""From the tables of a profile to checked models: inheritance with ``like``, and all problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from mediaprep.errors import ProfileError
from mediaprep.model.media import Kind
from mediaprep.profile.categories import (
    CATEGORIES,
    CATEGORY_NAME,
    CategoryTable,
    PostRules,
    ProfileHeader,
    RulesTable,
)
from mediaprep.profile.problems import problem_text, quoted, shown
from mediaprep.profile.suggest import similar

Tables: TypeAlias = Mapping[str, Any]
_RESERVED = ("profile", "post")
_DEPTH_MAX = 8  # categories that may build on each other
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCategory:
    """A category with its inherited keys; ``keys`` are in the order of the file."""

    table: CategoryTable
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileContent:
    """The content of a profile, checked.

    categories  by name, in the order of the file
    defaults    the category for each kind, in the order of the kinds
    post        the limits of one post
    """

    header: ProfileHeader
    categories: Mapping[str, CheckedCategory]
    defaults: Mapping[Kind, str]
    post: RulesTable | None


def parse(raw: Tables, name: str, base: Callable[[str], Tables]) -> ProfileContent:
    """Return the content of a profile.

    ``raw`` are its tables, ``name`` is its name in messages, ``base`` returns the tables of another
    profile by name. Raises: ProfileError with every problem.
    """
    problems: list[str] = []
    header = None
    if "profile" in raw:
        header = _checked(ProfileHeader, raw["profile"], "profile", problems)
    else:
        problems.append("profile: is missing")
    post = _checked(PostRules, raw["post"], "post", problems) if "post" in raw else None
    categories: dict[str, CheckedCategory] = {}
    for key in _category_names(raw):
        if (category := _category(raw, key, base, problems)) is not None:
            categories[key] = category
    defaults = {} if header is None else _defaults(header, raw, categories, problems)
    if problems or header is None:
        raise ProfileError([f"{name}: {problem}" for problem in dict.fromkeys(problems)])
    return ProfileContent(header=header, categories=categories, defaults=defaults, post=post)


def _defaults(
    header: ProfileHeader,
    raw: Tables,
    categories: Mapping[str, CheckedCategory],
    problems: list[str],
) -> dict[Kind, str]:
    """Return the default category of each kind that has one."""
    defaults: dict[Kind, str] = {}
    for kind in CATEGORIES:
        key = getattr(header.defaults, kind)
        if key is None:
            continue
        defaults[kind] = key
        at = f"profile.defaults.{kind}"
        if key not in _category_names(raw):
            problems.append(f"{at}: no category {key!r}{similar(key, _category_names(raw))}")
        elif key in categories and (actual := categories[key].table.kind) != kind:
            problems.append(f"{at}: {key!r} takes {actual}, not {kind}")
    if not defaults:
        problems.append("profile.defaults: needs a category for at least one kind")
    return defaults


def _category(
    raw: Tables, key: str, base: Callable[[str], Tables], problems: list[str]
) -> CheckedCategory | None:
    if not re.fullmatch(CATEGORY_NAME, key):
        problems.append(f"{key}: a category's name is lower-case letters, digits and _")
        return None
    if not isinstance(raw[key], dict):
        problems.append(
            f"{key}: no such key{similar(key, _RESERVED)}; the top level takes tables only"
        )
        return None
    try:
        table = _merged(raw, key, base)
    except LookupError as problem:
        problems.append(f"{key}.like: {problem.args[0]}")
        return None
    kind = table.get("kind")
    model = next((model for name, model in CATEGORIES.items() if name == kind), None)
    if model is None:
        expected = f"input should be {quoted(tuple(CATEGORIES))} (got {shown(kind)})"
        missing = f"is missing{similar(key, _RESERVED)}"
        problems.append(f"{key}.kind: {expected if 'kind' in table else missing}")
        return None
    inherits_here = "like" in raw[key] and "/" not in raw[key]["like"]
    only = frozenset(raw[key]) if inherits_here else None
    checked = _checked(model, table, key, problems, only)
    return None if checked is None else CheckedCategory(table=checked, keys=tuple(table))


def _merged(raw: Tables, key: str, base: Callable[[str], Tables], depth: int = 0) -> dict[str, Any]:
    """Return the table of a category, completed by the one that it is ``like``.

    Raises: LookupError with the problem if that one cannot be found.
    """
    table = dict(raw[key])
    like = table.get("like")
    if like is None:
        return table
    if not isinstance(like, str):
        raise LookupError(f"input should be text (got {shown(like)})")
    if depth == _DEPTH_MAX:
        raise LookupError(f"refers to itself, or to a chain of more than {_DEPTH_MAX} categories")
    profile, _, category = like.rpartition("/")
    try:
        tables = base(profile) if profile else raw
    except ProfileError as problem:
        raise LookupError(problem.problems[0]) from problem
    if category in _RESERVED or not isinstance(tables.get(category), dict):
        suggestion = similar(category, _category_names(tables))
        raise LookupError(f"no category {category!r}{suggestion}")
    inherited = _merged(tables, category, base, depth + 1)
    if "kind" in table and table["kind"] != inherited.get("kind"):
        raise LookupError(
            f"{like!r} is for {inherited.get('kind')}, this category for {shown(table['kind'])}"
        )
    if isinstance(table.get("encoding"), dict) and isinstance(inherited.get("encoding"), dict):
        table["encoding"] = inherited["encoding"] | table["encoding"]
    return inherited | table


def _checked(
    model: type[_Model],
    value: object,
    at: str,
    problems: list[str],
    only: frozenset[str] | None = None,
) -> _Model | None:
    """Return the table as a model; None if it has problems, which are added to ``problems``.

    ``only``: leave out problems below other keys, which the inherited category reports.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            inherited = only is not None and item["loc"] and item["loc"][0] not in only
            # The items of the list were rejected before: each has its own problem.
            consequence = item["type"] == "too_short" and bool(item["input"])
            if not (inherited or consequence):
                problems.append(f"{_path(at, item['loc'])}: {problem_text(model, item)}")
        return None


def _category_names(raw: Tables) -> list[str]:
    return [key for key in raw if key not in _RESERVED]


def _path(at: str, loc: tuple[int | str, ...]) -> str:
    return at + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
