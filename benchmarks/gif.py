"""GIFs under a byte limit: mediaprep against gifsicle alone, ffmpeg's palette in one graph, and
Pillow, at equal bytes, in one run.

    python benchmarks/gif.py [--quick]

Each contender is given the width that brings it under the limit; who has no search is searched for
here, and only its last encode is timed
(``encodes`` says how many a user would have needed). SSIM: mean over all frames against the
source's, both at the source's size.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from _gifs import source
from _run import CACHE, ffmpeg, mediaprep, once

from mediaprep.tools import gifsicle

Argv = Callable[[Path, Path, int], list[str]]
MOST_TRIES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One contender on one source: the width it could keep, bytes, SSIM, seconds of its last encode
    (ours: of all it does), peak.
    """

    name: str
    width: int
    size: int
    ssim: float
    wall: float
    cpu: float
    peak: int
    encodes: str


def with_gifsicle(path: Path, out: Path, width: int) -> list[str]:
    return [
        gifsicle.locate() or "gifsicle",
        "-O3",
        "--lossy=80",
        "--resize-width",
        str(width),
        str(path),
        "-o",
        str(out),
    ]


def with_ffmpeg(path: Path, out: Path, width: int) -> list[str]:
    graph = f"scale={width}:-1:flags=lanczos,split[a][b];[a]palettegen[p];[b][p]paletteuse"
    return [ffmpeg(), "-v", "error", "-y", "-i", str(path), "-filter_complex", graph, str(out)]


def with_pillow(path: Path, out: Path, width: int) -> list[str]:
    return [sys.executable, __file__, "--pillow", str(path), str(out), str(width)]


def pillow(path: Path, out: Path, width: int) -> None:
    """What the manuals show: resize every frame, save them with a palette each."""
    from PIL import Image, ImageSequence

    with Image.open(path) as image:
        size = width, round(image.height * width / image.width)
        frames = [
            frame.convert("RGB").resize(size, Image.Resampling.LANCZOS).quantize(256)
            for frame in ImageSequence.Iterator(image)
        ]
        delay = image.info.get("duration", 50)
    frames[0].save(
        out, save_all=True, append_images=frames[1:], duration=delay, loop=0, optimize=True
    )


def fitted(name: str, argv: Argv, path: Path, limit: int, full: tuple[int, int]) -> Row:
    """The widest that stays under the limit, by the same law of width^1.6, from the full width
    down.
    """
    out = CACHE / f"out-{name.split()[0]}.gif"
    best: Row | None = None
    width, low, high = full[0] * 2 // 3, 0, full[0] + 1
    for number in range(1, MOST_TRIES + 1):
        wall, cpu, peak = once(argv(path, out, width))
        size = out.stat().st_size
        if size <= limit:
            best = Row(
                name=name,
                width=width,
                size=size,
                ssim=ssim(out, path, full),
                wall=wall,
                cpu=cpu,
                peak=peak,
                encodes=str(number),
            )
            low = width
            if size >= 0.95 * limit or width == full[0]:
                break
        else:
            high = width
        width = min(high - 1, max(low + 1, round(width * (0.975 * limit / size) ** (1 / 1.7))))
        if width <= low:
            break
    assert best is not None, f"{name}: nothing fitted in {MOST_TRIES} encodes"
    return best


def ours(path: Path, limit: int, full: tuple[int, int]) -> Row:
    out = CACHE / "out-mediaprep.gif"
    out.unlink(missing_ok=True)
    wall, cpu, peak = once(
        [mediaprep(), "fix", str(path), "-o", str(out), "--max-size", f"{limit // 1000}kB"]
    )
    width = int.from_bytes(out.read_bytes()[6:8], "little")
    size = out.stat().st_size
    return Row(
        name="mediaprep fix",
        width=width,
        size=size,
        ssim=ssim(out, path, full),
        wall=wall,
        cpu=cpu,
        peak=peak,
        encodes="own",
    )


def ssim(made: Path, path: Path, full: tuple[int, int]) -> float:
    """Mean structural similarity of all frames; frame for frame, both at the source's size."""
    paired = "settb=1/100,setpts=N*5"
    graph = f"[0]{paired},scale={full[0]}:{full[1]}:flags=bicubic,format=gbrp[a];[1]{paired},format=gbrp[b];[a][b]ssim=f=-"
    argv = [
        ffmpeg(),
        "-v",
        "error",
        "-i",
        str(made),
        "-i",
        str(path),
        "-fps_mode",
        "passthrough",
        "-lavfi",
        graph,
        "-f",
        "null",
        "-",
    ]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    values = [float(value) for value in re.findall(r"All:([0-9.]+)", told)]
    return sum(values) / len(values)


def table(title: str, rows: list[Row]) -> str:
    base = rows[0]
    lines = [
        f"### {title}",
        "",
        "| way | width | MB | SSIM | wall s | CPU s | peak MB | encodes | time / ours |",
        "|" + " --- |" * 9,
    ]
    for row in rows:
        cells = [
            row.name,
            row.width,
            f"{row.size / 1e6:.2f}",
            f"{row.ssim:.4f}",
            f"{row.wall:.1f}",
            f"{row.cpu:.1f}",
        ]
        cells += [f"{row.peak / 1e6:.0f}", row.encodes, f"{row.wall / base.wall:.2f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sources and a limit of 2 MB: about a minute"
    )
    parser.add_argument(
        "--pillow", nargs=3, metavar=("SOURCE", "OUT", "WIDTH"), help=argparse.SUPPRESS
    )
    args = parser.parse_args()
    if args.pillow:
        pillow(Path(args.pillow[0]), Path(args.pillow[1]), int(args.pillow[2]))
        return
    limit = 2_000_000 if args.quick else 15_000_000
    sizes = (
        [("photo", 480, 270, 40), ("screen", 640, 360, 60), ("pixel-art", 640, 360, 60)]
        if args.quick
        else [("photo", 960, 540, 100), ("screen", 1280, 720, 220), ("pixel-art", 1280, 720, 160)]
    )
    for kind, width, height, count in sizes:
        path = source(kind, width, height, count)
        full = width, height
        rows = [ours(path, limit, full)]
        for name, argv in (
            ("gifsicle -O3 --lossy=80", with_gifsicle),
            ("ffmpeg, one graph", with_ffmpeg),
            ("Pillow", with_pillow),
        ):
            rows.append(fitted(name, argv, path, limit, full))
        megabytes = path.stat().st_size / 1e6
        print(
            table(
                f"{kind}: {count} frames of {width}x{height}, {megabytes:.1f} MB, to {limit / 1e6:.0f} MB",
                rows,
            ),
            "\n",
            flush=True,
        )


if __name__ == "__main__":
    main()
