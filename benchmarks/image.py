"""A 48 megapixel JPEG of about 17 MB under 5 MB: ``fix`` against what Pillow alone must do for it:
one decode and seven encodes, six to
find the quality and the one that is kept, optimised and progressive.

    python benchmarks/image.py [--edge 8000x6000]

Prints the median of three runs. The target is 1.5 times the sum of Pillow's parts.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import mediaprep
from mediaprep.runtime.source import open_source
from mediaprep.tools import still_converter
from mediaprep.tools.still_job import StillJob

RUNS = 3
TARGET = 1.5


def photo(size: tuple[int, int], bytes_wanted: int) -> bytes:
    """A picture with the statistics of a photo (noise whose power falls with frequency), as a JPEG
    of about so many bytes.
    """
    random = np.random.default_rng(48)
    width, height = size
    planes = []
    for _ in range(3):
        plane = np.zeros((height, width), np.float32)
        for step in (4, 16, 64, 256):
            coarse = random.normal(
                0, 6 * step**0.5, (height // step + 2, width // step + 2)
            ).astype(np.float32)
            plane += np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
        planes.append(plane)
    grain = random.normal(0, 5, (height, width)).astype(np.float32)
    image = Image.fromarray(
        np.clip(np.stack([plane + grain for plane in planes], -1) * 0.6 + 120, 0, 255).astype(
            np.uint8
        )
    )
    for quality in range(96, 60, -2):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if out.tell() <= bytes_wanted:
            return out.getvalue()
    raise SystemExit("no quality gives that size")


def median(work: Callable[[], object]) -> float:
    """Seconds of wall clock."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edge", default="8000x6000")
    width, height = map(int, parser.parse_args().edge.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photo.jpg"
        source.write_bytes(photo((width, height), 17_000_000))
        data = source.read_bytes()

        def decode() -> Image.Image:
            image = Image.open(io.BytesIO(data))
            image.load()
            return image

        pixels = decode()
        kept = {"quality": 75, "optimize": True, "progressive": True}
        trials = 6 * median(lambda: pixels.save(io.BytesIO(), "JPEG", quality=75))
        parts = median(decode) + trials + median(lambda: pixels.save(io.BytesIO(), "JPEG", **kept))
        job = StillJob(
            source_format="jpeg", targets=("jpeg",), limit=5_000_000, max_pixels=64_000_000
        )
        with open_source(source) as opened:
            alone = median(lambda: still_converter.convert(opened, job))
        outcome = mediaprep.prepare(source, Path(folder) / "out.jpg")
        whole = median(lambda: mediaprep.prepare(source, Path(folder) / "out.jpg", force=True))
    made, seen = outcome.after[0].media, outcome.records[0]
    assert isinstance(made, mediaprep.Image)
    sys.stdout.write(
        f"source                       {width}x{height}, {len(data) / 1e6:.1f} MB\n"
        f"made                         {made.width}x{made.height}, {(made.size_bytes or 0) / 1e6:.2f} MB, "
        f"q{seen.quality}, SSIM {seen.ssim:.4f}\n"
        f"Pillow: decode + 7 encodes   {parts:.2f} s\n"
        f"conversion alone             {alone:.2f} s = {alone / parts:.2f} of it (target {TARGET})\n"
        f"fix: probe to publish        {whole:.2f} s = {whole / parts:.2f} of it (target {TARGET})\n"
    )


if __name__ == "__main__":
    main()
