"""A span that is copied: packets are chosen by their time, from an IDR to before an IDR, and nothing is decoded. Proved by digests of them.

``-ss`` and ``-t`` will not do: with B pictures they begin one group of pictures early, and end a few frames late.
"""

from __future__ import annotations

import os
from fractions import Fraction

from mediaprep.model.media import Video
from mediaprep.model.record import CopiedStream
from mediaprep.planning.plan import Output
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import MIN_READ_RATE, Context
from mediaprep.runtime.effects import Steps, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import FfmpegCommand, Input, OutputTrack

_BEFORE = Fraction(1, 1000)  # seconds: stamps are rounded
_SECONDS = 120.0
_MEMORY = 2**30


def by_packet(output: Output) -> bool:
    """Whether the output is a span whose picture is copied."""
    return (
        output.span is not None
        and isinstance(output.target, Video)
        and not output.target.video.reencode
    )


def drop(output: Output) -> str:
    """The bitstream filter that lets the packets of the span through."""
    start, end = (float(edge - _BEFORE) for edge in output.span or (Fraction(0), Fraction(0)))
    return rf"noise=amount=0:drop=lt(pts*tb\,{start:.6f})+gte(pts*tb\,{end:.6f})"


def shift(output: Output) -> str:
    """The bitstream filter that counts time from the span's start."""
    start = f"round({float((output.span or (Fraction(0),))[0]):.6f}/TB)"
    return f"setts=pts=PTS-{start}:dts=DTS-{start}"


def copied_digests_steps(
    output: Output,
    demuxer: str,
    whitelist: str,
    binary: str,
    source: Source,
    made: Source,
    context: Context,
) -> Steps[tuple[CopiedStream, ...]]:
    """Steps: digests of the copied packets of the span, in the source and in what was made of it. Raises: ToolError."""
    source_media, target = output.source, output.target
    if not isinstance(source_media, Video) or not isinstance(target, Video):
        return ()
    kinds = [
        "video",
        *(["audio"] if target.audio is not None and not target.audio.reencode else []),
    ]
    index = {
        kind: next(
            track.index
            for track in source_media.container.tracks or ()
            if track.kind == kind and track.chosen
        )
        for kind in kinds
    }
    tags = {f"bsf:{kind[0]}": drop(output) for kind in kinds}
    before = yield from _digests(
        Input(demuxer=demuxer, whitelist=whitelist),
        tuple(index.values()),
        tags,
        binary,
        source,
        context,
    )
    after = yield from _digests(ffmpeg.MADE, tuple(range(len(kinds))), {}, binary, made, context)
    return tuple(
        CopiedStream(track=kind, source_digest=before.get(i), output_digest=after.get(i))
        for i, kind in enumerate(kinds)
    )


def _digests(
    reading: Input,
    tracks: tuple[int, ...],
    options: dict[str, str],
    binary: str,
    source: Source,
    context: Context,
) -> Steps[dict[int, str]]:
    copy: dict[str, str | int] = {"c": "copy", "hash": "sha256", **options}
    job = FfmpegCommand(
        input=reading,
        tracks=tuple(OutputTrack(index=index) for index in tracks),
        options=copy,
        muxer="streamhash",
        threads=1,
    )
    words = ffmpeg.argv(binary, job, progress=False)
    descriptor = source.reopen()
    try:
        command = Command(
            argv=ffmpeg.bound(words, descriptor, None),
            what="compare the copied packets",
            seconds=_SECONDS + source.size_bytes / MIN_READ_RATE,
            pass_fds=(descriptor,),
            reads=(binary,),
            memory_bytes=_MEMORY,
            capture=True,
        )
        done = yield from run_child(command)
    finally:
        os.close(descriptor)
    lines = (line.split(",", 2) for line in done.stdout.decode(errors="replace").splitlines())
    return {int(row[0]): row[2] for row in lines if len(row) == 3 and row[0].isdigit()}
