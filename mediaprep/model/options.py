"""The options of a repair, each declared once, and the parsers of their values.

A new option is one field of ``Options``. Derived from the fields: the options of plan, fix, batch
and watch, the keys of the configuration file, the tables of docs/cli.md, and the keywords of the
library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias, get_args

from mediaprep.errors import UsageProblem
from mediaprep.model import units
from mediaprep.model.level import LEVELS, Level
from mediaprep.model.option_spec import option, option_specs

DEFAULT_PROFILE = "twitter"  # if none is named

Fit: TypeAlias = Literal["pad", "crop", "scale"]
TargetKind: TypeAlias = Literal["auto", "video", "gif", "image"]
Quality: TypeAlias = Literal["fast", "default", "best", "hq"]
RateControl: TypeAlias = Literal["quality", "table"]
Encoder: TypeAlias = Literal[
    "libx264", "h264_nvenc", "h264_videotoolbox", "h264_qsv", "h264_vaapi", "auto"
]


def parse_trim(text: str) -> Literal["first"] | tuple[Fraction, Fraction]:
    """``first``, or ``0:10-1:20`` as seconds. Raises: ValueError."""
    if text == "first":
        return "first"
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"invalid span {text!r}; expected first, or START-END such as 0:10-1:20")
    span = units.parse_duration(start), units.parse_duration(end)
    if span[0] >= span[1]:
        raise ValueError(f"invalid span {text!r}; the end must be later than the start")
    return span


def parse_max_size(text: str) -> int:
    """``15MB`` -> 15 000 000 bytes. Raises: ValueError."""
    size = units.bytes_written(*units.parse_bytes(text))
    if size <= 0:
        raise ValueError(f"invalid size {text!r}; expected more than 0 bytes")
    return size


def parse_rung(text: str) -> tuple[int, int]:
    """``640x360`` -> (640, 360). Raises: ValueError."""
    size = units.parse_size(text)
    if min(size) == 0:
        raise ValueError(f"invalid picture size {text!r}; expected at least 1x1")
    return size


def parse_frame_rate(text: str) -> Fraction:
    """``29.97`` -> 30000/1001 frames a second. Raises: ValueError outside 1 to 1000."""
    rate = units.parse_rate(text)
    if not 1 <= rate <= 1000:
        raise ValueError(f"invalid frame rate {text!r}; expected 1 to 1000 frames per second")
    return rate


def parse_loudness(text: str) -> Fraction:
    """``-14`` -> -14 LUFS. Raises: ValueError outside the range of ffmpeg's loudnorm filter."""
    try:
        loudness = Fraction(text.removesuffix("LUFS").strip())
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"invalid loudness {text!r}; expected LUFS, such as -14") from None
    if not -70 <= loudness <= -5:
        raise ValueError(f"invalid loudness {text!r}; expected -70 to -5 LUFS")
    return loudness


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a repair. Times are seconds, sizes bytes, rates frames per second."""

    trim: Literal["first"] | tuple[Fraction, Fraction] | None = option(
        None,
        "Keep only the first part that fits, or a span such as 0:10-1:20.",
        metavar="first|START-END",
        parse=parse_trim,
    )
    split: bool = option(False, "Split a video that is too long into as few parts as possible.")
    snap: Fraction | None = option(
        None,
        "Let --trim move a cut to a keyframe at most this far away, to avoid re-encoding.",
        metavar="SECONDS",
        parse=units.parse_duration,
    )
    fit: Fit = option(
        "pad",
        "How to change a picture whose aspect ratio is not accepted: add bars, cut edges off, "
        "or distort it.",
        choices=get_args(Fit),
        configurable=True,
    )
    rung: tuple[int, int] | None = option(
        None,
        "Target picture size: a rung of the profile's ladder, such as 640x360. "
        "For a portrait picture the sides are swapped; a picture is never enlarged.",
        metavar="WxH",
        parse=parse_rung,
    )
    to: TargetKind = option(
        "auto",
        "Convert to this kind of media; auto keeps the kind if the platform accepts it.",
        choices=get_args(TargetKind),
    )
    quality: Quality | None = option(
        None,
        "Encoding effort; hq aims at the bit rate that the platform recommends.",
        choices=get_args(Quality),
        configurable=True,
        shown_default="the profile's",
    )
    rate: RateControl = option(
        "quality",
        "Rate control: constant quality with a bit rate cap, or two passes at exactly the bit rate "
        "of the profile's table.",
        choices=get_args(RateControl),
        configurable=True,
    )
    max_size: int | None = option(
        None,
        "Keep each output at or below this size, such as 15MB (1 MB is 10^6 bytes).",
        metavar="SIZE",
        parse=parse_max_size,
    )
    loudness: Fraction | None = option(
        None,
        "Normalize the sound to this integrated loudness, such as -14.",
        metavar="LUFS",
        parse=parse_loudness,
    )
    keep_metadata: bool = option(
        False,
        "Keep location, device and owner metadata.",
        configurable=True,
        shown_default="remove it",
    )
    square_pixels: bool = option(
        False, "Ignore the file's pixel aspect ratio; treat pixels as square."
    )
    frame_rate: Fraction | None = option(
        None,
        "Frame rate of a stream that has no timestamps, such as 29.97.",
        metavar="FPS",
        parse=parse_frame_rate,
    )
    encoder: Encoder = option(
        "libx264",
        "Video encoder; auto uses a hardware encoder if one works.",
        choices=get_args(Encoder),
        configurable=True,
    )
    measure: bool = option(
        False, "Measure the quality (VMAF) of each encoded output against the source."
    )
    min_vmaf: float | None = option(
        None,
        "Encode again with more effort, within the bit rate cap, until VMAF reaches this value.",
        metavar="N",
        type=float,
        minimum=0,
        maximum=100,
    )
    fix_level: Level = option(
        "must", "Also fix findings of this level.", choices=LEVELS, configurable=True
    )
    deep: bool = option(
        False, "Decode more frames, for a more reliable verdict.", group="inspection"
    )


def parse_options(values: Mapping[str, Any], settings: Mapping[str, Any]) -> Options:
    """Return the Options that a command line and the settings stand for.

    values     from the command line by field name, mostly text; None: omitted
    settings   by configuration key; they apply to what the command line omits

    Raises: UsageProblem, naming the option.
    """
    if values.get("split") and values.get("trim") == "first":
        raise UsageProblem("--trim first and --split exclude each other; pass one of them")
    if values.get("snap") is not None and values.get("trim") is None:
        raise UsageProblem("--snap needs --trim")
    fields = {}
    for name, spec in option_specs(Options).items():
        value = values.get(name)
        if value is None and spec.configurable:
            value = settings[spec.key]
        if value is None:
            continue
        try:
            fields[name] = spec.value(value)
        except ValueError as problem:
            raise UsageProblem(f"{spec.flag}: {problem}") from problem
    return Options(**fields)
