"""What the safety, the probe and the verification of `mediaprep fix` cost, against the bare ffmpeg command that does the same encode; and
how much a remux or a sound-only repair saves against the full transcode of the same clip.

    python benchmarks/fix.py [--seconds 20] [--rounds 3]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _run import CACHE, Contender, compare, ffmpeg, made, mediaprep, ratio, table

SOURCE = ["-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d={0},noise=alls=12:allf=t", "-f", "lavfi", "-i", "sine=440:r=48000:d={0}"]
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", "8M", "-g", "60", "-x264-params", "open-gop=0"]


def clips(seconds: int) -> dict[str, Path]:
    """A 1080p source that needs a full transcode; one wrong only in its container; one wrong only in its sound."""
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
    out = CACHE / "bare.mp4"
    words = (
        "-map 0:v:0 -map 0:a:0 -vf scale=1280:720:flags=lanczos+accurate_rnd -c:v libx264 -preset medium -profile:v high -pix_fmt yuv420p "
        "-crf 23 -aq-mode 2 -maxrate 2048k -bufsize 4096k -g 60 -flags +cgop -r 30 -threads 2 -c:a copy -movflags +faststart"
    )
    argv = [ffmpeg(), "-v", "error", "-y", "-threads", "2", "-i", str(source), *words.split(), str(out)]
    return Contender(name="bare ffmpeg, same encode", argv=argv)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sources = clips(options.seconds)
    contenders = [bare(sources["full"]), *(fix(source) for source in sources.values())]
    timings = compare(contenders, options.rounds)
    names = [contender.name for contender in contenders]
    print(table(f"A 1080p clip of {options.seconds} s, 2 cores", timings, names[0]))
    whole = timings[names[1]]
    print(f"\nfix / bare ffmpeg: {ratio(whole, timings[names[0]]):.2f} (goal: at most 1.20)")
    print(f"full transcode / remux: {ratio(whole, timings[names[2]]):.0f} times (goal: at least 20)")
    print(f"full transcode / sound only: {ratio(whole, timings[names[3]]):.0f} times (goal: at least 10)")


if __name__ == "__main__":
    main()
