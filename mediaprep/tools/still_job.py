"""How to convert a still: what the parent process tells its converting child."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StillJob:
    """How to convert a still.

    source_format  name of the source's format
    orientation    EXIF orientation still to be applied
    targets        formats to write, the preferred first; PNG is used if it is within the limit,
                   the format after it otherwise
    limit          bytes; None = no limit
    quality        of JPEG and WebP, the highest to use
    min_quality    the lowest to use; below it the picture is halved instead
    background     #rrggbb behind transparent parts if the target has no alpha
    space          name of the colour space, if the container states it without a profile
    tag            write an sRGB profile
    max_pixels     larger pictures are not decoded
    keep_metadata  copy EXIF (without its orientation) and XMP
    """

    source_format: str
    orientation: int = 1
    targets: tuple[str, ...]
    limit: int | None = None
    quality: int = 95
    min_quality: int = 70
    background: str = "#ffffff"
    space: str | None = None
    tag: bool = False
    max_pixels: int
    keep_metadata: bool = False
