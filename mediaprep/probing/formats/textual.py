"""Recognise text files: captions, and by name what else a text may be (playlists, drawings ...)."""

from __future__ import annotations

import re

from mediaprep.model.media import PrivateItem
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_TIME_LINE = re.compile(
    r"^[ \t]*-?\d{1,3}:-?\d{1,2}:-?\d{1,2}(?:[,.:]-?\d{1,3})?[ \t]*--?>[ \t]*"
    r"-?\d{1,3}:-?\d{1,2}",
    re.MULTILINE,
)
_ASS = re.compile(
    r"^\[Script Info\]|^\[V4\+? Styles\]|^Dialogue:[ \t]*(?:\d|Marked)",
    re.MULTILINE | re.IGNORECASE,
)
_PROLOG = (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"), ("<!doctype", ">"))
_OTHER_TEXTS = (  # beginnings of texts that are not captions that can be read, and their names
    (r"#EXTM3U|#EXT-X-", "an HLS or M3U playlist, which only names other files"),
    (r"ffconcat version", "an ffmpeg concatenation script, which only names other files"),
    (r"<MPD\b", "a DASH manifest, which only names other files"),
    (r"<svg\b", "an SVG drawing"),
    (r"<tt[\s:>]", "TTML captions, which are not supported: convert them to SRT"),
    (r"<(?:asx|playlist|smil|wpl)\b", "a playlist, which only names other files"),
    (r"\[playlist\]|\[Reference\]|RTSPtext|SMIL", "a playlist, which only names other files"),
    (r"<SAMI\b", "SAMI captions, which are not supported: convert them to SRT"),
    (r"\{\d+\}\{\d*\}", "MicroDVD captions, which are not supported: convert them to SRT"),
    (r"\[\d+\]\[\d*\]", "MPL2 captions, which are not supported: convert them to SRT"),
    (r"v=0\r?\no=", "an SDP session description, which only names a stream"),
    (r"<(?:html|head|body)\b", "a web page"),
    (r"<", "an XML file"),
    (r"[{\[]\s*[\"{\[]", "a JSON file"),
)
_PLAYLISTS = 2  # of _OTHER_TEXTS, at its beginning: they may contain what looks like a time line
_HEADER_CHARACTERS = 2**16
# Fields of an ASS header that name people.
_PEOPLE = re.compile(
    r"^(Original (?:Script|Translation|Editing|Timing)|Synch Point|Script Updated By):[ \t]*\S",
    re.MULTILINE | re.IGNORECASE,
)


def detect(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise SRT, WebVTT and ASS."""
    name = caption_format(head)
    return None if name is None else recognised(name)


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the people that the header of an ASS file names."""
    text = text_of(source.read_at(0, 2 * _HEADER_CHARACTERS)) or ""
    names = dict.fromkeys(found[1] for found in _PEOPLE.finditer(text[:_HEADER_CHARACTERS]))
    return [PrivateItem(kind="owner", where=f"Script Info/{name}") for name in names]


def declared_encoding(head: bytes) -> tuple[str, int] | None:
    """Return (encoding, bytes of the byte order mark), or UTF-16 by its zero bytes.

    None: the text shows neither.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    sample = head[:4096]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if len(sample) >= 8 and zeros.count(0) > 0.7 * len(zeros):
            return encoding, 0
    return None


def text_of(head: bytes) -> str | None:
    """Decode the beginning of a file; return None if it is not a text file.

    By its byte order mark, else as UTF-8, or as Latin-1 if it is not valid UTF-8.
    """
    declared = declared_encoding(head)
    if declared is not None:
        encoding, mark = declared
        text = head[mark : mark + (len(head) - mark & ~1)].decode(encoding, "replace")
        return None if not mark and _has_control_characters(text[:2048]) else text
    if _has_control_characters(head[:4096].decode("latin-1")):
        return None
    return head.decode("latin-1") if _not_utf8(head) else head.decode("utf-8", "ignore")


def caption_format(head: bytes) -> str | None:
    """Return srt, webvtt or ass; None for anything else."""
    text = text_of(head)
    if text is None:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff \t\n")
    if any(_begins(text, pattern) for pattern, _ in _OTHER_TEXTS[:_PLAYLISTS]):
        return None
    if re.match(r"WEBVTT(?:[ \t\n]|$)", text):
        return "webvtt"
    if _ASS.search(text[:8192]):
        return "ass"
    return "srt" if _TIME_LINE.search(text) else None


def name_of(head: bytes) -> str | None:
    """Return what kind of text this is, for a message; None if it is not a text."""
    text = text_of(head)
    if text is None:
        return None
    text = _after_prolog(text.lstrip("\ufeff \t\r\n"))
    names = (name for pattern, name in _OTHER_TEXTS if _begins(text, pattern))
    return next(names, "a text file without subtitle cues")


def _begins(text: str, pattern: str) -> bool:
    return re.match(pattern, text, re.IGNORECASE | re.DOTALL) is not None


def _not_utf8(head: bytes) -> bool:
    try:
        head[:-4].decode("utf-8")
    except UnicodeDecodeError as problem:
        return problem.start < len(head) - 8
    return False


def _has_control_characters(text: str) -> bool:
    """Return True for a control character that text files do not contain."""
    return any(char < " " and char not in "\t\n\r\f\v\x1a\x1b" for char in text)


def _after_prolog(text: str) -> str:
    """Return what follows an XML declaration, document type and comments."""
    at = 0
    for _ in range(100):
        mark = next((end for start, end in _PROLOG if text.startswith(start, at)), None)
        end = text.find(mark, at) if mark else -1
        if mark is None or end < 0:
            break
        at = end + len(mark)
        while at < len(text) and text[at].isspace():
            at += 1
    return text[at : at + 1000]
