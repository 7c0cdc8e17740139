"""Removing metadata without re-encoding: the pixels stay identical, the canary strings are gone."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.steps.scene import scene
from fixtures.steps.stills import P3, icc_profile
from mediaprep.errors import ToolError
from mediaprep.transcoding.image.strip_metadata import write_stripped

Make = Callable[[str], Path]
CANARIES = (b"Canary", b"CANARY", b"Jane", b"48,51", b"GPSL", b"2026:03:14", b"xpacket")
FORMATS = {"jpg": "jpeg", "png": "png", "webp": "webp", "gif": "gif"}


class BytesSource:
    """Bytes in memory as a source."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size_bytes = data, len(data)

    def read_at(self, offset: int, n: int) -> bytes:
        return self.data[offset : offset + n]


def strip(data: bytes, form: str, orientation: int = 1) -> bytes:
    out = io.BytesIO()
    write_stripped(BytesSource(data), form, orientation, out.write, lambda: None)
    return out.getvalue()


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


@pytest.mark.parametrize(
    "name",
    ["comment.jpg", "comment.png", "comment.webp", "comment.gif", "orientation1.jpg", "mpo.jpg", "trailing.jpg", "trailing.png",
     "progressive.jpg", "cmyk.jpg", "gray.jpg", "palette.png", "alpha.png", "alpha.webp", "still.gif", "gray16.png"],
)  # fmt: skip
def test_pixels_stay_and_metadata_goes(name, make: Make):
    data = make(name).read_bytes()
    made = strip(data, FORMATS[name.rpartition(".")[2]])
    assert np.array_equal(pixels(made), pixels(data))
    assert len(made) <= len(data)
    assert [word for word in CANARIES if word in made] == []


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("number", [2, 3, 6, 8])
def test_only_the_orientation_stays_of_the_exif(suffix, number, make: Make):
    name = f"orientation{number}.jpg" if suffix == "jpg" else f"orientation6.{suffix}"
    number = number if suffix == "jpg" else 6
    made = strip(make(name).read_bytes(), FORMATS[suffix], number)
    with Image.open(io.BytesIO(made)) as image:
        image.load()
        assert dict(image.getexif()) == {0x0112: number}
        assert "xmp" not in image.info
    assert [word for word in CANARIES if word in made] == []


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_colour_profile_stays(form):
    profile = icc_profile(P3, 2.2, "Display P3")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Canary Cameras"
    scene(64, 48).save(out, form, icc_profile=profile, exif=exif)
    made = strip(out.getvalue(), form.lower())
    with Image.open(io.BytesIO(made)) as image:
        assert image.info["icc_profile"] == profile
    assert b"Canary" not in made


def test_a_large_profile_in_several_segments_stays():
    profile = icc_profile(P3, 2.2, "Display P3") + bytes(200_000)
    profile = struct.pack(">I", len(profile)) + profile[4:]
    out = io.BytesIO()
    scene(64, 48).save(out, "JPEG", icc_profile=profile)
    with Image.open(io.BytesIO(strip(out.getvalue(), "jpeg"))) as image:
        assert image.info["icc_profile"] == profile


def test_only_the_first_picture_of_several_is_kept(make: Make):
    """A multi-picture file (MPO, gain map) becomes a plain JPEG."""
    data = make("mpo.jpg").read_bytes()
    made = strip(data, "jpeg")
    with Image.open(io.BytesIO(made)) as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("JPEG", 1)
    assert b"MPF\0" not in made
    assert made.count(b"\xff\xd8\xff") == 1


def test_a_thumbnail_in_the_jfif_header_goes():
    out = io.BytesIO()
    scene(64, 48).save(out, "JPEG")
    data = out.getvalue()
    body = b"JFIF\0\1\2\0\0\1\0\1\2\2" + b"CANARYCANARY"
    made = strip(
        data[:2] + b"\xff\xe0" + struct.pack(">H", len(body) + 2) + body + data[20:], "jpeg"
    )
    assert b"CANARY" not in made
    assert np.array_equal(pixels(made), pixels(data))


def test_comments_between_the_scans_of_a_progressive_jpeg_go():
    out = io.BytesIO()
    scene(64, 48).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    second = (
        data.rindex(b"\xff\xc4", 0, second)
        if b"\xff\xc4" in data[data.index(b"\xff\xda") : second]
        else second
    )
    comment = b"\xff\xfe" + struct.pack(">H", 8) + b"CANARY"
    made = strip(data[:second] + comment + data[second:], "jpeg")
    assert b"CANARY" not in made
    assert np.array_equal(pixels(made), pixels(data))


@pytest.mark.parametrize("name", ["plain.jpg", "plain.png", "plain.webp", "still.gif"])
def test_a_truncated_structure_is_an_error(name, make: Make):
    """The probe has found the file complete; if it is not, the rest is not guessed."""
    data = make(name).read_bytes()
    for size in range(30, len(data) - 40, max(1, len(data) // 60)):
        try:
            strip(data[:size], FORMATS[name.rpartition(".")[2]])
        except ToolError:
            continue
        assert name.endswith((".webp", ".gif")), f"cut at {size} passed"
