"""What a limit can be: each says what it allows, what is nearest to a value, and itself in words."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from mediaprep.model import units

Orientation = Literal["landscape", "portrait", "square"]
Quantity = Literal["rate", "duration", "ratio", "count", "bit_rate"]


def _text(value: Fraction, quantity: Quantity) -> str:
    match quantity:
        case "rate":
            return f"{units.rate_text(value)} fps"
        case "duration":
            return units.duration_text(value)
        case "ratio":
            return units.ratio_text(value)
        case "bit_rate":
            return units.bit_rate_text(int(value))
        case "count":
            return f"{int(value):,}".replace(",", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """A closed set of names."""

    values: tuple[str, ...]

    def allows(self, value: str) -> bool:
        return value in self.values

    def describe(self) -> str:
        return " or ".join(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """From ``min`` to ``max``, both ends allowed; None = open at that end. ``quantity`` says what is counted."""

    min: Fraction | None = None
    max: Fraction | None = None
    quantity: Quantity

    def allows(self, value: Fraction | int) -> bool:
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def nearest(self, value: Fraction) -> Fraction:
        if self.min is not None and value < self.min:
            return self.min
        return self.max if self.max is not None and value > self.max else value

    def describe(self) -> str:
        low = None if self.min is None else _text(self.min, self.quantity)
        high = None if self.max is None else _text(self.max, self.quantity)
        if low and high:
            return low if low == high else f"{low} to {high}"
        return f"at most {high}" if high else f"at least {low}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One of a few exact quantities, such as 30 or 60 frames a second. A tolerance of 1/500 takes 29.97 for 30 and 854x480 for 16:9."""

    values: tuple[Fraction, ...]
    quantity: Quantity

    def allows(self, value: Fraction) -> bool:
        return any(abs(value - wanted) <= wanted / 500 for wanted in self.values)

    def describe(self) -> str:
        return " or ".join(_text(value, self.quantity) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionRange:
    """Picture sizes from ``min`` to ``max`` (width, height). Not ``oriented``: the long side is held to the longer limit, the short to
    the shorter.
    """

    min: tuple[int, int] = (1, 1)
    max: tuple[int, int]
    oriented: bool = False

    def allows(self, size: tuple[int, int]) -> bool:
        size, low, high = (
            (size, self.min, self.max)
            if self.oriented
            else (_sorted(size), _sorted(self.min), _sorted(self.max))
        )
        return low[0] <= size[0] <= high[0] and low[1] <= size[1] <= high[1]

    def describe(self) -> str:
        turn = "" if self.oriented else ", either way round"
        low = "" if self.min == (1, 1) else f"{units.size_text(self.min)} to "
        return (
            f"{low}{units.size_text(self.max)}{turn}"
            if low
            else f"at most {units.size_text(self.max)}{turn}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """A list of picture sizes."""

    values: tuple[tuple[int, int], ...]

    def allows(self, size: tuple[int, int]) -> bool:
        return size in self.values

    def describe(self) -> str:
        return " or ".join(units.size_text(size) for size in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteLimit:
    """At most ``judged`` bytes for an input (MB = 2^20, as servers count); what we write stays at or under ``written`` (MB = 10^6)."""

    judged: int
    written: int
    text: str

    def allows(self, size_bytes: int) -> bool:
        return size_bytes <= self.judged

    def describe(self) -> str:
        return f"at most {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What one post may carry: up to so many of one kind, never a mix."""

    images: int
    animations: int
    videos: int

    def describe(self) -> str:
        return f"up to {self.images} photos, or {self.animations} animated GIF, or {self.videos} video; never a mix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A property that is there or not, with no number: a whole file, no private metadata."""

    text: str

    def describe(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One row of a ladder: a picture size in pixels with its bit rates in bit/s."""

    orientation: Orientation
    width: int
    height: int
    video_bit_rate: int
    audio_bit_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The rungs that rewritten files aim at."""

    rungs: tuple[Rung, ...]

    def of(self, orientation: Orientation) -> tuple[Rung, ...]:
        """The rungs of one orientation, smallest first."""
        return tuple(
            sorted(
                (r for r in self.rungs if r.orientation == orientation),
                key=lambda r: r.width * r.height,
            )
        )

    def holding(self, size: tuple[int, int]) -> Rung:
        """The smallest rung of the size's orientation that holds it, else the top one."""
        rungs = self.of(orientation(size))
        return next((r for r in rungs if size[0] <= r.width and size[1] <= r.height), rungs[-1])

    def lying(self, asked: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """The size asked for as a picture of ``size`` lies: the rung of as many bits in its orientation; what is no rung is only turned."""
        bits = {r.video_bit_rate for r in self.rungs if (r.width, r.height) == asked}
        alike = [
            (r.width, r.height) for r in self.of(orientation(size)) if r.video_bit_rate in bits
        ]
        turned = {orientation(asked), orientation(size)} == {"landscape", "portrait"}
        return alike[0] if alike else (asked[1], asked[0]) if turned else asked

    def top(self, size: tuple[int, int]) -> Rung:
        """The largest rung of the size's orientation."""
        return self.of(orientation(size))[-1]


Constraint: TypeAlias = (
    OneOf | Range | AnyOf | DimensionRange | Sizes | ByteLimit | Attachments | Required
)


def orientation(size: tuple[int, int]) -> Orientation:
    """Landscape, portrait, or square where both sides are equal."""
    return "square" if size[0] == size[1] else "landscape" if size[0] > size[1] else "portrait"


def _sorted(size: tuple[int, int]) -> tuple[int, int]:
    return max(size), min(size)
