"""The shape of a profile's TOML as pydantic models: one field a rule, each with the one form of limit that its rule understands.

Imported only when a profile is read (pydantic costs about 100 ms). What leaves this module are frozen dataclasses of ``spec`` and
``constraint``: ``limit`` and ``requirement`` of a limit, ``requirements`` and ``target`` of a category. The order of a category's fields
is the order of its requirements.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, WithJsonSchema, model_validator

from mediaprep import constraint, spec, units
from mediaprep.finding import Level
from mediaprep.media import EditList, GopStructure, Scan

CATEGORY_NAME = r"^[a-z][a-z0-9_]*$"

_REQUIRED_TEXTS = {
    "file-kind": "content that the category takes",
    "file-complete": "a whole file",
    "file-private-metadata": "no location, device or owner metadata",
    "video-idr": "every random access point is IDR",
    "video-start": "begins with an IDR picture at time 0",
    "subtitle-cue-time": "each cue starts before it ends, none before 0",
    "subtitle-cue-order": "cues in order of time",
    "subtitle-cue-empty": "no empty cue",
    "subtitle-cue-overlap": "no cues that overlap",
    "subtitle-duration": "cues within the video's length",
}


def _exact(parse: Callable[[str], Any]) -> BeforeValidator:
    """Text or a whole number through a parser of ``units``; never a float, which is not exact."""

    def read(value: object) -> Any:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return parse(str(value))
        raise ValueError('write it as text, such as "29.97"' if isinstance(value, float) else "should be text")

    return BeforeValidator(read)


def _share(text: str) -> Fraction:
    found = re.fullmatch(r"(\d{1,3})\s*%", text.strip())
    if not found or not 0 < int(found[1]) <= 100:
        raise ValueError(f"share {text!r}: want a percentage from 1 % to 100 %, such as 95 %")
    return Fraction(int(found[1]), 100)


def _day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        datetime.date.fromisoformat(value)  # ValueError says what is wrong, such as a month 13
    return value.isoformat() if isinstance(value, datetime.date) else value


def _text_schema(what: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "integer"], "description": what, "examples": list(examples)})


_Rate = Annotated[InstanceOf[Fraction], _exact(units.parse_rate), _text_schema("frames a second", "60", "29.97", "30000/1001")]
_Duration = Annotated[InstanceOf[Fraction], _exact(units.parse_duration), _text_schema("a duration", "140 s", "2:20", "20 min")]
_Ratio = Annotated[InstanceOf[Fraction], _exact(units.parse_ratio), _text_schema("width to height", "16:9")]
_Count = Annotated[InstanceOf[Fraction], _exact(lambda text: Fraction(int(text))), WithJsonSchema({"type": "integer", "minimum": 0})]
_Bits = Annotated[int, _exact(units.parse_bit_rate), _text_schema("bits a second (k = 1000)", "2048k", "5 Mbit/s")]
_BitRate = Annotated[
    InstanceOf[Fraction], _exact(lambda text: Fraction(units.parse_bit_rate(text))), _text_schema("bits a second (k = 1000)", "5000k")
]
_Size = Annotated[tuple[int, int], _exact(units.parse_size), WithJsonSchema({"type": "string", "pattern": r"^\d+\s*[xX×]\s*\d+$"})]
_Bytes = Annotated[tuple[InstanceOf[Fraction], str], _exact(units.parse_bytes), _text_schema("bytes", "512 MB", "20 MiB", "2000000 B")]
_Share = Annotated[InstanceOf[Fraction], _exact(_share), WithJsonSchema({"type": "string", "examples": ["95 %"]})]
_Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), BeforeValidator(_day)]
_Words = Annotated[str, Field(min_length=1)]
_CategoryName = Annotated[str, Field(pattern=CATEGORY_NAME)]


class Table(BaseModel):
    """Any table of the file: no other keys, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Limit(Table):
    """One limit: its level, the section of the source that states it, the day it was read (the profile's where not given), its gate."""

    level: Level
    source: _Words
    date: _Day | None = None
    gate: Literal["upload", "post"] | None = None

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Required(text=_REQUIRED_TEXTS[rule])

    def requirement(self, rule: str, day: str) -> spec.Requirement:
        return spec.Requirement(
            rule=rule, limit=self.limit(rule), level=self.level, source=self.source, date=self.date or day, gate=self.gate
        )


class Required(_Limit):
    """A property that is there or not; no number."""


class _OneOf(_Limit):
    one_of: tuple[str, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.OneOf(values=self.one_of)


class Containers(_OneOf):
    """Containers, by content."""

    one_of: tuple[Literal["mp4", "mov", "3gp", "matroska", "webm", "mpegts", "mpegps", "avi", "flv", "asf"], ...] = Field(min_length=1)


class VideoCodecs(_OneOf):
    """Picture codecs by ffmpeg's names."""

    one_of: tuple[Literal["h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "prores"], ...] = Field(min_length=1)


class Profiles(_OneOf):
    """H.264 profiles."""

    one_of: tuple[Literal["High", "Main", "Baseline", "Constrained Baseline", "Extended", "High 10"], ...] = Field(min_length=1)


class PixelFormats(_OneOf):
    """Pixel formats by ffmpeg's names."""

    one_of: tuple[Literal["yuv420p", "yuvj420p", "yuv420p10le", "yuv422p", "yuv422p10le", "yuv444p", "gray"], ...] = Field(min_length=1)


class Scans(_OneOf):
    """Progressive, interlaced and their relatives."""

    one_of: tuple[Scan, ...] = Field(min_length=1)


class GopStructures(_OneOf):
    """Structures of groups of pictures."""

    one_of: tuple[GopStructure, ...] = Field(min_length=1)


class ColourRanges(_OneOf):
    """Colour ranges."""

    one_of: tuple[Literal["limited", "full", "unspecified"], ...] = Field(min_length=1)


class HdrFormats(_OneOf):
    """HDR signalling; ``none`` = standard dynamic range."""

    one_of: tuple[Literal["none", "PQ", "HLG", "HDR10", "HDR10+", "Dolby Vision"], ...] = Field(min_length=1)


class EditLists(_OneOf):
    """What an edit list may do."""

    one_of: tuple[EditList, ...] = Field(min_length=1)


class AudioCodecs(_OneOf):
    """Sound codecs by ffmpeg's names; AAC with its profile."""

    one_of: tuple[Literal["aac/LC", "aac/HE-AAC", "aac/HE-AACv2", "mp3", "opus", "vorbis", "ac3", "eac3"], ...] = Field(min_length=1)


class AnimationTypes(_OneOf):
    """Formats of animations, by content."""

    one_of: tuple[Literal["gif", "apng", "webp", "avif"], ...] = Field(min_length=1)


class ImageTypes(_OneOf):
    """Formats of stills, by content."""

    one_of: tuple[Literal["jpeg", "png", "gif", "webp", "heif", "avif", "tiff", "bmp"], ...] = Field(min_length=1)


class SubtitleFormats(_OneOf):
    """Formats of captions."""

    one_of: tuple[Literal["srt", "webvtt", "ass"], ...] = Field(min_length=1)


class Encodings(_OneOf):
    """Text encodings."""

    one_of: tuple[Literal["utf-8"], ...] = Field(min_length=1)


class _Range(_Limit):
    quantity: ClassVar[constraint.Quantity]
    min: InstanceOf[Fraction] | None = None
    max: InstanceOf[Fraction] | None = None

    @model_validator(mode="after")
    def _has_ends(self) -> _Range:
        if self.min is None and self.max is None:
            raise ValueError("needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Range(min=self.min, max=self.max, quantity=self.quantity)


class RateRange(_Range):
    """Frames a second, both ends allowed."""

    quantity = "rate"
    min: _Rate | None = None
    max: _Rate | None = None


class DurationRange(_Range):
    """Durations, both ends allowed."""

    quantity = "duration"
    min: _Duration | None = None
    max: _Duration | None = None


class RatioRange(_Range):
    """Width to height, both ends allowed."""

    quantity = "ratio"
    min: _Ratio | None = None
    max: _Ratio | None = None


class CountRange(_Range):
    """Whole numbers, both ends allowed."""

    quantity = "count"
    min: _Count | None = None
    max: _Count | None = None


class BitRateRange(_Range):
    """Bits a second, both ends allowed."""

    quantity = "bit_rate"
    min: _BitRate | None = None
    max: _BitRate | None = None


class AnyRate(_Limit):
    """One of a few frame rates."""

    any_of: tuple[_Rate, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.AnyOf(values=self.any_of, quantity="rate")


class AnyRatio(_Limit):
    """One of a few aspect ratios."""

    any_of: tuple[_Ratio, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.AnyOf(values=self.any_of, quantity="ratio")


class AnySize(_Limit):
    """One of a few picture sizes."""

    any_of: tuple[_Size, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Sizes(values=self.any_of)


class SizeBox(_Limit):
    """Picture sizes from ``min`` to ``max``; either way round unless ``oriented``."""

    min: _Size = (1, 1)
    max: _Size
    oriented: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> SizeBox:
        if not self.limit("").allows(self.min):
            raise ValueError("min is above max")
        return self

    def limit(self, rule: str) -> constraint.Box:
        """As ``constraint`` holds it."""
        return constraint.Box(min=self.min, max=self.max, oriented=self.oriented)


class MostBytes(_Limit):
    """A file size. MB is judged as 2^20 and written as 10^6; B, KiB, MiB and GiB are exact."""

    max: _Bytes

    def limit(self, rule: str) -> constraint.ByteLimit:
        """As ``constraint`` holds it."""
        number, unit = self.max
        text = f"{int(number) if number.denominator == 1 else float(number)} {unit}"
        return constraint.ByteLimit(judged=units.bytes_judged(number, unit), written=units.bytes_written(number, unit), text=text)


class Attachments(_Limit):
    """What one post may carry: up to so many of one kind, never a mix."""

    images: int = Field(ge=0)
    animations: int = Field(ge=0)
    videos: int = Field(ge=0)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Attachments(images=self.images, animations=self.animations, videos=self.videos)


class Rung(Table):
    """One row of the ladder that rewritten files aim at."""

    orientation: constraint.Orientation
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    video_bit_rate: _Bits
    audio_bit_rate: _Bits

    @model_validator(mode="after")
    def _oriented(self) -> Rung:
        if (real := constraint.orientation((self.width, self.height))) != self.orientation:
            raise ValueError(f"{self.width}x{self.height} is {real}, not {self.orientation}")
        return self


class VideoEncoding(Table):
    """How a rewritten video is encoded: names and numbers only, never a flag of a tool."""

    quality: spec.Quality
    hq_bit_rate: _Bits
    keyframe_seconds: _Duration
    trim_to: _Duration
    part_at_most: _Duration
    sample_rates: tuple[int, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> VideoEncoding:
        if self.trim_to > self.part_at_most:
            raise ValueError("trim_to is longer than part_at_most")
        return self


class AnimationEncoding(Table):
    """How a rewritten animation is encoded: the width below which a GIF becomes a video, the share of the byte limit to fill."""

    min_width: int = Field(gt=0)
    fill: _Share


class ImageEncoding(Table):
    """How a rewritten still is encoded: JPEG qualities, the colour under a flattened alpha."""

    quality: int = Field(ge=1, le=100)
    min_quality: int = Field(ge=1, le=100)
    background: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")

    @model_validator(mode="after")
    def _ordered(self) -> ImageEncoding:
        if self.min_quality > self.quality:
            raise ValueError("min_quality is above quality")
        return self


class SubtitleEncoding(Table):
    """How rewritten captions are written."""

    format: Literal["srt", "webvtt"]


class CategoryTable(Table):
    """What every category has; a field ``video_size`` is the key ``video-size``."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    like: str | None = Field(default=None, description="a category of this file, or profile/category, whose keys hold unless given here")

    def requirements(self, day: str) -> dict[str, spec.Requirement]:
        """The limits given, by rule id; ``day`` is the date of those that state none."""
        limits = {info.alias or name: getattr(self, name) for name, info in type(self).model_fields.items()}
        return {rule: limit.requirement(rule, day) for rule, limit in limits.items() if isinstance(limit, _Limit)}

    def target(self) -> spec.Encoding:
        """As ``spec`` holds it."""
        raise NotImplementedError


class _FileRules(CategoryTable):
    file_kind: Required
    file_complete: Required
    file_private_metadata: Required | None = None


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
    video_idr: Required | None = None
    video_start: Required | None = None
    video_peak_frame_rate: RateRange | None = None
    video_colour_range: ColourRanges | None = None
    video_hdr: HdrFormats | None = None
    video_edit_list: EditLists | None = None


class VideoCategory(_FileRules, _VideoRules):
    """A placement that takes videos."""

    kind: Literal["video"]
    encoding: VideoEncoding
    ladder: tuple[Rung, ...]

    @model_validator(mode="after")
    def _consistent(self) -> VideoCategory:
        missing = [name for name in get_args(constraint.Orientation) if name not in {rung.orientation for rung in self.ladder}]
        if missing:
            raise ValueError(f"ladder has no rung for {' or '.join(missing)}")
        longest = None if self.video_duration is None else self.video_duration.max
        if longest is not None and self.encoding.part_at_most > longest:
            raise ValueError("encoding.part_at_most is longer than video-duration allows")
        box = None if self.video_dimensions is None else self.video_dimensions.limit("video-dimensions")
        for rung in self.ladder:
            if box is not None and not box.allows((rung.width, rung.height)):
                raise ValueError(f"ladder: {rung.width}x{rung.height} is outside video-dimensions")
        return self

    def target(self) -> spec.VideoEncoding:
        """As ``spec`` holds it."""
        ladder = constraint.Ladder(rungs=tuple(constraint.Rung(**dict(rung)) for rung in self.ladder))
        return spec.VideoEncoding(**dict(self.encoding), ladder=ladder)


class _AnimationRules(CategoryTable):
    animation_type: AnimationTypes | None = None
    gif_dimensions: SizeBox | None = None
    gif_frames: CountRange | None = None
    gif_pixels: CountRange | None = None
    gif_size: MostBytes | None = None


class AnimationCategory(_FileRules, _AnimationRules):
    """A placement that takes animations."""

    kind: Literal["animation"]
    encoding: AnimationEncoding

    def target(self) -> spec.AnimationEncoding:
        """As ``spec`` holds it."""
        return spec.AnimationEncoding(**dict(self.encoding))


class _ImageRules(CategoryTable):
    image_type: ImageTypes | None = None
    image_size: MostBytes | None = None


class ImageCategory(_FileRules, _ImageRules):
    """A placement that takes stills."""

    kind: Literal["image"]
    encoding: ImageEncoding

    def target(self) -> spec.ImageEncoding:
        """As ``spec`` holds it."""
        return spec.ImageEncoding(**dict(self.encoding))


class _SubtitleRules(CategoryTable):
    subtitle_format: SubtitleFormats | None = None
    subtitle_encoding: Encodings | None = None
    subtitle_cue_time: Required | None = None
    subtitle_cue_order: Required | None = None
    subtitle_cue_empty: Required | None = None
    subtitle_cue_overlap: Required | None = None
    subtitle_duration: Required | None = None


class SubtitleCategory(_FileRules, _SubtitleRules):
    """A placement that takes captions."""

    kind: Literal["subtitle"]
    encoding: SubtitleEncoding

    def target(self) -> spec.SubtitleEncoding:
        """As ``spec`` holds it."""
        return spec.SubtitleEncoding(**dict(self.encoding))


Category = VideoCategory | AnimationCategory | ImageCategory | SubtitleCategory
CATEGORIES: Mapping[spec.SpecKind, type[Category]] = {
    "video": VideoCategory,
    "animation": AnimationCategory,
    "image": ImageCategory,
    "subtitle": SubtitleCategory,
}


class Defaults(Table):
    """The category meant for each kind where none is named: a post's."""

    video: _CategoryName | None = None
    animation: _CategoryName | None = None
    image: _CategoryName | None = None
    subtitle: _CategoryName | None = None


class Header(Table):
    """Which platform, where its limits are written, and the day they were read."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: _Words
    source: _Words
    date: _Day
    defaults: Defaults


class PostRules(Table):
    """What one post may carry."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    post_attachments: Attachments
