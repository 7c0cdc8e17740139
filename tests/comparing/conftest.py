"""A clip that moves, has colour and structure, and outputs of it that are right or wrong on purpose."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaprep.tools.ffmpeg_program import locate

TAGS = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
PICTURE = f"mandelbrot=s=384x216:rate=25:start_scale=0.6:end_scale=0.5,scroll=h=0.01:v=0.004,hue=h=20*t,format=yuv420p,{TAGS}"
# Two voices that differ, with pauses, so that neither channels nor times can be taken for others.
SOUND = (
    "aevalsrc='0.3*sin(2*PI*(300+40*t)*t)*gt(mod(t,0.7),0.2)"
    "|0.2*sin(2*PI*(900-50*t)*t)*gt(mod(t,0.9),0.3)':s=48000"
)
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-threads", "1")
AAC = ("-c:a", "aac", "-b:a", "128k")

Encode = Callable[..., Path]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of picture and sound, a key frame each second."""
    path = tmp_path_factory.mktemp("comparing") / "source.mp4"
    inputs = ("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", SOUND)
    _ffmpeg(*inputs, "-t", "5", *X264, "-crf", "18", "-g", "25", *AAC, "-b:a", "192k", str(path))
    return path


@pytest.fixture
def encode(clip: Path, tmp_path: Path) -> Encode:
    """Encode the clip with further options of ffmpeg."""

    def encoded(*words: str) -> Path:
        path = tmp_path / "output.mp4"
        _ffmpeg("-i", str(clip), *X264, *AAC, *words, str(path))
        return path

    return encoded


def _ffmpeg(*words: str) -> None:
    subprocess.run([locate(None), "-v", "error", "-y", *words], check=True)
