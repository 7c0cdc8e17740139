"""Pydantic models of the categories in a profile.

Each category takes the limits of the rules that apply to its kind: those fields are derived from
the registry of rules. Imported only to read a profile that is not compiled, since importing
pydantic takes about 100 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, create_model, model_validator

from mediaprep.model import limits, placement
from mediaprep.model.options import Quality
from mediaprep.profile.limit_tables import (
    Bits,
    Day,
    Duration,
    LimitTable,
    ProfileTable,
    Share,
    Words,
    limit_table,
)
from mediaprep.rules import REGISTRY, Rule

CATEGORY_NAME = r"^[a-z][a-z0-9_]*$"
CategoryName = Annotated[str, Field(pattern=CATEGORY_NAME)]


class RungTable(ProfileTable):
    """One row of the ladder that rewritten videos aim at."""

    orientation: limits.Orientation
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    video_bit_rate: Bits
    audio_bit_rate: Bits

    @model_validator(mode="after")
    def _oriented(self) -> RungTable:
        actual = limits.orientation((self.width, self.height))
        if actual != self.orientation:
            raise ValueError(f"{self.width}x{self.height} is {actual}, not {self.orientation}")
        return self


class VideoEncodingTable(ProfileTable):
    """How a rewritten video is encoded: names and numbers, never options of a tool."""

    quality: Quality
    hq_bit_rate: Bits
    keyframe_seconds: Duration
    trim_to: Duration
    part_at_most: Duration
    sample_rates: tuple[int, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> VideoEncodingTable:
        if self.trim_to > self.part_at_most:
            raise ValueError("trim_to is longer than part_at_most")
        return self


class AnimationEncodingTable(ProfileTable):
    """How a rewritten animation is encoded.

    ``min_width``: a GIF that would be narrower becomes a video. ``fill``: the share of the byte
    limit to use.
    """

    min_width: int = Field(gt=0)
    fill: Share


class ImageEncodingTable(ProfileTable):
    """How a rewritten still image is encoded: JPEG qualities, background for transparency."""

    quality: int = Field(ge=1, le=100)
    min_quality: int = Field(ge=1, le=100)
    background: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")

    @model_validator(mode="after")
    def _ordered(self) -> ImageEncodingTable:
        if self.min_quality > self.quality:
            raise ValueError("min_quality is above quality")
        return self


class SubtitleEncodingTable(ProfileTable):
    """How rewritten captions are written."""

    format: Literal["srt", "webvtt"]


class RulesTable(ProfileTable):
    """A table of limits by rule id; the field ``video_size`` is the key ``video-size``."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    def limit(self, rule_id: str) -> limits.Constraint | None:
        """Return the limit of a rule, None if the table states none."""
        table = getattr(self, _field_name(rule_id))
        return table.limit(REGISTRY[rule_id].limit) if isinstance(table, LimitTable) else None

    def requirements(self, keys: Iterable[str], day: str) -> dict[str, placement.Requirement]:
        """Return the requirements by rule id, in the order of ``keys``.

        ``day`` is the date of the limits that state none.
        """
        tables = {key: getattr(self, _field_name(key)) for key in keys if key in REGISTRY}
        return {
            key: table.requirement(REGISTRY[key], day)
            for key, table in tables.items()
            if isinstance(table, LimitTable)
        }


class CategoryTable(RulesTable):
    """The keys of every category besides its limits."""

    like: str | None = Field(
        default=None,
        description="a category of this file, or profile/category, that supplies the keys which "
        "this one omits",
    )
    kind: placement.PlacementKind

    def target(self) -> placement.Encoding:
        """Return how rewritten files are encoded."""
        raise NotImplementedError


class VideoTable(CategoryTable):
    """The keys of a category for videos besides its limits."""

    kind: Literal["video"]
    encoding: VideoEncodingTable
    ladder: tuple[RungTable, ...]

    @model_validator(mode="after")
    def _consistent(self) -> VideoTable:
        orientations = {rung.orientation for rung in self.ladder}
        missing = [name for name in get_args(limits.Orientation) if name not in orientations]
        if missing:
            raise ValueError(f"ladder has no rung for {' or '.join(missing)}")
        duration = self.limit("video-duration")
        longest = duration.max if isinstance(duration, limits.Range) else None
        if longest is not None and self.encoding.part_at_most > longest:
            raise ValueError("encoding.part_at_most is longer than video-duration allows")
        box = self.limit("video-dimensions")
        for rung in self.ladder:
            size = rung.width, rung.height
            if isinstance(box, limits.DimensionRange) and not box.allows(size):
                raise ValueError(f"ladder: {rung.width}x{rung.height} is outside video-dimensions")
        return self

    def target(self) -> placement.VideoEncoding:
        """Return how rewritten videos are encoded."""
        rungs = tuple(limits.Rung(**dict(rung)) for rung in self.ladder)
        return placement.VideoEncoding(**dict(self.encoding), ladder=limits.Ladder(rungs=rungs))


class AnimationTable(CategoryTable):
    """The keys of a category for animations besides its limits."""

    kind: Literal["animation"]
    encoding: AnimationEncodingTable

    def target(self) -> placement.AnimationEncoding:
        """Return how rewritten animations are encoded."""
        return placement.AnimationEncoding(**dict(self.encoding))


class ImageTable(CategoryTable):
    """The keys of a category for still images besides its limits."""

    kind: Literal["image"]
    encoding: ImageEncodingTable

    def target(self) -> placement.ImageEncoding:
        """Return how rewritten still images are encoded."""
        return placement.ImageEncoding(**dict(self.encoding))


class SubtitleTable(CategoryTable):
    """The keys of a category for captions besides its limits."""

    kind: Literal["subtitle"]
    encoding: SubtitleEncodingTable

    def target(self) -> placement.SubtitleEncoding:
        """Return how rewritten captions are written."""
        return placement.SubtitleEncoding(**dict(self.encoding))


class Defaults(ProfileTable):
    """The category for each kind of media if none is named."""

    video: CategoryName | None = None
    animation: CategoryName | None = None
    image: CategoryName | None = None
    subtitle: CategoryName | None = None


class ProfileHeader(ProfileTable):
    """The platform, the document that states its limits, and the day it was read."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Words
    source: Words
    date: Day
    defaults: Defaults


def _field_name(rule_id: str) -> str:
    return rule_id.replace("-", "_")


def _limit_fields(rules: Iterable[Rule]) -> dict[str, Any]:
    """Return a field of a model for the limit of each rule."""
    fields: dict[str, Any] = {}
    for rule in rules:
        table = limit_table(rule)
        fields[_field_name(rule.id)] = (table, ...) if rule.required else (table | None, None)
    return fields


def _category(kind: placement.PlacementKind, base: type[CategoryTable]) -> type[CategoryTable]:
    """Return the model of a category of one kind, with the limits of the rules that apply to it."""
    rules = (rule for rule in REGISTRY.values() if kind in rule.placements)
    return create_model(
        f"{kind.title()}Category",
        __base__=base,
        __doc__=f"A placement for the kind {kind!r}.",
        **_limit_fields(rules),
    )


CATEGORIES: Mapping[placement.PlacementKind, type[CategoryTable]] = {
    "video": _category("video", VideoTable),
    "animation": _category("animation", AnimationTable),
    "image": _category("image", ImageTable),
    "subtitle": _category("subtitle", SubtitleTable),
}
POST_RULES: tuple[Rule, ...] = tuple(rule for rule in REGISTRY.values() if not rule.kinds)
PostRules: type[RulesTable] = create_model(
    "PostRules",
    __base__=RulesTable,
    __doc__="The limits of one post.",
    **_limit_fields(POST_RULES),
)
