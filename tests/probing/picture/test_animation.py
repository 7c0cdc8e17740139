"""Animations by their blocks; truth by the fixtures' recipes, gifsicle, exiftool and Pillow."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mediaprep
from mediaprep.model.media import Animation, fact
from mediaprep.probing.picture.animation import MAX_DELAYS

Make = Callable[[str], Path]
FIXTURES = (
    "anim.gif", "anim.webp", "anim.apng", "anim_named.png", "anim_alpha.webp", "anim.avif", "f360.gif", "zero_delay.gif", "delays012.gif",
    "once.gif", "loop3.gif", "big.gif", "patches.gif", "no_trailer.gif", "f351.gif", "px301m.gif", "g1080x1280.gif", "area_bomb.gif",
    "screen_bomb.gif",
)  # fmt: skip


def probed(path: Path) -> Animation:
    media = mediaprep.probe(path)
    assert isinstance(media, Animation)
    return media


@pytest.mark.parametrize("name", FIXTURES)
def test_facts_are_those_of_the_recipe(make: Make, name: str) -> None:
    import fixtures

    media, truth = probed(make(name)), fixtures.truth(name).facts
    assert {path: fact(media, path) for path in truth} == dict(truth)
    assert media.size_bytes == make(name).stat().st_size


def test_junk_behind_the_trailer_is_counted_and_harmless(make: Make) -> None:
    media = probed(make("trailing.gif"))
    assert (media.trailing_bytes, media.complete, media.frame_count) == (460, True, 24)


def test_complete_frames_of_a_truncated_gif_are_counted(make: Make, tmp_path: Path) -> None:
    data = make("anim.gif").read_bytes()
    cut = tmp_path / "cut.gif"
    cut.write_bytes(data[: len(data) * 3 // 4])
    media = probed(cut)
    assert media.complete is False
    assert media.frame_count is not None
    assert 12 <= media.frame_count < 24


@pytest.mark.parametrize("name", ["anim.apng", "anim.webp"])
def test_a_truncated_apng_or_webp_is_incomplete(make: Make, tmp_path: Path, name: str) -> None:
    data = make(name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(data[: len(data) // 2])
    assert probed(cut).complete is False


def test_delays_are_those_of_browsers(make: Make) -> None:
    """Chromium, Firefox and WebKit play 0 and 1 hundredths as 100 ms, 2 and more as stated."""
    delays = probed(make("patches.gif")).delays
    assert delays is not None
    assert delays[:4] == (Fraction(1, 10), Fraction(1, 10), Fraction(1, 50), Fraction(1, 10))


def test_transparency_is_measured_not_declared(tmp_path: Path) -> None:
    """An optimised GIF declares a transparent colour although no pixel is transparent.

    The first transparent pixel may be in a later frame.
    """
    opaque = [
        Image.fromarray(np.full((40, 40, 3), (i * 20, 90, 200 - i * 9), np.uint8)) for i in range(8)
    ]
    for i, frame in enumerate(opaque):
        frame.paste((255, 255, 0), (i, i, i + 9, i + 9))
    opaque[0].save(
        tmp_path / "opaque.gif",
        save_all=True,
        append_images=opaque[1:],
        duration=60,
        loop=0,
        optimize=True,
    )
    assert (
        b"\x21\xf9\x04\x01" in (tmp_path / "opaque.gif").read_bytes()
        or b"\x21\xf9\x04\x05" in (tmp_path / "opaque.gif").read_bytes()
    )
    assert probed(tmp_path / "opaque.gif").transparency is False
    hole = Image.new("RGBA", (40, 40), (255, 0, 0, 255))
    hole.paste((0, 0, 0, 0), (5, 5, 30, 30))
    frames = [Image.new("RGBA", (40, 40), (9, 9, 200, 255)), hole]
    frames[0].save(
        tmp_path / "later.apng",
        "PNG",
        save_all=True,
        append_images=frames[1:],
        duration=60,
        blend=0,
    )
    assert probed(tmp_path / "later.apng").transparency is True


@pytest.mark.parametrize(("form", "suffix"), [("GIF", "gif"), ("PNG", "apng"), ("WEBP", "webp")])
@pytest.mark.parametrize("factor", [1, 2, 5, 8])
def test_enlarged_pixel_art_is_found(tmp_path: Path, form: str, suffix: str, factor: int) -> None:
    rng = np.random.default_rng(factor)
    palette = rng.integers(0, 256, (16, 3), dtype=np.uint8)
    frames = [
        Image.fromarray(palette[rng.integers(0, 16, (30, 40))].repeat(factor, 0).repeat(factor, 1))
        for _ in range(3)
    ]
    path = tmp_path / f"art.{suffix}"
    exact = {"lossless": True} if form == "WEBP" else {}
    frames[0].save(
        path, form, save_all=True, append_images=frames[1:], duration=80, loop=0, **exact
    )
    assert probed(path).pixel_grid == factor


def test_noise_and_plain_colours_have_no_grid(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = [Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)) for _ in range(2)]
    noise[0].save(
        tmp_path / "noise.apng", "PNG", save_all=True, append_images=noise[1:], duration=80
    )
    assert probed(tmp_path / "noise.apng").pixel_grid == 1
    plain = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue", "green")]
    plain[0].save(
        tmp_path / "plain.apng", "PNG", save_all=True, append_images=plain[1:], duration=80
    )
    assert probed(tmp_path / "plain.apng").pixel_grid == 1


def test_an_apng_that_declares_two_thousand_million_frames(make: Make, tmp_path: Path) -> None:
    """acTL only declares: fcTL chunks count, and missing ones make the file incomplete."""
    data = make("anim.apng").read_bytes()
    at = data.index(b"acTL") + 4
    path = tmp_path / "false.apng"
    path.write_bytes(data[:at] + struct.pack(">I", 2**31 - 1) + data[at + 4 :])
    media = probed(path)
    assert (media.frame_count, media.complete) == (12, False)


@pytest.mark.slow
def test_delays_of_three_hundred_thousand_frames_are_not_listed(make: Make) -> None:
    media = probed(make("frames_bomb.gif"))
    assert (media.frame_count, media.duration, media.delays) == (300_000, Fraction(30_000), None)
    assert [unknown.reason for unknown in media.unknown] == [f"more than {MAX_DELAYS} frames"]


@pytest.mark.parametrize(
    ("name", "width", "height", "frames", "duration", "loop"),
    [
        (
            "image-gif__gifplayer-muybridge.gif",
            472,
            298,
            380,
            Fraction(5855, 100),
            0,
        ),  # gifsicle --info; exiftool: 58.55 s
        (
            "image__anim.webp",
            200,
            200,
            6,
            Fraction(6, 10),
            0,
        ),  # webpinfo's ANMF chunks as truth.tsv counts them
        (
            "pillow__iss634.apng",
            245,
            245,
            41,
            None,
            0,
        ),  # exiftool: Animation Frames 41, plays infinite
    ],
)
def test_real_files(
    corpus: Path,
    name: str,
    width: int,
    height: int,
    frames: int,
    duration: Fraction | None,
    loop: int,
) -> None:
    media = probed(corpus / name)
    assert (media.width, media.height, media.frame_count, media.loop) == (
        width,
        height,
        frames,
        loop,
    )
    assert duration is None or media.duration == duration
