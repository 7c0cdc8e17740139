"""What to make of a picture: the words between the parent and the child that converts it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureJob:
    """What to make of a picture.

    form          the source's format by our names; orientation: EXIF value still to be applied
    targets       formats to write, the preferred first: png is taken if it fits the limit, what follows it otherwise
    limit         bytes; None = none. quality, min_quality: of JPEG and WebP; below the second the picture is halved
    background    #rrggbb behind transparent parts where the target has no alpha
    space         colour space by name where the container states it without a profile; tag: write an sRGB profile
    max_pixels    more are not decoded; keep_metadata: EXIF and XMP are carried over, upright
    """

    form: str
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
