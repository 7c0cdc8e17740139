"""What the safety, the probe and the verification of `mediaprep fix` cost, against the bare ffmpeg
command that does the same encode and
against x264 alone, fed with the raw frames of the rung; how much a remux or a sound-only repair
saves against the full transcode.

    python benchmarks/fix.py [--only full|copies] [--seconds 60] [--rounds 2] [--clip FILE]

--clip: a 1080p30 file with AAC sound that conforms in all but its size, instead of the one made
here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _run import CACHE, Contender, Timing, compare, ffmpeg, made, mediaprep, ratio, table

SOURCE = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=1920x1080:r=30:d={0},noise=alls=12:allf=t",
    "-f",
    "lavfi",
    "-i",
    "sine=440:r=48000:d={0}",
]
X264 = [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-pix_fmt",
    "yuv420p",
    "-b:v",
    "8M",
    "-g",
    "60",
    "-x264-params",
    "open-gop=0",
]
SCALE = "scale=1280:720:flags=lanczos+accurate_rnd"
ENCODE = (
    "-c:v libx264 -preset medium -profile:v high -pix_fmt yuv420p -crf 23 -aq-mode 2 -maxrate 2048k -bufsize 4096k -g 60 -flags +cgop "
    "-threads 2"
)
COPY_ROUNDS = 7  # a copy takes a second: the median of a few of them


def clips(seconds: int) -> dict[str, Path]:
    """A 1080p source that needs a full transcode; one wrong only in its container; one wrong only
    in its sound.
    """
    inputs = [word.format(seconds) for word in SOURCE]
    small = ["-vf", "scale=1280:720", *X264[:-4], "-b:v", "2M", "-g", "60"]
    stereo = ["-c:a", "aac", "-ac", "2"]
    return {
        "full": made(f"full{seconds}.mp4", [*inputs, *X264, *stereo]),
        "container": made(f"container{seconds}.mkv", [*inputs, *small, *stereo]),
        "sound": made(f"sound{seconds}.mp4", [*inputs, *small, "-c:a", "ac3", "-ac", "2"]),
    }


def fix(source: Path) -> Contender:
    out = CACHE / "out.mp4"
    return Contender(
        name=f"mediaprep fix ({source.stem})",
        argv=[mediaprep(), "fix", str(source), "-o", str(out), "--force"],
        before=lambda: out.unlink(missing_ok=True),
    )


def bare(source: Path) -> Contender:
    """The encode that mediaprep plans, typed by hand: no probe, no check, no verification."""
    words = f"-map 0:v:0 -map 0:a:0 -vf {SCALE} {ENCODE} -r 30 -c:a copy -movflags +faststart"
    argv = [
        ffmpeg(),
        "-v",
        "error",
        "-y",
        "-threads",
        "2",
        "-i",
        str(source),
        *words.split(),
        str(CACHE / "bare.mp4"),
    ]
    return Contender(name="bare ffmpeg, same encode", argv=argv)


def alone(frames: Path) -> Contender:
    """x264 with nothing to decode or scale: the frames of the rung come from memory (the page
    cache).
    """
    words = (
        f"-f rawvideo -pix_fmt yuv420p -s 1280x720 -r 30 -i {frames} {ENCODE} {CACHE / 'alone.mp4'}"
    )
    return Contender(
        name="x264 alone, raw frames", argv=[ffmpeg(), "-v", "error", "-y", *words.split()]
    )


def goal(what: str, value: float, limit: float, *, least: bool = False) -> None:
    met = value >= limit if least else value <= limit
    print(
        f"{what}: {value:.2f} (goal: {'at least' if least else 'at most'} {limit:g}){'' if met else ' - MISSED'}"
    )


def full(source: Path, seconds: int, rounds: int) -> None:
    frames = made(
        "frames.yuv",
        ["-i", str(source), "-map", "0:v:0", "-vf", SCALE, "-pix_fmt", "yuv420p", "-f", "rawvideo"],
    )
    try:
        contenders = [alone(frames), bare(source), fix(source)]
        timings = compare(contenders, rounds, warm=False)
    finally:
        frames.unlink()
    names = [contender.name for contender in contenders]
    print(table(f"A 1080p clip of {seconds} s, 2 cores", timings, names[1]))
    print()
    for name, limit in ((names[1], 1.12), (names[0], 1.36)):
        goal(f"fix / {name}", ratio(timings[names[2]], timings[name]), limit)
        print(f"    of CPU time: {sum(timings[names[2]].cpu) / sum(timings[name].cpu):.2f}")


def copies(sources: dict[str, Path], seconds: int) -> None:
    """The full transcode once, the two repairs that copy the picture several times."""
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
    goal("\nfull transcode / remux, times", encoded / timings[names[0]].median, 75, least=True)
    goal("full transcode / sound only, times", encoded / timings[names[1]].median, 20, least=True)


def _median(timing: Timing) -> Timing:
    """One round of the medians, so that contenders of different rounds fit one table."""
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
        full(sources["full"], options.seconds, options.rounds)
    if options.only in (None, "copies"):
        copies(sources, options.seconds)


if __name__ == "__main__":
    main()
