"""Converted stills: colours, orientation, alpha, metadata, and the byte limit."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.steps.scene import scene, transparent_scene
from fixtures.steps.stills import ADOBE, P3
from mediaprep.runtime.source import open_source
from mediaprep.tools import still_converter
from mediaprep.tools.icc_profiles import srgb_profile
from mediaprep.tools.still_converter import StillResult
from mediaprep.tools.still_job import StillJob
from tests import colour

Make = Callable[[str], Path]
MAX = 64_000_000


def convert(
    source: Path | bytes, tmp_path: Path, form: str, *targets: str, **words: Any
) -> tuple[Image.Image, StillResult, bytes]:
    """Convert in this process, as the child process does: the input is trusted."""
    path = source
    if isinstance(source, bytes):
        path = tmp_path / "source"
        path.write_bytes(source)
    with open_source(path) as opened:
        job = StillJob(source_format=form, targets=targets, max_pixels=MAX, **words)
        converted = still_converter.convert(opened, job)
    assert converted is not None
    data, result = converted
    return Image.open(io.BytesIO(data)), result, data


def saved(image: Image.Image, form: str, **words: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **words)
    return out.getvalue()


def difference(one: Image.Image, other: Any) -> float:
    """Mean CIEDE2000 of two sRGB pictures."""
    return float(
        colour.ciede2000(
            colour.lab(np.asarray(one.convert("RGB"))), colour.lab(np.asarray(other))
        ).mean()
    )


def test_ciede2000_gives_the_papers_numbers():
    """Pairs 1, 7, 17 and 25 of table 1 in Sharma, Wu, Dalal (2005)."""
    pairs = (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    )
    for one, other, expected in pairs:
        assert float(colour.ciede2000(np.array(one), np.array(other))) == pytest.approx(
            expected, abs=1e-4
        )


@pytest.mark.parametrize("number", range(1, 9))
def test_every_orientation_is_applied(number, make: Make, tmp_path):
    """The fixtures show the scene upright if the tag is applied."""
    image, _, _ = convert(
        make(f"orientation{number}.jpg"), tmp_path, "jpeg", "jpeg", orientation=number
    )
    assert image.size == (320, 240)
    assert difference(image, scene(320, 240, 3)) < 2


@pytest.mark.parametrize(
    ("name", "colorants", "gamma"), [("p3.jpg", P3, 2.2), ("adobe.jpg", ADOBE, 2.19921875)]
)
def test_wide_colours_become_srgb_by_their_profile(name, colorants, gamma, make: Make, tmp_path):
    """The mean CIEDE2000 to the result of the two spaces' matrices is below 2."""
    expected = colour.managed(np.asarray(Image.open(make(name)).convert("RGB")), colorants, gamma)
    image, _, _ = convert(make(name), tmp_path, "jpeg", "jpeg", tag=True)
    assert difference(image, expected) < 2
    assert difference(image, np.asarray(scene(320, 240, 3))) > 2, (
        "unmanaged it would be visibly different"
    )
    assert image.info["icc_profile"]


def test_a_space_declared_by_number_is_converted_too(tmp_path):
    """Display P3 without an ICC profile (HEIF's nclx, PNG's cICP), by a built profile."""
    source = scene(64, 48, 3)
    linear = colour.srgb_to_linear(np.asarray(source))
    expected = colour.linear_to_srgb(linear @ colour.matrix(P3).T @ np.linalg.inv(colour.SRGB).T)
    image, _, _ = convert(
        saved(source, "PNG"), tmp_path, "png", "png", space="Display P3", tag=True
    )
    assert difference(image, expected) < 1


def test_the_srgb_profile_does_not_depend_on_the_date():
    assert srgb_profile() == srgb_profile()
    assert srgb_profile()[24:36] == bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))


def test_cmyk_with_inverted_values_is_converted(corpus: Path, tmp_path):
    """The sample shows the word RED in red on black; Adobe writes CMYK values inverted."""
    image, _, _ = convert(corpus / "pillow__pil_sample_cmyk.jpg", tmp_path, "jpeg", "png", tag=True)
    pixels = np.asarray(image.convert("RGB")).astype(int)
    red = (pixels[..., 0] > 150) & (pixels[..., 1] < 80) & (pixels[..., 2] < 80)
    black = pixels.max(axis=-1) < 40
    assert 0.05 < red.mean() < 0.5
    assert black.mean() > 0.4


def test_sixteen_bits_are_rounded_to_eight(make: Make, tmp_path):
    image, _, _ = convert(make("gray16.png"), tmp_path, "png", "png")
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), np.asarray(scene(320, 240, 3).convert("L")))


def test_rgba_of_sixteen_bits_keeps_its_alpha(corpus: Path, tmp_path):
    image, _, _ = convert(corpus / "image__basn6a16.png", tmp_path, "png", "png")
    levels = np.unique(np.asarray(image.convert("RGBA"))[..., 3])
    assert len(levels) == 16, "a gradient of transparency, not on or off"
    assert levels[0] == 0


@pytest.mark.parametrize("background", ["#ffffff", "#ff8800"])
def test_alpha_is_flattened_on_the_background(background, make: Make, tmp_path):
    image, _, _ = convert(make("alpha.png"), tmp_path, "png", "jpeg", background=background)
    canvas = Image.new("RGBA", (320, 240), background)
    expected = Image.alpha_composite(canvas, transparent_scene(320, 240, 3)).convert("RGB")
    assert difference(image, expected) < 1


@pytest.mark.parametrize("target", ["png", "webp"])
def test_alpha_is_preserved_if_the_target_has_it(target, make: Make, tmp_path):
    image, _, _ = convert(make("alpha.png"), tmp_path, "png", target)
    assert np.array_equal(
        np.asarray(image.convert("RGBA"))[..., 3],
        np.asarray(transparent_scene(320, 240, 3))[..., 3],
    )


def test_few_colours_become_a_palette_without_loss(tmp_path):
    random = np.random.default_rng(1)
    flat = Image.fromarray(random.integers(0, 4, (60, 80, 3), dtype=np.uint8) * 80)
    image, made, _ = convert(saved(flat, "BMP"), tmp_path, "bmp", "png", "jpeg")
    assert (image.mode, made.quality, made.ssim) == ("P", None, 1.0)
    assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(flat))


def test_a_palette_may_have_alpha(tmp_path):
    flat = Image.new("RGBA", (40, 30), (10, 20, 30, 40))
    flat.paste((200, 100, 50, 255), (5, 5, 20, 20))
    image, _, _ = convert(saved(flat, "PNG"), tmp_path, "png", "png", "webp")
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image.convert("RGBA")), np.asarray(flat))


def noise(width: int, height: int, *, alpha: bool = False) -> Image.Image:
    random = np.random.default_rng(7)
    coarse = random.integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    if alpha:
        image.putalpha(Image.linear_gradient("L").resize((width, height)))
    return image


def test_a_png_that_does_not_fit_becomes_a_jpeg_and_with_alpha_a_webp(tmp_path):
    for alpha, expected in ((False, "jpeg"), (True, "webp")):
        source = saved(noise(512, 384, alpha=alpha), "PNG")
        targets = ("png", expected)
        _, made, data = convert(source, tmp_path, "png", *targets, limit=len(source) // 5)
        assert (made.format, made.width, made.height) == (expected, 512, 384)
        assert len(data) <= len(source) // 5


def test_the_quality_is_the_highest_that_fits(tmp_path):
    image = noise(640, 480)
    limit = len(saved(image, "JPEG", quality=80))
    _, made, data = convert(saved(image, "JPEG", quality=98), tmp_path, "jpeg", "jpeg", limit=limit)
    assert made.encodes <= 7
    assert len(data) <= limit
    source = Image.open(io.BytesIO(saved(image, "JPEG", quality=98)))
    sizes = {
        q: len(saved(source, "JPEG", quality=q, subsampling=0 if q >= 90 else 2))
        for q in range(70, 96)
    }
    assert made.quality == max(q for q, size in sizes.items() if size <= limit)


def test_below_the_least_quality_the_picture_is_halved_exactly(tmp_path):
    source = saved(noise(801, 603), "JPEG", quality=98)
    least = len(saved(Image.open(io.BytesIO(source)), "JPEG", quality=70))
    for limit, size in ((least // 2, (401, 302)), (least // 6, (201, 151))):
        image, made, data = convert(source, tmp_path, "jpeg", "jpeg", limit=limit)
        assert image.size == (made.width, made.height) == size
        assert len(data) <= limit
        assert made.quality is not None
        assert 70 <= made.quality <= 95
        assert made.ssim > 0.7


def test_a_limit_below_every_size_gives_no_output(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(noise(64, 64), "JPEG"))
    job = StillJob(source_format="jpeg", targets=("jpeg",), limit=100, max_pixels=MAX)
    with open_source(path) as opened:
        assert still_converter.convert(opened, job) is None


def test_a_jpeg_of_too_many_pixels_is_decoded_at_a_fraction(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(noise(400, 300), "JPEG"))
    job = StillJob(source_format="jpeg", targets=("jpeg",), max_pixels=40_000)
    with open_source(path) as opened:
        converted = still_converter.convert(opened, job)
    assert converted is not None
    result = converted[1]
    assert (result.width, result.height, result.divided) == (200, 150, 2)


def test_a_side_too_long_for_the_format_is_halved(tmp_path):
    """WebP holds 16383 pixels a side."""
    image = Image.new("RGBA", (16_400, 64))
    image.putpixel((0, 0), (1, 2, 3, 4))
    _, made, _ = convert(saved(image, "PNG"), tmp_path, "png", "webp")
    assert (made.width, made.height) == (8200, 32)


def test_metadata_is_copied_only_on_request(make: Make, tmp_path):
    _, _, bare = convert(make("orientation6.jpg"), tmp_path, "jpeg", "jpeg", orientation=6)
    image, _, kept = convert(
        make("orientation6.jpg"), tmp_path, "jpeg", "jpeg", orientation=6, keep_metadata=True
    )
    assert b"Canary" not in bare
    assert b"Canary" in kept
    assert image.getexif().get(0x0112, 1) == 1, "it is upright now"


def test_comments_are_dropped(make: Make, tmp_path):
    for name, form in (
        ("comment.jpg", "jpeg"),
        ("comment.gif", "gif"),
        ("comment.png", "png"),
        ("comment.webp", "webp"),
    ):
        _, _, data = convert(make(name), tmp_path, form, "png")
        assert b"Canary" not in data
        assert b"48,51" not in data


def test_an_invalid_answer_of_the_child_is_rejected():
    good = b'{"format":"jpeg","width":4,"height":3,"quality":90,"divided":1,"encodes":2,"ssim":0.9}'
    assert still_converter.parse_answer(good).quality == 90
    for bad in (
        b"",
        b"[]",
        b'{"format":1}',
        good.replace(b"0.9", b"2.0"),
        good.replace(b"4", b'"4"'),
        b"[" * 100_000,
    ):
        with pytest.raises(ValueError, match=r"invalid|column|char"):
            still_converter.parse_answer(bad)
