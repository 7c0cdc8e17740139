"""Make and read test files with the bundled ffmpeg, another reader than the one under test:
flashes, beeps, numbered frames, samples.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
RATE = 48000
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "60")
WIDTH, HEIGHT, CELL = 128, 64, 16  # a frame encodes its number: 14 cells of one bit
_BITS = 14


def ffmpeg(*words: object, data: bytes | None = None) -> bytes:
    argv = [FFMPEG, "-v", "error", "-y", *map(str, words)]
    return subprocess.run(argv, input=data, stdout=subprocess.PIPE, check=True).stdout


def clock(seconds: float, rate: str = "60", size: str = "320x240") -> tuple[str, ...]:
    """Return ffmpeg inputs with a flash and a beep of 0.1 s at every even second from 2 s on, over
    a moving picture.
    """
    flash = "lt(mod(T,2),0.1)*gte(T,1.9)"
    picture = f"color=black:s={size}:r={rate}:d={seconds},format=yuv420p,geq=lum='if({flash},235,16+40*mod(X/320+N/60,1))':cb=128:cr=128"
    sound = (
        f"aevalsrc='if(lt(mod(t,2),0.1)*gte(t,1.9),0.8*sin(2*PI*1000*t),0)':s={RATE}:d={seconds}"
    )
    return "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound


def samples(path: Path, *before: str) -> NDArray[np.float32]:
    return np.frombuffer(
        ffmpeg("-i", path, "-map", "0:a", *before, "-f", "f32le", "-ac", "1", "-ar", RATE, "-"),
        np.float32,
    )


def offsets(path: Path) -> list[float]:
    """Return the seconds from each beep to its flash, as a player presents them."""
    argv = [
        "-i",
        path,
        "-map",
        "0:v",
        "-vf",
        "scale=16:16,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-",
    ]
    lines = ffmpeg(*argv, "-fps_mode", "passthrough", "-f", "null", "-").decode().splitlines()
    times = [float(line.split("pts_time:")[1]) for line in lines if "pts_time:" in line]
    light = [float(line.split("=")[1]) for line in lines if "YAVG" in line]
    flashes = [times[i] for i in range(1, len(times)) if light[i] > 150 >= light[i - 1]]
    loud = np.flatnonzero(np.abs(samples(path, "-af", "aresample=async=1:first_pts=0")) > 0.1)
    beeps = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE // 10)] / RATE
    assert len(flashes) == len(beeps) > 0, (flashes, beeps)
    return [flash - beep for flash, beep in zip(flashes, beeps, strict=True)]


def numbered(count: int, shots: Sequence[int] = ()) -> bytes:
    """Return grey frames that encode their number; the rest of the picture changes at ``shots``."""
    numbers = np.arange(count)
    cells = np.zeros((count, 32), np.uint8)
    cells[:, :_BITS] = np.where((numbers[:, None] >> np.arange(_BITS)) & 1, 200, 40)
    cells[:, _BITS:] = (60 + np.searchsorted(shots, numbers, side="right") % 2 * 130)[:, None]
    return (
        cells.reshape(count, HEIGHT // CELL, WIDTH // CELL)
        .repeat(CELL, 1)
        .repeat(CELL, 2)
        .tobytes()
    )


def numbers(path: Path) -> NDArray[np.int64]:
    """Return the numbers that the frames of a file encode, in presentation order."""
    raw = ffmpeg(
        "-i",
        path,
        "-map",
        "0:v",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    )
    cells = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)[
        :, CELL // 2 :: CELL, CELL // 2 :: CELL
    ]
    bits = cells.reshape(len(cells), -1)[:, :_BITS] > 120
    return (bits.astype(np.int64) << np.arange(_BITS)).sum(1)


def write_numbered(
    path: Path, count: int, rate: str, *, shots: Sequence[int] = (), gop: int = 100
) -> None:
    """Write numbered frames and a sliding tone, in the container of the suffix."""
    tone = f"aevalsrc='0.4*sin(2*PI*(300*t+20*sin(t*0.7)))':s={RATE}"
    picture = "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", "-"
    coded = (
        "-pix_fmt",
        "yuv420p",
        *X264[:-1],
        gop,
        "-tune",
        "grain",
        "-bf",
        "2",
        "-c:a",
        "aac",
        "-b:a",
        "128k",
        "-shortest",
    )
    ffmpeg(*picture, "-f", "lavfi", "-i", tone, *coded, path, data=numbered(count, shots))


def loudness(path: Path) -> float:
    """Return the loudness in LUFS, measured by loudnorm."""
    return float(
        json.loads(
            ffmpeg(
                "-i",
                path,
                "-map",
                "0:a",
                "-af",
                "loudnorm=print_format=json:stats_file=-",
                "-f",
                "null",
                "-",
            )
        )["input_i"]
    )
