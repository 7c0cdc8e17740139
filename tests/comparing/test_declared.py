"""What a still declares: orientation by every container's own item, colours by numbers."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from mediaprep.comparing import colour
from mediaprep.comparing.declared import declaration, still_format
from tests.comparing.files import Held, chunk, coded, png

PLAIN = np.full((8, 12, 3), 90, dtype=np.uint8)
# Exif value -> the rows of a picture "ab/cd" that is upright after it is obeyed
UPRIGHT = {
    1: ("ab", "cd"), 2: ("ba", "dc"), 3: ("dc", "ba"), 4: ("cd", "ab"),
    5: ("ac", "bd"), 6: ("ca", "db"), 7: ("db", "ca"), 8: ("bd", "ac"),
}  # fmt: skip


def exif(value: int) -> bytes:
    data = Image.Exif()
    data[274] = value
    return data.tobytes()


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation(form: str, value: int) -> None:
    from mediaprep.comparing.geometry import oriented

    data = coded(Image.fromarray(PLAIN), form, exif=exif(value))
    turn = declaration(Held(data), form.lower()).orientation
    shown = oriented(np.array([list("ab"), list("cd")]), turn)
    assert tuple("".join(row) for row in shown) == UPRIGHT[value]


@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_of_avif_is_that_of_its_properties(value: int) -> None:
    """Pillow writes irot and imir for the Exif value, and leaves Exif at 1."""
    from mediaprep.comparing.geometry import oriented

    data = coded(Image.fromarray(PLAIN), "AVIF", exif=exif(value))
    assert (b"irot" in data or b"imir" in data) == (value != 1)
    turn = declaration(Held(data), "avif").orientation
    shown = oriented(np.array([list("ab"), list("cd")]), turn)
    assert tuple("".join(row) for row in shown) == UPRIGHT[value]


def test_xmp_does_not_turn_an_avif() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    data = coded(Image.fromarray(PLAIN), "AVIF", xmp=xmp)
    assert declaration(Held(data), "avif").orientation == (0, False)


def test_no_declaration() -> None:
    found = declaration(Held(png(PLAIN)), "png")
    assert not found.numbers
    assert found.orientation == (0, False)


def test_png_code_points_come_before_a_profile() -> None:
    cicp = chunk(b"cICP", bytes((9, 16, 0, 1)))
    found = declaration(Held(png(PLAIN, extra=cicp + chunk(b"iCCP", b"x\0\0"))), "png")
    assert found.transfer == colour.PQ
    assert found.high_range
    assert found.overrides_icc
    assert found.chromaticities == colour.CHROMATICITIES[9]


def test_png_gamma_counts_without_a_profile_alone() -> None:
    gamma = chunk(b"gAMA", struct.pack(">I", 100_000))
    assert declaration(Held(png(PLAIN, extra=gamma)), "png").gamma == pytest.approx(1.0)
    for other in (chunk(b"sRGB", b"\0"), chunk(b"iCCP", b"x\0\0")):
        assert declaration(Held(png(PLAIN, extra=other + gamma)), "png").gamma is None


def test_png_gamma_of_srgb_is_srgb() -> None:
    usual = chunk(b"gAMA", struct.pack(">I", 45_455)) + chunk(
        b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    )
    assert not declaration(Held(png(PLAIN, extra=usual)), "png").numbers


def test_png_chromaticities() -> None:
    p3 = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
    found = declaration(Held(png(PLAIN, extra=p3)), "png")
    assert found.chromaticities == ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329))


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_damaged_header_declares_nothing_or_less(cut: int) -> None:
    data = coded(Image.fromarray(PLAIN), "AVIF", exif=exif(6))
    declaration(Held(data[:cut]), "avif")
    declaration(Held(coded(Image.fromarray(PLAIN), "JPEG", exif=exif(6))[:cut]), "jpeg")
    declaration(Held(png(PLAIN, extra=chunk(b"eXIf", exif(6)[6:]))[:cut]), "png")


@pytest.mark.parametrize(
    ("form", "name"),
    [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("AVIF", "avif"), ("TIFF", "tiff"), ("BMP", "bmp"),
     ("JPEG2000", "jpeg2000"), ("PPM", "pnm"), ("PCX", "pcx"), ("SGI", "sgi"), ("ICO", "ico"), ("GIF", "gif")],
)  # fmt: skip
def test_formats_by_their_first_bytes(form: str, name: str) -> None:
    assert still_format(Held(coded(Image.fromarray(PLAIN), form))) == name
