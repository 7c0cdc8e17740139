"""Movie fragments (ISO/IEC 14496-12, 8.8): samples and bytes of each track in them, and where a segment index says that they end."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from mediaprep.probing.formats.boxes import Box, BoxReader

FIRST_SAMPLES = 64  # searched for the earliest composition time: more than any codec reorders


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentTotals:
    """What the fragments of one track add up to; ``ticks``: the durations of its samples. ``first_composition_offset`` and
    ``frame_ticks`` (the first sample's duration) are ticks of the media, of the first fragment; None where it states none."""

    samples: int = 0
    bytes: int = 0
    ticks: int = 0
    first_composition_offset: int | None = None
    frame_ticks: int | None = None


@dataclass(slots=True)
class _Fragment:
    """One ``traf`` while it is read. ``each`` and ``usual``: size and duration of a sample by default (``trex``, then ``tfhd``)."""

    track: int = 0
    samples: int = 0
    bytes: int = 0
    duration: int = 0
    usual: int = 0
    each: int = 0
    ticks: int | None = None
    earliest: int | None = None


def read(reader: BoxReader, top: Sequence[Box], moov: Box) -> dict[int, FragmentTotals]:
    """Track number -> what all ``moof`` boxes hold of it."""
    counted: dict[int, FragmentTotals] = {}
    moofs = [box for box in top if box.kind == b"moof"]
    defaults = _defaults(reader, moov) if moofs else {}
    for moof in moofs:
        for traf in reader.boxes(moof.body, moof.end):
            if traf.kind != b"traf":
                continue
            try:
                found = _fragment(reader, traf, defaults)
            except (struct.error, IndexError) as problem:
                reader.fault(f"traf at byte {traf.start}: {problem}")
                continue
            before = counted.get(found.track)
            counted[found.track] = FragmentTotals(
                samples=found.samples + (before.samples if before else 0),
                bytes=found.bytes + (before.bytes if before else 0),
                ticks=found.duration + (before.ticks if before else 0),
                first_composition_offset=before.first_composition_offset
                if before
                else found.earliest,
                frame_ticks=before.frame_ticks if before else found.ticks,
            )
    return counted


def _defaults(reader: BoxReader, moov: Box) -> dict[int, tuple[int, int]]:
    """Track number -> (sample duration, sample size) by ``trex``."""
    found = {}
    mvex = reader.child(moov, b"mvex")
    for box in reader.boxes(mvex.body, mvex.end) if mvex is not None else ():
        data = reader.payload(box, 24)
        if box.kind == b"trex" and len(data) == 24:
            track, _, ticks, size = struct.unpack_from(">IIII", data, 4)
            found[track] = ticks, size
    return found


def _fragment(reader: BoxReader, traf: Box, defaults: dict[int, tuple[int, int]]) -> _Fragment:
    fragment = _Fragment()
    for box in reader.boxes(traf.body, traf.end):
        if box.kind == b"tfhd":
            data = reader.payload(box, 40)
            flags, fragment.track = struct.unpack_from(">II", data)
            ticks, fragment.each = defaults.get(fragment.track, (0, 0))
            at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
            if flags & 0x8:
                ticks = struct.unpack_from(">I", data, at)[0]
            fragment.usual, fragment.ticks = ticks, ticks or None
            if flags & 0x10:
                fragment.each = struct.unpack_from(">I", data, at + (4 if flags & 0x8 else 0))[0]
        elif box.kind == b"trun":
            _run(reader, box, fragment)
    return fragment


def _run(reader: BoxReader, box: Box, fragment: _Fragment) -> None:
    """Add one run. Where its samples have one size and one duration they cost nothing, however many it claims."""
    flags = struct.unpack(">I", reader.payload(box, 4))[0]
    head = 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    entry = 4 * (flags & 0xF00).bit_count()
    data = reader.payload(box, 2**24 if flags & 0x300 else head + FIRST_SAMPLES * entry)
    claimed = struct.unpack_from(">I", data, 4)[0]
    whole = max(0, (len(data) - head) // entry) if entry else 0
    rows = data[head : head + min(claimed, whole) * entry]
    if not fragment.samples:
        _first_times(rows[: FIRST_SAMPLES * entry], flags, fragment)
    count = min(claimed, whole) if flags & 0x300 else claimed
    fragment.samples += count
    fragment.duration += _column(rows, entry, 0) if flags & 0x100 else count * fragment.usual
    fragment.bytes += (
        _column(rows, entry, 4 if flags & 0x100 else 0) if flags & 0x200 else count * fragment.each
    )


def _column(rows: bytes, entry: int, at: int) -> int:
    """The sum of one word of each row of ``entry`` bytes."""
    return sum(value for (value,) in struct.iter_unpack(f">{at}xI{entry - at - 4}x", rows))


def _first_times(entries: bytes, flags: int, fragment: _Fragment) -> None:
    """The earliest composition time of the first samples of a run, and the first sample's duration."""
    words = (flags & 0xF00).bit_count()
    rows = list(struct.iter_unpack(f">{words}I", entries)) if words else []
    if flags & 0x100 and rows:
        fragment.ticks = rows[0][0] or None
    if not flags & 0x800:
        fragment.earliest = 0
        return
    decode = 0
    for row in rows:
        shift = row[-1] - (row[-1] >> 31 << 32)  # signed: written so in version 0 too
        fragment.earliest = (
            decode + shift if fragment.earliest is None else min(fragment.earliest, decode + shift)
        )
        decode += row[0] if flags & 0x100 else fragment.ticks or 0


def stated_length(reader: BoxReader, moov: Box) -> int:
    """The duration of all fragments by ``mehd``, ticks of the movie; 0 without one."""
    mvex = reader.child(moov, b"mvex")
    box = None if mvex is None else reader.child(mvex, b"mehd")
    data = b"" if box is None else reader.payload(box, 12)
    wide = data[:1] == b"\1"
    return (
        int(struct.unpack_from(">Q" if wide else ">I", data, 4)[0])
        if len(data) >= (12 if wide else 8)
        else 0
    )


def stated_end(reader: BoxReader, top: Sequence[Box]) -> tuple[int, bool]:
    """Where the last byte that a top-level segment index (``sidx``) refers to lies, plus one, 0 without one; and whether one of them
    indexes several fragments: one before each (as ffmpeg's ``dash`` writes) says nothing of those that follow."""
    end, several = 0, False
    for box in top:
        if box.kind != b"sidx":
            continue
        data = reader.payload(box)
        wide = data[:1] == b"\1"
        at = 28 if wide else 20
        if len(data) < at + 4:
            continue
        first = struct.unpack_from(">Q" if wide else ">I", data, at - (8 if wide else 4))[0]
        count = struct.unpack_from(">H", data, at + 2)[0]
        entries = data[at + 4 : at + 4 + 12 * count]
        sizes = (
            value & 0x7FFFFFFF
            for (value,) in struct.iter_unpack(">I8x", entries[: len(entries) // 12 * 12])
        )
        end, several = max(end, box.stated_end + first + sum(sizes)), several or count > 1
    return end, several
