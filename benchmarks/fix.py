"""What probing, confinement and verification add to the encode of ``mediaprep fix``.

    python benchmarks/fix.py [--only full|copies] [--seconds 60] [--rounds 2] [--clip FILE]

It compares fix with the same ffmpeg command, and with x264 alone on the raw frames; and a remux and
an audio-only encode with the full transcode. --clip: a 1080p30 file with AAC sound that conforms in
all but its size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _run import CACHE, Contender, Timing, build_input, compare, ffmpeg, mediaprep, ratio, table

PICTURE = "testsrc2=s=1920x1080:r=30:d={0},noise=alls=12:allf=t"
SOURCE = f"-f lavfi -i {PICTURE} -f lavfi -i sine=440:r=48000:d={{0}}"
X264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p"
SCALE = "scale=1280:720:flags=lanczos+accurate_rnd"
ENCODE = (
    "-c:v libx264 -preset medium -profile:v high -pix_fmt yuv420p -crf 23 -aq-mode 2"
    " -maxrate 2048k -bufsize 4096k -g 60 -flags +cgop -threads 2"
)
COPY_ROUNDS = 7  # a copy takes about a second


def clips(seconds: int) -> dict[str, Path]:
    """Return a 1080p source that needs a transcode, one to remux, and one with wrong sound only."""
    inputs = SOURCE.format(seconds)
    large = f"{inputs} {X264} -b:v 8M -g 60 -x264-params open-gop=0"
    small = f"{inputs} -vf scale=1280:720 {X264} -b:v 2M -g 60"
    stereo = "-c:a aac -ac 2"
    return {
        "full": build_input(f"full{seconds}.mp4", f"{large} {stereo}".split()),
        "container": build_input(f"container{seconds}.mkv", f"{small} {stereo}".split()),
        "sound": build_input(f"sound{seconds}.mp4", f"{small} -c:a ac3 -ac 2".split()),
    }


def fix(source: Path) -> Contender:
    out = CACHE / "out.mp4"
    return Contender(
        name=f"mediaprep fix ({source.stem})",
        argv=[*mediaprep(), "fix", str(source), "-o", str(out), "--force"],
        prepare=lambda: out.unlink(missing_ok=True),
    )


def same_encode(source: Path) -> Contender:
    """Return the encode that mediaprep plans, without probe, check and verification."""
    words = f"-map 0:v:0 -map 0:a:0 -vf {SCALE} {ENCODE} -r 30 -c:a copy -movflags +faststart"
    start = [ffmpeg(), "-v", "error", "-y", "-threads", "2", "-i", str(source)]
    argv = [*start, *words.split(), str(CACHE / "same.mp4")]
    return Contender(name="ffmpeg, same encode", argv=argv)


def x264_only(frames: Path) -> Contender:
    """Return x264 with nothing to decode or scale: raw frames, from the page cache."""
    words = (
        f"-f rawvideo -pix_fmt yuv420p -s 1280x720 -r 30 -i {frames} {ENCODE} {CACHE / 'alone.mp4'}"
    )
    return Contender(
        name="x264 alone, raw frames", argv=[ffmpeg(), "-v", "error", "-y", *words.split()]
    )


def print_goal(what: str, value: float, limit: float, *, least: bool = False) -> None:
    met = value >= limit if least else value <= limit
    print(
        f"{what}: {value:.2f} (goal: {'at least' if least else 'at most'} "
        f"{limit:g}){'' if met else ' - MISSED'}"
    )


def full_transcode(source: Path, seconds: int, rounds: int) -> None:
    frames = build_input(
        "frames.yuv",
        ["-i", str(source), "-map", "0:v:0", "-vf", SCALE, "-pix_fmt", "yuv420p", "-f", "rawvideo"],
    )
    try:
        contenders = [x264_only(frames), same_encode(source), fix(source)]
        timings = compare(contenders, rounds, warm=False)
    finally:
        frames.unlink()
    names = [contender.name for contender in contenders]
    print(table(f"A 1080p clip of {seconds} s, 2 cores", timings, names[1]))
    print()
    for name, limit in ((names[1], 1.12), (names[0], 1.36)):
        print_goal(f"fix / {name}", ratio(timings[names[2]], timings[name]), limit)
        print(f"    of CPU time: {sum(timings[names[2]].cpu) / sum(timings[name].cpu):.2f}")


def copies(sources: dict[str, Path], seconds: int) -> None:
    """Measure the full transcode once, and both fixes that copy the picture several times."""
    whole = compare([fix(sources["full"])], 1, warm=False)
    contenders = [fix(sources["container"]), fix(sources["sound"])]
    timings = whole | compare(contenders, COPY_ROUNDS)
    names = [contender.name for contender in contenders]
    print(
        table(
            f"Copies, {seconds} s",
            {name: _median(timing) for name, timing in timings.items()},
            next(iter(whole)),
        )
    )
    encoded = next(iter(whole.values())).median
    print_goal(
        "\nfull transcode / remux, times", encoded / timings[names[0]].median, 75, least=True
    )
    print_goal(
        "full transcode / sound only, times", encoded / timings[names[1]].median, 20, least=True
    )


def _median(timing: Timing) -> Timing:
    """Return one round with the medians, for a table of commands with different rounds."""
    return Timing(
        wall=(timing.median,), cpu=(sorted(timing.cpu)[len(timing.cpu) // 2],), peak=timing.peak
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("full", "copies"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clip", type=Path, help="instead of the clip made for `full`")
    options = parser.parse_args()
    sources = clips(options.seconds)
    if options.clip is not None:
        sources["full"] = options.clip
    if options.only in (None, "full"):
        full_transcode(sources["full"], options.seconds, options.rounds)
    if options.only in (None, "copies"):
        copies(sources, options.seconds)


if __name__ == "__main__":
    main()
