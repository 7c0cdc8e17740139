"""What a plan vouches for where the facts it wants are left free: the made file tells them, and verify holds them against this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias

from mediaprep.model.media import Media, fact


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMostBytes:
    """The file stays at or under ``limit`` bytes; where the limit binds, ``fill`` of it is used; ``varies``: what is given up for it."""

    limit: int
    fill: Fraction | None = None
    varies: tuple[str, ...] = ("quality",)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """The fact (dotted path) is at most ``value``."""

    fact: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The fact (dotted path) is within ``tolerance`` of ``value``, in the fact's unit."""

    fact: str
    value: Any
    tolerance: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """The fact (dotted path) is one of ``values``, the first if that can be."""

    fact: str
    values: tuple[Any, ...]

    @property
    def value(self) -> Any:
        """The likeliest."""
        return self.values[0]


Tolerance: TypeAlias = AtMostBytes | AtMost | Near | Among


def fill_in(media: Media, tolerances: Iterable[Tolerance]) -> Media:
    """The facts with each promised value filled in where they claim nothing."""
    for tolerance in tolerances:
        path = "size_bytes" if isinstance(tolerance, AtMostBytes) else tolerance.fact
        value = tolerance.limit if isinstance(tolerance, AtMostBytes) else tolerance.value
        if fact(media, path) is None:
            media = with_fact(media, path, value)
    return media


def violation(tolerance: Tolerance, made: Media) -> str | None:
    """One clause that says how the made file breaks the promise, or None where it keeps it."""
    match tolerance:
        case AtMostBytes(limit=limit):
            size = made.size_bytes
            return (
                None
                if size is not None and size <= limit
                else f"size_bytes is {size}, promised at most {limit}"
            )
        case AtMost(fact=path, value=most):
            value = fact(made, path)
            return (
                None
                if value is not None and value <= most
                else f"{path} is {value}, promised at most {most}"
            )
        case Among(fact=path, values=values):
            value = fact(made, path)
            return (
                None
                if value in values
                else f"{path} is {value}, promised one of {', '.join(map(str, values))}"
            )
        case Near(fact=path, value=wanted, tolerance=allowed):
            value = fact(made, path)
            kept = value is not None and abs(value - wanted) <= allowed
            return (
                None
                if kept
                else f"{path} is {_text(value)}, promised {_text(wanted)} within {_text(allowed)}"
            )


def with_fact(record: Any, path: str, value: Any) -> Any:
    """The record with the fact at a dotted path replaced; unchanged where a part of the path is None."""
    head, _, rest = path.partition(".")
    if rest:
        inner = getattr(record, head)
        return record if inner is None else replace(record, **{head: with_fact(inner, rest, value)})
    return replace(record, **{head: value})


def _text(value: Any) -> str:
    return (
        f"{float(value):.4f}"
        if isinstance(value, Fraction) and value.denominator != 1
        else str(value)
    )
