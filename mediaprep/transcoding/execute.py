"""Runs what the plan asks for, as steps that yield effects. Writes only the work file that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import ToolError
from mediaprep.model.media import Animation, Image, Subtitle
from mediaprep.planning.plan import Output
from mediaprep.runtime.atomic import writing
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.transcoding import captions as subtitle
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.gif import encode as gif
from mediaprep.transcoding.image import encode as image
from mediaprep.transcoding.progress import progress
from mediaprep.transcoding.video import encode
from mediaprep.transcoding.video.command import EncodeJob

_BASE_SECONDS = 60.0
_BASE_MEMORY = 3 * 2**30  # hostile-input.md, section 6


def execute(
    output: Output, means: EncodeJob, binary: str, source: Source, part: Path, context: Context
) -> Steps[EncodeLog]:
    """Makes the output in ``part``. Raises: ToolError, DeadlineExceeded, Cancelled; for a GIF also VerifyError, fit.TooSmall."""
    if isinstance(output.target, Image):
        return (yield from image.make(output, source, part, context))
    if isinstance(output.target, Subtitle):
        yield from call(_write, part, subtitle.document(output.target))
        return EncodeLog()
    if isinstance(output.target, Animation):
        return (yield from gif.make(output, means, binary, source, part, context))
    return (yield from encode.make(output, means, binary, source, part, context))


def _write(part: Path, data: bytes) -> None:
    with writing(part), part.open("r+b") as out:
        out.truncate()
        out.write(data)


def decode(
    part: Source,
    means: EncodeJob,
    binary: str,
    length: Fraction,
    context: Context,
    *,
    name: str,
    kinds: Sequence[str] = ("v", "a"),
) -> Steps[tuple[int | None, tuple[str, ...]]]:
    """Decodes all streams of these kinds once. Answers the number of pictures (None: none) and the complaints, () = none."""
    counted: list[int] = []
    show = progress(name, "verify", length, context)

    def on_line(line: str) -> None:
        key, _, value = line.partition("=")
        if key == "frame" and value.strip().isdigit():
            counted.append(int(value))
        show(line)

    descriptor = part.reopen()
    try:
        words = ffmpeg.decode_argv(
            binary,
            demuxer=means.demuxer,
            whitelist=means.whitelist,
            threads=means.threads,
            kinds=kinds,
        )
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
        return (counted[-1] if counted else None), tuple(problem.stderr_tail.splitlines()) or (
            str(problem),
        )
    finally:
        _close(descriptor)
    return (counted[-1] if counted else None), tuple(completed.stderr.splitlines())


def _close(descriptor: int) -> None:
    import os

    os.close(descriptor)
