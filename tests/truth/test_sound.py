"""The downmix of six channels: coefficients of ITU-R BS.775, no clipping, the requested loudness."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import mediaprep
from mediaprep import Options
from tests.truth.ffmpeg_reader import RATE, X264, ffmpeg, loudness

pytestmark = pytest.mark.slow
TONES = (400, 550, 700, 60, 900, 1150)  # Hz of left, right, centre, LFE, left and right surround
ROOT = 2**-0.5
SCALE = 1 / (1 + 2 * ROOT)  # so that full scale in all channels is full scale
LEFT, RIGHT = (1, 0, ROOT, 0, ROOT, 0), (0, 1, ROOT, 0, 0, ROOT)


def six(path: Path, sound: str, codec: str) -> Path:
    """Write a conforming picture with this sound. The picture is large enough for a rung of 128
    kbit/s: at 64 kbit/s AAC distorts pure tones.
    """
    inputs = (
        "-f",
        "lavfi",
        "-i",
        "color=gray:s=642x362:r=25:d=3",
        "-f",
        "lavfi",
        "-i",
        f"aevalsrc='{sound}':c=5.1:s={RATE}:d=3",
    )
    ffmpeg(*inputs, *X264, "-pix_fmt", "yuv420p", "-c:a", *codec.split(), path)
    return path


def stereo(path: Path) -> NDArray[np.float32]:
    raw = ffmpeg("-i", path, "-map", "0:a", "-f", "f32le", "-ar", RATE, "-")
    return np.frombuffer(raw, np.float32).reshape(-1, 2)[RATE : 2 * RATE]


@pytest.mark.parametrize(
    "codec", ["flac", "pcm_s16le", "aac -b:a 640k"]
)  # AC-3 declares its own mix levels
def test_each_channel_has_its_coefficient(tmp_path: Path, codec: str) -> None:
    """One tone in each channel; its amplitude on the left and on the right, by projection."""
    source = six(tmp_path / "six.mkv", "|".join(f"0.4*sin(2*PI*{tone}*t)" for tone in TONES), codec)
    outcome = mediaprep.prepare(source, tmp_path / "out.mp4")
    assert outcome.status == "fixed", outcome.problems
    mixed = stereo(tmp_path / "out.mp4")
    waves = np.exp(-2j * np.pi * np.outer(TONES, np.arange(RATE)) / RATE)
    shares = 2 * np.abs(waves @ mixed) / RATE / 0.4
    assert shares == pytest.approx(np.array([LEFT, RIGHT]).T * SCALE, abs=0.02)


def test_full_scale_in_all_channels_is_full_scale(tmp_path: Path) -> None:
    source = six(tmp_path / "loud.mkv", "|".join(["0.99*sin(2*PI*440*t)"] * 6), "flac")
    assert mediaprep.prepare(source, tmp_path / "out.mp4").status == "fixed"
    assert 0.9 < np.abs(stereo(tmp_path / "out.mp4")).max() <= 1.01  # AAC overshoots by that much


def test_the_mix_has_the_requested_loudness(tmp_path: Path) -> None:
    source = six(tmp_path / "six.mkv", "|".join(["0.1*sin(2*PI*440*t)"] * 6), "ac3 -b:a 640k")
    outcome = mediaprep.prepare(
        source, tmp_path / "out.mp4", options=Options(loudness=Fraction(-18))
    )
    assert outcome.status == "fixed", outcome.problems
    assert loudness(tmp_path / "out.mp4") == pytest.approx(-18, abs=0.7)
