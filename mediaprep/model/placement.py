"""What one placement accepts, and how a rewritten file for it is encoded. Filled by ``profile``, read by rules and plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from mediaprep.model.limits import Constraint, Ladder
from mediaprep.model.media import Kind
from mediaprep.model.report import Level

Quality = Literal["fast", "default", "best", "hq"]
PlacementKind = Literal["video", "animation", "image", "subtitle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One limit of a platform: its rule, level, where it is written (``source``, with ``date`` read) and at which gate it is enforced
    (upload, post; None = not known).
    """

    rule: str
    limit: Constraint
    level: Level
    source: str
    date: str | None = None
    gate: Literal["upload", "post"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoEncoding:
    """The target of a rewritten video. Rates in bit/s, times in seconds, sizes in bytes."""

    quality: Quality
    hq_bit_rate: int
    keyframe_seconds: Fraction
    trim_to: Fraction
    part_at_most: Fraction
    sample_rates: tuple[int, ...]
    ladder: Ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationEncoding:
    """The target of a rewritten animation: smallest width worth keeping as GIF (below it, video), share of the byte limit to fill."""

    min_width: int
    fill: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEncoding:
    """The target of a rewritten still: JPEG quality to start from and the lowest before halving; background for flattened alpha
    (``#ffffff``).
    """

    quality: int
    min_quality: int
    background: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleEncoding:
    """The target of rewritten captions: ``srt`` or ``webvtt``."""

    format: Literal["srt", "webvtt"]


Encoding: TypeAlias = VideoEncoding | AnimationEncoding | ImageEncoding | SubtitleEncoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One placement: ``profile/category``, the kind it takes, its requirements by rule id in the profile's order, its encoding target."""

    profile: str
    category: str
    kind: PlacementKind
    requirements: Mapping[str, Requirement]
    encoding: Encoding

    @property
    def name(self) -> str:
        """``profile/category``."""
        return f"{self.profile}/{self.category}"


_TAKES: dict[PlacementKind, tuple[Kind, ...]] = {
    "video": ("video",),
    "animation": ("animation",),
    "image": ("image", "animation"),
    "subtitle": ("subtitle",),
}


def takes(placement: Placement) -> tuple[Kind, ...]:
    """The kinds of media that the placement takes."""
    return _TAKES[placement.kind]
