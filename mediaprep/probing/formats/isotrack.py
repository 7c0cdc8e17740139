"""Read one track of an ISO base media or QuickTime file: its header, edit list and media."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from mediaprep.probing.formats import isoentry, isosamples
from mediaprep.probing.formats.boxes import Box, BoxReader, fourcc
from mediaprep.probing.formats.isoentry import DolbyVisionBox, TrackFields
from mediaprep.probing.formats.isofragments import FragmentTotals

MAX_EDITS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One entry of an edit list.

    duration     in ticks of the movie; 0: to the end, in fragmented files
    media_time   in ticks of the track; -1: an empty edit
    rate         exact
    """

    duration: int
    media_time: int
    rate: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoTrack:
    """What the boxes of one track state; None if a box is missing or damaged.

    id, index, handler   track number; place in the file from 0; vide soun tmcd sbtl text meta ...
    codec                four characters of the first sample description (``frma``'s if it is
                         encrypted)
    encrypted            a description is encrypted (encv, enca, sinf, drmi)
    timescale, duration  ticks a second, ticks of the media
    matrix               nine integers of tkhd; 16.16 but 2.30 in the last column
    width, height        of the sample description
    pasp                 (h, v)
    clap                 eight integers, four fractions: width height horizontal vertical
    asc                  decoder specific bytes of esds, for AAC the AudioSpecificConfig
    sample_count         of the tables and the fragments; sample_bytes their sum
    fragment_ticks       durations of the samples in fragments
    frame_ticks          the most common sample duration of the first run; None without stts
    first_composition_offset   earliest composition time among the first samples, ticks of the media
    data_end             offset after the chunk that lies last
    elsewhere            the samples are in another file
    entry_keys           names of the timed metadata of an ``mebx`` track
    """

    id: int
    index: int
    handler: str | None = None
    codec: str | None = None
    encrypted: bool = False
    timescale: int | None = None
    duration: int | None = None
    edits: tuple[Edit, ...] = ()
    matrix: tuple[int, ...] | None = None
    width: int | None = None
    height: int | None = None
    pasp: tuple[int, int] | None = None
    clap: tuple[int, ...] | None = None
    dolby_vision: DolbyVisionBox | None = None
    asc: bytes | None = None
    sample_count: int | None = None
    sample_bytes: int | None = None
    fragment_ticks: int = 0
    frame_ticks: int | None = None
    first_composition_offset: int | None = None
    data_end: int | None = None
    elsewhere: bool = False
    entry_keys: tuple[str, ...] = ()

    def with_fragments(self, runs: FragmentTotals | None) -> IsoTrack:
        """Add the samples of the track's fragments.

        If the tables have no samples, the first fragment supplies their first times.
        """
        if runs is None:
            return self
        total = replace(
            self,
            sample_count=(self.sample_count or 0) + runs.samples,
            sample_bytes=(self.sample_bytes or 0) + runs.bytes,
            fragment_ticks=runs.ticks,
        )
        if self.sample_count:
            return total
        return replace(
            total,
            first_composition_offset=runs.first_composition_offset,
            frame_ticks=runs.frame_ticks,
        )


def read(reader: BoxReader, trak: Box, *, index: int) -> IsoTrack:
    """Read one ``trak`` box and note its damage."""
    fields: TrackFields = {}
    for box in reader.boxes(trak.body, trak.end):
        _read_box(reader, box, fields, _IN_TRAK)
        if box.kind == b"mdia":
            for inner in reader.boxes(box.body, box.end):
                _read_box(reader, inner, fields, _IN_MDIA)
                if inner.kind == b"minf":
                    _media_information(reader, inner, fields)
    fields.setdefault("id", index + 1)
    return IsoTrack(index=index, **fields)


def _read_box(
    reader: BoxReader, box: Box, fields: TrackFields, readers: Mapping[bytes, _BoxFunction]
) -> None:
    if box.kind in readers:
        with reader.guarded(box):
            readers[box.kind](reader, box, fields)


def _track_header(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    data = reader.payload(box, 96)
    fields["id"] = struct.unpack_from(">I", data, 20 if data[0] == 1 else 12)[0]
    at = 52 if data[0] == 1 else 40
    fields["matrix"] = struct.unpack_from(">9i", data, at)


def _edits(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    elst = reader.child(box, b"elst")
    if elst is None:
        return
    wide = reader.payload(elst, 1) == b"\1"
    size, layout = (20, ">Qqhh") if wide else (12, ">Iihh")
    _, data = reader.table(elst, size)
    fields["edits"] = tuple(
        Edit(duration=length, media_time=at, rate=whole + Fraction(part, 65536))
        for length, at, whole, part in struct.iter_unpack(layout, data[: MAX_EDITS * size])
    )


def _media_header(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    data = reader.payload(box, 36)
    if data[0] == 1:
        unknown = 2**64 - 1
        timescale, duration = struct.unpack_from(">IQ", data, 20)
    else:
        unknown = 2**32 - 1
        timescale, duration = struct.unpack_from(">II", data, 12)
    fields["timescale"] = timescale or None
    fields["duration"] = None if duration == unknown else duration


def _handler(reader: BoxReader, box: Box, fields: TrackFields) -> None:
    fields["handler"] = fourcc(reader.payload(box, 12)[8:12])


def _media_information(reader: BoxReader, minf: Box, fields: TrackFields) -> None:
    for box in reader.boxes(minf.body, minf.end):
        if box.kind == b"dinf":
            _data_reference(reader, box, fields)
        elif box.kind == b"stbl":
            tables = {inner.kind: inner for inner in reader.boxes(box.body, box.end)}
            for inner in tables.values():
                _read_box(reader, inner, fields, _IN_STBL)
            with reader.guarded(box):
                isosamples.layout(reader, tables, fields)


def _data_reference(reader: BoxReader, dinf: Box, fields: TrackFields) -> None:
    """Note whether the samples are in another file: the first entry is not self-contained."""
    dref = reader.child(dinf, b"dref")
    if dref is not None:
        first = next(reader.boxes(dref.body + 8, dref.end), None)
        flags = reader.payload(first, 4) if first is not None else b""
        fields["elsewhere"] = len(flags) == 4 and not flags[3] & 1


_BoxFunction = Callable[[BoxReader, Box, TrackFields], None]
_IN_TRAK: Mapping[bytes, _BoxFunction] = {
    b"tkhd": _track_header,
    b"edts": _edits,
}
_IN_MDIA: Mapping[bytes, _BoxFunction] = {b"mdhd": _media_header, b"hdlr": _handler}
_IN_STBL: Mapping[bytes, _BoxFunction] = {
    b"stsd": isoentry.descriptions,
}
