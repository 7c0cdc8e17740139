"""The Matroska walker."""

from __future__ import annotations

import pytest

from mediaprep.probing.formats import matroska
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.runtime.source import open_source


@pytest.mark.parametrize("name", ["base.mkv", "vp9.webm", "av1.webm", "rot90.mkv", "grey203.mkv"])
def test_there_are_as_many_tracks_as_ffprobe_finds(make, name):
    import fixtures

    streams = fixtures.truth(name).reference["ffprobe"]["streams"]
    with open_source(make(name)) as source:
        found = matroska.walk(source)
    assert [track.number for track in found.tracks] == list(range(1, len(streams) + 1))
    assert not any(track.encrypted for track in found.tracks)
    assert found.complete


def test_every_cut_is_incomplete(make):
    data = make("base.mkv").read_bytes()
    for percent in range(2, 100, 7):
        cut = InMemoryFile(data[: len(data) * percent // 100])
        assert matroska.walk(cut).complete is False
    assert matroska.walk(InMemoryFile(data[:-1])).complete is False


def test_a_segment_of_unknown_size_is_undecided(make):
    data = bytearray(make("base.mkv").read_bytes())
    at = data.find(b"\x18\x53\x80\x67")
    data[at + 4 : at + 12] = b"\x01" + b"\xff" * 7
    assert matroska.walk(InMemoryFile(bytes(data))).complete is None
