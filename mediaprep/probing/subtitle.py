"""Read the facts of a caption file (SRT, WebVTT, ASS): encoding and cues. It is read whole."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Cue, Subtitle, UnknownFact
from mediaprep.probing.formats import textual
from mediaprep.probing.identify import private
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime.source import Source
from mediaprep.tools import subtitles

# Captions of a feature film have 0.1 MB; crafted markup of this size takes 3 s to clean.
MAX_BYTES = 4 * 2**20


def read_subtitle(source: Source, sniffed: Sniffed, request: ReadRequest) -> Subtitle:
    """Return the facts of a caption file.

    Raises: SourceUnreadable if it is too large or not text that can be decoded.
    """
    if source.size_bytes > MAX_BYTES:
        raise SourceUnreadable(
            f"captions of {source.size_bytes} bytes; at most {MAX_BYTES} are read: split the file"
        )
    text, encoding = _decode(source.read_at(0, source.size_bytes))
    unknown: tuple[UnknownFact, ...] = ()
    cues: tuple[Cue, ...] | None = None
    try:
        cues = tuple(
            Cue(start=Fraction(raw.start, 1000), end=Fraction(raw.end, 1000), text=raw.text)
            for raw in subtitles.cues(text, sniffed.format)
        )
    except subtitles.CaptionsUnreadable as problem:
        unknown = (UnknownFact(fact="cues", reason=str(problem)),)
    return Subtitle(
        size_bytes=source.size_bytes,
        private=private.private_items(source, sniffed),
        unknown=unknown,
        format=sniffed.format,
        encoding=encoding,
        cues=cues,
        clip_duration=request.clip_duration,
    )


def _decode(data: bytes) -> tuple[str, str]:
    """Return the text without byte order mark, and the name of its encoding."""
    declared = textual.declared_encoding(data)
    try:
        if declared is None:
            return subtitles.decoded(data)
        encoding, mark = declared
        if encoding == "utf-8":
            return subtitles.decoded(data[mark:])
    except subtitles.CaptionsUnreadable as problem:
        raise SourceUnreadable(str(problem)) from problem
    name = encoding.removesuffix("-le").removesuffix("-be")
    return data[mark:].decode(encoding, "replace"), name
