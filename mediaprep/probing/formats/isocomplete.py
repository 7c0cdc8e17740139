"""Check by its boxes whether an ISO base media file is complete."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.probing.formats import isofragments, isoprivate
from mediaprep.probing.formats.boxes import BoxReader
from mediaprep.probing.formats.isofile import PICTURES, TOP_LEVEL, IsoFile, TopLevel
from mediaprep.probing.formats.walkers import Completeness

# Guesses: seconds, and share of the declared length, by which fragments may fall short of it.
_LENGTH_SLACK, _LENGTH_SLACK_SHARE = Fraction(1, 2), Fraction(1, 50)


def completeness(reader: BoxReader, top: TopLevel, found: IsoFile) -> Completeness:
    """Check that everything that the boxes refer to lies within the file."""
    size = reader.window.size
    missing = _missing(reader, top, found)
    if missing:
        return False, missing
    short, length_declared = _fragments_end(reader, top, found)
    last, indexed = isofragments.stated_end(reader, top.boxes)
    if last > size:
        return False, f"the segment index reaches {last - size} bytes past the end of the file"
    if short:
        return False, short
    if top.junk_from is not None:
        reader.note(f"{size - top.junk_from} bytes after the last box")
    if reader.capped:
        return None, None
    if found.movie and not found.tracks:
        return (None, None) if top.compressed_movie else (False, "no track in the moov box")
    if top.first(b"moof") is None:
        if found.tracks and all(not track.sample_count for track in found.tracks):
            return False, "no track has any sample"
    elif not (indexed or length_declared or top.first(b"mfra") is not None):
        return None, "fragments without a mark of their end (no mfra, sidx or mehd)"
    return True, None


def _missing(reader: BoxReader, top: TopLevel, found: IsoFile) -> str:
    """Return what lies after the end of the file or in another one; "" if nothing does."""
    size = reader.window.size
    for box in top.boxes:
        if box.stated_end > size and (box.kind in TOP_LEVEL or not found.tracks):
            return (
                f"the {box.name} box ends {box.stated_end - size} bytes after the end of the file"
            )
    for track in found.tracks:
        if track.elsewhere:
            return f"track {track.id} keeps its samples in another file"
        if track.data_end is not None and track.data_end > size:
            return (
                f"samples of track {track.id} end {track.data_end - size} bytes after the end of "
                "the file"
            )
    meta = top.first(b"meta") if found.format in PICTURES else None
    end = 0 if meta is None else isoprivate.items_end(reader, meta)
    return f"an image item ends {end - size} bytes after the end of the file" if end > size else ""


def _fragments_end(reader: BoxReader, top: TopLevel, found: IsoFile) -> tuple[str, bool]:
    """Return (what is missing of the length in ``mehd``, "" if nothing; whether it has one)."""
    moov = top.first(b"moov")
    if moov is None or not found.timescale:
        return "", False
    declared = Fraction(isofragments.stated_length(reader, moov), found.timescale)
    lengths = [
        Fraction(track.fragment_ticks, track.timescale) for track in found.tracks if track.timescale
    ]
    if not declared or not lengths:
        return "", False
    length = max(lengths)
    if length < declared - max(_LENGTH_SLACK, declared * _LENGTH_SLACK_SHARE):
        return f"the fragments end after {float(length):.3f} s of {float(declared):.3f} s", True
    return "", True
