"""Read the sample tables of a track (ISO/IEC 14496-12, 8.6 and 8.7): counts, sizes, times."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice
from operator import mul, sub

from mediaprep.probing.formats.boxes import Box, BoxReader, words
from mediaprep.probing.formats.isoentry import TrackFields
from mediaprep.probing.formats.isofragments import FIRST_SAMPLES


def layout(reader: BoxReader, tables: dict[bytes, Box], fields: TrackFields) -> None:
    """Read count, sizes, times and place of the samples.

    A table of constant values takes no time, however many samples it claims.
    """
    sizes, constant, count = _sizes(reader, tables)
    fields["sample_count"] = count
    if count is not None:
        fields["sample_bytes"] = constant * count if constant else sum(sizes)
    if b"stts" in tables:
        _times(reader, tables[b"stts"], tables.get(b"ctts"), fields)
    offsets = _chunk_offsets(reader, tables)
    if offsets and count and b"stsc" in tables:
        last = offsets.index(max(offsets))
        start, samples = _chunk(words(reader.table(tables[b"stsc"], 12)[1]), last)
        samples = max(0, min(samples, count - start))
        size = constant * samples if constant else sum(sizes[start : start + samples])
        fields["data_end"] = offsets[last] + size


def _sizes(reader: BoxReader, tables: dict[bytes, Box]) -> tuple[Sequence[int], int, int | None]:
    """Return (sizes of the samples, their one size if it is constant, else 0; sample count)."""
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
        if bits == 8:
            return data, 0, claimed
        halves = [half for byte in data for half in (byte >> 4, byte & 15)]
        return halves[:claimed], 0, claimed
    return (), 0, None


def _times(reader: BoxReader, stts: Box, ctts: Box | None, fields: TrackFields) -> None:
    claimed, data = reader.table(stts, 8)
    runs = words(data)
    longest = max(zip(runs[0:32:2], runs[1:32:2], strict=True), default=None)
    fields["frame_ticks"] = None if longest is None else longest[1]
    total, count = sum(runs[0::2]), fields["sample_count"]
    if count is not None and total != count and not (claimed == 0 and count == 0):
        reader.note(f"stts at byte {stts.start}: times {total} samples, the track has {count}")
    fields["first_composition_offset"] = _earliest(reader, ctts, runs)


def _chunk_offsets(reader: BoxReader, tables: dict[bytes, Box]) -> Sequence[int]:
    if b"co64" in tables:
        return words(reader.table(tables[b"co64"], 8)[1], "Q")
    return words(reader.table(tables[b"stco"], 4)[1]) if b"stco" in tables else ()


def _chunk(runs: Sequence[int], chunk: int) -> tuple[int, int]:
    """Return (first sample, samples) of a chunk counted from 0.

    ``runs`` are those of ``stsc``: first chunk counted from 1, samples a chunk, description.
    """
    firsts, per_chunk = runs[0::3], runs[1::3]
    run = bisect_right(firsts, chunk + 1) - 1
    if run < 0:
        return 0, 0
    before = sum(map(mul, map(sub, firsts[1 : run + 1], firsts), per_chunk))
    return before + (chunk + 1 - firsts[run]) * per_chunk[run], per_chunk[run]


def _earliest(reader: BoxReader, ctts: Box | None, runs: Sequence[int]) -> int:
    """Return the earliest composition time of the first samples, in ticks of the media."""
    if ctts is None:
        return 0
    shifts = _first_of_runs(words(reader.table(ctts, 8)[1][: FIRST_SAMPLES * 8]))
    steps = _first_of_runs(runs[: FIRST_SAMPLES * 2])
    decode, earliest = 0, None
    for word, step in zip(shifts, steps, strict=False):
        shift = word - (word >> 31 << 32)  # signed: written so in version 0 too
        earliest = decode + shift if earliest is None else min(earliest, decode + shift)
        decode += step
    return earliest or 0


def _first_of_runs(runs: Sequence[int]) -> list[int]:
    """Return the first values of a table of (count, value) runs."""
    values = (
        value
        for count, value in zip(runs[0::2], runs[1::2], strict=True)
        for _ in range(min(count, FIRST_SAMPLES))
    )
    return list(islice(values, FIRST_SAMPLES))
