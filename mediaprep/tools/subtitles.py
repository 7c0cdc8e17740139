"""Read captions: their encoding with charset-normalizer, their cues with pysubs2.

Only in confined children. pysubs2 reads times and markup. What it does not distinguish is prepared
before it reads the text: cue identifiers, WebVTT's notes and styles, a number that ends a cue's
text, a minus sign.
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
_MOST_DAMAGE = 9  # characters beyond ASCII for each damaged one: with more damage it is not UTF-8
# Candidates in order of preference if the evidence is equal; names of the Encoding Standard.
_CANDIDATES = {
    "cp1252": "windows-1252",
    "cp1251": "windows-1251",
    "shift_jis": "shift_jis",
    "euc_jp": "euc-jp",
    "gb18030": "gb18030",
    "big5": "big5",
    "euc_kr": "euc-kr",
    "cp1250": "windows-1250",
    "cp1254": "windows-1254",
    "cp1253": "windows-1253",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
    "koi8_r": "koi8-r",
    "iso8859_2": "iso-8859-2",
    "cp874": "windows-874",
}
_WORDLESS_LINE = re.compile(rb"(?m)^[\d:,.\->\s]+$")
_TIME = r"-?\d{1,4}:-?\d{1,2}:-?\d{1,2}(?:[,.:]-?\d{1,3})?"
_WEBVTT_TIME = r"(?:-?\d{1,4}:)?-?\d{1,2}:-?\d{1,2}[,.]-?\d{1,3}"
_TIME_LINE = {
    "srt": re.compile(rf"[ \t]*({_TIME})[ \t]*-{{1,3}}>[ \t]*({_TIME})(?![^ \t])"),
    "webvtt": re.compile(rf"[ \t]*({_WEBVTT_TIME})[ \t]*-->[ \t]*({_WEBVTT_TIME})(?![^ \t])"),
}
_LIKE_A_TIME_LINE = re.compile(r"[ \t]*-?\d[^\n]*[:,][^\n]*-->")
_NOT_A_CUE = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:[ \t]|$)")
_TAG = re.compile(r"<(/?)([a-zA-Z]+)([^<>]*)>|\{\\[^{}]*\}|\{/?[A-Za-z]:[^{}]*\}")
_TIME_TAG = re.compile(r"<[\d:.]+>")
_SRT_TAGS = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "font": "font"}
_COLOUR = re.compile(r"color[ \t]*=[ \t]*[\"']?(#?\w+)", re.IGNORECASE)


class CaptionsUnreadable(Exception):
    """The captions cannot be read; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class RawCue:
    """One cue.

    start, end   milliseconds, possibly negative
    text         plain lines with the markup of SRT: b, i, u, font colour
    """

    start: int
    end: int
    text: str


def decoded(data: bytes) -> tuple[str, str]:
    """Return (text, encoding) of bytes without a byte order mark.

    Raises: CaptionsUnreadable if no encoding fits.
    """
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    lenient = data.decode("utf-8", "replace")
    good, damaged = len(re.findall(r"[^\x00-\x7f\ufffd]", lenient)), lenient.count("\ufffd")
    if good > _MOST_DAMAGE * damaged:
        return lenient, DAMAGED_UTF8
    for encoding in _likely_encodings(data):
        try:
            return data.decode(encoding), _CANDIDATES[encoding]
        except UnicodeDecodeError:
            continue
    raise CaptionsUnreadable("its text encoding is unknown: save it as UTF-8")


def _likely_encodings(data: bytes) -> list[str]:
    """Return the candidates that fit, the likeliest first; only lines with words are evidence."""
    from charset_normalizer import from_bytes

    order = list(_CANDIDATES)
    words = _WORDLESS_LINE.sub(b"", data)
    matches = from_bytes(words, cp_isolation=order, enable_fallback=False)
    ranked = sorted(
        (match for match in matches if match.encoding in _CANDIDATES),
        key=lambda match: (match.chaos, -match.coherence, order.index(match.encoding)),
    )
    return [match.encoding for match in ranked]


def cues(text: str, name: str) -> tuple[RawCue, ...]:
    """Return the cues of a text in the format srt, webvtt or ass, in order of the file.

    Raises: CaptionsUnreadable.
    """
    import pysubs2

    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    try:
        if name == "ass":
            text, name = pysubs2.SSAFile.from_string(text).to_string("srt"), "srt"
        events = _read("\n".join(_simplified(text, name)))
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
        RawCue(event.start, event.end, cleaned(event.text.replace("\\N", "\n"), name))
        for event in events
    )


def _read(text: str) -> SSAFile:
    """Read SRT with pysubs2, extended by minus signs and times without hours."""
    import io

    from pysubs2 import SSAFile
    from pysubs2.formats.subrip import SubripFormat

    class SignedSubripFormat(SubripFormat):
        TIMESTAMP = re.compile(
            r"(?<![\d:,.-])((?:-?\d{1,4}:)?)(-?\d{1,2}):(-?\d{1,2})((?:[,.:]-?\d{1,3})?)(?![\d:])"
        )

        @staticmethod
        def timestamp_to_ms(groups: Sequence[str]) -> int:
            plain = (group.strip(":,.").replace("-", "") for group in groups)
            hours, minutes, seconds, fraction = plain
            whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
            total = whole * 1000 + int(fraction.ljust(3, "0") or 0)
            return -total if any("-" in group for group in groups) else total

    subs = SSAFile()
    SignedSubripFormat.from_file(subs, io.StringIO(text), "srt", keep_html_tags=True)
    return subs


def _simplified(text: str, name: str) -> Iterator[str]:
    """Yield time lines and texts alone, each followed by a number.

    pysubs2 takes that number for the next cue's. Raises: CaptionsUnreadable for a malformed time
    line, and for more than ``MAX_CUES``.
    """
    found: list[tuple[str, list[str]]] = []
    for number, line, may_be_text in _lines(text, name):
        times = _TIME_LINE[name].match(line)
        if times:
            found.append((f"{times[1]} --> {times[2]}", []))
            if len(found) > MAX_CUES:
                raise CaptionsUnreadable(f"more than {MAX_CUES} cues")
        elif _LIKE_A_TIME_LINE.match(line):
            raise CaptionsUnreadable(
                f"line {number} is not a valid time line: {line.strip()[:60]!r}; correct it by hand"
            )
        elif found and may_be_text:
            found[-1][1].append(line)
    for at, (time_line, lines) in enumerate(found):
        is_last = at + 1 == len(found)
        if name == "srt" and lines and not is_last and re.fullmatch(r"[ \t]*\d+[ \t]*", lines[-1]):
            lines.pop()  # the next cue's number
        yield time_line
        yield from (line for line in lines if line.strip())
        yield from ("", "0")


def _lines(text: str, name: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (number, line, whether it may belong to a cue's text).

    WebVTT is read by blocks (W3C WebVTT 1, section 4.1): an empty line ends a cue, so identifiers,
    notes and styles belong to none.
    """
    if name != "webvtt":
        yield from ((number, line, True) for number, line in enumerate(text.split("\n"), 1))
        return
    in_cue, in_note, at_start = False, False, True
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            in_cue, in_note, at_start = False, False, True
        elif at_start and _NOT_A_CUE.match(line):
            in_note = True
        elif _TIME_LINE[name].match(line):
            in_cue = not in_note
        at_start = at_start and not line.strip()
        if not in_note:
            yield number, line, in_cue


def cleaned(text: str, name: str) -> str:
    """Return the text with balanced markup of SRT, and without lines that would end its cue."""
    if name == "webvtt":
        text = _TIME_TAG.sub("", text)
    markup = _Markup(colours=name != "webvtt")
    text = _TAG.sub(markup.replacement, text) + markup.close_all()
    if name == "webvtt":
        text = html.unescape(text)
    text = "".join(char for char in text if char >= " " or char in "\n\t").replace("-->", "->")
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


class _Markup:
    """Translates the tags of a text to those of SRT, and balances them."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours
        self._open: list[str] = []
        self._count: Counter[str] = Counter()  # of open tags, since a text may close many unopened

    def replacement(self, found: re.Match[str]) -> str:
        """Return the SRT markup for one tag; "" if SRT has none."""
        closing, rest = found[1], found[3] or ""
        name = _SRT_TAGS.get((found[2] or "").lower())
        if name is None:
            return ""
        if closing:
            return self._close(name)
        colour = _COLOUR.search(rest)
        if name == "font" and not (colour and self._colours):
            return ""
        self._open.append(name)
        self._count[name] += 1
        return f'<font color="{colour[1]}">' if name == "font" and colour else f"<{name}>"

    def close_all(self) -> str:
        """Return the tags that close what is still open."""
        return "".join(f"</{name}>" for name in reversed(self._open))

    def _close(self, name: str) -> str:
        """Close a tag and those opened inside it; "" if it is not open."""
        if not self._count[name]:
            return ""
        closed = ""
        while self._open:
            inner = self._open.pop()
            self._count[inner] -= 1
            closed += f"</{inner}>"
            if inner == name:
                break
        return closed
