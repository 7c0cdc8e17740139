"""``mediaprep fix`` of a 1080p clip, compared with common ffmpeg commands and HandBrake.

python benchmarks/encode.py [--only scenes|hard|easy|memory|predict] [--seconds 12] [--clip FILE]

For each: accepted or not, wall and CPU time, bit rate, VMAF, and VMAF of the worst 5 % of frames.
Quality at equal bit rate is interpolated on the rate curve of the plain command. The clips are an
easy one (a new picture each second), a hard one (a zoom with grain), and scenes of real files, if
the corpus lies beside the checkout, with and without added grain.
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

from _run import CACHE, ROOT, build_input, ffmpeg, installed, mediaprep, run_once

import mediaprep as library
from mediaprep.transcoding.measure import vmaf_of

GRAIN = "mandelbrot=s=1920x1080:r=30,noise=alls=2:allf=t,format=yuv420p"
SCREEN = "testsrc2=s=1920x1080:r=1,fps=30,format=yuv420p"
CLIPS = {"hard": GRAIN, "easy": SCREEN}
CORPUS = ROOT.parent / "shared" / "corpus"
# Options, file, filters: film, hand-held video with grain, a moving photograph with grain.
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
CODED = (
    "-c:v libx264 -preset veryfast -crf 12 -g 60 -x264-params open-gop=1:bframes=2 -c:a aac -b:a "
    "128k"
)
FORUM = (
    "-vf scale=1280:-2 -c:v libx264 -preset fast -crf 23 -pix_fmt yuv420p -c:a aac -b:a 128k "
    "-movflags +faststart"
)
SCENES_SECONDS = 12
PLAIN_RATES = (700, 1000, 2048, 2600)  # kbit/s, the points of the rate curve


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
    return build_input(
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
    """Return twelve seconds of scenes of real files, with ``grain`` steps of noise added."""
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
    return build_input(
        f"scenes{grain}.mp4", [*inputs, "-f", "lavfi", "-i", sound, *mapped, *CODED.split()]
    )


def commands(source: Path, out: Path) -> dict[str, list[str]]:
    fix = [*mediaprep(), "fix", str(source), "-o", str(out), "--force"]
    start = [ffmpeg(), "-v", "error", "-y", "-threads", "2", "-i", str(source)]
    rows = {
        "mediaprep fix": fix,
        "mediaprep fix --quality best": [*fix, "--quality", "best"],
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
    if (preset := social()) is not None:
        handbrake, preset = preset
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
    """Return HandBrakeCLI and its "Social" preset for 720p, whose name depends on the version."""
    if (program := installed("HandBrakeCLI")) is None:
        return None
    listed = subprocess.run([program, "-z"], check=False, capture_output=True, text=True).stderr
    names = [
        line.strip()
        for line in listed.splitlines()
        if line.strip().startswith("Social") and "720p" in line
    ]
    return (program, names[0]) if names else None


def vmaf(source: Path, out: Path) -> tuple[float, float]:
    """Return VMAF, and VMAF of the worst 5 %, compared with the source scaled to 720p (Lanczos)."""
    log = CACHE / "vmaf.json"
    # Without tags, one of them would be taken for another range and converted.
    tags = "range=limited:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    common = f"fps=30,settb=1/30,setpts=N,setparams={tags},format=yuv420p"
    scale = "setparams=range=limited,scale=1280:720:flags"
    graph = (
        f"[0:v]{scale}=bicubic,{common}[output];"
        f"[1:v]{scale}=lanczos+accurate_rnd,{common}[ref];"
        f"[output][ref]libvmaf=log_fmt=json:log_path={log}:n_threads=2:shortest=1"
    )
    inputs = ["-i", str(out), "-i", str(source)]
    argv = [ffmpeg(), "-v", "error", "-y", *inputs, "-lavfi", graph, "-f", "null", "-"]
    subprocess.run(argv, check=True)
    result = vmaf_of(log.read_text())
    assert result is not None
    return result.mean, result.worst


def run_command(name: str, argv: list[str], source: Path, out: Path, seconds: float) -> Row:
    out.unlink(missing_ok=True)
    wall, cpu, _ = run_once(argv)
    mean, worst = vmaf(source, out)
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


def vmaf_at(curve: list[Row], kbit: float) -> float:
    """Return VMAF of the plain command at a bit rate, interpolated over its logarithm."""
    points = sorted((math.log(item.kbit), item.mean) for item in curve)
    x = min(max(math.log(kbit), points[0][0]), points[-1][0])
    low, high = next(
        ((a, b) for a, b in pairwise(points) if a[0] <= x <= b[0]), (points[0], points[-1])
    )
    return low[1] + (high[1] - low[1]) * (x - low[0]) / max(1e-9, high[0] - low[0])


def bench(name: str, source: Path, seconds: float) -> None:
    out = CACHE / "encode-out.mp4"
    rows = [
        run_command(label, argv, source, out, seconds)
        for label, argv in commands(source, out).items()
    ]
    print(f"\n### {name}: {seconds} s\n")
    print(
        "| command | accepted | wall s | CPU s | kbit/s | VMAF | worst 5 % |\n| --- | --- | --- "
        "| --- | --- | --- | --- |"
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
        "\nVMAF, compared with plain ffmpeg at equal bit rate: "
        f"{ours.mean - vmaf_at(curve, ours.kbit):+.2f} (goal on hard content: +0.7)"
    )
    print(
        "CPU, compared with -b:v 2048k, including probe and verification: "
        f"{ours.cpu / plain.cpu:.2f}"
    )
    print(
        f"bit rate, compared with -b:v 2048k: {ours.kbit / plain.kbit:.0%} (goal on easy "
        "content: at most 70 % at VMAF 95 and more)"
    )


def memory(seconds: int) -> None:
    """Measure the largest process of a 1080p job and of a 4K HDR job."""
    tags = "range=tv:color_primaries=bt2020:colorspace=bt2020nc:color_trc=smpte2084"
    hdr = f"testsrc2=s=3840x2160:r=30,format=yuv420p10le,setparams={tags}"
    x265 = "-c:v libx265 -preset ultrafast -x265-params log-level=error -tag:v hvc1"
    large = build_input("hdr4k.mp4", ["-f", "lavfi", "-i", hdr, "-t", "3", *x265.split()])
    print("\n### Peak memory\n\n| job | largest process |\n| --- | --- |")
    for name, source in (("1080p", clip("hard", GRAIN, seconds)), ("4K HDR", large)):
        _, _, peak = run_once(
            [*mediaprep(), "fix", str(source), "-o", str(CACHE / "encode-out.mp4"), "--force"]
        )
        print(f"| {name} | {peak / 1e6:.0f} MB |")


def prediction(seconds: int) -> None:
    """Compare the predictions of plan with the size and time of fix."""
    print(
        "\n### Prediction\n\n| clip | size: predicted / actual | time: predicted / actual |\n| "
        "--- | --- | --- |"
    )
    for name, picture in CLIPS.items():
        source, out = clip(name, picture, seconds), CACHE / "encode-out.mp4"
        output = subprocess.run(
            [*mediaprep(), "plan", "--json", str(source)], check=False, capture_output=True
        ).stdout
        predicted = json.loads(output)["files"][0]["outputs"][0]["predicted"]
        started = time.monotonic()
        subprocess.run(
            [*mediaprep(), "fix", str(source), "-o", str(out), "--force"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        times = time.monotonic() - started
        print(
            f"| {name} | {predicted['bytes'] / out.stat().st_size:.2f} | "
            f"{predicted['seconds'] / times:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("scenes", "hard", "easy", "memory", "predict"))
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument(
        "--clip",
        type=Path,
        help="a 16:9 file of at most 140 s and 30 fps, instead of the generated clips",
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
            print(f"\n{CORPUS} does not exist: no scenes of real files.")
    for name, picture in CLIPS.items():
        if options.only in (None, name):
            bench(name, clip(name, picture, options.seconds), options.seconds)
    if options.only in (None, "memory"):
        memory(options.seconds)
    if options.only in (None, "predict"):
        prediction(options.seconds)
    if social() is None:
        print("\nHandBrakeCLI is not installed: not compared.")


if __name__ == "__main__":
    main()
