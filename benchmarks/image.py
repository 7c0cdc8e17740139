"""``fix`` of a 48 megapixel JPEG of 17 MB to less than 5 MB, compared with Pillow.

    python benchmarks/image.py [--edge 8000x6000]

Pillow has to decode once and to encode seven times: six times to find the quality, and the final
encode, optimised and progressive. Prints medians of three runs; the goal is 1.5 times Pillow's
time.
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


def photo(size: tuple[int, int], max_bytes: int) -> bytes:
    """Return a JPEG of at most ``max_bytes`` with the statistics of a photo (1/f noise)."""
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
        if out.tell() <= max_bytes:
            return out.getvalue()
    raise SystemExit("no quality reaches that size")


def median(work: Callable[[], object]) -> float:
    """Return the median wall-clock seconds."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


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
        options = {"quality": 75, "optimize": True, "progressive": True}
        trials = 6 * median(lambda: pixels.save(io.BytesIO(), "JPEG", quality=75))
        pillow_seconds = (
            median(decode) + trials + median(lambda: pixels.save(io.BytesIO(), "JPEG", **options))
        )
        job = StillJob(
            source_format="jpeg", targets=("jpeg",), limit=5_000_000, max_pixels=64_000_000
        )
        with open_source(source) as opened:
            conversion_seconds = median(lambda: still_converter.convert(opened, job))
        outcome = mediaprep.prepare(source, Path(folder) / "out.jpg")
        fix_seconds = median(
            lambda: mediaprep.prepare(source, Path(folder) / "out.jpg", force=True)
        )
    output, record = outcome.after[0].media, outcome.records[0]
    assert isinstance(output, mediaprep.Image)
    sys.stdout.write(
        f"source                       {width}x{height}, {len(data) / 1e6:.1f} MB\n"
        f"output                       {output.width}x{output.height}, "
        f"{(output.size_bytes or 0) / 1e6:.2f} MB, "
        f"q{record.quality}, SSIM {record.ssim:.4f}\n"
        f"Pillow: decode + 7 encodes   {pillow_seconds:.2f} s\n"
        f"conversion alone             {conversion_seconds:.2f} s = "
        f"{conversion_seconds / pillow_seconds:.2f} of it (target {TARGET})\n"
        f"fix: probe to publish        {fix_seconds:.2f} s = {fix_seconds / pillow_seconds:.2f} "
        f"of it (target {TARGET})\n"
    )


if __name__ == "__main__":
    main()
