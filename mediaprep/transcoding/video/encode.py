"""Makes a video, as steps: one run; two passes for a bit rate; two and corrections for a byte limit."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mediaprep.errors import VerifyError
from mediaprep.model.media import Animation, Video
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import FfmpegCommand
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.gif import filters as animation
from mediaprep.transcoding.progress import progress
from mediaprep.transcoding.video import command as video
from mediaprep.transcoding.video import two_pass as passes
from mediaprep.transcoding.video.bit_rate import RateTarget, aim, length, picture_bit_rate
from mediaprep.transcoding.video.choose_encoder import devices
from mediaprep.transcoding.video.command import EncodeJob
from mediaprep.transcoding.video.encoders import SOFTWARE
from mediaprep.transcoding.video.two_pass import RateTrial

_BASE_SECONDS = 60.0
_SECONDS_PER_MPIXEL_SECOND = (
    6.0  # deadline: a guess, ten times what 1080p at `slow` took on one slow core
)
_BASE_MEMORY = (
    3 * 2**30
)  # hostile-input.md, section 6: 2 GB + 8 bytes x pixels x reference frames; tone mapping in float needs more
_REFERENCES = 24
_STATISTICS_BYTES = (
    2**30
)  # x264 writes some 300 bytes a frame, and a byte a macroblock of every frame that is referred to
_FIRST = 0.35  # of the time that both passes take


@dataclass(slots=True)
class _EncodeRun:
    """What every run of one video shares."""

    output: Output
    means: EncodeJob
    binary: str
    source: Source
    part: Path
    context: Context
    words: list[tuple[str, ...]] = field(default_factory=list)
    sandbox: str | None = None

    def run(
        self,
        job: FfmpegCommand,
        target: Path | None,
        share: tuple[float, float],
        statistics: str | None = None,
    ) -> Steps[None]:
        """One run of ffmpeg, which is ``share`` (from, to) of the whole."""
        words = ffmpeg.argv(self.binary, job)
        self.words.append(words)
        seconds, (pixels, rate) = length(self.output), _effort(self.output)
        places = {} if statistics is None else {passes.STATISTICS: f"{statistics}/x264"}
        descriptor = self.source.reopen()
        try:
            command = Command(
                argv=tuple(
                    places.get(word, word) for word in ffmpeg.bound(words, descriptor, target)
                ),
                what="encode",
                seconds=_BASE_SECONDS
                + _SECONDS_PER_MPIXEL_SECOND * float(seconds) * max(1.0, pixels * rate / 30e6),
                pass_fds=(descriptor,),
                reads=(self.binary,),
                writes=(
                    str(self.part.parent),
                    *([] if statistics is None else [statistics]),
                    *devices(self.means.encoder),
                ),
                memory_bytes=_BASE_MEMORY + 8 * pixels * _REFERENCES,
                file_bytes=_file_ceiling(self.output),
                on_line=progress(self.source.name, "encode", seconds, self.context, share=share),
            )
            self.sandbox = (yield from run_child(command)).sandbox
        finally:
            os.close(descriptor)


def make(
    output: Output, means: EncodeJob, binary: str, source: Source, part: Path, context: Context
) -> Steps[EncodeLog]:
    """Steps: writes the video into ``part``. Raises: ToolError, VerifyError (no bit rate meets the limit), DeadlineExceeded, Cancelled."""
    bench = _EncodeRun(output, means, binary, source, part, context)
    job = (
        animation.video_job(output, means)
        if isinstance(output.source, Animation)
        else video.job(output, means)
    )
    wanted = aim(output, means.effort)
    if wanted.way == "quality" or not (
        isinstance(output.target, Video) and output.target.video.reencode
    ):
        yield from bench.run(job, part, (0.0, 1.0))
    else:
        yield from _aimed(bench, job, wanted)
    return EncodeLog(argv=tuple(bench.words), sandbox=bench.sandbox)


def _aimed(bench: _EncodeRun, job: FfmpegCommand, wanted: RateTarget) -> Steps[None]:
    folder = yield from call(tempfile.mkdtemp, "", "mediaprep-")
    try:
        software = bench.means.encoder == SOFTWARE
        if software:
            yield from bench.run(passes.first(job, wanted.bit_rate), None, (0.0, _FIRST), folder)
        if wanted.limit is None:
            yield from _written(bench, job, wanted.bit_rate, folder)
        else:
            yield from _filled(bench, job, wanted.bit_rate, wanted.limit, folder)
    finally:
        yield from call(shutil.rmtree, folder, True)


def _filled(
    bench: _EncodeRun, job: FfmpegCommand, bit_rate: int, limit: int, folder: str
) -> Steps[None]:
    """The fullest file within the limit that a few second passes find. Raises: VerifyError where none fits."""
    other = max(
        0, limit - picture_bit_rate(bench.output, limit) * int(length(bench.output) * 1000) // 8000
    )
    tries: list[RateTrial] = []
    wanted: int | None = bit_rate
    while wanted is not None:
        tries.append(
            RateTrial(bit_rate=wanted, size_bytes=(yield from _written(bench, job, wanted, folder)))
        )
        wanted = passes.next_bit_rate(tries, limit, other)
    found = passes.best(tries, limit)
    if found is None:
        raise VerifyError([_too_much(tries, limit)])
    if found != tries[-1]:
        yield from _written(bench, job, found.bit_rate, folder)


def _written(bench: _EncodeRun, job: FfmpegCommand, bit_rate: int, folder: str) -> Steps[int]:
    if bench.means.encoder == SOFTWARE:
        yield from bench.run(passes.second(job, bit_rate), bench.part, (_FIRST, 1.0), folder)
    else:
        yield from bench.run(passes.single(job, bit_rate), bench.part, (0.0, 1.0))
    return bench.part.stat().st_size


def _too_much(tries: Sequence[RateTrial], limit: int) -> str:
    least = min(item.size_bytes for item in tries)
    return f"the smallest of {len(tries)} encodes has {least} bytes; {limit} are allowed: shorten the video, or choose a smaller --rung"


def _effort(output: Output) -> tuple[int, float]:
    """Pixels of a source frame and frames a second, for deadline and memory."""
    source_media = output.source
    if isinstance(source_media, Animation):
        return (source_media.width or 0) * (source_media.height or 0), float(
            (source_media.frame_count or 0) / (source_media.duration or 1)
        )
    if not isinstance(source_media, Video):
        return 0, 0.0
    return (source_media.video.width or 0) * (source_media.video.height or 0), float(
        source_media.video.frame_rate or 30
    )


def _file_ceiling(output: Output) -> int | None:
    """Bytes that the child may write: four times the source, or what the highest bit rate could give; faststart needs no more than the
    file.
    """
    size = output.source.size_bytes
    return None if size is None else _STATISTICS_BYTES + 4 * size
