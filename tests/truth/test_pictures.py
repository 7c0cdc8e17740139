"""Still images from the source to the published file; Pillow reads the results."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import mediaprep
from fixtures.steps.scene import scene
from mediaprep.model.media import Image
from mediaprep.runtime import sandbox
from tests import colour

Make = Callable[[str], Path]
CANARIES = (b"Canary", b"CANARY", b"Jane", b"48,51", b"GPSL", b"xpacket")
pytestmark = pytest.mark.slow


def fixed(source: Path, folder: Path, **words) -> tuple[mediaprep.Outcome, Pillow.Image]:
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    outcome = mediaprep.prepare(source, folder, **words)
    assert outcome.status == "fixed", outcome.problems
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    path = Path(outcome.outputs[0])
    assert [child.name for child in folder.iterdir()] == [path.name]
    picture = Pillow.open(path)
    picture.load()
    assert outcome.upload is not None
    assert (outcome.upload.total_bytes, outcome.upload.category, outcome.upload.chunked) == (
        path.stat().st_size,
        "tweet_image",
        False,
    )
    assert outcome.upload.media_type == Pillow.MIME[picture.format or ""]
    return outcome, picture


def difference(one: Pillow.Image, other: Pillow.Image) -> float:
    labs = [colour.lab(np.asarray(image.convert("RGB"))) for image in (one, other)]
    return float(colour.ciede2000(*labs).mean())


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("plain.tiff", "png"),
        ("plain.bmp", "png"),
        ("plain.avif", "jpg"),
        ("plain.jp2", "jpg"),
        ("bmp_named.jpg", "png"),
    ],
)
def test_other_formats_are_converted(name, suffix, make: Make, tmp_path):
    outcome, picture = fixed(make(name), tmp_path)
    assert Path(outcome.outputs[0]).name == f"{Path(name).stem}.twitter.{suffix}"
    assert picture.size == (320, 240)
    assert difference(picture, scene(320, 240, 3)) < 2
    record = outcome.records[0]
    assert record.ssim is not None
    assert record.ssim > 0.99
    assert record.sandbox == sandbox.resolve_level("auto")


def test_the_largest_icon_is_kept(make: Make, tmp_path):
    _, picture = fixed(make("plain.ico"), tmp_path)
    assert picture.size == (64, 64)


def test_the_real_heic_becomes_an_srgb_jpeg_without_its_gps(corpus: Path, tmp_path):
    outcome, picture = fixed(corpus / "tika__IMG_1034.heic", tmp_path)
    assert (picture.format, picture.size, picture.mode) == ("JPEG", (4032, 3024), "RGB")
    assert "exif" not in picture.info
    after = outcome.after[0].media
    assert isinstance(after, Image)
    assert (after.colour_space, after.private) == ("sRGB", ())


def test_the_real_avif_is_converted(corpus: Path, tmp_path):
    source = corpus / "pillow__hopper.avif"
    _, picture = fixed(source, tmp_path)
    assert difference(picture, Pillow.open(source)) < 2


@pytest.mark.parametrize(
    "name",
    [
        "comment.jpg",
        "comment.png",
        "comment.webp",
        "comment.gif",
        "orientation6.jpg",
        "orientation6.png",
        "orientation6.webp",
    ],
)
def test_metadata_alone_is_removed_without_reencoding(name, make: Make, tmp_path):
    source = make(name)
    outcome, picture = fixed(source, tmp_path)
    data = Path(outcome.outputs[0]).read_bytes()
    assert [word for word in CANARIES if word in data] == []
    with Pillow.open(source) as original:
        assert np.array_equal(np.asarray(picture), np.asarray(original))
        assert picture.getexif().get(0x0112, 1) == original.getexif().get(0x0112, 1)
    copied = outcome.records[0].copied
    assert [(item.track, item.source_digest == item.output_digest) for item in copied] == [
        ("image", True)
    ]
    assert {change.safety for change in outcome.changes} == {"lossless"}


@pytest.mark.parametrize("name", ["size_5m_more.jpg", "size_5m_more.png"])
def test_large_metadata_is_removed_and_the_picture_kept(name, make: Make, tmp_path):
    source = make(name)
    outcome, picture = fixed(source, tmp_path)
    with Pillow.open(source) as original:
        assert np.array_equal(np.asarray(picture), np.asarray(original))
    assert outcome.after[0].verdict == "pass"


def test_a_png_over_the_limit_is_named_after_its_new_format(tmp_path):
    """A PNG of a photo becomes a JPEG; one with few colours becomes a PNG with a palette."""
    random = np.random.default_rng(5)
    photo = Pillow.fromarray(random.integers(0, 256, (300, 400, 3), dtype=np.uint8))
    flat = Pillow.fromarray(random.integers(0, 2, (300, 400, 3), dtype=np.uint8) * 200)
    for name, image, suffix, mode in (("photo", photo, ".jpg", "RGB"), ("flat", flat, ".png", "P")):
        source, folder = tmp_path / f"{name}.png", tmp_path / name
        folder.mkdir()
        image.save(source, compress_level=0)
        _, picture = fixed(source, folder, options=mediaprep.Options(max_size=120_000))
        assert [path.suffix for path in folder.iterdir()] == [suffix]
        assert picture.mode == mode


@pytest.mark.parametrize(
    "name",
    ["plain.jpg", "plain.png", "plain.webp", "still.gif", "progressive.jpg", "jpg_named.mp4"],
)
def test_an_accepted_file_is_left_as_it_is(name, make: Make, tmp_path):
    outcome = mediaprep.prepare(make(name), tmp_path)
    assert (outcome.status, outcome.outputs, list(tmp_path.iterdir())) == ("already_ok", (), [])
    assert outcome.upload is not None
    assert outcome.upload.path == str(make(name))


@pytest.mark.parametrize("name", ["pillow__ultrahdr.jpg", "pillow__truncated_jpeg.jpg"])
def test_a_truncated_jpeg_is_refused(name, corpus: Path, tmp_path):
    outcome = mediaprep.prepare(corpus / name, tmp_path)
    assert (outcome.status, list(tmp_path.iterdir())) == ("refused", [])
    assert outcome.plan is not None
    assert [refusal.rule for refusal in outcome.plan.refusals] == ["file-complete"]


def test_undecodable_image_data_fails_for_that_file_only(make: Make, tmp_path):
    """A TIFF whose pixels cannot be read fails with one problem and leaves nothing; the next file
    is fixed.
    """
    out = io.BytesIO()
    scene(320, 240, 3).save(out, "TIFF", compression="tiff_lzw")
    data = bytearray(out.getvalue())
    data[200:2000] = bytes(b ^ 0x5A for b in data[200:2000])
    source, folder = tmp_path / "bad.tiff", tmp_path / "out"
    source.write_bytes(data)
    folder.mkdir()
    outcome = mediaprep.prepare(source, folder)
    assert (outcome.status, list(folder.iterdir())) == ("failed", [])
    assert len(outcome.problems) == 1
    assert mediaprep.prepare(make("plain.tiff"), folder).status == "fixed"


def test_a_still_needs_no_ffmpeg(make: Make, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDIAPREP_FFMPEG", "/nowhere/ffmpeg")
    assert mediaprep.prepare(make("plain.tiff"), tmp_path).status == "fixed"


def test_two_runs_give_the_same_bytes(make: Make, tmp_path):
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        outcome, _ = fixed(make("plain.avif"), tmp_path / name)
        digests.add(hashlib.sha256(Path(outcome.outputs[0]).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_on_an_event_loop(make: Make, tmp_path):
    outcome = asyncio.run(mediaprep.prepare_async(make("plain.tiff"), tmp_path))
    assert outcome.status == "fixed"


def test_a_still_image_in_an_animation_category_is_found(make: Make):
    report = mediaprep.check(make("plain.jpg"), "twitter/tweet_gif")
    assert [finding.rule for finding in report.findings if finding.level == "must"] == ["file-kind"]
