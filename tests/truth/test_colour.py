"""Converted colours against the formulas of the standards: a chart is prepared, and its patches are
read back.
"""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

import mediaprep
from mediaprep import Options
from tests.truth import colour_reference as reference
from tests.truth.colour_reference import Array

pytestmark = pytest.mark.slow
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
PATCH = 32  # pixels a side
ACROSS, DOWN = 8, 4
GREYS = [(g, g, g) for g in np.linspace(0.05, 0.95, 5)]
CHART = np.array([*GREYS, *product((0.2, 0.5, 0.8), repeat=3)])[: ACROSS * DOWN]


def write(path: Path, codes: Array, bits: int, tags: str) -> None:
    """Write one second of the chart without loss, with these tags."""
    kind = np.uint8 if bits == 8 else np.uint16
    tiles = codes.reshape(DOWN, ACROSS, 3).astype(kind).repeat(PATCH, 0).repeat(PATCH, 1)
    planes = tiles[..., 0].tobytes() + tiles[::2, ::2, 1].tobytes() + tiles[::2, ::2, 2].tobytes()
    argv = [
        FFMPEG, "-v", "error", "-y", "-f", "rawvideo", "-s", f"{ACROSS * PATCH}x{DOWN * PATCH}", "-r", "10",
        "-pix_fmt", "yuv420p" if bits == 8 else "yuv420p10le", "-i", "-", "-vf", f"setparams={tags}", "-c:v", "ffv1", str(path),
    ]  # fmt: skip
    subprocess.run(argv, input=planes * 10, check=True)


def read(path: Path) -> Array:
    """Return the middle of each patch of the first frame, as R'G'B' of BT.709."""
    argv = [
        FFMPEG,
        "-v",
        "error",
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-",
    ]
    data = np.frombuffer(subprocess.run(argv, check=True, capture_output=True).stdout, np.uint8)
    height, width = DOWN * PATCH, ACROSS * PATCH
    y = data[: width * height].reshape(height, width)
    u, v = data[width * height :].reshape(2, height // 2, width // 2)
    full = np.stack([y, u.repeat(2, 0).repeat(2, 1), v.repeat(2, 0).repeat(2, 1)], -1).astype(float)
    inner = full.reshape(DOWN, PATCH, ACROSS, PATCH, 3)[:, 8:24, :, 8:24].mean((1, 3))
    return reference.to_rgb(inner.reshape(-1, 3), "bt709")


def converted(tmp_path: Path, codes: Array, bits: int, tags: str) -> Array:
    source, output = tmp_path / "chart.mkv", tmp_path / "chart.mp4"
    write(source, codes, bits, tags)
    outcome = mediaprep.prepare(source, output, options=Options(quality="hq"))
    assert outcome.status == "fixed", outcome.problems
    media = outcome.after[0].media
    assert isinstance(media, mediaprep.Video)
    colour = media.video.colour
    assert (colour.primaries, colour.transfer, colour.matrix, colour.range) == (
        "bt709",
        "bt709",
        "bt709",
        "limited",
    )
    return np.clip(read(output), 0, 1)


def difference(found: Array, wanted: Array) -> tuple[float, float]:
    """Return the mean and the largest difference of a component, in steps of 8 bits."""
    apart = np.abs(found - np.clip(wanted, 0, 1)) * 255
    return float(apart.mean()), float(apart.max())


@pytest.mark.parametrize(
    ("matrix", "primaries", "bits", "full"),
    [
        ("smpte170m", "unknown", 8, False),
        ("smpte170m", "smpte170m", 8, False),
        ("bt470bg", "bt470bg", 8, False),
        ("bt709", "bt709", 8, True),
        ("smpte170m", "smpte170m", 8, True),
        ("bt709", "bt709", 10, False),
        ("bt2020nc", "bt2020", 10, False),
        ("bt709", "smpte432", 8, False),
    ],
)
def test_sdr_becomes_bt709(
    tmp_path: Path, matrix: str, primaries: str, bits: int, full: bool
) -> None:
    """On average within one step of 8 bits: two roundings, and the encoder."""
    transfer = (
        "bt2020-10" if primaries == "bt2020" else "smpte170m" if matrix == "smpte170m" else "bt709"
    )
    tags = f"range={'full' if full else 'limited'}:colorspace={matrix}:color_trc={transfer}:color_primaries={primaries}"
    codes = reference.to_yuv(CHART, matrix, bits=bits, full=full)
    shown = reference.to_rgb(codes, matrix, bits=bits, full=full)
    wanted = shown if primaries in ("unknown", "bt709") else reference.sdr(shown, primaries)
    mean, worst = difference(converted(tmp_path, codes, bits, tags), wanted)
    assert mean <= 1.0, (mean, worst)
    assert worst <= 4.0, (mean, worst)


@pytest.mark.parametrize(
    ("transfer", "nits"), [("smpte2084", reference.pq_nits), ("arib-std-b67", reference.hlg_nits)]
)
def test_hdr_is_tone_mapped_as_the_formula_says(tmp_path: Path, transfer: str, nits) -> None:
    codes = reference.to_yuv(CHART * 0.8, "bt2020nc", bits=10)
    tags = f"range=limited:colorspace=bt2020nc:color_trc={transfer}:color_primaries=bt2020"
    wanted = reference.tone_mapped(
        nits(np.clip(reference.to_rgb(codes, "bt2020nc", bits=10), 0, 1))
    )
    mean, worst = difference(converted(tmp_path, codes, 10, tags), wanted)
    assert mean <= 1.5, (mean, worst)
    assert worst <= 8.0, (mean, worst)


@pytest.mark.parametrize(
    ("transfer", "greys"),
    [("smpte2084", (509, 573, 636, 723)), ("arib-std-b67", (616, 721, 816, 940))],
)
def test_greys_of_100_203_400_and_1000_nits(
    tmp_path: Path, transfer: str, greys: tuple[int, ...]
) -> None:
    """Diffuse white (203 nits) stays below the highlights, which are not clipped."""
    codes = np.array([(code, 512, 512) for code in greys] * (ACROSS * DOWN // 4), float)
    tags = f"range=limited:colorspace=bt2020nc:color_trc={transfer}:color_primaries=bt2020"
    luma = 16 + 219 * converted(tmp_path, codes, 10, tags)[:4].mean(-1)
    assert luma == pytest.approx([173, 201, 218, 230], abs=1.5)
