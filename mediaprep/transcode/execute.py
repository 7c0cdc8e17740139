"""Runs what the plan asks for, as steps that yield effects. Writes only the work file that it is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from mediaprep.context import Context
from mediaprep.errors import ToolError
from mediaprep.events import Progress, Stage
from mediaprep.files import Source
from mediaprep.media import Animation, Image, Subtitle, Video
from mediaprep.plan import Output
from mediaprep.promise import Near
from mediaprep.tools import ffmpeg
from mediaprep.tools.effects import Steps, call, run_child
from mediaprep.tools.process import Command
from mediaprep.transcode import animation, gif, image, subtitle, video
from mediaprep.transcode.performed import Performed
from mediaprep.transcode.video import Means

_BASE_SECONDS = 60.0
_SECONDS_PER_MPIXEL_SECOND = 6.0  # deadline: a guess, ten times what 1080p at `slow` took on one slow core
_BASE_MEMORY = 3 * 2**30  # hostile-input.md, section 6: 2 GB + 8 bytes x pixels x reference frames; tone mapping in float needs more
_REFERENCES = 24


def execute(output: Output, means: Means, binary: str, source: Source, part: Path, context: Context) -> Steps[Performed]:
    """Makes the output in ``part``. Raises: ToolError, DeadlineExceeded, Cancelled; for a GIF also VerifyError, fit.TooSmall."""
    if isinstance(output.want, Image):
        return (yield from image.make(output, source, part, context))
    if isinstance(output.want, Subtitle):
        yield from call(_write, part, subtitle.document(output.want))
        return Performed()
    if isinstance(output.want, Animation):
        return (yield from gif.make(output, means, binary, source, part, context))
    job = animation.video_job(output, means) if isinstance(output.source, Animation) else video.job(output, means)
    words = ffmpeg.argv(binary, job)
    descriptor = source.reopen()
    try:
        length = _promised_length(output)
        pixels, rate = _effort(output)
        command = Command(
            argv=ffmpeg.bound(words, descriptor, part),
            what="encode",
            seconds=_BASE_SECONDS + _SECONDS_PER_MPIXEL_SECOND * float(length) * max(1.0, pixels * rate / 30e6),
            pass_fds=(descriptor,),
            reads=(binary,),
            writes=(str(part.parent),),
            memory_bytes=_BASE_MEMORY + 8 * pixels * _REFERENCES,
            file_bytes=_file_ceiling(output),
            on_line=progress(source.name, "encode", length, context),
        )
        completed = yield from run_child(command)
    finally:
        _close(descriptor)
    return Performed(argv=(words,), sandbox=completed.sandbox)


def _write(part: Path, data: bytes) -> None:
    with part.open("r+b") as out:
        out.truncate()
        out.write(data)


def decode(
    part: Source, means: Means, binary: str, length: Fraction, context: Context, *, name: str
) -> Steps[tuple[int | None, tuple[str, ...]]]:
    """Decodes the whole file once. Answers the number of pictures and the complaints, () = none."""
    counted: list[int] = []
    show = progress(name, "verify", length, context)

    def on_line(line: str) -> None:
        key, _, value = line.partition("=")
        if key == "frame" and value.strip().isdigit():
            counted.append(int(value))
        show(line)

    descriptor = part.reopen()
    try:
        words = ffmpeg.decode_argv(binary, demuxer=means.demuxer, whitelist=means.whitelist, threads=means.threads)
        command = Command(
            argv=ffmpeg.bound(words, descriptor, None),
            what="decode the output",
            seconds=_BASE_SECONDS + 10 * float(length),
            pass_fds=(descriptor,),
            reads=(binary,),
            memory_bytes=_BASE_MEMORY,
            on_line=on_line,
        )
        completed = yield from run_child(command)
    except ToolError as problem:
        return (counted[-1] if counted else None), tuple(problem.stderr_tail.splitlines()) or (str(problem),)
    finally:
        _close(descriptor)
    return (counted[-1] if counted else None), tuple(completed.stderr.splitlines())


def progress(name: str, stage: Stage, length: Fraction, context: Context) -> Callable[[str], None]:
    """A reader of ffmpeg's -progress lines that tells the listener, at most once each block."""
    began = time.monotonic()
    seen: dict[str, str] = {}

    def on_line(line: str) -> None:
        key, _, value = line.strip().partition("=")
        seen[key] = value.strip()
        if key != "progress":
            return
        micro = seen.get("out_time_us", "")
        done = int(micro) / 1e6 if micro.lstrip("-").isdigit() else 0.0
        whole = float(length) or 1.0
        fraction = 1.0 if value == "end" else max(0.0, min(1.0, done / whole))
        elapsed = time.monotonic() - began
        context.listener(
            Progress(
                path=name,
                stage=stage,
                fraction=fraction,
                speed=done / elapsed if elapsed > 0 and done > 0 else None,
                eta_seconds=elapsed * (1 - fraction) / fraction if fraction > 0.01 else None,
                size_bytes=int(seen["total_size"]) if seen.get("total_size", "").isdigit() else None,
            )
        )

    return on_line


def _promised_length(output: Output) -> Fraction:
    return next((p.value for p in output.promises if isinstance(p, Near) and p.fact == "duration"), Fraction(0))


def _effort(output: Output) -> tuple[int, float]:
    """Pixels of a source frame and frames a second, for deadline and memory."""
    have = output.source
    if isinstance(have, Animation):
        return (have.width or 0) * (have.height or 0), float((have.frame_count or 0) / (have.duration or 1))
    if not isinstance(have, Video):
        return 0, 0.0
    return (have.video.width or 0) * (have.video.height or 0), float(have.video.frame_rate or 30)


def _file_ceiling(output: Output) -> int | None:
    """Bytes that the child may write: four times the source, or what the highest bit rate could give; faststart needs no more than the
    file.
    """
    size = output.source.size_bytes
    return None if size is None else 2**30 + 4 * size


def _close(descriptor: int) -> None:
    import os

    os.close(descriptor)
