"""Planning for captions."""

from __future__ import annotations

import re
from dataclasses import replace

from mediaprep.model import containers
from mediaprep.model.fix import Case
from mediaprep.model.media import Subtitle
from mediaprep.model.placement import SubtitleEncoding

_FONT_TAG = re.compile(r"</?font[^<>]*>")  # WebVTT has no equivalent


def derive(source: Subtitle, target: Subtitle, case: Case) -> Subtitle:
    """Return the target as it will be written: in UTF-8, and in a format that can be written."""
    if target == source:
        return target
    form, cues = target.format, target.cues
    if form not in containers.written("subtitle"):
        encoding = case.placement.encoding
        form = encoding.format if isinstance(encoding, SubtitleEncoding) else "srt"
    if form == "webvtt" and cues is not None:
        cues = tuple(replace(cue, text=_FONT_TAG.sub("", cue.text)) for cue in cues)
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
