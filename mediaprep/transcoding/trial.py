"""A look ahead: a few seconds of a planned encode, done and thrown away, and how fast this host encodes; both only to predict."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import EnvironmentProblem, ToolError
from mediaprep.model.media import Video
from mediaprep.model.tolerance import Near, Tolerance
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.transcoding.video import command as video
from mediaprep.transcoding.video.bit_rate import aim, length, setting
from mediaprep.transcoding.video.command import EncodeJob
from mediaprep.transcoding.video.encoders import SOFTWARE

WINDOW = Fraction(2)  # seconds: one group of pictures
WINDOWS = 3
_SIZE, _RATE, _FRAMES, _RUNS = (640, 360), 30, 60, 3  # of the clip that the host is measured by
_TRIAL_SECONDS = 60.0
_MEMORY = 3 * 2**30
_BARE = (
    "c:v",
    "preset",
    "crf",
    "maxrate",
    "bufsize",
    "aq-mode",
    "x264-params",
    "profile:v",
    "g",
    "flags:v",
    "pix_fmt",
    "r",
    "fps_mode",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What a few windows told: bit/s of the picture, and seconds of work for one second of it, without what it takes to begin."""

    bit_rate: float
    work: float


def trial_steps(
    output: Output, means: EncodeJob, binary: str, source: Source, context: Context
) -> Steps[TrialResult | None]:
    """Steps: the trial of an output whose picture is encoded; None for what needs none, or where it fails. Each window is done twice, the
    second time one frame of it: starting ffmpeg and decoding up to the window is no work that a second of the output takes."""
    target = output.target
    if (
        not isinstance(target, Video)
        or not isinstance(output.source, Video)
        or not target.video.reencode
        or not target.video.frame_rate
    ):
        return None
    cap, whole = aim(output), length(output)
    if whole <= 0:
        return None
    starts = (
        [Fraction(0)]
        if whole <= WINDOWS * WINDOW
        else [(whole - WINDOW) * (2 * i + 1) / (2 * WINDOWS) for i in range(WINDOWS)]
    )
    span = min(whole, WINDOWS * WINDOW) if len(starts) == 1 else WINDOW
    rates, work = [], 0.0
    try:
        for start in starts:
            size, seconds = yield from _window(output, means, binary, source, context, start, span)
            begun = (
                yield from _window(
                    output, means, binary, source, context, start, 1 / target.video.frame_rate
                )
            )[1]
            rates.append(min(float(cap.bit_rate), size * 8 / float(span)))
            work += max(0.0, seconds - begun)
    except ToolError:
        return None
    rate = sum(rates) / len(rates) if cap.way == "quality" else float(cap.bit_rate)
    return TrialResult(bit_rate=rate, work=work / float(span * len(starts)))


def windowed(output: Output, start: Fraction, seconds: Fraction) -> Output:
    """The same output, but only this window of it, counted from its own start."""
    zero = output.span[0] if output.span is not None else Fraction(0)
    rate = (
        output.target.video.frame_rate
        if isinstance(output.target, Video) and output.target.video.frame_rate
        else Fraction(25)
    )
    lengths = {
        "duration": seconds,
        "video.duration": seconds,
        "video.frame_count": int(seconds * rate),
    }

    def shorter(tolerance: Tolerance) -> Tolerance:
        return (
            replace(tolerance, value=lengths[tolerance.fact])
            if isinstance(tolerance, Near) and tolerance.fact in lengths
            else tolerance
        )

    return replace(
        output,
        span=(zero + start, zero + start + seconds),
        tolerances=tuple(map(shorter, output.tolerances)),
    )


def _window(
    output: Output,
    means: EncodeJob,
    binary: str,
    source: Source,
    context: Context,
    start: Fraction,
    span: Fraction,
) -> Steps[tuple[int, float]]:
    """Bytes of the picture of one window, seconds that it took."""
    job = video.job(windowed(output, start, span), replace(means, encoder=SOFTWARE))
    options = {key: value for key, value in job.options.items() if key in _BARE}
    cap = aim(output).bit_rate
    chosen: dict[str, str | int] = {
        "preset": setting(output).preset,
        "crf": setting(output).crf,
        "maxrate": cap,
    }
    job = replace(job, tracks=job.tracks[:1], options={**options, **chosen}, muxer="h264")
    descriptor = source.reopen()
    try:
        words = ffmpeg.argv(binary, job, progress=False)
        command = Command(
            argv=ffmpeg.bound(words, descriptor, None),
            what="try the encode",
            seconds=_TRIAL_SECONDS,
            pass_fds=(descriptor,),
            reads=(binary,),
            memory_bytes=_MEMORY,
            capture=True,
        )
        done = yield from run_child(command)
        return len(done.stdout), done.seconds
    finally:
        os.close(descriptor)


def host_speed(binary: str, threads: int, context: Context) -> Steps[float | None]:
    """Steps: pixels a second that x264 encodes here at its preset medium: measured once (a second or two) and kept in the user's cache
    folder; None where it cannot be measured."""
    path, key = cache_file(), f"{binary}:{Path(binary).stat().st_mtime_ns}:{threads}"
    kept = yield from call(read_speed, path, key)
    if kept is not None:
        return kept
    try:
        runs = []
        for _ in range(_RUNS):
            runs.append((yield from _speed(binary, threads)))
    except ToolError:
        return None
    yield from call(write_speed, path, key, max(runs))
    return max(runs)


def _speed(binary: str, threads: int) -> Steps[float]:
    clip = f"testsrc2=s={_SIZE[0]}x{_SIZE[1]}:r={_RATE},noise=alls=6:allf=t"
    argv = (
        binary, "-nostdin", "-hide_banner", "-v", "error", "-f", "lavfi", "-i", clip, "-frames:v", str(_FRAMES), "-pix_fmt", "yuv420p",
        "-c:v", "libx264", "-preset", "medium", "-crf", "23", "-aq-mode", "2", "-threads", str(threads), "-f", "null", "-",
    )  # fmt: skip
    done = yield from run_child(
        Command(argv=argv, what="measure this host", seconds=_TRIAL_SECONDS, reads=(binary,))
    )
    return _SIZE[0] * _SIZE[1] * _FRAMES / max(0.001, done.seconds)


def cache_file() -> Path:
    """Where the host's speed is kept."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("mediaprep")) / "speed.json"


def read_speed(path: Path, key: str) -> float | None:
    """The speed kept for this binary; None where there is none, or what is there is not ours."""
    try:
        speed = float(json.loads(path.read_text(encoding="utf-8"))[key])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return speed if speed > 0 else None


def write_speed(path: Path, key: str, speed: float) -> None:
    """Keep the speed; a folder that takes no file is no misfortune: it is measured again."""
    from mediaprep.runtime.atomic import create_work_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part, descriptor = create_work_file(path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump({key: speed}, out)
        part.replace(path)
    except (OSError, EnvironmentProblem):
        return
