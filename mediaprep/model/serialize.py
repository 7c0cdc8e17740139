"""Convert frozen records to plain JSON values and back, exactly.

Used for the answers of the reading child, and for ``--json``. A record becomes an object with every
field, ``Fraction`` the text ``"n/d"``, a tuple an array, None null. Decoding is strict: it builds
only the types that the fields declare, so that hostile input cannot create any other object or a
value of another type. Unions of records are distinguished by their ``kind``. A missing field takes
its default.
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
    """Return the value as plain JSON data.

    Raises: TypeError for an unsupported type, ValueError for a float that is not finite.
    """
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
            raise ValueError(f"{value} cannot be written as JSON")
        return cast("float", value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: encode(inner) for key, inner in value.items()}
    raise TypeError(f"{kind.__name__} cannot be written as JSON")


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
    """Return the value of type ``form`` that ``data``, plain JSON data, describes.

    ``form`` is a record, or a union of records that have a ``kind``.
    Raises: ValueError, with the path, for data that does not match the type exactly.
    """
    return cast("T", _decoder(cast("Hashable", form))(data))


def prepare_decoder(form: type[T] | Any) -> None:
    """Build the decoder of a type in advance: that takes longer than decoding a value."""
    _decoder(cast("Hashable", form))


class _Mismatch(ValueError):
    """The reason why data does not match, and the path to it."""

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason, self.path = reason, path
        super().__init__(f"{path}: {reason}" if path else reason)

    def within(self, field: str) -> _Mismatch:
        """Return the mismatch as seen from a record that contains it in ``field``."""
        return _Mismatch(self.reason, f"{field}.{self.path}" if self.path else field)


def _mismatch(data: Any, expected: str) -> _Mismatch:
    shown = repr(data)
    if len(shown) >= 60:
        shown = f"{shown[:56]} ..."
    return _Mismatch(f"found {shown}, expected {expected}")


@functools.cache
def _decoder(form: Hashable) -> Decoder:
    """Return the decoder of a type. Raises: TypeError for an unsupported type."""
    simple: dict[Any, Decoder] = {
        str: _exactly(str, "text"),
        bool: _exactly(bool, "true or false"),
        int: _exactly(int, "a whole number"),
        None: _exactly(type(None), "null"),
        type(None): _exactly(type(None), "null"),
        float: _float,
        Fraction: _fraction,
    }
    if form in simple:
        return simple[form]
    origin, arguments = get_origin(form), get_args(form)
    if origin is Literal:
        return _literal(arguments)
    if origin is tuple and arguments[-1] is ...:
        return _tuple_of(_decoder(arguments[0]))
    if origin is tuple:
        return _fixed_tuple(tuple(map(_decoder, arguments)))
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if isinstance(form, type) and dataclasses.is_dataclass(form):
        return _record(form)
    raise TypeError(f"{form!r} cannot be decoded")


def _exactly(kind: type, expected: str) -> Decoder:
    def decode_value(data: Any) -> Any:
        if type(data) is not kind:
            raise _mismatch(data, expected)
        return data

    return decode_value


def _float(data: Any) -> float:
    if type(data) not in (int, float) or not math.isfinite(data):
        raise _mismatch(data, "a finite number")
    return float(data)


def _fraction(data: Any) -> Fraction:
    if type(data) is not str or not _FRACTION.fullmatch(data):
        raise _mismatch(data, 'a fraction "n/d"')
    numerator, _, denominator = data.partition("/")
    return Fraction(int(numerator), int(denominator))


def _literal(allowed: tuple[Any, ...]) -> Decoder:
    values, kinds = frozenset(allowed), frozenset(map(type, allowed))

    def decode_value(data: Any) -> Any:
        if type(data) not in kinds or data not in values:
            raise _mismatch(data, " or ".join(map(repr, allowed)))
        return data

    return decode_value


def _tuple_of(inner: Decoder) -> Decoder:
    def decode_value(data: Any) -> tuple[Any, ...]:
        if type(data) is not list:
            raise _mismatch(data, "an array")
        return tuple(map(inner, data))

    return decode_value


def _fixed_tuple(inner: tuple[Decoder, ...]) -> Decoder:
    def decode_value(data: Any) -> tuple[Any, ...]:
        if type(data) is not list or len(data) != len(inner):
            raise _mismatch(data, f"an array of {len(inner)}")
        return tuple(decoder(item) for decoder, item in zip(inner, data, strict=True))

    return decode_value


def _union(arguments: Sequence[Any]) -> Decoder:
    forms = [form for form in arguments if form is not type(None)]
    optional = len(forms) < len(arguments)
    if len(forms) == 1:
        inner = _decoder(forms[0])
    elif all(map(dataclasses.is_dataclass, forms)):
        inner = _by_kind(forms)
    else:
        inner = _first_match(forms)

    def decode_value(data: Any) -> Any:
        return None if data is None and optional else inner(data)

    return decode_value


def _first_match(forms: Sequence[Any]) -> Decoder:
    decoders = tuple(map(_decoder, forms))

    def decode_value(data: Any) -> Any:
        reasons = []
        for decoder in decoders:
            try:
                return decoder(data)
            except _Mismatch as problem:
                reasons.append(str(problem))
        raise _Mismatch("; ".join(reasons))

    return decode_value


def _by_kind(records: Sequence[Any]) -> Decoder:
    decoders = {get_args(get_type_hints(record)["kind"])[0]: _decoder(record) for record in records}

    def decode_value(data: Any) -> Any:
        kind = data.get("kind") if type(data) is dict else None
        if type(kind) is not str or kind not in decoders:
            raise _mismatch(data, f"a record whose kind is {' or '.join(decoders)}")
        return decoders[kind](data)

    return decode_value


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

    def decode_value(data: Any) -> Any:
        if type(data) is not dict:
            raise _mismatch(data, f"a {form.__name__}")
        values = {}
        for key, item in data.items():
            decoder = decoders.get(key)
            if decoder is None:
                raise _mismatch(key, f"a field of {form.__name__}")
            try:
                values[names[key]] = decoder(item)
            except _Mismatch as problem:
                raise problem.within(key) from None
        if missing := required - data.keys():
            raise _Mismatch(f"{form.__name__} lacks {', '.join(sorted(missing))}")
        return form(**values)

    return decode_value
