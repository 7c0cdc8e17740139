"""Limits as a profile's TOML states them: one pydantic model for each form, with the one form of limit that its rules understand.

Imported only when a profile is read (pydantic costs about 100 ms).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    WithJsonSchema,
    model_validator,
)

from mediaprep.model import limits as constraint
from mediaprep.model import units
from mediaprep.model.media import EditList, GopStructure, Scan
from mediaprep.model.placement import Requirement
from mediaprep.model.report import Level

_REQUIRED_TEXTS = {
    "file-kind": "content that the category takes",
    "file-complete": "a whole file",
    "file-private-metadata": "no location, device or owner metadata",
    "video-idr": "IDR at every random access point",
    "video-start": "an IDR picture at time 0",
    "subtitle-cue-time": "cues that start before they end, none before 0",
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
        raise ValueError(
            'write it as text, such as "29.97"' if isinstance(value, float) else "should be text"
        )

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
    return WithJsonSchema(
        {"type": ["string", "integer"], "description": what, "examples": list(examples)}
    )


Rate = Annotated[
    InstanceOf[Fraction],
    _exact(units.parse_rate),
    _text_schema("frames a second", "60", "29.97", "30000/1001"),
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
    WithJsonSchema({"type": "integer", "minimum": 0}),
]
Bits = Annotated[
    int, _exact(units.parse_bit_rate), _text_schema("bits a second (k = 1000)", "2048k", "5 Mbit/s")
]
BitRate = Annotated[
    InstanceOf[Fraction],
    _exact(lambda text: Fraction(units.parse_bit_rate(text))),
    _text_schema("bits a second (k = 1000)", "5000k"),
]
Size = Annotated[
    tuple[int, int],
    _exact(units.parse_size),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\s*[xX×]\s*\d+$"}),
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
    """Any table of the file: no other keys, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitTable(ProfileTable):
    """One limit: its level, the section of the source that states it, the day it was read (the profile's where not given), its gate."""

    level: Level
    source: Words
    date: Day | None = None
    gate: Literal["upload", "post"] | None = None

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Required(text=_REQUIRED_TEXTS[rule])

    def requirement(self, rule: str, day: str) -> Requirement:
        return Requirement(
            rule=rule,
            limit=self.limit(rule),
            level=self.level,
            source=self.source,
            date=self.date or day,
            gate=self.gate,
        )


class RequiredTable(LimitTable):
    """A property that is there or not; no number."""


class OneOfTable(LimitTable):
    """One of a few words."""

    one_of: tuple[str, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.OneOf(values=self.one_of)


class Containers(OneOfTable):
    """Containers, by content."""

    one_of: tuple[
        Literal["mp4", "mov", "3gp", "matroska", "webm", "mpegts", "mpegps", "avi", "flv", "asf"],
        ...,
    ] = Field(min_length=1)


class VideoCodecs(OneOfTable):
    """Picture codecs by ffmpeg's names."""

    one_of: tuple[
        Literal["h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "prores"], ...
    ] = Field(min_length=1)


class Profiles(OneOfTable):
    """H.264 profiles."""

    one_of: tuple[
        Literal["High", "Main", "Baseline", "Constrained Baseline", "Extended", "High 10"], ...
    ] = Field(min_length=1)


class PixelFormats(OneOfTable):
    """Pixel formats by ffmpeg's names."""

    one_of: tuple[
        Literal["yuv420p", "yuvj420p", "yuv420p10le", "yuv422p", "yuv422p10le", "yuv444p", "gray"],
        ...,
    ] = Field(min_length=1)


class Scans(OneOfTable):
    """Progressive, interlaced and their relatives."""

    one_of: tuple[Scan, ...] = Field(min_length=1)


class GopStructures(OneOfTable):
    """Structures of groups of pictures."""

    one_of: tuple[GopStructure, ...] = Field(min_length=1)


class ColourRanges(OneOfTable):
    """Colour ranges."""

    one_of: tuple[Literal["limited", "full", "unspecified"], ...] = Field(min_length=1)


class HdrFormats(OneOfTable):
    """HDR signalling; ``none`` = standard dynamic range."""

    one_of: tuple[Literal["none", "PQ", "HLG", "HDR10", "HDR10+", "Dolby Vision"], ...] = Field(
        min_length=1
    )


class EditLists(OneOfTable):
    """What an edit list may do."""

    one_of: tuple[EditList, ...] = Field(min_length=1)


class AudioCodecs(OneOfTable):
    """Sound codecs by ffmpeg's names; AAC with its profile."""

    one_of: tuple[
        Literal["aac/LC", "aac/HE-AAC", "aac/HE-AACv2", "mp3", "opus", "vorbis", "ac3", "eac3"], ...
    ] = Field(min_length=1)


class AnimationTypes(OneOfTable):
    """Formats of animations, by content."""

    one_of: tuple[Literal["gif", "apng", "webp", "avif"], ...] = Field(min_length=1)


class ImageTypes(OneOfTable):
    """Formats of stills, by content."""

    one_of: tuple[Literal["jpeg", "png", "gif", "webp", "heif", "avif", "tiff", "bmp"], ...] = (
        Field(min_length=1)
    )


class SubtitleFormats(OneOfTable):
    """Formats of captions."""

    one_of: tuple[Literal["srt", "webvtt", "ass"], ...] = Field(min_length=1)


class Encodings(OneOfTable):
    """Text encodings."""

    one_of: tuple[Literal["utf-8"], ...] = Field(min_length=1)


class RangeTable(LimitTable):
    """From ``min`` to ``max``, both allowed; at least one is given."""

    quantity: ClassVar[constraint.Quantity]
    min: InstanceOf[Fraction] | None = None
    max: InstanceOf[Fraction] | None = None

    @model_validator(mode="after")
    def _has_ends(self) -> RangeTable:
        if self.min is None and self.max is None:
            raise ValueError("needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Range(min=self.min, max=self.max, quantity=self.quantity)


class RateRange(RangeTable):
    """Frames a second, both ends allowed."""

    quantity = "rate"
    min: Rate | None = None
    max: Rate | None = None


class DurationRange(RangeTable):
    """Durations, both ends allowed."""

    quantity = "duration"
    min: Duration | None = None
    max: Duration | None = None


class RatioRange(RangeTable):
    """Width to height, both ends allowed."""

    quantity = "ratio"
    min: Ratio | None = None
    max: Ratio | None = None


class CountRange(RangeTable):
    """Whole numbers, both ends allowed."""

    quantity = "count"
    min: Count | None = None
    max: Count | None = None


class BitRateRange(RangeTable):
    """Bits a second, both ends allowed."""

    quantity = "bit_rate"
    min: BitRate | None = None
    max: BitRate | None = None


class AnyRate(LimitTable):
    """One of a few frame rates."""

    any_of: tuple[Rate, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.AnyOf(values=self.any_of, quantity="rate")


class AnyRatio(LimitTable):
    """One of a few aspect ratios."""

    any_of: tuple[Ratio, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.AnyOf(values=self.any_of, quantity="ratio")


class AnySize(LimitTable):
    """One of a few picture sizes."""

    any_of: tuple[Size, ...] = Field(min_length=1)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Sizes(values=self.any_of)


class SizeBox(LimitTable):
    """Picture sizes from ``min`` to ``max``; either way round unless ``oriented``."""

    min: Size = (1, 1)
    max: Size
    oriented: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> SizeBox:
        if not self.limit("").allows(self.min):
            raise ValueError("min is above max")
        return self

    def limit(self, rule: str) -> constraint.DimensionRange:
        """As ``constraint`` holds it."""
        return constraint.DimensionRange(min=self.min, max=self.max, oriented=self.oriented)


class MostBytes(LimitTable):
    """A file size. MB is judged as 2^20 and written as 10^6; B, KiB, MiB and GiB are exact."""

    max: Bytes

    def limit(self, rule: str) -> constraint.ByteLimit:
        """As ``constraint`` holds it."""
        number, unit = self.max
        text = f"{int(number) if number.denominator == 1 else float(number)} {unit}"
        return constraint.ByteLimit(
            judged=units.bytes_judged(number, unit),
            written=units.bytes_written(number, unit),
            text=text,
        )


class AttachmentsTable(LimitTable):
    """What one post may carry: up to so many of one kind, never a mix."""

    images: int = Field(ge=0)
    animations: int = Field(ge=0)
    videos: int = Field(ge=0)

    def limit(self, rule: str) -> constraint.Constraint:
        """As ``constraint`` holds it."""
        return constraint.Attachments(
            images=self.images, animations=self.animations, videos=self.videos
        )
