"""Captions: the encoding of their bytes by charset-normalizer, their cues by pysubs2. Only in confined children.

pysubs2 reads times and markup; what it does not keep apart is put in order before it sees the text: cue identifiers, WebVTT's notes and
style blocks, a number that ends a cue's text, a minus sign.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pysubs2 import SSAFile

MAX_CUES = 50_000
DAMAGED_UTF8 = "damaged utf-8"
# Candidates in order of preference where the evidence is equal; names as browsers spell them (Encoding Standard)
_CANDIDATES = {
    "cp1252": "windows-1252", "cp1251": "windows-1251", "shift_jis": "shift_jis", "euc_jp": "euc-jp", "gb18030": "gb18030", "big5": "big5",
    "euc_kr": "euc-kr", "cp1250": "windows-1250", "cp1254": "windows-1254", "cp1253": "windows-1253", "cp1255": "windows-1255",
    "cp1256": "windows-1256", "koi8_r": "koi8-r", "iso8859_2": "iso-8859-2", "cp874": "windows-874",
}  # fmt: skip
_NO_WORDS = re.compile(rb"(?m)^[\d:,.\->\s]+$")
_STAMP = r"-?\d{1,4}:-?\d{1,2}:-?\d{1,2}(?:[,.:]-?\d{1,3})?"
_SHORT = r"(?:-?\d{1,4}:)?-?\d{1,2}:-?\d{1,2}[,.]-?\d{1,3}"
_TIME_LINE = {
    "srt": re.compile(rf"[ \t]*({_STAMP})[ \t]*-{{1,3}}>[ \t]*({_STAMP})(?![^ \t])"),
    "webvtt": re.compile(rf"[ \t]*({_SHORT})[ \t]*-->[ \t]*({_SHORT})(?![^ \t])"),
}
_MEANT_AS_TIME = re.compile(r"[ \t]*-?\d[^\n]*[:,][^\n]*-->")
_NOT_A_CUE = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:[ \t]|$)")
_TAG = re.compile(r"<(/?)([a-zA-Z]+)([^<>]*)>|\{\\[^{}]*\}|\{/?[A-Za-z]:[^{}]*\}")
_VTT_TIME = re.compile(r"<[\d:.]+>")
_KEPT = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "font": "font"}
_COLOUR = re.compile(r"color[ \t]*=[ \t]*[\"']?(#?\w+)", re.IGNORECASE)


class CaptionsUnreadable(Exception):
    """The captions cannot be read; one line that says why."""


@dataclass(frozen=True, slots=True)
class RawCue:
    """Times in milliseconds, negative ones included; text as plain lines with the markup that SRT has: b, i, u, font colour."""

    start: int
    end: int
    text: str


def detected(data: bytes) -> tuple[str, str]:
    """(text, name of the encoding) of bytes without a byte order mark. Raises: Unreadable where no encoding fits."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    lenient = data.decode("utf-8", "replace")
    good, bad = len(re.findall(r"[^\x00-\x7f\ufffd]", lenient)), lenient.count("\ufffd")
    if good > 9 * bad:
        return lenient, DAMAGED_UTF8
    from charset_normalizer import from_bytes

    words = _NO_WORDS.sub(b"", data)  # times tell nothing, and drown what does
    order = list(_CANDIDATES)
    matches = from_bytes(words, cp_isolation=order, enable_fallback=False)
    ranked = sorted(
        (m for m in matches if m.encoding in _CANDIDATES),
        key=lambda m: (m.chaos, -m.coherence, order.index(m.encoding)),
    )
    for match in ranked:
        try:
            return data.decode(match.encoding), _CANDIDATES[match.encoding]
        except UnicodeDecodeError:
            continue
    raise CaptionsUnreadable("its text encoding cannot be told: save it as UTF-8")


def cues(text: str, form: str) -> tuple[RawCue, ...]:
    """The cues of a text in order of the file; ``form``: srt, webvtt or ass. Raises: Unreadable."""
    import pysubs2

    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    try:
        if form == "ass":
            text, form = pysubs2.SSAFile.from_string(text).to_string("srt"), "srt"
        events = _read("\n".join(_in_order(text, form)), form)
    except (
        pysubs2.exceptions.Pysubs2Error,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as problem:
        raise CaptionsUnreadable(
            f"its cues cannot be read ({type(problem).__name__}: {problem})"[:300]
        ) from problem
    return tuple(
        RawCue(event.start, event.end, cleaned(event.text.replace("\\N", "\n"), form))
        for event in events
    )


def _read(text: str, form: str) -> SSAFile:
    """By pysubs2's SubRip reader, taught to see a minus sign and a time without hours."""
    import io

    from pysubs2 import SSAFile
    from pysubs2.formats.subrip import SubripFormat

    class Signed(SubripFormat):
        TIMESTAMP = re.compile(
            r"(?<![\d:,.-])((?:-?\d{1,4}:)?)(-?\d{1,2}):(-?\d{1,2})((?:[,.:]-?\d{1,3})?)(?![\d:])"
        )

        @staticmethod
        def timestamp_to_ms(groups: Sequence[str]) -> int:
            hours, minutes, seconds, fraction = (
                group.strip(":,.").replace("-", "") for group in groups
            )
            size = (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(
                fraction.ljust(3, "0") or 0
            )
            return -size if any("-" in group for group in groups) else size

    subs = SSAFile()
    Signed.from_file(subs, io.StringIO(text), "srt", keep_html_tags=True)
    return subs


def _in_order(text: str, form: str) -> Iterator[str]:
    """Time line, text, and a number behind each cue, which pysubs2 takes for the next one's; nothing else.

    Raises: Unreadable for a line that is meant as a time line and is none, and for more cues than are read.
    """
    found: list[tuple[str, list[str]]] = []
    for number, line, inside in _lines(text, form):
        times = _TIME_LINE[form].match(line)
        if times:
            found.append((f"{times[1]} --> {times[2]}", []))
            if len(found) > MAX_CUES:
                raise CaptionsUnreadable(f"more than {MAX_CUES} cues")
        elif _MEANT_AS_TIME.match(line):
            raise CaptionsUnreadable(
                f"line {number} is no time line: {line.strip()[:60]!r}; mend it by hand"
            )
        elif found and inside:
            found[-1][1].append(line)
    for at, (times_line, lines) in enumerate(found):
        if (
            form == "srt"
            and at + 1 < len(found)
            and lines
            and re.fullmatch(r"[ \t]*\d+[ \t]*", lines[-1])
        ):
            lines.pop()
        yield times_line
        yield from (line for line in lines if line.strip())
        yield from ("", "0")


def _lines(text: str, form: str) -> Iterator[tuple[int, str, bool]]:
    """(number, line, whether it may be a cue's text). WebVTT is read by blocks (W3C WebVTT 1, section 4.1): an empty line ends a
    cue, so that identifiers, notes and styles are none's text."""
    inside, skipping, at_start = form == "srt", False, True
    for number, line in enumerate(text.split("\n"), 1):
        if form == "webvtt":
            if not line.strip():
                inside, skipping, at_start = False, False, True
            elif at_start and _NOT_A_CUE.match(line):
                skipping = True
            elif _TIME_LINE[form].match(line):
                inside = not skipping
            at_start = at_start and not line.strip()
        if not skipping:
            yield number, line, inside


def cleaned(text: str, form: str) -> str:
    """The text with the markup that SRT has, balanced, and nothing that would end its cue."""
    open_tags: list[str] = []
    count: Counter[str] = (
        Counter()
    )  # of the open ones by name: closing tags that open nothing may be many

    def kept(found: re.Match[str]) -> str:
        closing, name, rest = found[1], _KEPT.get((found[2] or "").lower()), found[3] or ""
        if name is None:
            return ""
        if closing:
            if not count[name]:
                return ""
            shut = ""
            while open_tags:
                inner = open_tags.pop()
                count[inner] -= 1
                shut += f"</{inner}>"
                if inner == name:
                    break
            return shut
        colour = _COLOUR.search(rest)
        if name == "font" and (not colour or form == "webvtt"):
            return ""
        open_tags.append(name)
        count[name] += 1
        return f'<font color="{colour[1]}">' if name == "font" and colour else f"<{name}>"

    text = _VTT_TIME.sub("", text) if form == "webvtt" else text
    text = _TAG.sub(kept, text) + "".join(f"</{name}>" for name in reversed(open_tags))
    if form == "webvtt":
        text = html.unescape(text)
    text = "".join(char for char in text if char >= " " or char in "\n\t").replace("-->", "->")
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())
