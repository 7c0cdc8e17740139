"""Captions: encoding, cues, times, read whole; SRT, WebVTT and ASS."""

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

MAX_BYTES = (
    4 * 2**20
)  # a feature film's captions have 0.1 MB; crafted markup of this size takes 3 s to clean


def read_subtitle(source: Source, sniffed: Sniffed, request: ReadRequest) -> Subtitle:
    """The facts of a file of captions. Raises: SourceUnreadable where it is no text that can be decoded."""
    if source.size_bytes > MAX_BYTES:
        raise SourceUnreadable(
            f"captions of {source.size_bytes} bytes; at most {MAX_BYTES} are read: split the file"
        )
    text, encoding = _decoded(source.read_at(0, source.size_bytes))
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


def _decoded(data: bytes) -> tuple[str, str]:
    """(text, name of the encoding); a byte order mark is no part of either."""
    shown = textual.declared_encoding(data)
    try:
        if shown is None:
            return subtitles.detected(data)
        encoding, mark = shown
        if encoding == "utf-8":
            return subtitles.detected(data[mark:])
        return data[mark:].decode(encoding, "replace"), encoding.removesuffix("-le").removesuffix(
            "-be"
        )
    except subtitles.CaptionsUnreadable as problem:
        raise SourceUnreadable(str(problem)) from problem
