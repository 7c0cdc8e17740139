"""Captions: cues to the text of an SRT or WebVTT file. Pure."""

from __future__ import annotations

import html
import re
from fractions import Fraction

from mediaprep.model.media import Subtitle

_KEPT = re.compile(r"(</?[biu]>)")


def document(target: Subtitle) -> bytes:
    """The file, in UTF-8 with lines that end in a line feed. Raises: ValueError for a format that is not written, or without cues."""
    if target.cues is None or target.format not in ("srt", "webvtt"):
        raise ValueError(f"captions cannot be written as {target.format}")
    blocks = []
    for number, cue in enumerate(target.cues, 1):
        if target.format == "srt":
            blocks.append(
                f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{cue.text}\n"
            )
        else:
            blocks.append(
                f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_escaped(cue.text)}\n"
            )
    head = "WEBVTT\n\n" if target.format == "webvtt" else ""
    return (head + "\n".join(blocks)).encode("utf-8")


def _time(seconds: Fraction, point: str) -> str:
    """``00:00:02,500``; to the millisecond, which is all that the formats hold."""
    total = round(seconds * 1000)
    whole, ms = divmod(total, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{ms:03d}"


def _escaped(text: str) -> str:
    """WebVTT's markup is a subset of SRT's, and it escapes as HTML does (W3C WebVTT 1, section 4.2.2)."""
    parts = _KEPT.split(text)
    return "".join(
        part if _KEPT.fullmatch(part) else html.escape(part, quote=False) for part in parts
    )
