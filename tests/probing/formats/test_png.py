"""The PNG walker."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import pytest

from mediaprep.probing.formats import png
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.runtime.source import open_source


def _chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(*chunks):
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 7, 8, 2, 0, 0, 0))
    return png.SIGNATURE + head + b"".join(chunks)


def _control_chunk(number, delay=1, base=10, disposal=0):
    return _chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 5, 7, 0, 0, delay, base, disposal, 0))


def test_header_and_transparency():
    opaque = png.walk(InMemoryFile(_png(_chunk(b"IDAT"), _chunk(b"IEND"))))
    found = png.walk(InMemoryFile(_png(_chunk(b"tRNS"), _chunk(b"IDAT"), _chunk(b"IEND"))))
    assert (found.width, found.height, found.bit_depth, found.colour_type) == (5, 7, 8, 2)
    assert (found.alpha, opaque.alpha) == (True, False)
    assert (found.complete, found.animated) == (True, False)


def test_frames_of_an_apng_are_counted():
    actl = _chunk(b"acTL", struct.pack(">II", 3, 2))
    frames = (
        _control_chunk(0),
        _chunk(b"IDAT"),
        _control_chunk(1, 0, 0, 1),
        _chunk(b"fdAT"),
        _control_chunk(2, 5, 0),
        _chunk(b"fdAT"),
    )
    found = png.walk(InMemoryFile(_png(actl, *frames, _chunk(b"IEND"))))
    assert (found.frame_count, found.declared_frames) == (3, 3)
    assert (found.loop, found.animated) == (2, True)
    assert found.delays == (
        Fraction(1, 10),
        Fraction(1, 10),
        Fraction(1, 20),
    )  # 0 is played as 100 ms; a base of 0 is 100
    assert found.disposals == ("background", "none")
    short = png.walk(InMemoryFile(_png(actl, *frames[:4], _chunk(b"IEND"))))
    assert (short.frame_count, short.complete) == (2, False)


def test_apng_facts_equal_those_of_exiftool(make):
    """Truth: exiftool's AnimationFrames and AnimationPlays."""
    import fixtures

    expected_facts = fixtures.truth("anim.apng").reference["exiftool"]
    with open_source(make("anim.apng")) as source:
        found = png.walk(source)
    assert (found.frame_count, found.loop) == (
        expected_facts["AnimationFrames"],
        0 if expected_facts["AnimationPlays"] == "inf" else expected_facts["AnimationPlays"],
    )


def test_an_actl_after_the_image_data_is_ignored():
    found = png.walk(
        InMemoryFile(
            _png(
                _chunk(b"IDAT"),
                _chunk(b"acTL", struct.pack(">II", 2, 0)),
                _control_chunk(0),
                _control_chunk(1),
                _chunk(b"IEND"),
            )
        )
    )
    assert (found.animated, found.loop) == (False, None)


@pytest.mark.parametrize("cut", [1, 4, 12, 13, 20])
def test_a_png_that_is_cut_short(cut):
    data = _png(_chunk(b"IDAT", b"x" * 10), _chunk(b"IEND"))
    assert png.walk(InMemoryFile(data[:-cut])).complete is False
    assert png.walk(InMemoryFile(data + b"junk")).trailing_bytes == 4
