"""Copy a span without encoding: its packets are chosen by their timestamps, from one IDR frame to
the next, and digests of the packets prove the copy.

ffmpeg's ``-ss`` and ``-t`` cannot do this: with B-frames they start a group of pictures too early
and end a few frames too late.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fractions import Fraction

from mediaprep.model.media import Video
from mediaprep.model.record import CopiedStream
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import MIN_READ_RATE
from mediaprep.runtime.effects import Steps, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import FfmpegCommand, Input, OutputTrack
from mediaprep.transcoding.job import EncodeJob

_ROUNDING = Fraction(1, 1000)  # seconds: timestamps are rounded
_BASE_SECONDS = 120.0
_MEMORY = 2**30


def copies_span(output: Output) -> bool:
    """Return True if the output is a span whose picture is copied."""
    target = output.target
    return output.span is not None and isinstance(target, Video) and not target.video.reencode


def drop_filter(output: Output) -> str:
    """Return the bitstream filter that drops the packets outside the span."""
    start, end = (float(edge - _ROUNDING) for edge in _span(output))
    return rf"noise=amount=0:drop=lt(pts*tb\,{start:.6f})+gte(pts*tb\,{end:.6f})"


def shift_filter(output: Output) -> str:
    """Return the bitstream filter that counts time from the start of the span."""
    start = f"round({float(_span(output)[0]):.6f}/TB)"
    return f"setts=pts=PTS-{start}:dts=DTS-{start}"


def copied_digests_steps(job: EncodeJob, written: Source) -> Steps[tuple[CopiedStream, ...]]:
    """Steps: compute the digests of the copied packets of the span, in the source and in the
    written file. Raises: ToolError.
    """
    source, target = job.output.source, job.output.target
    if not isinstance(source, Video) or not isinstance(target, Video):
        return ()
    kinds = ["video"]
    if target.audio is not None and not target.audio.reencode:
        kinds.append("audio")
    tracks = [
        next(
            track.index
            for track in source.container.tracks or ()
            if track.kind == kind and track.chosen
        )
        for kind in kinds
    ]
    drop = {f"bsf:{kind[0]}": drop_filter(job.output) for kind in kinds}
    reading = Input(demuxer=job.demuxer, whitelist=job.whitelist)
    before = yield from _digests_steps(job, job.source, reading, tracks, drop)
    after = yield from _digests_steps(job, written, ffmpeg.WRITTEN, range(len(kinds)), {})
    return tuple(
        CopiedStream(track=kind, source_digest=before.get(i), output_digest=after.get(i))
        for i, kind in enumerate(kinds)
    )


def _digests_steps(
    job: EncodeJob,
    source: Source,
    reading: Input,
    tracks: Iterable[int],
    filters: Mapping[str, str],
) -> Steps[dict[int, str]]:
    """Steps: compute the digest of each track's packets, by the number of the track."""
    options: dict[str, str | int] = {"c": "copy", "hash": "sha256", **filters}
    command = FfmpegCommand(
        input=reading,
        tracks=tuple(OutputTrack(index=index) for index in tracks),
        options=options,
        muxer="streamhash",
        threads=1,
    )
    argv = ffmpeg.argv(job.binary, command, progress=False)
    descriptor = source.reopen()
    try:
        completed = yield from run_child(
            Command(
                argv=ffmpeg.bound(argv, descriptor, None),
                what="compare the copied packets",
                seconds=_BASE_SECONDS + source.size_bytes / MIN_READ_RATE,
                pass_fds=(descriptor,),
                reads=(job.binary,),
                memory_bytes=_MEMORY,
                capture=True,
            )
        )
    finally:
        os.close(descriptor)
    digests = {}
    for line in completed.stdout.decode(errors="replace").splitlines():  # 0,v,SHA256=...
        fields = line.split(",", 2)
        if len(fields) == 3 and fields[0].isdigit():
            digests[int(fields[0])] = fields[2]
    return digests


def _span(output: Output) -> tuple[Fraction, Fraction]:
    return output.span or (Fraction(0), Fraction(0))
