"""Movie fragments (ISO/IEC 14496-12, 8.8): samples and bytes of each track in them, and where a segment index says that they end."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from mediaprep.probe.boxes import Box, BoxReader


def read(reader: BoxReader, top: Sequence[Box], moov: Box) -> dict[int, tuple[int, int]]:
    """Track number -> (samples, bytes) over all ``moof`` boxes."""
    counted: dict[int, tuple[int, int]] = {}
    moofs = [box for box in top if box.kind == b"moof"]
    defaults = _default_sizes(reader, moov) if moofs else {}
    for moof in moofs:
        for traf in reader.boxes(moof.body, moof.end):
            if traf.kind != b"traf":
                continue
            try:
                track, samples, size = _track_run(reader, traf, defaults)
            except (struct.error, IndexError) as problem:
                reader.fault(f"traf at byte {traf.start}: {problem}")
                continue
            before = counted.get(track, (0, 0))
            counted[track] = before[0] + samples, before[1] + size
    return counted


def _default_sizes(reader: BoxReader, moov: Box) -> dict[int, int]:
    """Track number -> sample size by ``trex``."""
    sizes = {}
    mvex = reader.child(moov, b"mvex")
    for box in reader.boxes(mvex.body, mvex.end) if mvex is not None else ():
        data = reader.payload(box, 24)
        if box.kind == b"trex" and len(data) == 24:
            sizes[struct.unpack_from(">I", data, 4)[0]] = struct.unpack_from(">I", data, 16)[0]
    return sizes


def _track_run(reader: BoxReader, traf: Box, defaults: dict[int, int]) -> tuple[int, int, int]:
    """(track, samples, bytes) of one ``traf``. A run whose samples have one size costs nothing, however many it claims."""
    track = samples = size = each = 0
    for box in reader.boxes(traf.body, traf.end):
        if box.kind == b"tfhd":
            data = reader.payload(box, 40)
            flags, track = struct.unpack_from(">II", data)
            at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0) + (4 if flags & 0x8 else 0)
            each = struct.unpack_from(">I", data, at)[0] if flags & 0x10 else defaults.get(track, 0)
        elif box.kind == b"trun":
            flags = struct.unpack(">I", reader.payload(box, 4))[0]
            head = 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
            entry = 4 * bin(flags & 0xF00).count("1")
            if not flags & 0x200:
                count = struct.unpack_from(">I", reader.payload(box, 8), 4)[0]
                samples, size = samples + count, size + count * each
                continue
            data = reader.payload(box, 2**24)
            count = min(struct.unpack_from(">I", data, 4)[0], max(0, len(data) - head) // entry)
            skip = 4 if flags & 0x100 else 0
            sizes = struct.iter_unpack(f">{skip}xI{entry - skip - 4}x", data[head : head + count * entry])
            samples, size = samples + count, size + sum(value for (value,) in sizes)
    return track, samples, size


def stated_end(reader: BoxReader, top: Sequence[Box]) -> int:
    """Where the last byte that a top-level segment index (``sidx``) refers to lies, plus one; 0 without one."""
    end = 0
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
        sizes = (value & 0x7FFFFFFF for (value,) in struct.iter_unpack(">I8x", entries[: len(entries) // 12 * 12]))
        end = max(end, box.stated_end + first + sum(sizes))
    return end
