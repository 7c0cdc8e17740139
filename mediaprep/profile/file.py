"""From a profile's tables to checked models: what ``like`` supplies, every problem with its key path and likely key, the JSON Schema."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from mediaprep.errors import ProfileError
from mediaprep.model.media import Kind
from mediaprep.profile.categories import (
    CATEGORIES,
    CATEGORY_NAME,
    Category,
    CategoryTable,
    PostRules,
    ProfileHeader,
)
from mediaprep.profile.limits import AttachmentsTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileContent:
    """A whole profile, checked: ``categories`` in the file's order, ``defaults`` in the order of the kinds."""

    header: ProfileHeader
    categories: Mapping[str, Category]
    defaults: Mapping[Kind, str]
    post: AttachmentsTable | None


_RESERVED = ("profile", "post")
_DEEPEST = 8
_Model = TypeVar("_Model", bound=BaseModel)


def parse(
    raw: Mapping[str, Any], name: str, base: Callable[[str], Mapping[str, Any]]
) -> ProfileContent:
    """The content of a profile's tables. ``base`` gives the tables of another profile by name. Raises ProfileError with every problem."""
    problems: list[str] = [] if "profile" in raw else ["profile: is missing"]
    header = (
        _checked(ProfileHeader, raw.get("profile"), "profile", problems)
        if "profile" in raw
        else None
    )
    post = _checked(PostRules, raw["post"], "post", problems) if "post" in raw else None
    categories: dict[str, Category] = {}
    for key in _categories(raw):
        if (category := _category(raw, key, base, problems)) is not None:
            categories[key] = category
    defaults: dict[Kind, str] = {}
    for kind in CATEGORIES:
        if header is None or (key := getattr(header.defaults, kind)) is None:
            continue
        defaults[kind] = key
        if key not in raw or key in _RESERVED:
            problems.append(
                f"profile.defaults.{kind}: no category {key!r}{_likely(key, _categories(raw))}"
            )
        elif key in categories and categories[key].kind != kind:
            problems.append(
                f"profile.defaults.{kind}: {key!r} takes {categories[key].kind}, not {kind}"
            )
    if header and not defaults:
        problems.append("profile.defaults: needs a category for at least one kind")
    if problems or header is None:
        raise ProfileError([f"{name}: {problem}" for problem in dict.fromkeys(problems)])
    return ProfileContent(
        header=header,
        categories=categories,
        defaults=defaults,
        post=None if post is None else post.post_attachments,
    )


def _category(
    raw: Mapping[str, Any], key: str, base: Callable[[str], Mapping[str, Any]], problems: list[str]
) -> Category | None:
    if not re.fullmatch(CATEGORY_NAME, key):
        problems.append(f"{key}: a category's name is lower-case letters, digits and _")
        return None
    if not isinstance(raw[key], dict):
        problems.append(
            f"{key}: no such key{_likely(key, _RESERVED)}; at the top only tables stand"
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
        found = (
            "is missing"
            if "kind" not in table
            else f"input should be {_words(tuple(CATEGORIES))} (got {_shown(kind)})"
        )
        problems.append(f"{key}.kind: {found}{'' if 'kind' in table else _likely(key, _RESERVED)}")
        return None
    inherits_here = "like" in raw[key] and "/" not in raw[key]["like"]
    return _checked(
        model, table, key, problems, only=frozenset(raw[key]) if inherits_here else None
    )


def _merged(
    raw: Mapping[str, Any], key: str, base: Callable[[str], Mapping[str, Any]], depth: int = 0
) -> dict[str, Any]:
    """A category's table laid over the one that it is ``like``. Raises: LookupError that says what cannot be followed."""
    table = dict(raw[key])
    like = table.get("like")
    if like is None:
        return table
    if not isinstance(like, str):
        raise LookupError(f"input should be text (got {_shown(like)})")
    if depth == _DEEPEST:
        raise LookupError(f"goes round in a circle, or through more than {_DEEPEST} categories")
    profile, _, category = like.rpartition("/")
    try:
        tables = base(profile) if profile else raw
    except ProfileError as problem:
        raise LookupError(problem.problems[0]) from problem
    if category in _RESERVED or not isinstance(tables.get(category), dict):
        raise LookupError(f"no category {category!r}{_likely(category, _categories(tables))}")
    under = _merged(tables, category, base, depth + 1)
    if "kind" in table and table["kind"] != under.get("kind"):
        raise LookupError(
            f"{like!r} is for {under.get('kind')}, this category for {_shown(table['kind'])}"
        )
    if isinstance(table.get("encoding"), dict) and isinstance(under.get("encoding"), dict):
        table["encoding"] = under["encoding"] | table["encoding"]
    return under | table


def _categories(raw: Mapping[str, Any]) -> list[str]:
    return [key for key in raw if key not in _RESERVED]


def _checked(
    model: type[_Model],
    value: object,
    at: str,
    problems: list[str],
    only: frozenset[str] | None = None,
) -> _Model | None:
    """The table as a model, or None and its problems; of those under keys outside ``only`` another category tells."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            told_elsewhere = only is not None and item["loc"] and item["loc"][0] not in only
            follows = item["type"] == "too_short" and bool(
                item["input"]
            )  # its items were refused: each was told
            if not (told_elsewhere or follows):
                problems.append(f"{_path(at, item['loc'])}: {_says(model, item)}")
        return None


def _path(at: str, loc: tuple[int | str, ...]) -> str:
    return at + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


def _says(model: type[BaseModel], item: ErrorDetails) -> str:
    match item["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"no such key{_instead(model, item['loc'])}"
        case "value_error":
            return str(item["ctx"]["error"])
        case "model_type" | "model_attributes_type":
            return f"should be a table (got {_shown(item['input'])})"
        case _:
            return f"{item['msg'][0].lower()}{item['msg'][1:]} (got {_shown(item['input'])})"


def _instead(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    word, keys = str(loc[-1]), _keys(model, loc[:-1])
    kinds = [kind for kind, other in CATEGORIES.items() if word in _keys(other, ())]
    if len(loc) == 1 and issubclass(model, CategoryTable) and kinds:
        return f" here; it is a rule for {_words(kinds)}"
    return _likely(word, keys)


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that a model, or the table within it at ``loc``, knows."""
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    if not loc:
        return list(fields)
    inner = list(_models(fields[str(loc[0])].annotation))
    rest = loc[2:] if len(loc) > 1 and isinstance(loc[1], int) else loc[1:]
    return _keys(inner[0], rest) if inner else []


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _likely(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _words(words: Sequence[str]) -> str:
    return (
        " or ".join((", ".join(map(repr, words[:-1])), repr(words[-1])))
        if len(words) > 1
        else repr(words[0])
    )


def _shown(value: object) -> str:
    return (
        "a table"
        if isinstance(value, dict)
        else "a list"
        if isinstance(value, list | tuple)
        else repr(value)
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of the file. Under ``like`` only the kind is required, since the other category supplies the rest."""
    top = TypeAdapter(dict[str, Category]).json_schema(
        by_alias=True, ref_template="#/$defs/{model}"
    )
    whole = {model: model.model_json_schema(by_alias=True) for model in (ProfileHeader, PostRules)}
    defs = top["$defs"]
    for tables in whole.values():
        defs |= tables.pop("$defs", {})
    for model in CATEGORIES.values():
        table, needed = (
            defs[model.__name__],
            [key for key in defs[model.__name__]["required"] if key != "kind"],
        )
        encoding = table["properties"]["encoding"]["$ref"].rpartition("/")[2]
        fields = defs[encoding].pop("required")
        table |= {
            "required": ["kind"],
            "if": {"not": {"required": ["like"]}},
            "then": {"required": needed, "properties": {"encoding": {"required": fields}}},
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mediaprep profile",
        "description": "What a platform accepts: each limit with its level, its source and its date.",
        "type": "object",
        "properties": {"profile": whole[ProfileHeader], "post": whole[PostRules]},
        "required": ["profile"],
        "additionalProperties": {
            "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in CATEGORIES.values()]
        },
        "$defs": dict(sorted(defs.items())),
    }
