"""What `mediaprep fix` makes of a 1080p clip against what people type: accepted or not, wall and
CPU time, size, VMAF and that of the
worst 5 % of frames. Quality at equal bits is read off the rate curve of the plain command. One easy
clip (a picture a second), one that is
hard everywhere (a zoom with grain), and scenes of real files, hard and easy, where ../shared/corpus
stands beside the
checkout, as they are and under more grain.

    python benchmarks/encode.py [--only scenes|hard|easy|memory|predict] [--seconds 12] [--clip
    FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from _run import CACHE, ROOT, ffmpeg, judge, made, mediaprep, once

import mediaprep as library
from mediaprep.transcoding.measure import vmaf_of

GRAIN = "mandelbrot=s=1920x1080:r=30,noise=alls=2:allf=t,format=yuv420p"
SCREEN = "testsrc2=s=1920x1080:r=1,fps=30,format=yuv420p"
CLIPS = {"hard": GRAIN, "easy": SCREEN}
CORPUS = ROOT.parent / "shared" / "corpus"
# Options, file, filters: film, hand-held video with grain added, a photograph that moves under
# grain
SCENES = (
    ("", "media__bbb_2500ms.ts", "null"),
    ("-ss 1 -t 2", "torchcodec__nasa_13013.mp4", "scale=1920:1080,noise=alls=4:allf=t"),
    (
        "-loop 1 -t 2",
        "exif-orientation-examples__Landscape_6.jpg",
        "scale=2400:-2,crop=1920:1080:x=200*t:y=100*t,noise=alls=3:allf=t",
    ),
    ("-ss 6 -t 2", "torchcodec__nasa_13013.mp4", "scale=1920:1080,noise=alls=4:allf=t"),
    ("-t 1.5", "media__bbb_2500ms.ts", "hflip,eq=brightness=-0.25"),
    ("-ss 9 -t 2", "torchcodec__nasa_13013.mp4", "scale=1920:1080"),
)
CODED = "-c:v libx264 -preset veryfast -crf 12 -g 60 -x264-params open-gop=1:bframes=2 -c:a aac -b:a 128k"
FORUM = "-vf scale=1280:-2 -c:v libx264 -preset fast -crf 23 -pix_fmt yuv420p -c:a aac -b:a 128k -movflags +faststart"
SCENES_SECONDS = 12
PLAIN_RATES = (700, 1000, 2048, 2600)  # kbit/s of the curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    accepted: bool
    wall: float
    cpu: float
    kbit: float
    mean: float
    worst: float


def clip(name: str, picture: str, seconds: int) -> Path:
    sound = f"anoisesrc=c=pink:a=0.1:d={seconds}:r=48000"
    return made(
        f"{name}{seconds}.mp4",
        [
            "-f",
            "lavfi",
            "-i",
            picture,
            "-f",
            "lavfi",
            "-i",
            sound,
            "-t",
            str(seconds),
            *CODED.split(),
        ],
    )


def scenes(grain: int) -> Path:
    """Twelve seconds of real files, one scene after the other; ``grain`` of so many steps upon all
    of them.
    """
    inputs = [
        word for options, name, _ in SCENES for word in (*options.split(), "-i", str(CORPUS / name))
    ]
    last = f"scale=1920:1080,noise=alls={grain}:allf=t,fps=30,setsar=1,format=yuv420p"
    shaped = "".join(f"[{i}:v]{chain},{last}[s{i}];" for i, (_, _, chain) in enumerate(SCENES))
    graph = f"{shaped}{''.join(f'[s{i}]' for i in range(len(SCENES)))}concat=n={len(SCENES)}[v]"
    sound = f"anoisesrc=c=pink:a=0.1:d={SCENES_SECONDS}:r=48000"
    mapped = [
        "-filter_complex",
        graph,
        "-map",
        "[v]",
        "-map",
        f"{len(SCENES)}:a",
        "-t",
        str(SCENES_SECONDS),
    ]
    return made(
        f"scenes{grain}.mp4", [*inputs, "-f", "lavfi", "-i", sound, *mapped, *CODED.split()]
    )


def commands(source: Path, out: Path) -> dict[str, list[str]]:
    start = [ffmpeg(), "-v", "error", "-y", "-threads", "2", "-i", str(source)]
    rows = {
        "mediaprep fix": [mediaprep(), "fix", str(source), "-o", str(out), "--force"],
        "mediaprep fix --quality best": [mediaprep(), "fix", str(source), "-o", str(out), "--force", "--quality", "best"],
        "forum: scale, crf 23, preset fast": [
            *start,
            *FORUM.split(),
                        "-threads", "2", str(out),
        ],
    }  # fmt: skip
    for rate in PLAIN_RATES:
        rows[f"plain: -b:v {rate}k"] = [
            *start,
            *f"-s 1280x720 -b:v {rate}k -c:a aac -b:a 128k -threads 2".split(),
            str(out),
        ]
    if (found := social()) is not None:
        handbrake, preset = found
        rows[f"HandBrakeCLI, {preset}"] = [
            handbrake,
            "-Z",
            preset,
            "-i",
            str(source),
            "-o",
            str(out),
        ]
    return rows


def social() -> tuple[str, str] | None:
    """HandBrakeCLI where it is installed, and its "Social" preset for 720p: versions call it
    differently.
    """
    if (program := judge("HandBrakeCLI")) is None:
        return None
    listed = subprocess.run([program, "-z"], check=False, capture_output=True, text=True).stderr
    names = [
        line.strip()
        for line in listed.splitlines()
        if line.strip().startswith("Social") and "720p" in line
    ]
    return (program, names[0]) if names else None


def measured(source: Path, out: Path) -> tuple[float, float]:
    """VMAF and that of the worst 5 %, against the source scaled by lanczos to 720p."""
    log = CACHE / "vmaf.json"
    # One of them untagged would be taken for another range, and converted.
    clock = "fps=30,settb=1/30,setpts=N,setparams=range=limited:colorspace=bt709:color_primaries=bt709:color_trc=bt709,format=yuv420p"
    graph = (
        f"[0:v]setparams=range=limited,scale=1280:720:flags=bicubic,{clock}[made];[1:v]setparams=range=limited,scale=1280:720:flags=lanczos+accurate_rnd,{clock}[ref];"
        f"[made][ref]libvmaf=log_fmt=json:log_path={log}:n_threads=2:shortest=1"
    )
    argv = [
        ffmpeg(),
        "-v",
        "error",
        "-y",
        "-i",
        str(out),
        "-i",
        str(source),
        "-lavfi",
        graph,
        "-f",
        "null",
        "-",
    ]
    subprocess.run(argv, check=True)
    found = vmaf_of(log.read_text())
    assert found is not None
    return found.mean, found.worst


def row(name: str, argv: list[str], source: Path, out: Path, seconds: float) -> Row:
    out.unlink(missing_ok=True)
    wall, cpu, _ = once(argv)
    mean, worst = measured(source, out)
    accepted = library.check(str(out)).verdict == "pass"
    return Row(
        name=name,
        accepted=accepted,
        wall=wall,
        cpu=cpu,
        kbit=out.stat().st_size * 8 / seconds / 1000,
        mean=mean,
        worst=worst,
    )


def at(curve: list[Row], kbit: float) -> float:
    """VMAF of the plain command at these bits: linear in the logarithm of the rate, the ends held."""
    points = sorted((math.log(item.kbit), item.mean) for item in curve)
    x = min(max(math.log(kbit), points[0][0]), points[-1][0])
    low, high = next(
        ((a, b) for a, b in pairwise(points) if a[0] <= x <= b[0]), (points[0], points[-1])
    )
    return low[1] + (high[1] - low[1]) * (x - low[0]) / max(1e-9, high[0] - low[0])


def bench(name: str, source: Path, seconds: float) -> None:
    out = CACHE / "encode-out.mp4"
    rows = [row(label, argv, source, out, seconds) for label, argv in commands(source, out).items()]
    print(f"\n### {name}: {seconds} s\n")
    print(
        "| command | accepted | wall s | CPU s | kbit/s | VMAF | worst 5 % |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for item in rows:
        cells = (
            f"{item.wall:.1f}",
            f"{item.cpu:.1f}",
            f"{item.kbit:.0f}",
            f"{item.mean:.2f}",
            f"{item.worst:.2f}",
        )
        print(f"| {item.name} | {'yes' if item.accepted else 'no'} | {' | '.join(cells)} |")
    ours, curve = rows[0], [item for item in rows if item.name.startswith("plain")]
    plain = next(item for item in curve if "2048k" in item.name)
    print(
        f"\nVMAF against plain ffmpeg at equal bits: {ours.mean - at(curve, ours.kbit):+.2f} (goal on hard content: +0.7)"
    )
    print(f"CPU against -b:v 2048k, probe and verification included: {ours.cpu / plain.cpu:.2f}")
    print(
        f"bits against -b:v 2048k: {ours.kbit / plain.kbit:.0%} (goal on easy content: at most 70 % at VMAF 95 and more)"
    )


def memory(seconds: int) -> None:
    """Peak of the largest process of a 1080p job and of an HDR job in 4K."""
    hdr = "testsrc2=s=3840x2160:r=30,format=yuv420p10le,setparams=range=tv:color_primaries=bt2020:colorspace=bt2020nc:color_trc=smpte2084"
    x265 = "-c:v libx265 -preset ultrafast -x265-params log-level=error -tag:v hvc1"
    large = made("hdr4k.mp4", ["-f", "lavfi", "-i", hdr, "-t", "3", *x265.split()])
    print("\n### Peak memory\n\n| job | largest process |\n| --- | --- |")
    for name, source in (("1080p", clip("hard", GRAIN, seconds)), ("4K HDR", large)):
        _, _, peak = once(
            [mediaprep(), "fix", str(source), "-o", str(CACHE / "encode-out.mp4"), "--force"]
        )
        print(f"| {name} | {peak / 1e6:.0f} MB |")


def prediction(seconds: int) -> None:
    """What plan says of size and time, and what fix took."""
    print(
        "\n### Prediction\n\n| clip | size predicted / made | time predicted / taken |\n| --- | --- | --- |"
    )
    for name, picture in CLIPS.items():
        source, out = clip(name, picture, seconds), CACHE / "encode-out.mp4"
        told = subprocess.run(
            [mediaprep(), "plan", "--json", str(source)], check=False, capture_output=True
        ).stdout
        predicted = json.loads(told)["files"][0]["outputs"][0]["predicted"]
        began = time.monotonic()
        subprocess.run(
            [mediaprep(), "fix", str(source), "-o", str(out), "--force"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        taken = time.monotonic() - began
        print(
            f"| {name} | {predicted['bytes'] / out.stat().st_size:.2f} | {predicted['seconds'] / taken:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("scenes", "hard", "easy", "memory", "predict"))
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument(
        "--clip",
        type=Path,
        help="a 16:9 file of at most 140 s and 30 fps instead of the two made here",
    )
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if options.clip is not None:
        bench(options.clip.name, options.clip, float(library.probe(str(options.clip)).duration))
        return
    if options.only in (None, "scenes"):
        if CORPUS.is_dir():
            for grain in (0, 3):
                bench(f"scenes, {grain} steps of grain", scenes(grain), SCENES_SECONDS)
        else:
            print(f"\n{CORPUS} is absent: no scenes of real files.")
    for name, picture in CLIPS.items():
        if options.only in (None, name):
            bench(name, clip(name, picture, options.seconds), options.seconds)
    if options.only in (None, "memory"):
        memory(options.seconds)
    if options.only in (None, "predict"):
        prediction(options.seconds)
    if social() is None:
        print("\nHandBrakeCLI is not installed here: not compared.")


if __name__ == "__main__":
    main()
