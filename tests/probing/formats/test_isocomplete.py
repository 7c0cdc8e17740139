"""Truncated ISO base media files."""

from __future__ import annotations

import struct

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats import isobmff
from mediaprep.runtime.source import open_source
from tests.probing.formats.isowriter import box, full, movie, track, video_entry, walk


@pytest.mark.parametrize("percent", [1, 2, 5, 15, 30, 60, 90, 99])
def test_every_cut_of_a_faststart_file_is_detected(make, percent):
    data = make("fs.mp4").read_bytes()
    found = walk(data[: len(data) * percent // 100])
    assert found.complete is False
    assert found.incomplete_because


def test_one_missing_byte_is_detected(make):
    assert walk(make("fs.mp4").read_bytes()[:-1]).complete is False
    with pytest.raises(SourceUnreadable) as caught:
        walk(make("fs.mp4").read_bytes()[:30])
    assert caught.value.rule == "file-complete"


def test_a_cut_between_fragments_is_detected_by_the_segment_index():
    """Such a file is well formed; only the index shows that something is missing."""
    fragment = box(b"moof", full(b"mfhd", bytes(4))) + box(b"mdat", bytes(100))
    index = full(
        b"sidx",
        struct.pack(">IIIIHH", 1, 1000, 0, 0, 0, 2),
        struct.pack(">III", len(fragment), 1000, 0) * 2,
    )
    whole = movie(track(video_entry())) + index + 2 * fragment
    assert walk(whole).complete
    assert walk(whole[: -len(fragment)]).complete is False
    assert "segment index" in str(walk(whole[: -len(fragment)]).incomplete_because)


def fragment(number, *, samples=4, ticks=500):
    """Return a moof box and its mdat: ``samples`` of 10 bytes."""
    tfhd = full(b"tfhd", struct.pack(">III", number, ticks, 10), flags=0x18)
    traf = box(b"traf", tfhd, full(b"trun", struct.pack(">I", samples)))
    return box(b"moof", full(b"mfhd", bytes(4)), traf) + box(b"mdat", bytes(10 * samples))


def test_a_cut_between_fragments_is_detected_by_the_declared_length():
    """Two fragments of 2 s each; ``mehd`` declares 4 s."""
    mvex = box(b"mvex", full(b"mehd", struct.pack(">I", 4000)))
    head = movie(track(video_entry()), extra=mvex)
    assert walk(head + 2 * fragment(1)).complete is True
    found = walk(head + fragment(1))
    assert (found.complete, found.incomplete_because) == (
        False,
        "the fragments end after 2.000 s of 4.000 s",
    )


def test_fragments_without_a_mark_of_their_end_are_undecided(make):
    """Without index, length or random access table; an index before each shows one alone."""
    head = movie(track(video_entry()), extra=box(b"mvex"))
    assert walk(head + 2 * fragment(1)).complete is None
    index = full(
        b"sidx",
        struct.pack(">IIIIHH", 1, 1000, 0, 0, 0, 1),
        struct.pack(">III", len(fragment(1)), 1000, 0),
    )
    assert walk(head + 2 * (index + fragment(1))).complete is None
    data = make("frag.mp4").read_bytes()
    assert walk(data).complete is True  # mfra
    assert walk(data[: data.rindex(b"moof") - 4]).complete is None


def test_samples_beyond_the_file_are_detected(make):
    with open_source(make("gap_in_stco.mp4")) as source:
        assert isobmff.walk(source).complete is False


def test_samples_in_another_file_are_not_read(make):
    with open_source(make("dref.mov")) as source:
        found = isobmff.walk(source)
    assert (found.complete, found.incomplete_because) == (
        False,
        "track 1 keeps its samples in another file",
    )


def test_data_after_the_last_box_is_not_a_truncation(make):
    with open_source(make("trailing_junk.mp4")) as source:
        found = isobmff.walk(source)
    assert found.complete
    assert found.damage == ("29 bytes after the last box",)
    assert walk(movie(track(video_entry())) + bytes(5000)).complete
