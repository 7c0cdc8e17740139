"""The tables of transport streams."""

from __future__ import annotations

import pytest

from mediaprep.probing.formats import mpegts
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.runtime.source import open_source


@pytest.mark.parametrize("name", ["base.ts", "base.m2ts", "adts.ts"])
def test_the_streams_equal_those_of_ffprobe(make, name):
    import fixtures

    expected = fixtures.truth(name).reference["ffprobe"]["streams"]
    with open_source(make(name)) as source:
        found = mpegts.streams(source)
    assert found is not None
    kinds = {item.kind for item in found}
    assert len(found) == len(expected)
    assert "video" in kinds
    assert "audio" in kinds or name == "base.m2ts"  # AAC is private data in it


@pytest.mark.parametrize(("name", "layout"), [("base.ts", (188, 0)), ("base.m2ts", (192, 4))])
def test_the_size_of_packets(make, name, layout):
    data = make(name).read_bytes()
    assert mpegts.transport_packets(data[:65536], len(data)) == layout


def test_an_id3_stream(corpus):
    """Truth: ffprobe: one AAC stream, one data stream with the tag "ID3 "."""
    with open_source(corpus / "shaka-player__id3-metadata.ts") as source:
        found = mpegts.streams(source)
    assert found is not None
    assert sorted(item.kind for item in found) == ["audio", "metadata"]


def test_another_format_has_no_streams():
    assert mpegts.streams(InMemoryFile(bytes(4000))) is None
