"""Write one output into a work file, and decode it once to prove that it can be decoded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import ToolError
from mediaprep.model.media import Animation, Image, Subtitle
from mediaprep.runtime.atomic import writing
from mediaprep.runtime.command import Command
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import Input
from mediaprep.transcoding import captions
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.gif import encode as gif
from mediaprep.transcoding.image import encode as image
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.progress import progress_reader
from mediaprep.transcoding.video import encode as video

_BASE_SECONDS = 60.0
_SECONDS_PER_SECOND = 10.0  # deadline for each second of the output
_MEMORY = 3 * 2**30


def execute_steps(job: EncodeJob, part: Path) -> Steps[EncodeLog]:
    """Steps: write the output of the job into ``part``.

    Raises: ToolError, VerifyError, DeadlineExceeded, Cancelled; GifTooSmall if a GIF within its
    byte limit would be too small.
    """
    target = job.output.target
    if isinstance(target, Image):
        return (yield from image.encode_steps(job, part))
    if isinstance(target, Animation):
        return (yield from gif.encode_steps(job, part))
    if isinstance(target, Subtitle):
        yield from call(_write, part, captions.document(target))
        return EncodeLog()
    return (yield from video.encode_steps(job, part))


def _write(part: Path, data: bytes) -> None:
    with writing(part), part.open("r+b") as out:
        out.truncate()
        out.write(data)


def decode_steps(
    job: EncodeJob,
    written: Source,
    reading: Input,
    length: Fraction,
    *,
    kinds: Sequence[str] = ("v", "a"),
) -> Steps[tuple[int | None, tuple[str, ...]]]:
    """Steps: decode the written file once. Return the number of decoded pictures (None if there
    are none) and the decoder's messages (empty if there were no errors).

    reading  demuxer and whitelist of the written file
    length   its duration in seconds, for progress and deadline
    kinds    ffmpeg's letters of the streams to decode: "v" pictures, "a" sound
    """
    frames: list[int] = []
    show = progress_reader(job.source.name, "verify", length, job.context)

    def on_line(line: str) -> None:
        key, _, value = line.partition("=")
        if key == "frame" and value.strip().isdigit():
            frames.append(int(value))
        show(line)

    argv = ffmpeg.decode_argv(
        job.binary,
        demuxer=reading.demuxer,
        whitelist=reading.whitelist,
        threads=job.threads,
        kinds=kinds,
    )
    descriptor = written.reopen()
    try:
        completed = yield from run_child(
            Command(
                argv=ffmpeg.bound(argv, descriptor, None),
                what="decode the output",
                seconds=_BASE_SECONDS + _SECONDS_PER_SECOND * float(length),
                pass_fds=(descriptor,),
                reads=(job.binary,),
                memory_bytes=_MEMORY,
                on_line=on_line,
            )
        )
        messages = tuple(completed.stderr.splitlines())
    except ToolError as problem:
        messages = tuple(problem.stderr_tail.splitlines()) or (str(problem),)
    finally:
        os.close(descriptor)
    return (frames[-1] if frames else None), messages
