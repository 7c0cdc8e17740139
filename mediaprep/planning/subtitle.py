"""What the planner knows of captions."""

from __future__ import annotations

import re
from dataclasses import replace

from mediaprep.model import containers
from mediaprep.model.fix import Case
from mediaprep.model.media import Subtitle
from mediaprep.model.placement import SubtitleEncoding

_FONT = re.compile(r"</?font[^<>]*>")  # WebVTT has no words for it


def derive(source: Subtitle, target: Subtitle, case: Case) -> Subtitle:
    """The wanted facts as they will be written: always UTF-8, in a format that can be written. The source itself where nothing changes."""
    if target == source:
        return target
    encoding = case.placement.encoding
    form = (
        target.format
        if target.format in containers.written("subtitle")
        else encoding.format
        if isinstance(encoding, SubtitleEncoding)
        else "srt"
    )
    cues = target.cues
    if form == "webvtt" and cues is not None:
        cues = tuple(replace(cue, text=_FONT.sub("", cue.text)) for cue in cues)
    return replace(
        target,
        cues=cues,
        format=form,
        encoding="utf-8",
        size_bytes=None,
        complete=None,
        incomplete_because=None,
        private=(),
    )
