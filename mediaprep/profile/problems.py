"""The text of a problem in a profile, from the error that pydantic reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from mediaprep.profile.categories import CategoryTable
from mediaprep.profile.suggest import similar
from mediaprep.rules import REGISTRY


def problem_text(model: type[BaseModel], item: ErrorDetails) -> str:
    """Return one clause that describes an error in a table of the model."""
    match item["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"no such key{_alternative(model, item['loc'])}"
        case "value_error":
            return str(item["ctx"]["error"])
        case "model_type" | "model_attributes_type":
            return f"should be a table (got {shown(item['input'])})"
        case _:
            message = item["msg"][0].lower() + item["msg"][1:]
            return f"{message} (got {shown(item['input'])})"


def quoted(words: Sequence[str]) -> str:
    """Return ``'a', 'b' or 'c'``."""
    if len(words) == 1:
        return repr(words[0])
    return f"{', '.join(map(repr, words[:-1]))} or {words[-1]!r}"


def shown(value: object) -> str:
    """Return a value as messages show it, without the content of tables and lists."""
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list | tuple) else repr(value)


def _alternative(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """Return what to add to "no such key": the kinds that know the key, or a similar key."""
    key = str(loc[-1])
    rule = REGISTRY.get(key)
    if len(loc) == 1 and issubclass(model, CategoryTable) and rule is not None and rule.placements:
        return f" here; it is a rule for {quoted(rule.placements)}"
    return similar(key, _keys(model, loc[:-1]))


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys of a model, or of the table inside it at ``loc``."""
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    if not loc:
        return list(fields)
    inner = next(_models(fields[str(loc[0])].annotation), None)
    rest = loc[2:] if len(loc) > 1 and isinstance(loc[1], int) else loc[1:]
    return [] if inner is None else _keys(inner, rest)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a type annotation contains."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
