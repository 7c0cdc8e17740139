"""Forms of limits: what a rule declares about the limit that a profile gives it.

A form names the shape of the TOML table (``one_of``, ``min`` and ``max``, ...) and builds the limit
from the parsed values. The models that parse a profile, its JSON Schema and the table in
docs/profiles.md are derived from these declarations. The forms are named tuples because every
command imports them, and a dataclass takes eight times as long to define.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from mediaprep.model import limits, units


class RequiredForm(NamedTuple):
    """A property without a number; ``text`` describes it in findings."""

    text: str

    def limit(self) -> limits.Required:
        """Return the limit."""
        return limits.Required(text=self.text)


class OneOfForm(NamedTuple):
    """``one_of``: a list of the names that a profile may allow."""

    names: tuple[str, ...]

    def limit(self, *, one_of: tuple[str, ...]) -> limits.OneOf:
        """Return the limit that allows the names in ``one_of``."""
        return limits.OneOf(values=one_of)


class RangeForm(NamedTuple):
    """``min``, ``max`` or both: a range of one quantity."""

    quantity: limits.Quantity

    def limit(self, *, min: Fraction | None, max: Fraction | None) -> limits.Range:
        """Return the limit from ``min`` to ``max``; None leaves that end open."""
        return limits.Range(min=min, max=max, quantity=self.quantity)


class AnyOfForm(NamedTuple):
    """``any_of``: a list of exact values of one quantity."""

    quantity: Literal["rate", "ratio"]

    def limit(self, *, any_of: tuple[Fraction, ...]) -> limits.AnyOf:
        """Return the limit that allows the values in ``any_of``."""
        return limits.AnyOf(values=any_of, quantity=self.quantity)


class SizesForm(NamedTuple):
    """``any_of``: a list of picture sizes."""

    def limit(self, *, any_of: tuple[tuple[int, int], ...]) -> limits.Sizes:
        """Return the limit that allows the sizes in ``any_of``."""
        return limits.Sizes(values=any_of)


class DimensionRangeForm(NamedTuple):
    """``min``, ``max`` and ``oriented``: a range of picture sizes."""

    def limit(
        self, *, min: tuple[int, int], max: tuple[int, int], oriented: bool
    ) -> limits.DimensionRange:
        """Return the limit from ``min`` to ``max``."""
        return limits.DimensionRange(min=min, max=max, oriented=oriented)


class ByteLimitForm(NamedTuple):
    """``max``: a number of bytes with its unit."""

    def limit(self, *, max: tuple[Fraction, str]) -> limits.ByteLimit:
        """Return the limit of ``max``, a number and one of the units of ``units.parse_bytes``."""
        number, unit = max
        shown = int(number) if number.denominator == 1 else float(number)
        return limits.ByteLimit(
            judged=units.bytes_judged(number, unit),
            written=units.bytes_written(number, unit),
            text=f"{shown} {unit}",
        )


class AttachmentsForm(NamedTuple):
    """``images``, ``animations`` and ``videos``: the attachments of one post."""

    def limit(self, *, images: int, animations: int, videos: int) -> limits.Attachments:
        """Return the limit of one post."""
        return limits.Attachments(images=images, animations=animations, videos=videos)


LimitForm: TypeAlias = (
    RequiredForm
    | OneOfForm
    | RangeForm
    | AnyOfForm
    | SizesForm
    | DimensionRangeForm
    | ByteLimitForm
    | AttachmentsForm
)
