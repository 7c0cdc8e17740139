"""What a check costs, beside the programs that a user would ask instead: one small file, a thousand
small files, one large file.

    python benchmarks/check.py [--rounds 5] [--files 1000]

Ratios of one run on one machine count, not seconds. The judges are Debian's ffprobe and mediainfo.
The package's byte code is compiled
first, as installing a wheel does.
"""

from __future__ import annotations

import argparse
import compileall
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from _run import CACHE, ROOT, Contender, compare, judge, made, mediaprep, once, ratio, table

X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "2"]
SOUND = ["-c:a", "aac", "-ac", "2", "-b:a", "96k"]
SIZES = ("640x360", "480x270", "320x240", "360x640")
PICTURES = (
    *("testsrc2=s={0}:r=30", "mandelbrot=s={0}:r=25", "gradients=s={0}:r=25:speed=0.02"),
    "testsrc=s={0}:r=24000/1001,noise=alls=9:allf=t",
)
SECONDS = 5


def small(count: int) -> list[Path]:
    """So many names of sixteen clips: four pictures in four sizes, MP4 with sound."""
    clips = []
    sound = ["-f", "lavfi", "-i", f"sine=440:r=48000:d={SECONDS}"]
    for number, (size, picture) in enumerate(
        (size, picture) for size in SIZES for picture in PICTURES
    ):
        words = [
            "-f",
            "lavfi",
            "-i",
            picture.format(size),
            *sound,
            "-t",
            str(SECONDS),
            *X264,
            "-crf",
            "26",
            *SOUND,
        ]
        clips.append(made(f"small-{number:02d}.mp4", words))
    folder = CACHE / "many"
    folder.mkdir(exist_ok=True)
    names = [folder / f"{number:04d}.mp4" for number in range(count)]
    for number, name in enumerate(names):
        name.unlink(missing_ok=True)
        os.link(clips[number % len(clips)], name)
    return names


def large() -> dict[str, Path]:
    """140 s of 1080p of more than 100 MB, as MP4 and as a transport stream: a part of 10 s
    repeated, which costs no encode.
    """
    picture = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=1920x1080:r=30:d=10,noise=alls=12:allf=t",
        "-f",
        "lavfi",
        "-i",
        "sine=440:r=48000:d=10",
    ]
    part = made(
        "part10.mp4",
        [*picture, *X264, "-b:v", "7M", "-maxrate", "7M", "-bufsize", "14M", "-g", "60", *SOUND],
    )
    again = ["-stream_loop", "13", "-i", str(part), "-c", "copy"]
    return {
        "MP4": made("large.mp4", [*again, "-movflags", "+faststart"]),
        "MPEG-TS": made("large.ts", again),
    }


def one_small_file(rounds: int) -> None:
    for picture, path in zip(PICTURES, small(16)[:4], strict=True):
        contenders = [Contender(name="mediaprep check", argv=[mediaprep(), "check", str(path)])]
        for name, words in (("ffprobe", ["-v", "error", "-show_packets"]), ("mediainfo", [])):
            if program := judge(name):
                contenders.append(
                    Contender(name=" ".join((name, *words[2:])), argv=[program, *words, str(path)])
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
                f"\nmediaprep check / {base}: {ratio(timings['mediaprep check'], timings[base]):.2f} (goal: at most 3.5)\n"
            )


def each(program: Sequence[str], names: Sequence[Path]) -> tuple[float, float, int]:
    """Of one process a file, one after the other: seconds, CPU seconds, peak bytes of the largest."""
    began = time.monotonic()
    taken = [once([*program, str(name)]) for name in names]
    return (
        time.monotonic() - began,
        sum(cpu for _, cpu, _ in taken),
        max(peak for _, _, peak in taken),
    )


def many_small_files(count: int) -> None:
    names = list(map(str, small(count)))
    argv = [mediaprep(), "check", "--json"]
    once([*argv, *names[:16]])
    few = once([*argv, *names[: max(16, count // 10)]])[2]
    took = {"mediaprep check --json, all": once([*argv, *names])}
    for title, name, words in (
        ("ffprobe -show_streams, each", "ffprobe", ["-v", "error", "-show_streams"]),
        ("mediainfo, each", "mediainfo", []),
    ):
        if program := judge(name):
            took[title] = each([program, *words], [Path(name) for name in names])
    print(f"### {count} small files\n")
    print(
        "| command | wall s | ms a file | CPU ms a file | peak MB | times mediaprep's wall |\n| --- | --- | --- | --- | --- | --- |"
    )
    ours = took["mediaprep check --json, all"]
    for title, (wall, cpu, peak) in took.items():
        figures = f"{wall:.1f} | {wall * 1000 / count:.1f} | {cpu * 1000 / count:.1f} | {peak / 1e6:.0f} | {wall / ours[0]:.2f}"
        print(f"| {title} | {figures} |")
    print("\ngoals: ffprobe at least 6, mediainfo at least 1.5 times as long (two idle cores)")
    print(
        f"peak of {max(16, count // 10)} files: {few / 1e6:.0f} MB, of {count}: {ours[2] / 1e6:.0f} MB (goal: no growth)\n"
    )


def best(work: Callable[[], Any], rounds: int) -> float:
    """Seconds of the fastest round: whatever else the machine does only adds."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def one_large_file(rounds: int) -> None:
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.probing.video.assemble import choose_streams, scan_packets
    from mediaprep.runtime.source import open_source
    from mediaprep.tools import pyav

    print("### One large file, 140 s of 1080p\n")
    print(
        "| file | MB | open ms | every packet and GOP, ms more | MB/s | peak MB of a check |\n| --- | --- | --- | --- | --- | --- |"
    )
    for title, path in large().items():

        def opened(scan: bool, path: Path = path) -> None:
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
        bare, whole = (
            best(lambda opened=opened: opened(False), rounds),
            best(lambda opened=opened: opened(True), rounds),
        )
        peak = once([mediaprep(), "check", str(path)])[2]
        figures = f"{bare * 1000:.0f} | {(whole - bare) * 1000:.0f} | {size / 1e6 / whole:.0f} | {peak / 1e6:.0f}"
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
