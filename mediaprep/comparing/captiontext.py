"""Caption files by grammars of their own: cues in order, their words, and text outside any cue.

WebVTT follows the W3C's parser (WebVTT: The Web Video Text Tracks Format, 6.1 and 6.2): an empty
line ends a cue, a line of spaces does not. SRT has no standard; a cue begins at a line that is
nothing but two times and an arrow, and holds everything up to the next one. ASS: the Dialogue lines
of ``[Events]``.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u202a-\u202e\u2060-\u2069"
_BLANKS = rf"[ \t\u00a0{_INVISIBLE}]*"
_CLOCK = r"-?\d{1,4} ?: ?-?\d{1,2} ?: ?-?\d{1,2}(?: ?[,.:] ?-?\d{1,3})?"
_SHORT_CLOCK = r"-?\d{1,3} ?: ?-?\d{1,2} ?[,.] ?-?\d{1,3}"
_ARROW = r"(?:-{1,3} ?>|[\u2013\u2014\u2212]+ ?>|[\u2192\u27f6]|=+>)"
_SRT_TIMES = re.compile(
    rf"{_BLANKS}({_CLOCK}|{_SHORT_CLOCK}){_BLANKS}{_ARROW}{_BLANKS}({_CLOCK}|{_SHORT_CLOCK})(.*)",
    re.DOTALL,
)
_VTT_CLOCK = r"(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}"
_VTT_TIMES = re.compile(rf"[ \t]*({_VTT_CLOCK})[ \t]*-->[ \t]*({_VTT_CLOCK})(?:[ \t].*)?")
_SETTINGS = re.compile(r"(?:\s+[A-Za-z]\w*:\S+)*\s*")
_NUMBER = re.compile(rf"{_BLANKS}\d+{_BLANKS}")
_HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
_COMMENT = re.compile(r"(?:NOTE(?:[ \t].*)?|(?:STYLE|REGION)[ \t]*)")
_SRT_TAG = re.compile(
    r"</?(?:b|i|u|s|strike|strong|em|font)(?:[ \t][^<>]*)?/?>"
    r"|\{\\[^{}]*\}|\{/?[A-Za-z](?::[^{}]*)?\}",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)
_VTT_TAG = re.compile(r"<[^>]*(?:>|$)", re.DOTALL)
_ASS_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?=\{[^{}]*\\p0[^{}]*\}|$)", re.DOTALL)
_ASS_OVERRIDE = re.compile(r"\{[^{}]*\}")
_INVISIBLES = re.compile(rf"[{_INVISIBLE}\u00ad]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionCue:
    """A cue as its file holds it: milliseconds, and text with its markup."""

    start: int
    end: int
    text: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFile:
    """The cues of a file in its order; ``stray``: lines of text that belong to no cue."""

    form: str
    cues: tuple[CaptionCue, ...]
    stray: tuple[str, ...] = ()


def caption_format(text: str) -> str:
    """Return webvtt, ass or srt by the content of a caption file."""
    head = text.lstrip("\ufeff")
    if _HEADER.fullmatch(head.split("\n", 1)[0].rstrip("\r")):
        return "webvtt"
    if re.search(r"^\[(?:Script Info|Events|V4\+? Styles)\]", head[:65536], re.MULTILINE):
        return "ass"
    return "srt"


def parsed(text: str, form: str) -> CaptionFile:
    """Parse a caption file; ``form``: srt, webvtt or ass."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    match form:
        case "webvtt":
            return _webvtt(lines)
        case "ass":
            return CaptionFile(form=form, cues=tuple(_dialogues(lines)))
        case _:
            return _srt(lines)


def words_of(text: str, form: str) -> tuple[str, ...]:
    """Return the words of a cue's text without markup and characters that cannot be seen."""
    match form:
        case "webvtt":
            plain = html.unescape(_VTT_TAG.sub("", text))
        case "ass":
            plain = _ASS_OVERRIDE.sub("", _ASS_DRAWING.sub("", text))
            plain = re.sub(r"\\[Nn]", "\n", plain).replace("\\h", " ")
        case _:
            plain = _SRT_TAG.sub("", _BREAK.sub("\n", text))
    plain = unicodedata.normalize("NFC", _INVISIBLES.sub("", plain))
    plain = "".join(" " if unicodedata.category(char) == "Cc" else char for char in plain)
    # An arrow of a time line cannot stand in a cue's text: writers shorten it.
    return tuple(plain.replace("-->", "->").split())


def _cue(start: str, end: str, lines: Sequence[str], form: str) -> CaptionCue:
    text = "\n".join(line for line in lines if line.strip())
    return CaptionCue(
        start=_milliseconds(start), end=_milliseconds(end), text=text, words=words_of(text, form)
    )


def _milliseconds(clock: str) -> int:
    """Return a time; a minus sign anywhere makes it negative, a fraction has up to three digits."""
    fields = re.split(r"[:,.]", clock.replace(" ", "").replace("-", ""))
    fraction = "0"
    # Hours are optional where the fraction is set off by a comma or a point.
    if len(fields) == 4 or re.search(r"[,.]", clock):
        fraction = fields.pop()
    seconds = 0
    for value in fields:
        seconds = seconds * 60 + int(value)
    whole = seconds * 1000 + int(fraction.ljust(3, "0")[:3])
    return -whole if "-" in clock else whole


# -- SRT -------------------------------------------------------------------------------------------


def _srt(lines: Sequence[str]) -> CaptionFile:
    """Parse SRT: what stands between two time lines belongs to the first, but for the number of the
    second.
    """
    heads = [
        (number, found)
        for number, line in enumerate(lines)
        if (found := _SRT_TIMES.fullmatch(line)) is not None
    ]
    numbers = {at for head, _ in heads if (at := _index_line(lines, head)) is not None}
    ends = [*(number for number, _ in heads[1:]), len(lines)]
    cues = []
    for (number, times), end in zip(heads, ends, strict=False):
        body = [lines[at] for at in range(number + 1, end) if at not in numbers]
        rest = times[3]
        if not _SETTINGS.fullmatch(rest):
            body.insert(0, rest)
        cues.append(_cue(times[1], times[2], body, "srt"))
    first = heads[0][0] if heads else len(lines)
    stray = [
        line.strip() for at, line in enumerate(lines[:first]) if at not in numbers and line.strip()
    ]
    return CaptionFile(form="srt", cues=tuple(cues), stray=tuple(stray))


def _index_line(lines: Sequence[str], head: int) -> int | None:
    """Return the line that numbers the cue whose time line is ``head``."""
    at = head - 1
    if at >= 0 and _NUMBER.fullmatch(lines[at]):
        # Directly before the times: the number, unless it is all that the cue before has to show.
        alone = at > 0 and _SRT_TIMES.fullmatch(lines[at - 1]) is not None
        return None if alone else at
    while at >= 0 and not lines[at].strip():
        at -= 1
    if at < 0 or not _NUMBER.fullmatch(lines[at]) or at == head - 1:
        return None
    return at if at == 0 or not lines[at - 1].strip() else None


# -- WebVTT ----------------------------------------------------------------------------------------


def _webvtt(lines: Sequence[str]) -> CaptionFile:
    """Parse WebVTT by blocks, which only empty lines separate."""
    cues: list[CaptionCue] = []
    stray: list[str] = []
    for number, block in enumerate(_blocks(lines)):
        at = next((at for at, line in enumerate(block[:2]) if "-->" in line), None)
        times = _VTT_TIMES.fullmatch(block[at]) if at is not None else None
        if at is not None and times is not None and not (number == 0 and at == 0):
            body = block[at + 1 :]
            # A line with an arrow ends the cue's text (6.1, "collect a WebVTT block").
            stop = next((n for n, line in enumerate(body) if "-->" in line), len(body))
            cues.append(_cue(times[1], times[2], body[:stop], "webvtt"))
            stray += _inner_cues(body[stop:], cues)
        elif number > 0 and not _COMMENT.fullmatch(block[0]):
            stray += [line.strip() for line in block if line.strip()]
    return CaptionFile(form="webvtt", cues=tuple(cues), stray=tuple(stray))


def _inner_cues(lines: Sequence[str], cues: list[CaptionCue]) -> list[str]:
    """Add the cues that follow one another without an empty line.

    Return lines that belong to none.
    """
    stray = []
    at = 0
    while at < len(lines):
        times = _VTT_TIMES.fullmatch(lines[at])
        stop = next((n for n in range(at + 1, len(lines)) if "-->" in lines[n]), len(lines))
        if times is None:
            stray += [line.strip() for line in lines[at:stop] if line.strip()]
        else:
            cues.append(_cue(times[1], times[2], lines[at + 1 : stop], "webvtt"))
        at = stop
    return stray


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


# -- ASS -------------------------------------------------------------------------------------------


def _dialogues(lines: Sequence[str]) -> Iterator[CaptionCue]:
    inside = False
    fields = [
        "layer",
        "start",
        "end",
        "style",
        "name",
        "marginl",
        "marginr",
        "marginv",
        "effect",
        "text",
    ]
    for line in lines:
        name, _, rest = line.partition(":")
        if line.startswith("["):
            inside = line.strip().lower() == "[events]"
        elif inside and name.strip().lower() == "format":
            fields = [field.strip().lower() for field in rest.split(",")]
        elif inside and name.strip().lower() == "dialogue":
            values = dict(zip(fields, rest.split(",", len(fields) - 1), strict=False))
            start, end = values.get("start", "").strip(), values.get("end", "").strip()
            if re.fullmatch(r"\d+:\d+:\d+[.,]\d+", start) and re.fullmatch(
                r"\d+:\d+:\d+[.,]\d+", end
            ):
                text = values.get("text", "")
                yield CaptionCue(
                    start=_milliseconds(start),
                    end=_milliseconds(end),
                    text=text,
                    words=words_of(text, "ass"),
                )
