"""The options that several commands share, and how those of a repair become ``Wishes``. Each is parsed once, here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

import typer

from mediaprep import units
from mediaprep.errors import UsageProblem

if TYPE_CHECKING:
    from mediaprep.cli._face import Face
    from mediaprep.profile import Profile
    from mediaprep.wishes import Wishes

T = TypeVar("T")
LevelWord = Literal["must", "observed", "should"]


def _profile_names(incomplete: str) -> list[str]:
    from mediaprep.profile import bundled, own

    return [name for name in (*bundled(), *own()) if name.startswith(incomplete)]


Inputs = Annotated[list[str] | None, typer.Argument(metavar="INPUT...", help="Files; - reads stdin.", show_default=False)]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "-p",
        "--profile",
        metavar="PROFILE",
        help="Profile (twitter), placement (twitter/dm_video) or path of a profile.",
        autocompletion=_profile_names,
    ),
]
Category = Annotated[
    str | None, typer.Option("--category", metavar="NAME", help="Media category, such as dm_video; else it is inferred from the content.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
FilesFrom = Annotated[
    str | None, typer.Option("--files-from", metavar="FILE", help="Read names from a file, one a line or NUL-separated; - is stdin.")
]
Timeout = Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Stop after so many seconds.")]
Post = Annotated[bool, typer.Option("--post", help="Judge all inputs as the attachments of one post, too.")]
Captions = Annotated[
    str | None, typer.Option("--captions", metavar="FILE", help="Captions (SRT, WebVTT, ASS) that go with the one video named.")
]

Trim = Annotated[
    str | None, typer.Option("--trim", metavar="first|START-END", help="Keep what fits from the start, or a span such as 0:10-1:20.")
]
Split = Annotated[bool, typer.Option("--split", help="Cut what is too long into the fewest parts that fit.")]
Snap = Annotated[
    str | None, typer.Option("--snap", metavar="SECONDS", help="Let a trim move so far to a keyframe, so that nothing is re-encoded.")
]
Fit = Annotated[
    Literal["pad", "crop", "scale"] | None,
    typer.Option("--fit", help="How a picture of forbidden shape is made to fit.", show_default="pad"),
]
Rung = Annotated[str | None, typer.Option("--rung", metavar="WxH", help="Row of the profile's table to aim at, such as 640x360.")]
To = Annotated[Literal["auto", "video", "gif", "image"], typer.Option("--to", help="Kind to make.")]
Quality = Annotated[
    Literal["fast", "default", "best", "hq"] | None, typer.Option("--quality", help="Encoding effort.", show_default="the profile's")
]
Rate = Annotated[
    Literal["quality", "table"] | None,
    typer.Option("--rate", help="Capped quality, or exactly the table's bit rate in two passes.", show_default="quality"),
]
MaxSize = Annotated[str | None, typer.Option("--max-size", metavar="SIZE", help="Stay at or under a size, such as 15MB (10^6 bytes each).")]
Loudness = Annotated[str | None, typer.Option("--loudness", metavar="LUFS", help="Bring the sound to this loudness, such as -14.")]
KeepMetadata = Annotated[
    bool | None, typer.Option("--keep-metadata/--no-keep-metadata", help="Leave location, device and owner in.", show_default="removed")
]
SquarePixels = Annotated[bool, typer.Option("--square-pixels", help="Take a stated pixel aspect ratio for wrong: pixels are square.")]
FrameRate = Annotated[str | None, typer.Option("--frame-rate", metavar="N", help="Frame rate of a stream that carries no timing.")]
Encoder = Annotated[str | None, typer.Option("--encoder", metavar="NAME", help="Video encoder, or auto.", show_default="libx264")]
Measure = Annotated[bool, typer.Option("--measure", help="Measure the output's quality (VMAF) against the source.")]
MinVmaf = Annotated[
    float | None, typer.Option("--min-vmaf", metavar="N", min=0, max=100, help="Try to reach this quality within the limits.")
]
Mend = Annotated[LevelWord | None, typer.Option("--mend", help="Mend findings down to this level, too.", show_default="must")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What ``plan`` and ``fix`` are asked: the inputs, the placement as asked for and what it stands for, the wishes, captions that go with
    the one input, seconds for all of it, and whether the answer is JSON."""

    names: tuple[str, ...]
    placement: str
    profile: Profile
    category: str | None
    wishes: Wishes
    captions: str | None
    timeout: float | None
    as_json: bool


def request(face: Face, given: Mapping[str, Any]) -> Request:
    """The options of a repair by their parameters' names, checked. Raises: UsageProblem, ProfileError."""
    from mediaprep.cli._inputs import captions_for, collect
    from mediaprep.cli._placement import placement

    asked = wishes(face, given)
    names = collect(given["inputs"] or (), given["files_from"])
    name, profile, category = placement(face, given["profile"], given["category"])
    return Request(
        names=names,
        placement=name,
        profile=profile,
        category=category,
        wishes=asked,
        captions=captions_for(names, given["captions"]),
        timeout=given["timeout"],
        as_json=given["as_json"],
    )


def wishes(face: Face, given: Mapping[str, Any]) -> Wishes:
    """What the options of a repair ask for, the settings where an option is not given. Raises: UsageProblem, naming the option."""
    from mediaprep.wishes import Wishes

    if given["split"] and given["trim"] == "first":
        raise UsageProblem("--trim first and --split: keep the first part, or all parts; give one of them")
    if given["snap"] is not None and given["trim"] is None:
        raise UsageProblem("--snap moves a trim; give --trim, too")
    said = face.settings
    return Wishes(
        trim=_parsed("--trim", given["trim"], trim_of),
        split=given["split"],
        snap=_parsed("--snap", given["snap"], units.parse_duration),
        fit=cast("Any", given["fit"] or said.text("fit")),
        rung=_parsed("--rung", given["rung"], rung_of),
        to=given["to"],
        quality=cast("Any", given["quality"] or said.text("quality")),
        rate=cast("Any", given["rate"] or said.text("rate")),
        max_size=_parsed("--max-size", given["max_size"], size_of),
        loudness=_parsed("--loudness", given["loudness"], loudness_of),
        keep_metadata=said.flag("keep-metadata") if given["keep_metadata"] is None else given["keep_metadata"],
        square_pixels=given["square_pixels"],
        frame_rate=_parsed("--frame-rate", given["frame_rate"], rate_of),
        encoder=_parsed("--encoder", given["encoder"] or said.text("encoder"), encoder_of) or "libx264",
        measure=given["measure"] or given["min_vmaf"] is not None,
        min_vmaf=given["min_vmaf"],
        mend=cast("Any", given["mend"] or said.text("mend")),
    )


def trim_of(text: str) -> Literal["first"] | tuple[Fraction, Fraction]:
    """``first``, or ``0:10-1:20`` as seconds. Raises: ValueError."""
    if text == "first":
        return "first"
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r}: want first, or START-END such as 0:10-1:20")
    span = units.parse_duration(start), units.parse_duration(end)
    if span[0] >= span[1]:
        raise ValueError(f"{text!r}: the end has to come after the start")
    return span


def size_of(text: str) -> int:
    """``15MB`` -> 15 000 000 bytes. Raises: ValueError."""
    size = units.bytes_written(*units.parse_bytes(text))
    if size <= 0:
        raise ValueError(f"{text!r}: want more than 0 bytes")
    return size


def rung_of(text: str) -> tuple[int, int]:
    """``640x360`` -> (640, 360). Raises: ValueError for a side of 0, too."""
    size = units.parse_size(text)
    if min(size) == 0:
        raise ValueError(f"{text!r}: want sides of more than 0 pixels")
    return size


def rate_of(text: str) -> Fraction:
    """``29.97`` -> 30000/1001 frames a second. Raises: ValueError outside 1 to 1000."""
    rate = units.parse_rate(text)
    if not 1 <= rate <= 1000:
        raise ValueError(f"{text!r}: want 1 to 1000 frames a second")
    return rate


def encoder_of(text: str) -> str:
    """A known encoder's name, or auto. Raises: ValueError."""
    from mediaprep.transcode.choice import KNOWN

    if text not in KNOWN:
        raise ValueError(f"{text!r}: want one of {', '.join(KNOWN)}")
    return text


def loudness_of(text: str) -> Fraction:
    """``-14`` -> -14 LUFS. Raises: ValueError outside ffmpeg's loudnorm range, -70 to -5."""
    try:
        value = Fraction(text.removesuffix("LUFS").strip())
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r}: want LUFS, such as -14") from None
    if not -70 <= value <= -5:
        raise ValueError(f"{text!r}: want -70 to -5 LUFS")
    return value


def _parsed(option: str, text: str | None, parse: Callable[[str], T]) -> T | None:
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as problem:
        raise UsageProblem(f"{option}: {problem}") from problem
