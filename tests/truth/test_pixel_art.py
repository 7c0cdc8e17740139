"""Enlarged pixel art: each original pixel is a block of one colour in the output, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mediaprep
from mediaprep import Options
from tests.truth.ffmpeg_reader import ffmpeg

pytestmark = pytest.mark.slow


def test_blocks_stay_blocks(tmp_path: Path) -> None:
    """320x180 enlarged six times becomes enlarged four times. Smoothing would blur a fifth of each
    block.
    """
    drawing = np.random.default_rng(3).choice(np.array([16, 90, 160, 235], np.uint8), (180, 320))
    source, output = tmp_path / "art.mp4", tmp_path / "out.mp4"
    coded = (
        "-vf",
        "scale=1920:1080:flags=neighbor",
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        18,
    )
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "320x180", "-r", 10, "-i", "-")
    ffmpeg(*raw, *coded, "-color_range", "tv", source, data=drawing.tobytes() * 6)
    outcome = mediaprep.prepare(source, output, options=Options(quality="hq"))
    assert outcome.status == "fixed", outcome.problems
    before, after = (
        np.frombuffer(
            ffmpeg("-i", path, "-frames:v", 1, "-f", "rawvideo", "-pix_fmt", "gray", "-"), np.uint8
        ).astype(int)
        for path in (source, output)
    )
    blocks = before.reshape(1080, 1920)[3::6, 3::6]
    assert np.abs(after.reshape(720, 1280) - blocks.repeat(4, 0).repeat(4, 1)).mean() < 4
