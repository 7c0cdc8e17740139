"""The facts of stills, against their recipes; of real ones, against exiftool (corpus table)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow

import mediaprep
from fixtures import RECIPES
from fixtures.steps.png import png_chunk, write_png_bomb
from fixtures.steps.stills import ADOBE, P3, icc_profile
from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Image
from mediaprep.probing.formats import icc
from mediaprep.probing.picture.coded_picture import coded_picture
from mediaprep.runtime.source import open_source
from tests.corpus import real_files

Make = Callable[[str], Path]
STILLS = [
    name
    for name, recipe in RECIPES.items()
    if recipe.facts.get("kind") == "image" and not recipe.slow
]


@pytest.mark.parametrize("name", STILLS)
def test_facts_are_those_of_the_recipe(name, make: Make):
    media = mediaprep.probe(make(name))
    assert isinstance(media, Image)
    assert {fact: getattr(media, fact) for fact in RECIPES[name].facts} == RECIPES[name].facts


@pytest.mark.parametrize(
    "file",
    [
        f
        for f in real_files()
        if f.kind == "image" and "anim" not in f.name and f.container != "apng"
    ],
    ids=lambda f: f.name,
)
def test_facts_of_real_pictures_are_those_of_exiftool(file):
    media = mediaprep.probe(file.path)
    assert isinstance(media, Image)
    assert (media.width, media.height) == file.display
    assert media.format == {"heic": "heif"}.get(file.container, file.container)
    assert media.complete is not ("unreadable" in file.breaks | file.maybe)
    assert any(item.kind == "location" for item in media.private or ()) is ("GPS" in file.notes)
    assert file.row["pix_fmt"].split(" ")[0] == media.mode


def test_the_real_heic_is_display_p3_by_its_profile(corpus: Path):
    """exiftool: ProfileDescription Display P3."""
    media = mediaprep.probe(corpus / "tika__IMG_1034.heic")
    assert isinstance(media, Image)
    assert (media.colour_space, media.bit_depth, media.alpha) == ("Display P3", 8, False)


def test_a_gain_map_is_detected(corpus: Path):
    media = mediaprep.probe(corpus / "pillow__ultrahdr.jpg")
    assert isinstance(media, Image)
    assert (media.gain_map, media.pictures, media.complete) == (True, 2, False)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("p13000.png", r"13000x13000 \(169 million pixels\) exceeds"),
        ("size_claim.jpg", "4290 million pixels"),
        ("svg.png", "an SVG drawing"),
        ("image.svg", "an SVG drawing"),
    ],
)
def test_pictures_that_are_not_decoded_are_refused_in_one_line(name, reason, make: Make):
    with pytest.raises(SourceUnreadable, match=reason) as problem:
        mediaprep.probe(make(name))
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt"])
def test_chunks_that_inflate_to_200_mb_cost_nothing(kind, tmp_path):
    path = tmp_path / "bomb.png"
    write_png_bomb(path, kind, 200 * 2**20)
    media = mediaprep.probe(path)
    assert isinstance(media, Image)
    assert (media.width, media.height, media.colour_space) == (16, 16, "unspecified")


def test_a_cyclic_exif_directory_ends(tmp_path):
    """The next directory is the first one again, and so is the target of the Exif pointer."""
    entries = struct.pack(">HHII", 0x8769, 4, 1, 8) + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    exif = (
        b"Exif\0\0MM\0*"
        + struct.pack(">I", 8)
        + struct.pack(">H", 2)
        + entries
        + struct.pack(">I", 8)
    )
    out = io.BytesIO()
    Pillow.new("RGB", (20, 10)).save(out, "JPEG", exif=exif)
    path = tmp_path / "loop.jpg"
    path.write_bytes(out.getvalue())
    media = mediaprep.probe(path)
    assert isinstance(media, Image)
    assert (media.orientation, media.width, media.height) == (6, 10, 20)


def test_the_cicp_chunk_states_the_primaries(tmp_path):
    """ITU-T H.273: 12 is Display P3's."""
    path = tmp_path / "a.png"
    head = (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + png_chunk(b"cICP", bytes((12, 13, 0, 1)))
    )
    path.write_bytes(head + png_chunk(b"IDAT", zlib.compress(bytes(4))) + png_chunk(b"IEND", b""))
    media = mediaprep.probe(path)
    assert isinstance(media, Image)
    assert media.colour_space == "Display P3"


def test_a_deep_probe_finds_a_picture_that_does_not_decode(make: Make, tmp_path):
    """The structure is intact; the image data are not."""
    data = bytearray(make("plain.png").read_bytes())
    at = data.index(b"IDAT")
    data[at + 20 : at + 60] = bytes(40)
    path = tmp_path / "a.png"
    path.write_bytes(data)
    assert mediaprep.probe(path).complete is True
    media = mediaprep.probe(path, options=mediaprep.Options(deep=True))
    assert media.complete is False
    assert "does not decode" in (media.incomplete_because or "")


def test_payload_digests_do_not_depend_on_metadata(make: Make):
    """The pictures of a pair differ only in metadata."""
    for suffix, form in (("jpg", "jpeg"), ("png", "png"), ("webp", "webp")):
        digests = set()
        for name in (f"plain.{suffix}", f"comment.{suffix}"):
            with open_source(make(name)) as source:
                coded = coded_picture(source, form, profile_bytes=0, digest=True)
            assert coded is not None
            digests.add(coded.digest)
        assert len(digests) == 1, suffix


# profiles


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        (icc_profile(P3, 2.2, "x"), "Display P3"),
        (icc_profile(ADOBE, 2.2, "x"), "Adobe RGB"),
        (icc_profile(tuple(v * 0.9 for v in P3), 2.2, "My scanner"), "My scanner"),
        (
            icc_profile(
                (0.4361, 0.2225, 0.0139, 0.3851, 0.7169, 0.0971, 0.1431, 0.0606, 0.7141),
                1.0,
                "linear",
            ),
            "linear",
        ),
        (
            icc_profile(
                (0.4361, 0.2225, 0.0139, 0.3851, 0.7169, 0.0971, 0.1431, 0.0606, 0.7141), 2.2, "x"
            ),
            "sRGB",
        ),
        (b"", None),
        (b"x" * 200, None),
    ],
)
def test_colour_spaces_by_their_colorants(profile, name):
    assert icc.colour_space(profile) == name


def test_littlecms_own_profile_is_srgb():
    from PIL import ImageCms

    assert (
        icc.colour_space(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        == "sRGB"
    )


def test_truncated_profiles_do_not_crash():
    whole = icc_profile(P3, 2.2, "Display P3")
    for size in range(0, len(whole), 7):
        icc.colour_space(whole[:size])
