"""The shape of a profile's TOML as pydantic models: one field a rule, each with the one form of limit that its rule understands.

Imported only when a profile is read (pydantic costs about 100 ms). What leaves this module are frozen dataclasses of ``placement`` and
``constraint``: ``limit`` and ``requirement`` of a limit, ``requirements`` and ``target`` of a category. The order of a category's fields
is the order of its requirements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, model_validator

from mediaprep.model import limits as constraint
from mediaprep.model import placement as placement
from mediaprep.profile.limits import (
    AnimationTypes,
    AnyRate,
    AnyRatio,
    AnySize,
    AttachmentsTable,
    AudioCodecs,
    BitRateRange,
    Bits,
    ColourRanges,
    Containers,
    CountRange,
    Day,
    Duration,
    DurationRange,
    EditLists,
    Encodings,
    GopStructures,
    HdrFormats,
    ImageTypes,
    LimitTable,
    MostBytes,
    PixelFormats,
    Profiles,
    ProfileTable,
    RateRange,
    RatioRange,
    RequiredTable,
    Scans,
    Share,
    SizeBox,
    SubtitleFormats,
    VideoCodecs,
    Words,
)

CATEGORY_NAME = r"^[a-z][a-z0-9_]*$"
CategoryName = Annotated[str, Field(pattern=CATEGORY_NAME)]


class RungTable(ProfileTable):
    """One row of the ladder that rewritten files aim at."""

    orientation: constraint.Orientation
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    video_bit_rate: Bits
    audio_bit_rate: Bits

    @model_validator(mode="after")
    def _oriented(self) -> RungTable:
        if (real := constraint.orientation((self.width, self.height))) != self.orientation:
            raise ValueError(f"{self.width}x{self.height} is {real}, not {self.orientation}")
        return self


class VideoEncodingTable(ProfileTable):
    """How a rewritten video is encoded: names and numbers only, never a flag of a tool."""

    quality: placement.Quality
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
    """How a rewritten animation is encoded: the width below which a GIF becomes a video, the share of the byte limit to fill."""

    min_width: int = Field(gt=0)
    fill: Share


class ImageEncodingTable(ProfileTable):
    """How a rewritten still is encoded: JPEG qualities, the colour under a flattened alpha."""

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


class CategoryTable(ProfileTable):
    """What every category has; a field ``video_size`` is the key ``video-size``."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    like: str | None = Field(
        default=None,
        description="a category of this file, or profile/category, whose keys hold unless given here",
    )

    def requirements(self, day: str) -> dict[str, placement.Requirement]:
        """The limits given, by rule id; ``day`` is the date of those that state none."""
        limits = {
            info.alias or name: getattr(self, name)
            for name, info in type(self).model_fields.items()
        }
        return {
            rule: limit.requirement(rule, day)
            for rule, limit in limits.items()
            if isinstance(limit, LimitTable)
        }

    def target(self) -> placement.Encoding:
        """As ``placement`` holds it."""
        raise NotImplementedError


class _FileRules(CategoryTable):
    file_kind: RequiredTable
    file_complete: RequiredTable
    file_private_metadata: RequiredTable | None = None


class _VideoRules(CategoryTable):
    video_frame_rate: RateRange | None = None
    video_dimensions: SizeBox | None = None
    video_size: MostBytes | None = None
    video_duration: DurationRange | None = None
    video_aspect_ratio: RatioRange | None = None
    video_pixel_aspect_ratio: RatioRange | None = None
    video_pixel_format: PixelFormats | None = None
    video_open_gop: GopStructures | None = None
    video_scan: Scans | None = None
    audio_codec: AudioCodecs | None = None
    audio_channels: CountRange | None = None
    video_codec: VideoCodecs | None = None
    video_container: Containers | None = None
    video_profile: Profiles | None = None
    video_recommended_frame_rate: AnyRate | None = None
    video_recommended_dimensions: AnySize | None = None
    video_recommended_aspect_ratio: AnyRatio | None = None
    video_recommended_bitrate: BitRateRange | None = None
    audio_recommended_bitrate: BitRateRange | None = None
    video_gop_length: CountRange | None = None
    video_idr: RequiredTable | None = None
    video_start: RequiredTable | None = None
    video_peak_frame_rate: RateRange | None = None
    video_colour_range: ColourRanges | None = None
    video_hdr: HdrFormats | None = None
    video_edit_list: EditLists | None = None


class VideoCategory(_FileRules, _VideoRules):
    """A placement that takes videos."""

    kind: Literal["video"]
    encoding: VideoEncodingTable
    ladder: tuple[RungTable, ...]

    @model_validator(mode="after")
    def _consistent(self) -> VideoCategory:
        missing = [
            name
            for name in get_args(constraint.Orientation)
            if name not in {rung.orientation for rung in self.ladder}
        ]
        if missing:
            raise ValueError(f"ladder has no rung for {' or '.join(missing)}")
        longest = None if self.video_duration is None else self.video_duration.max
        if longest is not None and self.encoding.part_at_most > longest:
            raise ValueError("encoding.part_at_most is longer than video-duration allows")
        box = (
            None
            if self.video_dimensions is None
            else self.video_dimensions.limit("video-dimensions")
        )
        for rung in self.ladder:
            if box is not None and not box.allows((rung.width, rung.height)):
                raise ValueError(f"ladder: {rung.width}x{rung.height} is outside video-dimensions")
        return self

    def target(self) -> placement.VideoEncoding:
        """As ``placement`` holds it."""
        ladder = constraint.Ladder(
            rungs=tuple(constraint.Rung(**dict(rung)) for rung in self.ladder)
        )
        return placement.VideoEncoding(**dict(self.encoding), ladder=ladder)


class _AnimationRules(CategoryTable):
    animation_type: AnimationTypes | None = None
    gif_dimensions: SizeBox | None = None
    gif_frames: CountRange | None = None
    gif_pixels: CountRange | None = None
    gif_size: MostBytes | None = None


class AnimationCategory(_FileRules, _AnimationRules):
    """A placement that takes animations."""

    kind: Literal["animation"]
    encoding: AnimationEncodingTable

    def target(self) -> placement.AnimationEncoding:
        """As ``placement`` holds it."""
        return placement.AnimationEncoding(**dict(self.encoding))


class _ImageRules(CategoryTable):
    image_type: ImageTypes | None = None
    image_size: MostBytes | None = None


class ImageCategory(_FileRules, _ImageRules):
    """A placement that takes stills."""

    kind: Literal["image"]
    encoding: ImageEncodingTable

    def target(self) -> placement.ImageEncoding:
        """As ``placement`` holds it."""
        return placement.ImageEncoding(**dict(self.encoding))


class _SubtitleRules(CategoryTable):
    subtitle_format: SubtitleFormats | None = None
    subtitle_encoding: Encodings | None = None
    subtitle_cue_time: RequiredTable | None = None
    subtitle_cue_order: RequiredTable | None = None
    subtitle_cue_empty: RequiredTable | None = None
    subtitle_cue_overlap: RequiredTable | None = None
    subtitle_duration: RequiredTable | None = None


class SubtitleCategory(_FileRules, _SubtitleRules):
    """A placement that takes captions."""

    kind: Literal["subtitle"]
    encoding: SubtitleEncodingTable

    def target(self) -> placement.SubtitleEncoding:
        """As ``placement`` holds it."""
        return placement.SubtitleEncoding(**dict(self.encoding))


Category = VideoCategory | AnimationCategory | ImageCategory | SubtitleCategory
CATEGORIES: Mapping[placement.PlacementKind, type[Category]] = {
    "video": VideoCategory,
    "animation": AnimationCategory,
    "image": ImageCategory,
    "subtitle": SubtitleCategory,
}


class Defaults(ProfileTable):
    """The category meant for each kind where none is named: a post's."""

    video: CategoryName | None = None
    animation: CategoryName | None = None
    image: CategoryName | None = None
    subtitle: CategoryName | None = None


class ProfileHeader(ProfileTable):
    """Which platform, where its limits are written, and the day they were read."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Words
    source: Words
    date: Day
    defaults: Defaults


class PostRules(ProfileTable):
    """What one post may carry."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    post_attachments: AttachmentsTable
