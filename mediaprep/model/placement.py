"""A placement: what one category of a platform accepts, and how files for it are encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from mediaprep.model.level import Level
from mediaprep.model.limits import Constraint, Ladder
from mediaprep.model.media import Kind
from mediaprep.model.options import Quality

PlacementKind = Literal["video", "animation", "image", "subtitle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One limit of a platform.

    rule    id of the rule that judges it
    source  where it is stated; date: when that was read
    gate    when the platform enforces it: at the upload or when the post is created; None: unknown
    """

    rule: str
    limit: Constraint
    level: Level
    source: str
    date: str | None = None
    gate: Literal["upload", "post"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoEncoding:
    """How a rewritten video is encoded. Bit rates in bit/s, times in seconds.

    hq_bit_rate       cap of the quality ``hq``
    keyframe_seconds  longest time between key frames
    trim_to           duration that ``--trim first`` keeps
    part_at_most      longest part of ``--split``
    sample_rates      allowed sample rates, the preferred one first
    """

    quality: Quality
    hq_bit_rate: int
    keyframe_seconds: Fraction
    trim_to: Fraction
    part_at_most: Fraction
    sample_rates: tuple[int, ...]
    ladder: Ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationEncoding:
    """How a rewritten animation is encoded.

    min_width  a GIF that would be narrower becomes a video
    fill       share of the byte limit to use
    """

    min_width: int
    fill: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEncoding:
    """How a rewritten still image is encoded.

    quality      JPEG quality to start from
    min_quality  lowest JPEG quality; below it, the picture is halved
    background   colour behind flattened transparency, such as ``#ffffff``
    """

    quality: int
    min_quality: int
    background: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleEncoding:
    """How rewritten captions are written."""

    format: Literal["srt", "webvtt"]


Encoding: TypeAlias = VideoEncoding | AnimationEncoding | ImageEncoding | SubtitleEncoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One placement of a profile.

    kind          the kind of media that it is for
    requirements  by rule id, in the order of the profile
    """

    profile: str
    category: str
    kind: PlacementKind
    requirements: Mapping[str, Requirement]
    encoding: Encoding

    @property
    def name(self) -> str:
        """``profile/category``."""
        return f"{self.profile}/{self.category}"

    def limit(self, rule_id: str) -> Constraint | None:
        """Return the limit of a rule, None if the placement has none."""
        requirement = self.requirements.get(rule_id)
        return None if requirement is None else requirement.limit


_TAKES: dict[PlacementKind, tuple[Kind, ...]] = {
    "video": ("video",),
    "animation": ("animation",),
    "image": ("image", "animation"),
    "subtitle": ("subtitle",),
}


def takes(placement: Placement) -> tuple[Kind, ...]:
    """Return the kinds of media that the placement takes."""
    return _TAKES[placement.kind]
