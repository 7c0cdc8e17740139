"""Text files: the subtitle formats that are read, and by name those that are not (playlists, manifests, drawings, pages)."""

from __future__ import annotations

import re

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_TIMES = re.compile(
    r"^[ \t]*-?\d{1,3}:-?\d{1,2}:-?\d{1,2}(?:[,.:]-?\d{1,3})?[ \t]*--?>[ \t]*-?\d{1,3}:-?\d{1,2}",
    re.MULTILINE,
)
_ASS = re.compile(
    r"^\[Script Info\]|^\[V4\+? Styles\]|^Dialogue:[ \t]*(?:\d|Marked)",
    re.MULTILINE | re.IGNORECASE,
)
_PROLOG = (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"), ("<!doctype", ">"))
_NAMES = (
    (r"#EXTM3U|#EXT-X-", "an HLS or M3U playlist, which only names other files"),
    (r"ffconcat version", "an ffmpeg concatenation script, which only names other files"),
    (r"<MPD\b", "a DASH manifest, which only names other files"),
    (r"<svg\b", "an SVG drawing"),
    (r"<tt[\s:>]", "TTML captions, which are not read: convert them to SRT"),
    (r"<(?:asx|playlist|smil|wpl)\b", "a playlist, which only names other files"),
    (r"\[playlist\]|\[Reference\]|RTSPtext|SMIL", "a playlist, which only names other files"),
    (r"<SAMI\b", "SAMI captions, which are not read: convert them to SRT"),
    (r"\{\d+\}\{\d*\}", "MicroDVD captions, which are not read: convert them to SRT"),
    (r"\[\d+\]\[\d*\]", "MPL2 captions, which are not read: convert them to SRT"),
    (r"v=0\r?\no=", "an SDP session description, which only names a stream"),
    (r"<(?:html|head|body)\b", "a web page"),
    (r"<", "an XML file"),
    (r"[{\[]\s*[\"{\[]", "a JSON file"),
)


def shown_encoding(head: bytes) -> tuple[str, int] | None:
    """(encoding, bytes of the mark) by a byte order mark, or UTF-16 by its zero bytes; None: neither."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    sample = head[:4096]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if len(sample) >= 8 and zeros.count(0) > 0.7 * len(zeros):
            return encoding, 0
    return None


def text_of(head: bytes) -> str | None:
    """The beginning of a file as text: by its byte order mark, else as UTF-8 or, where bytes are not, Latin-1. None: not a text file."""
    shown = shown_encoding(head)
    if shown is not None:
        encoding, mark = shown
        text = head[mark : mark + (len(head) - mark & ~1)].decode(encoding, "replace")
        return None if not mark and _control(text[:2048]) else text
    sample = head[:4096]
    if _control(sample.decode("latin-1")):
        return None
    return head.decode("latin-1") if _not_utf8(head) else head.decode("utf-8", "ignore")


def _not_utf8(head: bytes) -> bool:
    try:
        head[:-4].decode("utf-8")
    except UnicodeDecodeError as problem:
        return problem.start < len(head) - 8
    return False


def _control(text: str) -> bool:
    """Whether there is a control character that no text has."""
    return any(char < " " and char not in "\t\n\r\f\v\x1a\x1b" for char in text)


def _after_prolog(text: str) -> str:
    """What follows an XML declaration, document type and comments."""
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


def recognise(head: bytes) -> str | None:
    """srt, webvtt or ass; None: it is neither."""
    text = text_of(head)
    if text is None:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff \t\n")
    if any(re.match(pattern, text, re.IGNORECASE | re.DOTALL) for pattern, _ in _NAMES[:2]):
        return None
    if re.match(r"WEBVTT(?:[ \t\n]|$)", text):
        return "webvtt"
    if _ASS.search(text[:8192]):
        return "ass"
    return "srt" if _TIMES.search(text) else None


def name_of(head: bytes) -> str | None:
    """What kind of text this is, for a message; None: it is no text."""
    text = text_of(head)
    if text is None:
        return None
    text = _after_prolog(text.lstrip("\ufeff \t\r\n"))
    return next(
        (name for pattern, name in _NAMES if re.match(pattern, text, re.IGNORECASE | re.DOTALL)),
        "a text file without subtitle cues",
    )
