"""Pydantic models of the limits in a profile: one model for each form of limit.

The forms are declared by the rules (``model.limit_forms``). Imported only to read a profile that is
not compiled, since importing pydantic takes about 100 ms.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Literal, assert_never, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    WithJsonSchema,
    create_model,
    model_validator,
)

from mediaprep.model import limit_forms, limits, units
from mediaprep.model.level import Level
from mediaprep.model.placement import Requirement
from mediaprep.rules import Rule


def _exact(parse: Callable[[str], Any]) -> BeforeValidator:
    """Parse text or a whole number; reject floats, which are not exact."""

    def read(value: object) -> Any:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return parse(str(value))
        raise ValueError(
            'write it as text, such as "29.97"' if isinstance(value, float) else "should be text"
        )

    return BeforeValidator(read)


def _share(text: str) -> Fraction:
    found = re.fullmatch(r"(\d{1,3})\s*%", text.strip())
    if not found or not 0 < int(found[1]) <= 100:
        raise ValueError(
            f"invalid share {text!r}; expected a percentage from 1 % to 100 %, such as 95 %"
        )
    return Fraction(int(found[1]), 100)


def _day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        datetime.date.fromisoformat(value)  # its ValueError names the problem, such as a month 13
    return value.isoformat() if isinstance(value, datetime.date) else value


def _text_schema(description: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": ["string", "integer"], "description": description, "examples": list(examples)}
    )


Rate = Annotated[
    InstanceOf[Fraction],
    _exact(units.parse_rate),
    _text_schema("frames per second", "60", "29.97", "30000/1001"),
]
Duration = Annotated[
    InstanceOf[Fraction],
    _exact(units.parse_duration),
    _text_schema("a duration", "140 s", "2:20", "20 min"),
]
Ratio = Annotated[
    InstanceOf[Fraction], _exact(units.parse_ratio), _text_schema("width to height", "16:9")
]
Count = Annotated[
    InstanceOf[Fraction],
    _exact(lambda text: Fraction(int(text))),
    WithJsonSchema({"type": "integer", "minimum": 0, "examples": [512]}),
]
Bits = Annotated[
    int,
    _exact(units.parse_bit_rate),
    _text_schema("bits per second (k = 1000)", "2048k", "5 Mbit/s"),
]
BitRate = Annotated[
    InstanceOf[Fraction],
    _exact(lambda text: Fraction(units.parse_bit_rate(text))),
    _text_schema("bits per second (k = 1000)", "5000k"),
]
Size = Annotated[
    tuple[int, int],
    _exact(units.parse_size),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\s*[xX×]\s*\d+$", "examples": ["1280x720"]}),
]
Bytes = Annotated[
    tuple[InstanceOf[Fraction], str],
    _exact(units.parse_bytes),
    _text_schema("bytes", "512 MB", "20 MiB", "2000000 B"),
]
Share = Annotated[
    InstanceOf[Fraction], _exact(_share), WithJsonSchema({"type": "string", "examples": ["95 %"]})
]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), BeforeValidator(_day)]
Words = Annotated[str, Field(min_length=1)]


class ProfileTable(BaseModel):
    """Any table of a profile: frozen, without further keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitTable(ProfileTable):
    """A limit without its values: level, source, date (default: the profile's) and gate."""

    level: Level
    source: Words
    date: Day | None = None
    gate: Literal["upload", "post"] | None = None

    def limit(self, form: limit_forms.LimitForm) -> limits.Constraint:
        """Return the limit, built by the form that the rule declares."""
        keys = type(self).model_fields.keys() - LimitTable.model_fields.keys()
        return form.limit(**{key: getattr(self, key) for key in keys})

    def requirement(self, rule: Rule, day: str) -> Requirement:
        """Return the requirement of the rule; ``day`` is the date if the table states none."""
        return Requirement(
            rule=rule.id,
            limit=self.limit(rule.limit),
            level=self.level,
            source=self.source,
            date=self.date or day,
            gate=self.gate,
        )


class RequiredTable(LimitTable):
    """A property without a number."""


class RangeTable(LimitTable):
    """From ``min`` to ``max``, both allowed; at least one is stated."""

    min: InstanceOf[Fraction] | None = None
    max: InstanceOf[Fraction] | None = None

    @model_validator(mode="after")
    def _has_ends(self) -> RangeTable:
        if self.min is None and self.max is None:
            raise ValueError("needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


class RateRange(RangeTable):
    """Frame rates, both ends allowed."""

    min: Rate | None = None
    max: Rate | None = None


class DurationRange(RangeTable):
    """Durations, both ends allowed."""

    min: Duration | None = None
    max: Duration | None = None


class RatioRange(RangeTable):
    """Ratios of width to height, both ends allowed."""

    min: Ratio | None = None
    max: Ratio | None = None


class CountRange(RangeTable):
    """Whole numbers, both ends allowed."""

    min: Count | None = None
    max: Count | None = None


class BitRateRange(RangeTable):
    """Bit rates, both ends allowed."""

    min: BitRate | None = None
    max: BitRate | None = None


class AnyRate(LimitTable):
    """One of several frame rates."""

    any_of: tuple[Rate, ...] = Field(min_length=1)


class AnyRatio(LimitTable):
    """One of several ratios of width to height."""

    any_of: tuple[Ratio, ...] = Field(min_length=1)


class AnySize(LimitTable):
    """One of several picture sizes."""

    any_of: tuple[Size, ...] = Field(min_length=1)


class SizeBox(LimitTable):
    """Picture sizes from ``min`` to ``max``, portrait or landscape unless ``oriented``."""

    min: Size = (1, 1)
    max: Size
    oriented: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> SizeBox:
        box = limits.DimensionRange(min=self.min, max=self.max, oriented=self.oriented)
        if not box.allows(self.min):
            raise ValueError("min is above max")
        return self


class MostBytes(LimitTable):
    """A file size. Files are checked with 2^20 bytes per MB and written with 10^6."""

    max: Bytes


class AttachmentsTable(LimitTable):
    """The attachments of one post: a number of one kind, never a mix."""

    images: int = Field(ge=0)
    animations: int = Field(ge=0)
    videos: int = Field(ge=0)


_RANGES: dict[limits.Quantity, type[RangeTable]] = {
    "rate": RateRange,
    "duration": DurationRange,
    "ratio": RatioRange,
    "count": CountRange,
    "bit_rate": BitRateRange,
}
_ANY_OF: dict[str, type[LimitTable]] = {"rate": AnyRate, "ratio": AnyRatio}


def limit_table(rule: Rule) -> type[LimitTable]:
    """Return the model of the limit that a profile states for a rule."""
    match rule.limit:
        case limit_forms.RequiredForm():
            return RequiredTable
        case limit_forms.OneOfForm(names=names):
            return _names_table(rule, names)
        case limit_forms.RangeForm(quantity=quantity):
            return _RANGES[quantity]
        case limit_forms.AnyOfForm(quantity=quantity):
            return _ANY_OF[quantity]
        case limit_forms.SizesForm():
            return AnySize
        case limit_forms.DimensionRangeForm():
            return SizeBox
        case limit_forms.ByteLimitForm():
            return MostBytes
        case limit_forms.AttachmentsForm():
            return AttachmentsTable
        case _:
            assert_never(rule.limit)


def _names_table(rule: Rule, names: tuple[str, ...]) -> type[LimitTable]:
    """Return a model whose ``one_of`` takes the names that the rule declares."""
    name = cast("Any", Literal)[names]
    allowed = cast("Any", tuple)[name, ...]
    return create_model(
        rule.id.title().replace("-", ""),
        __base__=LimitTable,
        __doc__=f"Allowed values of the {rule.subject}.",
        one_of=(allowed, Field(min_length=1)),
    )
