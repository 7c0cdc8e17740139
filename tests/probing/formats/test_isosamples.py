"""Sample tables."""

from __future__ import annotations

import struct

from tests.probing.formats.isowriter import full, movie, only_track, track, video_entry


def test_chunk_runs_find_the_last_chunk():
    """Three chunks of 2, 2 and 1 samples; the second lies last in the file."""
    tables = (
        full(b"stts", struct.pack(">III", 1, 5, 500)),
        full(b"stsz", struct.pack(">II5I", 0, 5, 1, 2, 30, 40, 5)),
        full(b"stsc", struct.pack(">I6I", 2, 1, 2, 1, 3, 1, 1)),
        full(b"stco", struct.pack(">I3I", 3, 28, 60, 40)),
    )
    found = only_track(movie(track(video_entry(), tables=tables)))
    assert (found.data_end, found.sample_bytes, found.sample_count) == (60 + 70, 78, 5)


def test_negative_composition_offsets():
    tables = (
        full(b"stts", struct.pack(">III", 1, 4, 500)),
        full(b"ctts", struct.pack(">III", 1, 4, 0xFFFFFE0C), version=1),
    )
    assert only_track(movie(track(video_entry(), tables=tables))).first_composition_offset == -500
