"""Write cues as an SRT or WebVTT file. Pure."""

from __future__ import annotations

import html
import re
from fractions import Fraction

from mediaprep.model.media import Subtitle

_STYLE_TAGS = re.compile(r"(</?[biu]>)")


def document(target: Subtitle) -> bytes:
    """Return the file: UTF-8, lines that end in a line feed.

    Raises: ValueError if there are no cues or the format is neither SRT nor WebVTT.
    """
    if target.cues is None or target.format not in ("srt", "webvtt"):
        raise ValueError(f"captions cannot be written as {target.format}")
    blocks = []
    for number, cue in enumerate(target.cues, 1):
        if target.format == "srt":
            times = f"{_timestamp(cue.start, ',')} --> {_timestamp(cue.end, ',')}"
            blocks.append(f"{number}\n{times}\n{cue.text}\n")
        else:
            times = f"{_timestamp(cue.start, '.')} --> {_timestamp(cue.end, '.')}"
            blocks.append(f"{times}\n{_escaped(cue.text)}\n")
    head = "WEBVTT\n\n" if target.format == "webvtt" else ""
    return (head + "\n".join(blocks)).encode("utf-8")


def _timestamp(seconds: Fraction, point: str) -> str:
    """Return a time as ``00:00:02,500``. Both formats hold milliseconds, nothing finer."""
    total = round(seconds * 1000)
    whole, ms = divmod(total, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{ms:03d}"


def _escaped(text: str) -> str:
    """Escape cue text as HTML does (W3C WebVTT 1, section 4.2.2), but leave <b>, <i> and <u>."""
    parts = _STYLE_TAGS.split(text)
    return "".join(
        part if _STYLE_TAGS.fullmatch(part) else html.escape(part, quote=False) for part in parts
    )
