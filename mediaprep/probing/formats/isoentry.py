"""Read the sample descriptions of a track (ISO/IEC 14496-12, 8.5.2): codec, size, configuration."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from mediaprep.probing.formats.boxes import Box, BoxReader, fourcc

ENCRYPTED_ENTRIES = {b"encv", b"enca", b"enct", b"encs", b"encm", b"drmi", b"drms"}
MAX_ENTRIES = 64  # sample descriptions that are read
MAX_KEYS = 100
_VIDEO_HEAD, _METADATA_HEAD = 86, 16  # bytes of an entry before its boxes
_SOUND_HEADS = {1: 52, 2: 72}  # of QuickTime's versions 1 and 2
_SOUND_HEAD = 36
# Tags of descriptors, ISO/IEC 14496-1, 7.2.6
_ES, _DECODER_CONFIG, _DECODER_SPECIFIC = 3, 4, 5

TrackFields: TypeAlias = dict[str, Any]  # fields of an IsoTrack, as they are read


@dataclass(frozen=True, slots=True, kw_only=True)
class DolbyVisionBox:
    """A ``dvcC``, ``dvvC`` or ``dvwC`` box.

    Dolby Vision Streams Within the ISO Base Media File Format, 2.1.2.
    """

    profile: int
    level: int
    compatibility: int


def descriptions(reader: BoxReader, stsd: Box, fields: TrackFields) -> None:
    """Read the first description; of the others only whether they are encrypted."""
    version = reader.payload(stsd, 8)[0]
    for entry in islice(reader.boxes(stsd.body + 8, stsd.end), MAX_ENTRIES):
        head = reader.window.at(entry.start, min(_VIDEO_HEAD, entry.end - entry.start))
        found = _boxes_of(reader, entry, _boxes_start(entry, head, fields.get("handler"), version))
        if entry.kind in ENCRYPTED_ENTRIES or b"sinf" in found:
            fields["encrypted"] = True
        if "codec" not in fields:
            fields["codec"] = _codec(reader, entry, found)
            if fields.get("handler") == "vide" and len(head) >= 36:
                fields["width"], fields["height"] = struct.unpack_from(">HH", head, 32)
            for box in found.values():
                if box.kind in _IN_ENTRY:
                    with reader.guarded(box):
                        _IN_ENTRY[box.kind](reader, box, fields)


def _boxes_of(reader: BoxReader, entry: Box, start: int | None) -> dict[bytes, Box]:
    """Return the boxes inside an entry, the first of each kind."""
    found: dict[bytes, Box] = {}
    if start is not None:
        for box in reader.boxes(start, entry.end):
            found.setdefault(box.kind, box)
    return found


def _codec(reader: BoxReader, entry: Box, found: dict[bytes, Box]) -> str:
    """Return the entry's four characters; of an encrypted one those of its original format."""
    original = reader.child(found[b"sinf"], b"frma") if b"sinf" in found else None
    return fourcc(entry.kind if original is None else reader.payload(original, 4))


def _boxes_start(entry: Box, head: bytes, handler: str | None, stsd_version: int) -> int | None:
    """Return where the boxes inside a sample entry begin; None if it has none.

    Entries of sound are longer in QuickTime's versions 1 and 2; ISO's AudioSampleEntryV1, under an
    stsd of version 1, has the short form.
    """
    if handler == "vide" or entry.kind in (b"encv", b"drmi"):
        return entry.start + _VIDEO_HEAD
    if handler == "soun" or entry.kind in (b"enca", b"drms"):
        version = head[17] if len(head) > 17 and stsd_version == 0 else 0
        return entry.start + _SOUND_HEADS.get(version, _SOUND_HEAD)
    return entry.start + _METADATA_HEAD if entry.kind == b"mebx" else None


def _pasp(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    fields["pasp"] = struct.unpack(">II", reader.payload(box, 8))


def _clap(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    fields["clap"] = struct.unpack(">IIIIiIiI", reader.payload(box, 32))


def _dolby_vision(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    data = reader.payload(box, 5)
    fields["dolby_vision"] = DolbyVisionBox(
        profile=data[2] >> 1, level=(data[2] & 1) << 5 | data[3] >> 3, compatibility=data[4] >> 4
    )


def _wave(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    esds = reader.child(box, b"esds")
    if esds is not None:
        _esds(reader, esds, fields)


def _esds(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    """Read nested descriptors: ES, in it DecoderConfig, in it DecoderSpecificInfo."""
    data = reader.payload(box, 4096)
    at, end = 4, len(data)
    while at < end:
        tag, at, length = _descriptor(data, at)
        if tag == _ES:
            at += _es_head(data, at)
        elif tag == _DECODER_CONFIG:
            at += 13
        elif tag == _DECODER_SPECIFIC:
            fields["asc"] = data[at : at + length]
            return
        else:
            at += length


def _es_head(data: bytes, at: int) -> int:
    """Return the bytes of an ES descriptor before the descriptors in it."""
    flags, size = data[at + 2], 3
    if flags & 0x80:  # streamDependenceFlag
        size += 2
    if flags & 0x40:  # URL_Flag
        size += 1 + data[at + 3]
    if flags & 0x20:  # OCRstreamFlag
        size += 2
    return size


def _descriptor(data: bytes, at: int) -> tuple[int, int, int]:
    """Return (tag, start of the content, length); the length has seven bits in each byte."""
    tag, length = data[at], 0
    for _ in range(4):
        at += 1
        length = length << 7 | data[at] & 0x7F
        if not data[at] & 0x80:
            break
    return tag, at + 1, length


def _timed_keys(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    """Read the names of a ``keys`` box (QuickTime File Format, Timed Metadata Media)."""
    names: list[str] = []
    for entry in reader.boxes(box.body, box.end):
        key = reader.child(entry, b"keyd")
        if key is not None and len(names) < MAX_KEYS:
            names.append(reader.payload(key, 256)[4:].decode("utf-8", "replace"))
    fields["entry_keys"] = tuple(names)


_IN_ENTRY: Mapping[bytes, Callable[[BoxReader, Box, TrackFields], None]] = {
    b"pasp": _pasp,
    b"clap": _clap,
    b"dvcC": _dolby_vision,
    b"dvvC": _dolby_vision,
    b"dvwC": _dolby_vision,
    b"esds": _esds,
    b"wave": _wave,
    b"keys": _timed_keys,
}
