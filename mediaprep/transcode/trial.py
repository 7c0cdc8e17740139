"""A look ahead: a few seconds of a planned encode, done fast and thrown away, and how fast this host encodes; both only to predict."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from mediaprep.context import Context
from mediaprep.errors import EnvironmentProblem, ToolError
from mediaprep.files import Source
from mediaprep.media import Video
from mediaprep.plan import Output
from mediaprep.promise import Near, Promise
from mediaprep.tools import ffmpeg
from mediaprep.tools.effects import Steps, call, run_child
from mediaprep.tools.process import Command
from mediaprep.transcode import video
from mediaprep.transcode.encoders import SOFTWARE
from mediaprep.transcode.rate import aim, length, setting
from mediaprep.transcode.video import Means

WINDOW = Fraction(2)  # seconds: one group of pictures
WINDOWS = 4
PRESETS = ("veryfast", "medium", "slow")
_FAST = "veryfast"
_X264_SHARE = 0.6  # of a run at that preset; the rest decodes and scales. From 1 : 2.44 of whole runs against medium, 1 : 3.4 of x264 alone
_SIZE, _RATE, _FRAMES = (640, 360), 30, 60  # of the clip that the host is measured by
_TRIAL_SECONDS = 60.0
_MEMORY = 3 * 2**30
_BARE = ("c:v", "preset", "crf", "maxrate", "bufsize", "aq-mode", "x264-params", "profile:v", "g", "flags:v", "pix_fmt", "r", "fps_mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a few windows told: bit/s of the picture, and seconds of work for one second of it, both at the trial's preset; the host's
    speeds in pixels a second by preset, None where they could not be measured."""

    bit_rate: float
    work: float
    speeds: Mapping[str, float] | None

    def work_at(self, preset: str) -> float:
        """Seconds of work for one second of output at another preset."""
        if self.speeds is None or preset not in self.speeds:
            return self.work
        return self.work * (1 - _X264_SHARE + _X264_SHARE * self.speeds[_FAST] / self.speeds[preset])


def trying(output: Output, means: Means, binary: str, source: Source, context: Context) -> Steps[Trial | None]:
    """Steps: the trial of an output whose picture is encoded for quality; None for what needs none, or where it fails."""
    want = output.want
    if not isinstance(want, Video) or not isinstance(output.source, Video) or not want.video.anew or aim(output).way != "quality":
        return None
    cap, whole = aim(output).bit_rate, length(output)
    if whole <= 0:
        return None
    starts = [Fraction(0)] if whole <= WINDOWS * WINDOW else [(whole - WINDOW) * (2 * i + 1) / (2 * WINDOWS) for i in range(WINDOWS)]
    span = min(whole, WINDOWS * WINDOW) if len(starts) == 1 else WINDOW
    sizes, began = [], time.monotonic()
    try:
        for start in starts:
            size = yield from _window(output, means, binary, source, context, start, span)
            sizes.append(min(float(cap), size * 8 / float(span)))
    except ToolError:
        return None
    work = (time.monotonic() - began) / float(span * len(starts))
    return Trial(bit_rate=sum(sizes) / len(sizes), work=work, speeds=(yield from host_speeds(binary, means.threads, context)))


def windowed(output: Output, start: Fraction, seconds: Fraction) -> Output:
    """The same output, but only this window of it, counted from its own start."""
    zero = output.span[0] if output.span is not None else Fraction(0)
    rate = output.want.video.frame_rate if isinstance(output.want, Video) and output.want.video.frame_rate else Fraction(25)
    lengths = {"duration": seconds, "video.duration": seconds, "video.frame_count": int(seconds * rate)}

    def shorter(promise: Promise) -> Promise:
        return replace(promise, value=lengths[promise.fact]) if isinstance(promise, Near) and promise.fact in lengths else promise

    return replace(output, span=(zero + start, zero + start + seconds), promises=tuple(map(shorter, output.promises)))


def _window(output: Output, means: Means, binary: str, source: Source, context: Context, start: Fraction, span: Fraction) -> Steps[int]:
    """Bytes of the picture of one window."""
    job = video.job(windowed(output, start, span), replace(means, encoder=SOFTWARE))
    options = {key: value for key, value in job.options.items() if key in _BARE}
    cap = aim(output).bit_rate
    job = replace(
        job, tracks=job.tracks[:1], options={**options, "preset": _FAST, "crf": setting(output).crf, "maxrate": cap}, muxer="h264"
    )
    descriptor = source.reopen()
    try:
        words = tuple(word for word in ffmpeg.argv(binary, job) if word not in ("-progress", "pipe:1"))
        command = Command(
            argv=ffmpeg.bound(words, descriptor, None),
            what="try the encode",
            seconds=_TRIAL_SECONDS,
            pass_fds=(descriptor,),
            reads=(binary,),
            memory_bytes=_MEMORY,
            capture=True,
        )
        return len((yield from run_child(command)).stdout)
    finally:
        os.close(descriptor)


def host_speeds(binary: str, threads: int, context: Context) -> Steps[Mapping[str, float] | None]:
    """Steps: pixels a second that x264 encodes here, by preset: measured once (a second or two) and kept in the user's cache folder."""
    path, key = cache_file(), f"{binary}:{Path(binary).stat().st_mtime_ns}:{threads}"
    kept = yield from call(read_speeds, path, key)
    if kept is not None:
        return kept
    speeds: dict[str, float] = {}
    try:
        for preset in PRESETS:
            speeds[preset] = yield from _speed(binary, preset, threads)
    except ToolError:
        return None
    yield from call(write_speeds, path, key, speeds)
    return speeds


def _speed(binary: str, preset: str, threads: int) -> Steps[float]:
    clip = f"testsrc2=s={_SIZE[0]}x{_SIZE[1]}:r={_RATE},noise=alls=6:allf=t"
    argv = (
        binary, "-nostdin", "-hide_banner", "-v", "error", "-f", "lavfi", "-i", clip, "-frames:v", str(_FRAMES), "-pix_fmt", "yuv420p",
        "-c:v", "libx264", "-preset", preset, "-crf", "23", "-aq-mode", "2", "-threads", str(threads), "-f", "null", "-",
    )  # fmt: skip
    done = yield from run_child(Command(argv=argv, what="measure this host", seconds=_TRIAL_SECONDS, reads=(binary,)))
    return _SIZE[0] * _SIZE[1] * _FRAMES / max(0.001, done.seconds)


def cache_file() -> Path:
    """Where the host's speeds are kept."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("mediaprep")) / "speeds.json"


def read_speeds(path: Path, key: str) -> Mapping[str, float] | None:
    """The speeds kept for this binary; None where there are none, or what is there is not ours."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))[key]
        speeds = {preset: float(said[preset]) for preset in PRESETS}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return speeds if all(speed > 0 for speed in speeds.values()) else None


def write_speeds(path: Path, key: str, speeds: Mapping[str, float]) -> None:
    """Keep the speeds; a folder that takes no file is no misfortune: they are measured again."""
    from mediaprep import workfiles

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part, descriptor = workfiles.work_file(path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump({key: dict(speeds)}, out)
        part.replace(path)
    except (OSError, EnvironmentProblem):
        return
