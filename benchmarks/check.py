"""What a check costs, compared with ffprobe and mediainfo.

    python benchmarks/check.py [--rounds 5] [--files 1000] [--only one|many|large]

It measures one small file, many small files, and one large file. Compare ratios of one run, not
seconds. The byte code of the package is compiled first, as installing a wheel does.
"""

from __future__ import annotations

import argparse
import compileall
import os
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from _run import (
    CACHE,
    ROOT,
    Contender,
    build_input,
    compare,
    installed,
    mediaprep,
    ratio,
    run_once,
    table,
)

X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "2"]
SOUND = ["-c:a", "aac", "-ac", "2", "-b:a", "96k"]
SIZES = ("640x360", "480x270", "320x240", "360x640")
PICTURES = (
    *("testsrc2=s={0}:r=30", "mandelbrot=s={0}:r=25", "gradients=s={0}:r=25:speed=0.02"),
    "testsrc=s={0}:r=24000/1001,noise=alls=9:allf=t",
)
SECONDS = 5


def small_files(count: int) -> list[Path]:
    """Return ``count`` names of sixteen clips: four pictures in four sizes, MP4 with sound."""
    clips = []
    for number, (size, picture) in enumerate(product(SIZES, PICTURES)):
        video = f"-f lavfi -i {picture.format(size)} -f lavfi -i sine=440:r=48000:d={SECONDS}"
        argv = [*f"{video} -t {SECONDS}".split(), *X264, "-crf", "26", *SOUND]
        clips.append(build_input(f"small-{number:02d}.mp4", argv))
    folder = CACHE / "many"
    folder.mkdir(exist_ok=True)
    names = [folder / f"{number:04d}.mp4" for number in range(count)]
    for number, name in enumerate(names):
        name.unlink(missing_ok=True)
        os.link(clips[number % len(clips)], name)
    return names


def large_files() -> dict[str, Path]:
    """Return 140 s of 1080p as MP4 and transport stream: 10 s, repeated without encoding."""
    picture = "testsrc2=s=1920x1080:r=30:d=10,noise=alls=12:allf=t"
    inputs = f"-f lavfi -i {picture} -f lavfi -i sine=440:r=48000:d=10"
    rate = "-b:v 7M -maxrate 7M -bufsize 14M -g 60"
    part = build_input("part10.mp4", [*inputs.split(), *X264, *rate.split(), *SOUND])
    again = ["-stream_loop", "13", "-i", str(part), "-c", "copy"]
    return {
        "MP4": build_input("large.mp4", [*again, "-movflags", "+faststart"]),
        "MPEG-TS": build_input("large.ts", again),
    }


def one_small_file(rounds: int) -> None:
    for picture, path in zip(PICTURES, small_files(16)[:4], strict=True):
        contenders = [Contender(name="mediaprep check", argv=[*mediaprep(), "check", str(path)])]
        for name, arguments in (("ffprobe", ["-v", "error", "-show_packets"]), ("mediainfo", [])):
            if program := installed(name):
                contenders.append(
                    Contender(
                        name=" ".join((name, *arguments[2:])), argv=[program, *arguments, str(path)]
                    )
                )
        timings = compare(contenders, rounds)
        base = contenders[min(1, len(contenders) - 1)].name
        print(
            table(
                f"One small file ({picture.partition('=')[0]}, {SIZES[0]}), the whole process",
                timings,
                base,
            )
        )
        if base.startswith("ffprobe"):
            print(
                f"\nmediaprep check / {base}: "
                f"{ratio(timings['mediaprep check'], timings[base]):.2f} (goal: at most 3.5)\n"
            )


def each(program: Sequence[str], names: Sequence[Path]) -> tuple[float, float, int]:
    """Run one process a file; return wall seconds, CPU seconds, peak bytes of the largest."""
    started = time.monotonic()
    times = [run_once([*program, str(name)]) for name in names]
    return (
        time.monotonic() - started,
        sum(cpu for _, cpu, _ in times),
        max(peak for _, _, peak in times),
    )


def many_small_files(count: int) -> None:
    names = list(map(str, small_files(count)))
    argv = [*mediaprep(), "check", "--json"]
    run_once([*argv, *names[:16]])
    few = run_once([*argv, *names[: max(16, count // 10)]])[2]
    results = {"mediaprep check --json, all": run_once([*argv, *names])}
    for title, name, arguments in (
        ("ffprobe -show_streams, each", "ffprobe", ["-v", "error", "-show_streams"]),
        ("mediainfo, each", "mediainfo", []),
    ):
        if program := installed(name):
            results[title] = each([program, *arguments], [Path(name) for name in names])
    print(f"### {count} small files\n")
    print(
        "| command | wall s | ms a file | CPU ms a file | peak MB | times mediaprep's wall |\n| "
        "--- | --- | --- | --- | --- | --- |"
    )
    ours = results["mediaprep check --json, all"]
    for title, (wall, cpu, peak) in results.items():
        figures = (
            f"{wall:.1f} | {wall * 1000 / count:.1f} | {cpu * 1000 / count:.1f} | "
            f"{peak / 1e6:.0f} | {wall / ours[0]:.2f}"
        )
        print(f"| {title} | {figures} |")
    print("\ngoals: ffprobe at least 6, mediainfo at least 1.5 times as long (two idle cores)")
    print(
        f"peak of {max(16, count // 10)} files: {few / 1e6:.0f} MB, of {count}: "
        f"{ours[2] / 1e6:.0f} MB (goal: no growth)\n"
    )


def fastest(work: Callable[[], Any], rounds: int) -> float:
    """Return the seconds of the fastest round; other load only adds to it."""
    times = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def one_large_file(rounds: int) -> None:
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.probing.video.assemble import choose_streams, scan_packets
    from mediaprep.runtime.source import open_source
    from mediaprep.tools import pyav

    print("### One large file, 140 s of 1080p\n")
    print(
        "| file | MB | open ms | every packet and GOP, ms more | MB/s | peak MB of a check |\n| "
        "--- | --- | --- | --- | --- | --- |"
    )
    for title, path in large_files().items():

        def open_file(scan: bool, path: Path = path) -> None:
            with open_source(path) as source:
                found = sniff(source)
                with pyav.open_container(
                    source,
                    demuxer=found.demuxer,
                    whitelist=found.format_whitelist,
                    max_pixels=10**8,
                ) as reader:
                    if scan:
                        scan_packets(reader, *choose_streams(reader.streams), payload=False)

        size = path.stat().st_size
        opening = fastest(lambda open_file=open_file: open_file(False), rounds)
        scanning = fastest(lambda open_file=open_file: open_file(True), rounds)
        peak = run_once([*mediaprep(), "check", str(path)])[2]
        figures = (
            f"{opening * 1000:.0f} | {(scanning - opening) * 1000:.0f}"
            f" | {size / 1e6 / scanning:.0f} | "
            f"{peak / 1e6:.0f}"
        )
        print(f"| {title} | {size / 1e6:.0f} | {figures} |")
    print(
        "\ngoals: MP4 at most 60 ms more; MPEG-TS at least 200 MB/s; below 150 MB whatever the size"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--only", choices=("one", "many", "large"))
    options = parser.parse_args()
    compileall.compile_dir(ROOT / "mediaprep", quiet=1)
    if options.only in (None, "one"):
        one_small_file(options.rounds)
    if options.only in (None, "many"):
        many_small_files(options.files)
    if options.only in (None, "large"):
        one_large_file(options.rounds)


if __name__ == "__main__":
    main()
