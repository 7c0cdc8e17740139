"""Inputs of the GIF benchmark: a pan over a photograph, a screen recording, pixel art."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _run import CACHE, ffmpeg

Array = np.ndarray[Any, np.dtype[np.uint8]]


def photo(width: int, height: int, count: int) -> Iterator[Array]:
    """Yield a pan over 1/f noise, the spectrum of natural pictures, with edges and sensor noise."""
    rng = np.random.default_rng(7)
    high, wide = height + 160, width + 320
    ry, rx = np.meshgrid(np.fft.fftfreq(high), np.fft.rfftfreq(wide), indexing="ij")
    radius = np.sqrt(ry**2 + rx**2)
    radius[0, 0] = 1
    planes = []
    for _ in range(4):
        noise = np.fft.irfft2(
            np.fft.rfft2(rng.standard_normal((high, wide))) / radius**1.25, s=(high, wide)
        )
        planes.append((noise - noise.mean()) / noise.std())
    colour = np.stack([110 + 42 * planes[0] + 18 * planes[1 + i % 3] for i in range(3)], axis=-1)
    hills = planes[3] > 0.35
    colour[hills] = colour[hills] * 0.55 + np.array([60, 40, 10])
    for i in range(count):
        x, y = round(320 * i / count), round(80 + 70 * np.sin(i / 17))
        frame = colour[y : y + height, x : x + width] + rng.normal(0, 2.5, (height, width, 1))
        yield np.clip(frame, 0, 255).astype(np.uint8)


def screen(width: int, height: int, count: int) -> Iterator[Array]:
    """Yield a window of scrolling coloured text, with a pointer and a video in a corner."""
    from PIL import Image, ImageDraw, ImageFont

    rng = np.random.default_rng(3)
    font = ImageFont.load_default(16)
    words = ["def", "return", "probe", "frame", "while", "import", "total += 1", "# why", "None"]
    words.append("codec")
    colours = ["#d4d4d4", "#569cd6", "#ce9178", "#6a9955", "#c586c0"]
    page = Image.new("RGB", (width, 24 * (count + height // 24)), "#1e1e1e")
    draw = ImageDraw.Draw(page)
    for line in range(page.height // 24):
        x = 60 + 30 * int(rng.integers(0, 4))
        draw.text((12, 24 * line), str(line), fill="#858585", font=font)
        for _ in range(int(rng.integers(1, 9))):
            word = str(rng.choice(words))
            draw.text((x, 24 * line), word, fill=str(rng.choice(colours)), font=font)
            x += 12 * len(word)
    clip = list(photo(width // 3 // 2 * 2, height // 3 // 2 * 2, count))
    for i in range(count):
        frame = np.array(page.crop((0, 6 * i, width, 6 * i + height)))
        small = clip[i]
        frame[
            height - small.shape[0] - 20 : height - 20, width - small.shape[1] - 20 : width - 20
        ] = small
        x, y = int(width * (0.5 + 0.4 * np.sin(i / 9))), int(height * (0.5 + 0.4 * np.cos(i / 13)))
        frame[y : y + 16, x : x + 10] = 255
        yield frame


def pixel_art(width: int, height: int, count: int, factor: int = 8) -> Iterator[Array]:
    """Yield drifting, flickering tiles of 48 colours, every pixel enlarged by ``factor``."""
    rng = np.random.default_rng(5)
    palette = rng.integers(0, 256, (48, 3), dtype=np.uint8)
    high, wide = height // factor, width // factor
    world = rng.integers(0, 40, (high * 2, wide * 2))
    for i in range(count):
        view = np.roll(world, (i // 3, i), axis=(0, 1))[:high, :wide].copy()
        spots = rng.integers(0, high * wide, high * wide // 6)
        view.flat[spots] = 40 + (spots + i) % 8
        yield palette[view].repeat(factor, axis=0).repeat(factor, axis=1)


MAKERS: dict[str, Callable[[int, int, int], Iterator[Array]]] = {
    "photo": photo,
    "screen": screen,
    "pixel-art": pixel_art,
}


def source(kind: str, width: int, height: int, count: int, rate: int = 20) -> Path:
    """Return a GIF with one palette of 256 colours, made on first use."""
    target = CACHE / f"{kind}-{width}x{height}-{count}.gif"
    if target.is_file():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    lossless = CACHE / f"{target.stem}.mkv"
    raw = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {rate} -i pipe:0"
    options = f"-v error -y {raw} -c:v ffv1 -pix_fmt gbrp"
    argv = [ffmpeg(), *options.split(), str(lossless)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        for frame in MAKERS[kind](width, height, count):
            child.stdin.write(np.ascontiguousarray(frame).tobytes())
    palette = CACHE / "palette.png"
    dither = "none" if kind == "pixel-art" else "bayer:bayer_scale=3"
    subprocess.run(
        [ffmpeg(), "-v", "error", "-y", "-i", str(lossless), "-vf", "palettegen", str(palette)],
        check=True,
    )
    use = ["-i", str(lossless), "-i", str(palette), "-lavfi", f"paletteuse=dither={dither}"]
    subprocess.run([ffmpeg(), "-v", "error", "-y", *use, str(target)], check=True)
    lossless.unlink()
    return target
