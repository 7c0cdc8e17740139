"""Read movie fragments (ISO/IEC 14496-12, 8.8): their samples, and the end that an index states."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from mediaprep.probing.formats.boxes import Box, BoxReader

FIRST_SAMPLES = 64  # searched for the earliest composition time: more than any codec reorders
MAX_RUN_BYTES = 2**24
# Flags of tfhd (8.8.7) and trun (8.8.8)
_BASE_OFFSET, _DESCRIPTION, _DEFAULT_DURATION, _DEFAULT_SIZE = 0x1, 0x2, 0x8, 0x10
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_DURATION, _SIZE, _COMPOSITION, _COLUMNS = 0x100, 0x200, 0x800, 0xF00


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentTotals:
    """The sums over the fragments of one track.

    ticks                      durations of its samples
    first_composition_offset   of the first fragment, in ticks of the media
    frame_ticks                duration of its first sample; None: not stated
    """

    samples: int = 0
    bytes: int = 0
    ticks: int = 0
    first_composition_offset: int | None = None
    frame_ticks: int | None = None

    def plus(self, fragment: FragmentTotals) -> FragmentTotals:
        """Add a later fragment."""
        return FragmentTotals(
            samples=self.samples + fragment.samples,
            bytes=self.bytes + fragment.bytes,
            ticks=self.ticks + fragment.ticks,
            first_composition_offset=self.first_composition_offset,
            frame_ticks=self.frame_ticks,
        )


@dataclass(slots=True)
class _Fragment:
    """One ``traf`` box while it is read; defaults of a sample are of ``trex``, then of ``tfhd``."""

    track: int = 0
    samples: int = 0
    bytes: int = 0
    duration: int = 0
    default_duration: int = 0
    default_size: int = 0
    frame_ticks: int | None = None
    earliest: int | None = None

    @property
    def totals(self) -> FragmentTotals:
        return FragmentTotals(
            samples=self.samples,
            bytes=self.bytes,
            ticks=self.duration,
            first_composition_offset=self.earliest,
            frame_ticks=self.frame_ticks,
        )


def read(reader: BoxReader, top: Sequence[Box], moov: Box) -> dict[int, FragmentTotals]:
    """Return the totals of all ``moof`` boxes by track number."""
    totals: dict[int, FragmentTotals] = {}
    moofs = [box for box in top if box.kind == b"moof"]
    defaults = _defaults(reader, moov) if moofs else {}
    for moof in moofs:
        for traf in reader.boxes(moof.body, moof.end):
            if traf.kind != b"traf":
                continue
            with reader.guarded(traf):
                fragment = _fragment(reader, traf, defaults)
                before = totals.get(fragment.track)
                after = fragment.totals if before is None else before.plus(fragment.totals)
                totals[fragment.track] = after
    return totals


def _defaults(reader: BoxReader, moov: Box) -> dict[int, tuple[int, int]]:
    """Return (sample duration, sample size) of the ``trex`` boxes by track number."""
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
            _header(reader.payload(box, 40), fragment, defaults)
        elif box.kind == b"trun":
            _run(reader, box, fragment)
    return fragment


def _header(data: bytes, fragment: _Fragment, defaults: dict[int, tuple[int, int]]) -> None:
    """Read the track number and the defaults of its samples from ``tfhd``."""
    flags, fragment.track = struct.unpack_from(">II", data)
    ticks, fragment.default_size = defaults.get(fragment.track, (0, 0))
    at = 8 + (8 if flags & _BASE_OFFSET else 0) + (4 if flags & _DESCRIPTION else 0)
    if flags & _DEFAULT_DURATION:
        ticks = struct.unpack_from(">I", data, at)[0]
        at += 4
    fragment.default_duration, fragment.frame_ticks = ticks, ticks or None
    if flags & _DEFAULT_SIZE:
        fragment.default_size = struct.unpack_from(">I", data, at)[0]


def _run(reader: BoxReader, box: Box, fragment: _Fragment) -> None:
    """Add one run. Samples of one size and one duration take no time, however many it claims."""
    flags = struct.unpack(">I", reader.payload(box, 4))[0]
    head = 8 + (4 if flags & _DATA_OFFSET else 0) + (4 if flags & _FIRST_FLAGS else 0)
    entry = 4 * (flags & _COLUMNS).bit_count()
    varies = bool(flags & (_DURATION | _SIZE))
    data = reader.payload(box, MAX_RUN_BYTES if varies else head + FIRST_SAMPLES * entry)
    claimed = struct.unpack_from(">I", data, 4)[0]
    whole = max(0, (len(data) - head) // entry) if entry else 0
    rows = data[head : head + min(claimed, whole) * entry]
    if not fragment.samples:
        _first_times(rows[: FIRST_SAMPLES * entry], flags, fragment)
    count = min(claimed, whole) if varies else claimed
    fragment.samples += count
    if flags & _DURATION:
        fragment.duration += _column(rows, entry, 0)
    else:
        fragment.duration += count * fragment.default_duration
    if flags & _SIZE:
        fragment.bytes += _column(rows, entry, 4 if flags & _DURATION else 0)
    else:
        fragment.bytes += count * fragment.default_size


def _column(rows: bytes, entry: int, at: int) -> int:
    """Return the sum of one word of each row of ``entry`` bytes."""
    return sum(value for (value,) in struct.iter_unpack(f">{at}xI{entry - at - 4}x", rows))


def _first_times(rows: bytes, flags: int, fragment: _Fragment) -> None:
    """Read the first sample's duration, and the earliest composition time of the first samples."""
    columns = (flags & _COLUMNS).bit_count()
    samples = list(struct.iter_unpack(f">{columns}I", rows)) if columns else []
    if flags & _DURATION and samples:
        fragment.frame_ticks = samples[0][0] or None
    if not flags & _COMPOSITION:
        fragment.earliest = 0
        return
    decode = 0
    for sample in samples:
        shown = decode + sample[-1] - (sample[-1] >> 31 << 32)  # signed: in version 0 too
        fragment.earliest = shown if fragment.earliest is None else min(fragment.earliest, shown)
        decode += sample[0] if flags & _DURATION else fragment.frame_ticks or 0


def stated_length(reader: BoxReader, moov: Box) -> int:
    """Return the duration of all fragments in ``mehd``, ticks of the movie; 0 without one."""
    mvex = reader.child(moov, b"mvex")
    box = None if mvex is None else reader.child(mvex, b"mehd")
    data = b"" if box is None else reader.payload(box, 12)
    size, layout = (12, ">Q") if data[:1] == b"\1" else (8, ">I")
    return int(struct.unpack_from(layout, data, 4)[0]) if len(data) >= size else 0


def stated_end(reader: BoxReader, top: Sequence[Box]) -> tuple[int, bool]:
    """Return (offset after the last byte that an index refers to, True if it proves the end).

    The offset is 0 without a top-level ``sidx``. An index before each fragment, as ffmpeg's
    ``dash`` muxer writes, does not show how many follow; one of several fragments does.
    """
    end, several = 0, False
    for box in top:
        if box.kind != b"sidx":
            continue
        data = reader.payload(box)
        at, layout, width = (28, ">Q", 8) if data[:1] == b"\1" else (20, ">I", 4)
        if len(data) < at + 4:
            continue
        first = struct.unpack_from(layout, data, at - width)[0]
        count = struct.unpack_from(">H", data, at + 2)[0]
        entries = data[at + 4 : at + 4 + 12 * count]
        references = struct.iter_unpack(">I8x", entries[: len(entries) // 12 * 12])
        size = sum(value & 0x7FFFFFFF for (value,) in references)
        end, several = max(end, box.stated_end + first + size), several or count > 1
    return end, several
