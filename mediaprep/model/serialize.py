"""Frozen records as plain JSON values and back, exactly: for the answers of the reading child and for ``--json``.

A record becomes an object with every field, ``Fraction`` the text ``"n/d"``, a tuple an array, None null. Decoding is strict: it builds the
types that the fields name and nothing else, so whoever wrote the text cannot make it build anything more, or a value of another type.
Unions of records are told apart by their ``kind``. A field that is missing takes its default.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from typing import (
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

T = TypeVar("T")
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Decoder: TypeAlias = Callable[[Any], Any]

_FRACTION = re.compile(r"-?[0-9]{1,60}/[1-9][0-9]{0,59}")
_FLAT = (str, int, bool, type(None))


def encode(value: Any) -> Json:
    """The value as JSON-able data. Raises: TypeError for a type that has no form here, ValueError for a float that is not finite."""
    kind = type(value)
    if kind in _FLAT:
        return cast("Json", value)
    if kind is tuple or kind is list:
        return [item if type(item) in _FLAT else encode(item) for item in value]
    if kind is Fraction:
        return f"{value.numerator}/{value.denominator}"
    if (names := _field_names(cast("Hashable", kind))) is not None:
        record: dict[str, Json] = {}
        for name, key in names:
            inner = getattr(value, name)
            record[key] = inner if type(inner) in _FLAT else encode(inner)
        return record
    if kind is float:
        if not math.isfinite(value):
            raise ValueError(f"{value} has no form in JSON")
        return cast("float", value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: encode(inner) for key, inner in value.items()}
    raise TypeError(f"{kind.__name__} has no form in JSON here")


@functools.cache
def _field_names(kind: Hashable) -> tuple[tuple[str, str], ...] | None:
    """Return the name and the JSON key of each field; None for a type that is not a dataclass."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple((item.name, json_key(item)) for item in dataclasses.fields(kind))


def json_key(item: dataclasses.Field[Any]) -> str:
    """Return the JSON key of a field: its own name, or the one that the contract keeps for it."""
    return str(item.metadata.get("json", item.name))


def decode(form: type[T] | Any, data: Any) -> T:
    """A value of type ``form`` (a record, or a union of records with a ``kind`` each) from what ``json.loads`` gave.

    Raises: ValueError, saying where, for anything that does not fit the type exactly.
    """
    return cast("T", _decoder(cast("Hashable", form))(data))


def prepare_decoder(form: type[T] | Any) -> None:
    """Build what decodes a type before it is needed: it takes longer than a decoding does."""
    _decoder(cast("Hashable", form))


class _Misfit(ValueError):
    """Why something does not fit, and where: each record that it passes puts its field in front."""

    def __init__(self, reason: str, place: str = "") -> None:
        self.reason, self.place = reason, place
        super().__init__(f"{place}: {reason}" if place else reason)

    def within(self, name: str) -> _Misfit:
        return _Misfit(self.reason, f"{name}.{self.place}" if self.place else name)


def _misfit(data: Any, wanted: str) -> _Misfit:
    shown = repr(data)
    return _Misfit(f"found {shown if len(shown) < 60 else shown[:56] + ' ...'}, want {wanted}")


@functools.cache
def _decoder(form: Hashable) -> Decoder:
    """The decoder of a type, built once. Raises: TypeError for a type that may not be decoded."""
    simple: dict[Any, Decoder] = {
        str: _exactly(str),
        bool: _exactly(bool),
        int: _exactly(int),
        float: _float,
        Fraction: _fraction,
    }
    if form in simple:
        return simple[form]
    if form in (None, type(None)):
        return _exactly(type(None))
    origin, arguments = get_origin(form), get_args(form)
    if origin is Literal:
        return _one_of(arguments)
    if origin is tuple:
        return (
            _many(_decoder(arguments[0]))
            if arguments[-1] is ...
            else _fixed(tuple(map(_decoder, arguments)))
        )
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if isinstance(form, type) and dataclasses.is_dataclass(form):
        return _record(form)
    raise TypeError(f"{form!r} cannot be decoded")


def _exactly(kind: type) -> Decoder:
    wanted = {"NoneType": "null", "str": "text", "int": "a whole number", "bool": "true or false"}[
        kind.__name__
    ]

    def decode_it(data: Any) -> Any:
        if type(data) is not kind:
            raise _misfit(data, wanted)
        return data

    return decode_it


def _float(data: Any) -> float:
    if type(data) not in (int, float) or not math.isfinite(data):
        raise _misfit(data, "a finite number")
    return float(data)


def _fraction(data: Any) -> Fraction:
    if type(data) is not str or not _FRACTION.fullmatch(data):
        raise _misfit(data, 'a fraction "n/d"')
    above, _, below = data.partition("/")
    return Fraction(int(above), int(below))


def _one_of(allowed: tuple[Any, ...]) -> Decoder:
    values = frozenset(allowed)

    def decode_it(data: Any) -> Any:
        if (
            type(data) not in _FLAT
            or data not in values
            or all(type(data) is not type(value) for value in allowed)
        ):
            raise _misfit(data, " or ".join(map(repr, allowed)))
        return data

    return decode_it


def _many(inner: Decoder) -> Decoder:
    def decode_it(data: Any) -> tuple[Any, ...]:
        if type(data) is not list:
            raise _misfit(data, "an array")
        return tuple(map(inner, data))

    return decode_it


def _fixed(inner: tuple[Decoder, ...]) -> Decoder:
    def decode_it(data: Any) -> tuple[Any, ...]:
        if type(data) is not list or len(data) != len(inner):
            raise _misfit(data, f"an array of {len(inner)}")
        return tuple(decoder(item) for decoder, item in zip(inner, data, strict=True))

    return decode_it


def _union(arguments: Sequence[Any]) -> Decoder:
    wanted = [form for form in arguments if form is not type(None)]
    optional = len(wanted) < len(arguments)
    inner = (
        _decoder(wanted[0])
        if len(wanted) == 1
        else _by_kind(wanted)
        if all(map(dataclasses.is_dataclass, wanted))
        else _first(wanted)
    )

    def decode_it(data: Any) -> Any:
        return None if data is None and optional else inner(data)

    return decode_it


def _first(forms: Sequence[Any]) -> Decoder:
    decoders = tuple(map(_decoder, forms))

    def decode_it(data: Any) -> Any:
        reasons = []
        for decoder in decoders:
            try:
                return decoder(data)
            except _Misfit as problem:
                reasons.append(str(problem))
        raise _Misfit("; ".join(reasons))

    return decode_it


def _by_kind(records: Sequence[Any]) -> Decoder:
    decoders = {get_args(get_type_hints(record)["kind"])[0]: _decoder(record) for record in records}

    def decode_it(data: Any) -> Any:
        kind = data.get("kind") if type(data) is dict else None
        if type(kind) is not str or kind not in decoders:
            raise _misfit(data, f"a record whose kind is {' or '.join(decoders)}")
        return decoders[kind](data)

    return decode_it


def _record(form: type) -> Decoder:
    hints = get_type_hints(form)
    fields = dataclasses.fields(form)
    decoders = {json_key(item): _decoder(hints[item.name]) for item in fields}
    names = {json_key(item): item.name for item in fields}
    required = {
        json_key(item)
        for item in fields
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    }

    def decode_it(data: Any) -> Any:
        if type(data) is not dict:
            raise _misfit(data, f"a {form.__name__}")
        values = {}
        for name, item in data.items():
            decoder = decoders.get(name)
            if decoder is None:
                raise _misfit(name, f"a field of {form.__name__}")
            try:
                values[name] = decoder(item)
            except _Misfit as problem:
                raise problem.within(name) from None
        if not required <= values.keys():
            raise _Misfit(f"{form.__name__} lacks {', '.join(sorted(required - values.keys()))}")
        return form(**{names[key]: item for key, item in values.items()})

    return decode_it
