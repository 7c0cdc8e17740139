"""The WebP walker."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mediaprep.probing.formats import webp
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.runtime.source import open_source
from tests.probing.formats.riffwriter import riff_file


def _three(number):
    return number.to_bytes(3, "little")


def test_animated_webp():
    """ANMF has its duration at offset 12: three bytes, milliseconds (Container Specification)."""
    frames = [
        (b"ANMF", bytes(12) + _three(delay) + bytes([flags]) + b"VP8L")
        for delay, flags in ((40, 0), (5, 1), (1000, 0))
    ]
    found = webp.walk(
        InMemoryFile(
            riff_file(
                (b"VP8X", bytes([0x12, 0, 0, 0]) + _three(639) + _three(479)),
                (b"ANIM", bytes(4) + b"\3\0"),
                *frames,
                (b"EXIF", b"x"),
                (b"XMP ", b"y"),
            )
        )
    )
    assert (found.width, found.height, found.frame_count, found.loop, found.alpha) == (
        640,
        480,
        3,
        3,
        True,
    )
    assert found.delays == (Fraction(1, 25), Fraction(1, 10), Fraction(1))
    assert found.disposals == ("background", "none")
    assert (found.animated, found.complete) == (True, True)


@pytest.mark.parametrize(
    "name",
    [
        "plain.webp",
        "alpha.webp",
        "anim.webp",
        "comment.webp",
        "orientation6.webp",
        "anim_alpha.webp",
    ],
)
def test_webp_facts_equal_those_of_exiftool(make, name):
    import fixtures

    expected_facts = fixtures.truth(name).reference["exiftool"]
    wide, high = (
        size[0] if isinstance(size, list) else size
        for size in (expected_facts["ImageWidth"], expected_facts["ImageHeight"])
    )
    with open_source(make(name)) as source:
        found = webp.walk(source)
    assert (found.width, found.height, found.complete) == (wide, high, True)
    if "Duration" in expected_facts:
        assert float(sum(found.delays)) == pytest.approx(expected_facts["Duration"], abs=0.005)


def test_a_webp_that_is_cut_short(make):
    data = make("plain.webp").read_bytes()
    for percent in (10, 50, 99):
        assert webp.walk(InMemoryFile(data[: len(data) * percent // 100])).complete is False
    assert webp.walk(InMemoryFile(data + b"tail")).trailing_bytes == 4
