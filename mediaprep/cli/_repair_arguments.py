"""How the options of a repair become ``Options``. Each is parsed once, here; typer is not needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from mediaprep.errors import UsageProblem
from mediaprep.model import units

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.model.options import Options
    from mediaprep.profile import Profile

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FixArguments:
    """What ``plan`` and ``fix`` are asked: the inputs, the placement as asked for and what it stands for, the wishes, captions that go with
    the one input, seconds for all of it, and whether the answer is JSON."""

    names: tuple[str, ...]
    placement: str
    profile: Profile
    category: str | None
    options: Options
    captions: str | None
    timeout: float | None
    as_json: bool


def request(console: Console, given: Mapping[str, Any]) -> FixArguments:
    """The options of a repair by their parameters' names, checked. Raises: UsageProblem, ProfileError."""
    from mediaprep.cli._inputs import captions_for, collect
    from mediaprep.cli._placement import placement

    asked = options(console, given)
    names = collect(given["inputs"] or (), given["files_from"])
    name, profile, category = placement(console, given["profile"], given["category"])
    return FixArguments(
        names=names,
        placement=name,
        profile=profile,
        category=category,
        options=asked,
        captions=captions_for(names, given["captions"]),
        timeout=given["timeout"],
        as_json=given["as_json"],
    )


def options(console: Console, given: Mapping[str, Any]) -> Options:
    """What the options of a repair ask for, the settings where an option is not given. Raises: UsageProblem, naming the option."""
    from mediaprep.model.options import Options

    if given["split"] and given["trim"] == "first":
        raise UsageProblem(
            "--trim first and --split: keep the first part, or all parts; give one of them"
        )
    if given["snap"] is not None and given["trim"] is None:
        raise UsageProblem("--snap moves a trim; give --trim, too")
    said = console.settings
    return Options(
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
        keep_metadata=said.flag("keep-metadata")
        if given["keep_metadata"] is None
        else given["keep_metadata"],
        square_pixels=given["square_pixels"],
        frame_rate=_parsed("--frame-rate", given["frame_rate"], rate_of),
        encoder=_parsed("--encoder", given["encoder"] or said.text("encoder"), encoder_of)
        or "libx264",
        measure=given["measure"] or given["min_vmaf"] is not None,
        min_vmaf=given["min_vmaf"],
        fix_level=cast("Any", given["fix_level"] or said.text("fix-level")),
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
    from mediaprep.transcoding.video.choose_encoder import KNOWN

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
