"""One track of an ISO base media or QuickTime file: header, edit list, sample description, sample tables."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from operator import mul, sub
from typing import Any

from mediaprep.probing.formats.boxes import Box, BoxReader, fourcc, words
from mediaprep.probing.formats.isofragments import FIRST_SAMPLES, FragmentTotals

ENCRYPTED_ENTRIES = {b"encv", b"enca", b"enct", b"encs", b"encm", b"drmi", b"drms"}
CONFIGS = ("avcC", "hvcC", "av1C", "vpcC", "vvcC", "dvc1", "d263")
UNIT_MATRIX = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
MAX_ENTRIES = 64  # sample descriptions that are read
MAX_EDITS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit: ``duration`` in ticks of the movie (0: to the end, in fragmented files), ``media_time`` in ticks of the track (-1: an
    empty edit), ``rate`` exact."""

    duration: int
    media_time: int
    rate: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Colr:
    """A ``colr`` box: ``kind`` nclx, nclc, prof or rICC; ITU-T H.273 code points; ``full_range`` None where the kind has no flag."""

    kind: str
    primaries: int | None = None
    transfer: int | None = None
    matrix: int | None = None
    full_range: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DolbyVisionBox:
    """A ``dvcC``, ``dvvC`` or ``dvwC`` box (Dolby Vision Streams Within the ISO Base Media File Format, 2.1.2)."""

    profile: int
    level: int
    compatibility: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoTrack:
    """What the boxes of one track say; None where a box is missing or damaged.

    id, index, handler   track number; place in the file from 0; vide soun tmcd sbtl text subt clcp meta hint ...
    codec, codecs        four characters of the first sample description (``frma``'s where encrypted), of all
    encrypted            some description is encrypted (encv, enca, sinf, drmi)
    enabled, language    tkhd flag; ISO 639-2 (und: undetermined)
    timescale, duration  ticks a second, ticks of the media
    matrix               nine integers of tkhd; 16.16 but 2.30 in the last column
    width, height        of the sample description; presented_size that of tkhd, rounded
    pasp                 (h, v); clap: eight integers, four fractions width height horizontal vertical; fiel: (fields, order)
    object_type, asc     objectTypeIndication and decoder specific bytes of esds (for AAC the AudioSpecificConfig)
    configs              names of configuration boxes that are there: avcC hvcC av1C vpcC ...
    sample_count         of the tables and the fragments; sync_count None: every sample is one; sample_bytes their sum
    fragment_ticks       durations of the samples in fragments
    frame_ticks          the most common sample duration of the first run; None without stts
    first_composition_offset   earliest composition time among the first samples, ticks of the media
    data_end             one past the last byte of the chunk that lies last; elsewhere: the samples are in another file
    chapter_tracks       numbers of the tracks that hold this one's chapters
    entry_keys           names of the timed metadata of an ``mebx`` track
    """

    id: int
    index: int
    handler: str | None = None
    codec: str | None = None
    codecs: tuple[str, ...] = ()
    encrypted: bool = False
    enabled: bool | None = None
    language: str | None = None
    timescale: int | None = None
    duration: int | None = None
    edits: tuple[Edit, ...] = ()
    matrix: tuple[int, ...] | None = None
    presented_size: tuple[int, int] | None = None
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    sample_rate: int | None = None
    pasp: tuple[int, int] | None = None
    clap: tuple[int, ...] | None = None
    fiel: tuple[int, int] | None = None
    colr: tuple[Colr, ...] = ()
    dolby_vision: DolbyVisionBox | None = None
    hdr_metadata: bool = False
    object_type: int | None = None
    asc: bytes | None = None
    configs: tuple[str, ...] = ()
    sample_count: int | None = None
    sync_count: int | None = None
    sample_bytes: int | None = None
    fragment_ticks: int = 0
    frame_ticks: int | None = None
    first_composition_offset: int | None = None
    data_end: int | None = None
    elsewhere: bool = False
    chapter_tracks: tuple[int, ...] = ()
    entry_keys: tuple[str, ...] = ()

    def with_fragments(self, runs: FragmentTotals | None) -> IsoTrack:
        """The same track with its fragments added; where it has no samples of its own the first fragment tells when they begin."""
        if runs is None:
            return self
        own = bool(self.sample_count)
        return replace(
            self,
            sample_count=(self.sample_count or 0) + runs.samples,
            sample_bytes=(self.sample_bytes or 0) + runs.bytes,
            fragment_ticks=runs.ticks,
            first_composition_offset=self.first_composition_offset
            if own
            else runs.first_composition_offset,
            frame_ticks=self.frame_ticks if own else runs.frame_ticks,
        )


class _TrackFields(dict[str, Any]):
    """Fields of an IsoTrack as they are found."""


def read(reader: BoxReader, trak: Box, *, index: int) -> IsoTrack:
    """Read one ``trak`` box; damage becomes faults."""
    facts = _TrackFields()
    for box in reader.boxes(trak.body, trak.end):
        _guarded(reader, box, facts, _IN_TRAK)
        if box.kind == b"mdia":
            for inner in reader.boxes(box.body, box.end):
                _guarded(reader, inner, facts, _IN_MDIA)
                if inner.kind == b"minf":
                    _media_information(reader, inner, facts)
    facts.setdefault("id", index + 1)
    return IsoTrack(index=index, **facts)


def _guarded(reader: BoxReader, box: Box, facts: _TrackFields, readers: dict[bytes, Any]) -> None:
    """Let the box's own reader have it; a short or lying one becomes a fault."""
    handle = readers.get(box.kind)
    if handle is None:
        return
    try:
        handle(reader, box, facts)
    except (struct.error, IndexError, ValueError, ZeroDivisionError) as problem:
        reader.fault(f"{box.name} at byte {box.start}: {problem}")


def _track_header(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    data = reader.payload(box, 96)
    facts["enabled"] = bool(data[3] & 1)
    facts["id"] = struct.unpack_from(">I", data, 20 if data[0] == 1 else 12)[0]
    at = 52 if data[0] == 1 else 40
    facts["matrix"] = struct.unpack_from(">9i", data, at)
    width, height = struct.unpack_from(">II", data, at + 36)
    facts["presented_size"] = (round(width / 65536), round(height / 65536))


def _edits(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    elst = reader.child(box, b"elst")
    if elst is None:
        return
    wide = reader.payload(elst, 1) == b"\1"
    _, data = reader.table(elst, 20 if wide else 12)
    edits = struct.iter_unpack(
        ">Qqhh" if wide else ">Iihh", data[: MAX_EDITS * (20 if wide else 12)]
    )
    facts["edits"] = tuple(
        Edit(duration=length, media_time=at, rate=whole + Fraction(part, 65536))
        for length, at, whole, part in edits
    )


def _references(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    chapters = reader.child(box, b"chap")
    if chapters is not None:
        facts["chapter_tracks"] = tuple(words(reader.payload(chapters, 1024)))


def _media_header(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    data = reader.payload(box, 36)
    wide = data[0] == 1
    timescale, duration, language = struct.unpack_from(
        ">IQH" if wide else ">IIH", data, 20 if wide else 12
    )
    facts["timescale"] = timescale or None
    facts["duration"] = None if duration == (2**64 - 1 if wide else 2**32 - 1) else duration
    if language >= 0x400 and language != 0x7FFF:  # below: Macintosh language codes
        facts["language"] = "".join(chr(0x60 + (language >> shift & 31)) for shift in (10, 5, 0))
    else:
        facts["language"] = "und"


def _handler(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    facts["handler"] = fourcc(reader.payload(box, 12)[8:12])


def _media_information(reader: BoxReader, minf: Box, facts: _TrackFields) -> None:
    for box in reader.boxes(minf.body, minf.end):
        if box.kind == b"dinf":
            dref = reader.child(box, b"dref")
            if dref is not None:
                first = next(reader.boxes(dref.body + 8, dref.end), None)
                flags = reader.payload(first, 4) if first is not None else b""
                facts["elsewhere"] = len(flags) == 4 and not flags[3] & 1
        elif box.kind == b"stbl":
            tables = {inner.kind: inner for inner in reader.boxes(box.body, box.end)}
            for inner in tables.values():
                _guarded(reader, inner, facts, _IN_STBL)
            try:
                _layout(reader, tables, facts)
            except (struct.error, IndexError) as problem:
                reader.fault(f"stbl at byte {box.start}: {problem}")


# -- sample description ------------------------------------------------------------------------------------------------------------


def _descriptions(reader: BoxReader, stsd: Box, facts: _TrackFields) -> None:
    version = reader.payload(stsd, 8)[0]
    codecs: list[str] = []
    for entry in reader.boxes(stsd.body + 8, stsd.end):
        if len(codecs) == MAX_ENTRIES:
            break
        kind = entry.kind
        first = not codecs
        head = reader.window.at(entry.start, min(86, entry.end - entry.start))
        children = _children_start(entry, head, facts.get("handler"), version)
        found: dict[bytes, Box] = {}
        if children is not None:
            for box in reader.boxes(children, entry.end):
                found.setdefault(box.kind, box)
        if kind in ENCRYPTED_ENTRIES or b"sinf" in found:
            facts["encrypted"] = True
            original = reader.child(found[b"sinf"], b"frma") if b"sinf" in found else None
            kind = reader.payload(original, 4) if original is not None else kind
        codecs.append(fourcc(kind))
        if first:
            _entry_head(facts, head)
            facts["configs"] = tuple(name for name in CONFIGS if name.encode() in found)
            for box in found.values():
                _guarded(reader, box, facts, _IN_ENTRY)
    if codecs:
        facts["codec"], facts["codecs"] = codecs[0], tuple(codecs)


def _children_start(entry: Box, head: bytes, handler: str | None, stsd_version: int) -> int | None:
    """Where the boxes inside a sample entry begin: 86 bytes on for pictures, 36 for sound, or 52 and 72 in QuickTime's sound versions
    1 and 2 (ISO's AudioSampleEntryV1 has the short form, under a stsd of version 1)."""
    if handler == "vide" or entry.kind in (b"encv", b"drmi"):
        return entry.start + 86
    if handler == "soun" or entry.kind in (b"enca", b"drms"):
        version = head[17] if len(head) > 17 and stsd_version == 0 else 0
        return entry.start + {1: 52, 2: 72}.get(version, 36)
    if entry.kind in (b"mebx", b"mett", b"metx"):
        return entry.start + 16 if entry.kind == b"mebx" else None
    return None


def _entry_head(facts: _TrackFields, head: bytes) -> None:
    if facts.get("handler") == "vide" and len(head) >= 36:
        facts["width"], facts["height"] = struct.unpack_from(">HH", head, 32)
    elif facts.get("handler") == "soun" and len(head) >= 36:
        if head[17] == 2 and len(head) >= 56:
            rate, facts["channels"] = struct.unpack_from(">dI", head, 40)
            facts["sample_rate"] = round(rate) if 0 < rate < 2**31 else None
        else:
            facts["channels"] = struct.unpack_from(">H", head, 24)[0]
            facts["sample_rate"] = struct.unpack_from(">H", head, 32)[0]


def _pasp(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    facts["pasp"] = struct.unpack(">II", reader.payload(box, 8))


def _clap(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    facts["clap"] = struct.unpack(">IIIIiIiI", reader.payload(box, 32))


def _fiel(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    facts["fiel"] = struct.unpack(">BB", reader.payload(box, 2))


def _colr(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    data = reader.payload(box, 12)
    kind = fourcc(data[:4])
    if kind in ("nclx", "nclc"):
        primaries, transfer, matrix = struct.unpack_from(">HHH", data, 4)
        flag = bool(data[10] >> 7) if kind == "nclx" and len(data) > 10 else None
        colr = Colr(
            kind=kind, primaries=primaries, transfer=transfer, matrix=matrix, full_range=flag
        )
        if kind == "nclx" and len(data) < 11:
            reader.fault(
                f"colr at byte {box.start}: {len(data)} bytes, too short for its range flag"
            )
    else:
        colr = Colr(kind=kind)
    facts["colr"] = (*facts.get("colr", ()), colr)


def _dolby_vision(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    data = reader.payload(box, 5)
    facts["dolby_vision"] = DolbyVisionBox(
        profile=data[2] >> 1, level=(data[2] & 1) << 5 | data[3] >> 3, compatibility=data[4] >> 4
    )


def _hdr_metadata(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    facts["hdr_metadata"] = True


def _wave(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    esds = reader.child(box, b"esds")
    if esds is not None:
        _esds(reader, esds, facts)


def _esds(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    """ISO/IEC 14496-1, 7.2.6: ES_Descriptor (3) holds DecoderConfigDescriptor (4) holds DecoderSpecificInfo (5)."""
    data = reader.payload(box, 4096)
    at, end = 4, len(data)
    while at < end:
        tag, at, length = _descriptor(data, at)
        if tag == 3:
            flags = data[at + 2]
            at += (
                3
                + (2 if flags & 0x80 else 0)
                + (1 + data[at + 3] if flags & 0x40 else 0)
                + (2 if flags & 0x20 else 0)
            )
        elif tag == 4:
            facts["object_type"] = data[at]
            at += 13
        else:
            if tag == 5:
                facts["asc"] = data[at : at + length]
                return
            at += length


def _descriptor(data: bytes, at: int) -> tuple[int, int, int]:
    """(tag, start of the content, length): the length is seven bits a byte, four bytes at most."""
    tag, length = data[at], 0
    for _ in range(4):
        at += 1
        length = length << 7 | data[at] & 0x7F
        if not data[at] & 0x80:
            break
    return tag, at + 1, length


def _timed_keys(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    """Names in the ``keys`` box of an ``mebx`` description (QuickTime File Format, Timed Metadata Media)."""
    names: list[str] = []
    for entry in reader.boxes(box.body, box.end):
        key = reader.child(entry, b"keyd")
        if key is not None and len(names) < 100:
            names.append(reader.payload(key, 256)[4:].decode("utf-8", "replace"))
    facts["entry_keys"] = tuple(names)


# -- sample tables -----------------------------------------------------------------------------------------------------------------


def _sync(reader: BoxReader, box: Box, facts: _TrackFields) -> None:
    facts["sync_count"] = len(reader.table(box, 4)[1]) // 4


def _layout(reader: BoxReader, tables: dict[bytes, Box], facts: _TrackFields) -> None:
    """Counts, sizes and the place of the samples. Tables of a constant cost nothing, however many samples they claim."""
    sizes, constant, count = _sizes(reader, tables)
    facts["sample_count"] = count
    if count is not None:
        facts["sample_bytes"] = constant * count if constant else sum(sizes)
    if b"stts" in tables:
        claimed, data = reader.table(tables[b"stts"], 8)
        times = words(data)
        facts["frame_ticks"] = (
            max(zip(times[0:32:2], times[1:32:2], strict=True))[1] if times else None
        )
        total = sum(times[0::2])
        if count is not None and total != count and not (claimed == 0 and count == 0):
            reader.fault(
                f"stts at byte {tables[b'stts'].start}: times {total} samples, the track has {count}"
            )
        facts["first_composition_offset"] = _earliest(reader, tables.get(b"ctts"), times)
    offsets = words(reader.table(tables[b"stco"], 4)[1]) if b"stco" in tables else None
    if b"co64" in tables:
        offsets = words(reader.table(tables[b"co64"], 8)[1], "Q")
    if offsets and count and b"stsc" in tables:
        last = offsets.index(max(offsets))
        start, samples = _chunk(words(reader.table(tables[b"stsc"], 12)[1]), last)
        samples = max(0, min(samples, count - start))
        facts["data_end"] = offsets[last] + (
            constant * samples if constant else sum(sizes[start : start + samples])
        )


def _sizes(reader: BoxReader, tables: dict[bytes, Box]) -> tuple[Any, int, int | None]:
    """(sizes of the samples, or their one size where it is constant, else 0; how many samples)."""
    if b"stsz" in tables:
        constant, claimed = struct.unpack_from(">II", reader.payload(tables[b"stsz"], 12), 4)
        if constant:
            return (), constant, claimed
        return words(reader.table(tables[b"stsz"], 4, head=12)[1]), 0, claimed
    if b"stz2" in tables:
        head = reader.payload(tables[b"stz2"], 12)
        bits, claimed = head[7], struct.unpack_from(">I", head, 8)[0]
        if bits == 16:
            return words(reader.table(tables[b"stz2"], 2, head=12)[1], "H"), 0, claimed
        data = reader.payload(tables[b"stz2"])[12:]
        return (
            (
                data
                if bits == 8
                else [half for byte in data for half in (byte >> 4, byte & 15)][:claimed]
            ),
            0,
            claimed,
        )
    return (), 0, None


def _chunk(runs: Any, chunk: int) -> tuple[int, int]:
    """(first sample, samples) of a chunk counted from 0, by the sample-to-chunk runs (first chunk from 1, samples a chunk, description)."""
    firsts, per_chunk = runs[0::3], runs[1::3]
    run = bisect_right(firsts, chunk + 1) - 1
    if run < 0:
        return 0, 0
    before = sum(map(mul, map(sub, firsts[1 : run + 1], firsts), per_chunk))
    return before + (chunk + 1 - firsts[run]) * per_chunk[run], per_chunk[run]


def _earliest(reader: BoxReader, ctts: Box | None, times: Any) -> int:
    """The earliest composition time of the first samples, in ticks of the media."""
    if ctts is None:
        return 0
    shifts = _first_of_runs(words(reader.table(ctts, 8)[1][: FIRST_SAMPLES * 8]))
    steps = _first_of_runs(times[: FIRST_SAMPLES * 2])
    decode, earliest = 0, None
    for word, step in zip(shifts, steps, strict=False):
        shift = word - (word >> 31 << 32)  # signed: written so in version 0 too
        earliest = decode + shift if earliest is None else min(earliest, decode + shift)
        decode += step
    return earliest or 0


def _first_of_runs(runs: Any) -> list[int]:
    """The first values of a table of (count, value) runs."""
    values = (
        value
        for count, value in zip(runs[0::2], runs[1::2], strict=True)
        for _ in range(min(count, FIRST_SAMPLES))
    )
    return list(islice(values, FIRST_SAMPLES))


_IN_TRAK = {b"tkhd": _track_header, b"edts": _edits, b"tref": _references}
_IN_MDIA = {b"mdhd": _media_header, b"hdlr": _handler}
_IN_STBL = {b"stsd": _descriptions, b"stss": _sync}
_IN_ENTRY = {
    b"pasp": _pasp,
    b"clap": _clap,
    b"fiel": _fiel,
    b"colr": _colr,
    b"dvcC": _dolby_vision,
    b"dvvC": _dolby_vision,
    b"dvwC": _dolby_vision,
    b"mdcv": _hdr_metadata,
    b"clli": _hdr_metadata,
    b"SmDm": _hdr_metadata,
    b"esds": _esds,
    b"wave": _wave,
    b"keys": _timed_keys,
}
