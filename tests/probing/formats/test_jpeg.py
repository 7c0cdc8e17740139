"""The JPEG walker."""

from __future__ import annotations

import struct

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats import jpeg
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.runtime.source import open_source
from tests.probing.mutants import Counted


@pytest.mark.parametrize(
    "name",
    [
        "plain.jpg",
        "progressive.jpg",
        "gray.jpg",
        "cmyk.jpg",
        "p3.jpg",
        "adobe.jpg",
        "mpo.jpg",
        "orientation6.jpg",
        "trailing.jpg",
        "comment.jpg",
    ],
)
def test_the_facts_equal_those_of_exiftool(make, name):
    import fixtures

    expected_facts = fixtures.truth(name).reference["exiftool"]
    with open_source(make(name)) as source:
        found = jpeg.walk(source)
    assert (found.width, found.height) == (
        expected_facts["ImageWidth"],
        expected_facts["ImageHeight"],
    )
    assert (found.components, found.bit_depth) == (
        expected_facts["ColorComponents"],
        expected_facts["BitsPerSample"],
    )
    assert found.complete


def _segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


_SOF = _segment(0xC0, struct.pack(">BHHB", 8, 6, 9, 3) + bytes(9))
_SOS = _segment(0xDA, bytes(10))


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        (b"\xff\xd8" + _SOF + _SOS + b"abc\xff\x00\xff\xd0de\xff\xff\xd9", True),
        (b"\xff\xd8" + _SOF + _SOS + b"abc\xff\x00", False),
        (b"\xff\xd8" + _SOF + _SOS + b"abc\xff", False),
        (b"\xff\xd8" + _SOF + _SOS + b"a" * 70000 + b"\xff\xd9" + b"tail", True),
        # the marker spans two reads
        (b"\xff\xd8" + _SOF + _SOS + b"a" * 65504 + b"\xff\xd9", True),
        (b"\xff\xd8" + _SOF + _SOS + b"a" * 65503 + b"\xff\xd9", True),
        # the end marker of a thumbnail is not the picture's
        (b"\xff\xd8" + _segment(0xE1, b"Exif\0\0\xff\xd9") + _SOF, False),
        (b"\xff\xd8" + _SOF + b"\xff\xd9", False),  # no scan
    ],
)
def test_the_end_of_a_jpeg(data, complete):
    found = jpeg.walk(InMemoryFile(data))
    assert found.complete is complete
    assert (found.width, found.height) == (9, 6)


def test_the_second_picture_must_be_complete():
    """A multi-picture file (CIPA DC-007): the index states where the second picture lies."""

    def with_index(size):
        entries = struct.pack(">IIIHH", 0x20030000, 100, 0, 0, 0) + struct.pack(
            ">IIIHH", 0, size, 60, 0, 0
        )
        index = (
            b"MM\0*\0\0\0\x08"
            + struct.pack(">H", 1)
            + struct.pack(">HHII", 0xB002, 7, 32, 26)
            + bytes(4)
            + entries
        )
        return (
            b"\xff\xd8" + _segment(0xE2, b"MPF\0" + index) + _SOF + _SOS + b"\xff\xd9" + bytes(100)
        )

    assert (
        jpeg.walk(InMemoryFile(with_index(20))).complete,
        jpeg.walk(InMemoryFile(with_index(20))).pictures,
    ) == (
        True,
        2,
    )
    assert jpeg.walk(InMemoryFile(with_index(2000))).complete is False


def test_many_short_scans_take_few_reads():
    counted = Counted(b"\xff\xd8" + _SOF + (_SOS + b"x") * 15000 + b"\xff\xd9")
    assert jpeg.walk(counted).complete
    assert counted.reads < 20


def test_three_bytes_are_unreadable():
    with pytest.raises(SourceUnreadable):
        jpeg.walk(InMemoryFile(b"\xff\xd8\xff"))


def test_ultra_hdr_cut_short(corpus):
    """Truth: exiftool: MPImageStart 513025, in a file of 48 kB; gain map by its XMP."""
    with open_source(corpus / "pillow__ultrahdr.jpg") as source:
        found = jpeg.walk(source)
    assert (found.width, found.height, found.pictures, found.gain_map, found.complete) == (
        1512,
        2688,
        2,
        True,
        False,
    )


def test_fill_bytes_are_skipped():
    """Any number of 0xFF may precede a marker (ITU-T T.81, B.1.1.2), also across two reads."""
    sof = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0"
    for fill in (0, 1, 65500, *range(65515, 65540), 200_000):
        data = (
            b"\xff\xd8"
            + sof
            + b"\xff" * fill
            + b"\xff\xda\0\x08\1\1\0\0\x3f\0"
            + b"\x12\xff\0\xff\xd0\x34\xff\xd9"
        )
        found = jpeg.walk(InMemoryFile(data))
        assert (found.complete, found.end, found.width) == (True, len(data), 8), fill
