"""The tables of transport streams."""

from __future__ import annotations

import pytest

from mediaprep.probing.formats import mpegts
from mediaprep.runtime.source import open_source


@pytest.mark.parametrize("name", ["base.ts", "base.m2ts", "adts.ts"])
def test_the_streams_equal_those_of_ffprobe(make, name):
    import fixtures

    expected_facts = fixtures.truth(name).reference["ffprobe"]["streams"]
    with open_source(make(name)) as source:
        found = mpegts.walk(source)
    assert found is not None
    kinds = {item.kind for item in found.streams}
    assert len(found.streams) == len(expected_facts)
    assert "video" in kinds
    assert "audio" in kinds or name == "base.m2ts"  # AAC is private data in it
    assert (found.packet_bytes, found.whole_packets) == (192 if name == "base.m2ts" else 188, True)


def test_an_id3_stream(corpus):
    """Truth: ffprobe: one AAC stream, one data stream with the tag "ID3 "."""
    with open_source(corpus / "shaka-player__id3-metadata.ts") as source:
        found = mpegts.walk(source)
    assert found is not None
    assert sorted(item.kind for item in found.streams) == ["audio", "metadata"]
