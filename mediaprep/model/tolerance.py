"""Tolerances: planned values that only the output can settle, and their allowed ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias, assert_never

from mediaprep.model.media import Media, fact


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMostBytes:
    """The output has at most ``limit`` bytes.

    fill    share of the limit to use if the limit is binding; None: any
    varies  the facts that are varied to meet the limit
    """

    limit: int
    fill: Fraction | None = None
    varies: tuple[str, ...] = ("quality",)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """The fact (a dotted path) is at most ``value``."""

    fact: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The fact (a dotted path) is within ``tolerance`` of ``value``, in the unit of the fact."""

    fact: str
    value: Any
    tolerance: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """The fact (a dotted path) is one of ``values``, the preferred one first."""

    fact: str
    values: tuple[Any, ...]

    @property
    def value(self) -> Any:
        """The preferred value."""
        return self.values[0]


Tolerance: TypeAlias = AtMostBytes | AtMost | Near | Among


def fill_in(media: Media, tolerances: Iterable[Tolerance]) -> Media:
    """Return the facts with the value of each tolerance where they make no claim."""
    for tolerance in tolerances:
        if isinstance(tolerance, AtMostBytes):
            path, value = "size_bytes", tolerance.limit
        else:
            path, value = tolerance.fact, tolerance.value
        if fact(media, path) is None:
            media = with_fact(media, path, value)
    return media


def violation(tolerance: Tolerance, output: Media) -> str | None:
    """Return one clause that says how the output violates the tolerance; None: it does not."""
    path = "size_bytes" if isinstance(tolerance, AtMostBytes) else tolerance.fact
    value = fact(output, path)
    match tolerance:
        case AtMostBytes(limit=most) | AtMost(value=most):
            allowed, expected = value is not None and value <= most, f"at most {_text(most)}"
        case Among(values=values):
            allowed, expected = value in values, f"one of {', '.join(map(_text, values))}"
        case Near(value=planned, tolerance=most):
            allowed = value is not None and abs(value - planned) <= most
            expected = f"{_text(planned)} within {_text(most)}"
        case _:
            assert_never(tolerance)
    return None if allowed else f"{path} is {_text(value)}, planned {expected}"


def with_fact(record: Any, path: str, value: Any) -> Any:
    """Return the record with the fact at a dotted path replaced.

    The record is unchanged if a part of the path is None.
    """
    head, _, rest = path.partition(".")
    if not rest:
        return replace(record, **{head: value})
    inner = getattr(record, head)
    return record if inner is None else replace(record, **{head: with_fact(inner, rest, value)})


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{float(value):.4f}"
    return str(value)
