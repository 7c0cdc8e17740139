"""What a user asks for beyond the profile, as one frozen value: the command's options and the library's keywords both become this."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mediaprep.model.placement import Quality
from mediaprep.model.report import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    trim             "first" (as much as fits), or (start, end) in seconds
    split            into the fewest parts within the limit
    snap             a trim may move to an IDR at most this many seconds away, and then copies
    fit              how a picture of forbidden shape is made to fit: pad, crop or scale
    rung             WIDTHxHEIGHT of the ladder to aim at instead of the own choice
    to               the kind wanted: auto, video, gif, image
    quality          None: the profile's default
    rate             "quality" (capped CRF) or "table" (two passes at the rung's bit rate)
    max_size         bytes, never exceeded
    loudness         LUFS target; None: untouched
    keep_metadata    leave private metadata in
    square_pixels    take a stated SAR for wrong: pixels are square
    frame_rate       frames a second for a stream that has no timing
    encoder          libx264, a hardware encoder's name, or auto
    measure          add VMAF to the outcome; min_vmaf: retry within the cap to reach it
    mend             mend findings at this level too: must alone, or observed or should as well
    deep             decode as much as a sure verdict takes
    """

    trim: Literal["first"] | tuple[Fraction, Fraction] | None = None
    split: bool = False
    snap: Fraction | None = None
    fit: Literal["pad", "crop", "scale"] = "pad"
    rung: tuple[int, int] | None = None
    to: Literal["auto", "video", "gif", "image"] = "auto"
    quality: Quality | None = None
    rate: Literal["quality", "table"] = "quality"
    max_size: int | None = None
    loudness: Fraction | None = None
    keep_metadata: bool = False
    square_pixels: bool = False
    frame_rate: Fraction | None = None
    encoder: str = "libx264"
    measure: bool = False
    min_vmaf: float | None = None
    fix_level: Level = "must"
    deep: bool = False
