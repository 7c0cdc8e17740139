"""Limits: what each one allows, and its description for people."""

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
    """From ``min`` to ``max``, both ends allowed; None leaves an end open.

    quantity  what the numbers measure
    """

    min: Fraction | None = None
    max: Fraction | None = None
    quantity: Quantity

    def allows(self, value: Fraction | int) -> bool:
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def describe(self) -> str:
        low = None if self.min is None else _text(self.min, self.quantity)
        high = None if self.max is None else _text(self.max, self.quantity)
        if low and high:
            return low if low == high else f"{low} to {high}"
        return f"at most {high}" if high else f"at least {low}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One of several exact quantities, such as 30 or 60 frames per second.

    Values within 1/500 count as equal: 29.97 as 30, the shape of 854x480 as 16:9.
    """

    values: tuple[Fraction, ...]
    quantity: Quantity

    def allows(self, value: Fraction) -> bool:
        return any(abs(value - allowed) <= allowed / 500 for allowed in self.values)

    def describe(self) -> str:
        return " or ".join(_text(value, self.quantity) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionRange:
    """Picture sizes from ``min`` to ``max`` (width, height).

    oriented  False: the long side is compared with the longer limit, the short side with the
              shorter one, so that portrait and landscape are allowed alike
    """

    min: tuple[int, int] = (1, 1)
    max: tuple[int, int]
    oriented: bool = False

    def allows(self, size: tuple[int, int]) -> bool:
        low, high = self.min, self.max
        if not self.oriented:
            size, low, high = _long_short(size), _long_short(low), _long_short(high)
        return low[0] <= size[0] <= high[0] and low[1] <= size[1] <= high[1]

    def describe(self) -> str:
        orientations = "" if self.oriented else ", portrait or landscape"
        high = units.size_text(self.max)
        if self.min == (1, 1):
            return f"at most {high}{orientations}"
        return f"{units.size_text(self.min)} to {high}{orientations}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """One of several picture sizes."""

    values: tuple[tuple[int, int], ...]

    def allows(self, size: tuple[int, int]) -> bool:
        return size in self.values

    def describe(self) -> str:
        return " or ".join(units.size_text(size) for size in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteLimit:
    """A maximum file size.

    judged   bytes that a source may have, with 2^20 bytes per MB, as servers count
    written  bytes that an output may have, with 10^6 bytes per MB, so that it passes either way
    text     the limit as the profile states it
    """

    judged: int
    written: int
    text: str

    def allows(self, size_bytes: int) -> bool:
        return size_bytes <= self.judged

    def describe(self) -> str:
        return f"at most {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """The attachments of one post: up to a number of one kind, never a mix."""

    images: int
    animations: int
    videos: int

    def describe(self) -> str:
        return (
            f"up to {self.images} photos, or {self.animations} animated GIF, "
            f"or {self.videos} video; never a mix"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A property without a number, such as a complete file; ``text`` describes it."""

    text: str

    def describe(self) -> str:
        return self.text


Constraint: TypeAlias = (
    OneOf | Range | AnyOf | DimensionRange | Sizes | ByteLimit | Attachments | Required
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One row of a ladder: a picture size in pixels, and its bit rates in bit/s."""

    orientation: Orientation
    width: int
    height: int
    video_bit_rate: int
    audio_bit_rate: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The rungs that rewritten videos aim at."""

    rungs: tuple[Rung, ...]

    def of(self, orientation: Orientation) -> tuple[Rung, ...]:
        """Return the rungs of one orientation, smallest first."""
        rungs = (rung for rung in self.rungs if rung.orientation == orientation)
        return tuple(sorted(rungs, key=lambda rung: rung.width * rung.height))

    def holding(self, size: tuple[int, int]) -> Rung:
        """Return the smallest rung of the size's orientation that holds it, else the largest."""
        rungs = self.of(orientation(size))
        holding = (rung for rung in rungs if size[0] <= rung.width and size[1] <= rung.height)
        return next(holding, rungs[-1])

    def oriented(self, requested: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """Translate a requested size to the orientation of ``size``.

        That is the rung with the same bit rate, or the two sides swapped if it is not a rung.
        """
        bit_rates = {rung.video_bit_rate for rung in self.rungs if rung.size == requested}
        for rung in self.of(orientation(size)):
            if rung.video_bit_rate in bit_rates:
                return rung.size
        if {orientation(requested), orientation(size)} == {"landscape", "portrait"}:
            return requested[1], requested[0]
        return requested

    def top(self, size: tuple[int, int]) -> Rung:
        """Return the largest rung of the size's orientation."""
        return self.of(orientation(size))[-1]


def orientation(size: tuple[int, int]) -> Orientation:
    """Return landscape, portrait, or square if both sides are equal."""
    width, height = size
    if width == height:
        return "square"
    return "landscape" if width > height else "portrait"


def _long_short(size: tuple[int, int]) -> tuple[int, int]:
    return max(size), min(size)
