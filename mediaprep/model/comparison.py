"""The result of comparing the content of two files: what differs, where, by how much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

Aspect: TypeAlias = Literal[
    "picture", "colour", "timing", "defects", "sound", "alpha", "animation", "captions"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which the output's content differs from the source's.

    message   one line for people, such as "the picture is rotated by 180 degrees compared with the
              source"
    at        seconds in the output; None where it holds for the whole file
    measured, limit   the figure that exceeds its limit, in the unit of ``thresholds``; None where
    the
              difference is not a matter of degree
    """

    aspect: Aspect
    message: str
    at: Fraction | None = None
    measured: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value, whether it was within its limit or not; ``name`` as in ``thresholds``."""

    name: str
    value: float
    limit: float | None = None
    at: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison found.

    compared   the aspects that were compared
    unknown    why an aspect could not be compared, one clause each
    """

    differences: tuple[Difference, ...] = ()
    figures: tuple[Figure, ...] = ()
    compared: tuple[Aspect, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether no difference was found in what was compared."""
        return not self.differences

    def __add__(self, other: Comparison) -> Comparison:
        """Return both results as one."""
        return replace(
            self,
            differences=self.differences + other.differences,
            figures=self.figures + other.figures,
            compared=tuple(dict.fromkeys(self.compared + other.compared)),
            unknown=self.unknown + other.unknown,
        )
