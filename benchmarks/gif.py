"""GIFs under a byte limit: mediaprep, gifsicle, ffmpeg and Pillow at equal size.

    python benchmarks/gif.py [--quick]

The other programs do not search for the width that fits, so it is searched here, and only the last
encode is timed; ``encodes`` is how many a user would have needed. SSIM is the mean over all frames,
compared with the source at its size.
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
from _run import CACHE, ffmpeg, mediaprep, run_once

from mediaprep.tools import gifsicle

Argv = Callable[[Path, Path, int], list[str]]
MAX_ENCODES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The result of one program.

    width   the widest that fits
    wall, cpu   seconds of its last encode; for mediaprep, of the whole fix
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
    """Resize every frame and save it with its own palette, as the manual shows."""
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


def widest_that_fits(name: str, argv: Argv, path: Path, limit: int, full: tuple[int, int]) -> Row:
    """Search for the widest GIF under the limit."""
    out = CACHE / f"out-{name.split()[0]}.gif"
    best: Row | None = None
    width, low, high = full[0] * 2 // 3, 0, full[0] + 1
    for number in range(1, MAX_ENCODES + 1):
        wall, cpu, peak = run_once(argv(path, out, width))
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
    assert best is not None, f"{name}: none of {MAX_ENCODES} encodes fits"
    return best


def with_mediaprep(path: Path, limit: int, full: tuple[int, int]) -> Row:
    out = CACHE / "out-mediaprep.gif"
    out.unlink(missing_ok=True)
    wall, cpu, peak = run_once(
        [*mediaprep(), "fix", str(path), "-o", str(out), "--max-size", f"{limit // 1000}kB"]
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


def ssim(output_path: Path, path: Path, full: tuple[int, int]) -> float:
    """Return the mean SSIM of all frames, both at the source's size."""
    times = "settb=1/100,setpts=N*5"
    scale = f"scale={full[0]}:{full[1]}:flags=bicubic"
    graph = f"[0]{times},{scale},format=gbrp[a];[1]{times},format=gbrp[b];[a][b]ssim=f=-"
    inputs = ["-i", str(output_path), "-i", str(path)]
    filters = ["-fps_mode", "passthrough", "-lavfi", graph]
    argv = [ffmpeg(), "-v", "error", *inputs, *filters, "-f", "null", "-"]
    output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    values = [float(value) for value in re.findall(r"All:([0-9.]+)", output)]
    return sum(values) / len(values)


def table(title: str, rows: list[Row]) -> str:
    base = rows[0]
    lines = [
        f"### {title}",
        "",
        "| program | width | MB | SSIM | wall s | CPU s | peak MB | encodes | time ratio |",
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
        rows = [with_mediaprep(path, limit, full)]
        for name, argv in (
            ("gifsicle -O3 --lossy=80", with_gifsicle),
            ("ffmpeg, one graph", with_ffmpeg),
            ("Pillow", with_pillow),
        ):
            rows.append(widest_that_fits(name, argv, path, limit, full))
        megabytes = path.stat().st_size / 1e6
        print(
            table(
                f"{kind}: {count} frames of {width}x{height}, {megabytes:.1f} MB, to "
                f"{limit / 1e6:.0f} MB",
                rows,
            ),
            "\n",
            flush=True,
        )


if __name__ == "__main__":
    main()
