"""Build command lines of ffmpeg with ffmpeg-python, which runs nothing here. Pure.

A command line holds the placeholders ``SOURCE_FD``, ``TARGET`` and ``WRITTEN_FD`` as words of their
own; ``bound`` replaces them by descriptors and a path. The program never receives a user's file
name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from mediaprep.model import containers

SOURCE_FD = "SOURCE_FD"
TARGET = "TARGET"
WRITTEN_FD = "WRITTEN_FD"
_LEAST_ALLOCATION = 200_000_000  # bytes that one buffer of ffmpeg may take
_PROGRESS = ("-progress", "pipe:1")
_QUIET = ("-nostdin", "-hide_banner", "-nostats", "-v", "error")
_GLOBAL = (*_QUIET, *_PROGRESS, "-filter_complex_threads", "2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter of a chain: its name and options, in ffmpeg's words."""

    name: str
    options: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input of ffmpeg.

    demuxer      forced
    whitelist    demuxers that ffmpeg may use
    start        seconds to seek to
    max_pixels   larger pictures are not decoded
    options      before ``-i``
    """

    demuxer: str
    whitelist: str
    start: Fraction | None = None
    max_pixels: int | None = None
    options: Mapping[str, str | int] = field(default_factory=dict)


# A video that was written, as the input of its verification.
WRITTEN = Input(
    demuxer=containers.of("mp4").demuxer or "", whitelist=containers.of("mp4").whitelist
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTrack:
    """One stream to write: its index in the source, and its filters; () to copy it."""

    index: int
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FfmpegCommand:
    """One run of ffmpeg.

    tracks    in the order in which they are written
    options   of the output (``"b:v"``: ``"2048k"``)
    """

    input: Input
    tracks: tuple[OutputTrack, ...]
    options: Mapping[str, str | int]
    muxer: str
    threads: int = 2


def argv(binary: str, command: FfmpegCommand, *, progress: bool = True) -> tuple[str, ...]:
    """Return the command line of a run.

    With ``progress``, ffmpeg reports its progress on stdout, which the output must not use then.
    """
    import ffmpeg  # ffmpeg-python

    source = ffmpeg.input("fd:", **input_options(command.input, command.threads))
    streams = [filtered(source[str(track.index)], track.filters) for track in command.tracks]
    options = {**command.options, "threads": command.threads, "f": command.muxer}
    words = _compiled(ffmpeg.output(*streams, TARGET, **options), binary)
    return words if progress else tuple(word for word in words if word not in _PROGRESS)


def decode_argv(
    binary: str,
    *,
    demuxer: str,
    whitelist: str,
    threads: int,
    strict: bool = True,
    kinds: Sequence[str] = ("v", "a"),
) -> tuple[str, ...]:
    """Return a command line that decodes every stream of these kinds and writes nothing.

    With ``strict``, the first error ends it with an exit code.
    """
    errors = ("-xerror", "-err_detect", "explode") if strict else ()
    chosen = tuple(word for kind in kinds for word in ("-map", f"0:{kind}?"))
    source = (
        *("-protocol_whitelist", "fd", "-format_whitelist", whitelist, "-f", demuxer),
        *("-threads", str(threads), "-fd", SOURCE_FD, "-i", "fd:"),
    )
    output = (*chosen, "-fps_mode", "passthrough", "-f", "null", TARGET)
    return (binary, *_QUIET, *_PROGRESS, *errors, *source, *output)


def compare_argv(
    binary: str,
    source: Input,
    track: OutputTrack,
    written: Input,
    judge: Sequence[Filter],
    threads: int,
) -> tuple[str, ...]:
    """Return a command line that compares the picture of WRITTEN_FD with a track of the source.

    The track passes through its filters first. All filters of ``judge`` but the last apply to both
    pictures; the last compares the pair (written, source). Only the judge writes anything.
    """
    import ffmpeg

    reference = ffmpeg.input("fd:", **input_options(source, threads))[str(track.index)]
    reference = filtered(filtered(reference, track.filters), judge[:-1])
    options = {**input_options(written, threads), "fd": WRITTEN_FD}
    other = filtered(ffmpeg.input("fd:", **options)["v:0"], judge[:-1])
    judged = ffmpeg.filter([other, reference], judge[-1].name, **judge[-1].options)
    return _compiled(ffmpeg.output(judged, TARGET, f="null", threads=threads), binary)


def trial_argv(
    binary: str, options: Mapping[str, str | int], filters: Sequence[Filter]
) -> tuple[str, ...]:
    """Return a command line that encodes a few small frames, to test whether an encoder works."""
    import ffmpeg

    pattern = ffmpeg.input("color=size=256x256:rate=30:duration=0.2", f="lavfi")
    output = ffmpeg.output(filtered(pattern, filters), TARGET, **{**options, "f": "null"})
    return _compiled(output, binary)


def bound(
    words: tuple[str, ...], source_fd: int, target: Path | None, written_fd: int | None = None
) -> tuple[str, ...]:
    """Replace the placeholders by descriptors and the target's absolute path.

    Without a target, the null muxer writes to ``-``.
    """
    values = {
        SOURCE_FD: str(source_fd),
        WRITTEN_FD: str(written_fd),
        TARGET: "-" if target is None else f"file:{target}",
    }
    return tuple(values.get(word, word) for word in words)


def input_options(source: Input, threads: int) -> dict[str, str | int]:
    """Return the options before ``-i fd:``: one descriptor, one demuxer, and limits."""
    options: dict[str, str | int] = {
        "protocol_whitelist": "fd",
        "format_whitelist": source.whitelist,
        "f": source.demuxer,
        "max_alloc": max(_LEAST_ALLOCATION, 16 * (source.max_pixels or 0)),
        "threads": threads,
        **source.options,
        "fd": SOURCE_FD,
    }
    if source.max_pixels:
        options["max_pixels"] = source.max_pixels
    if source.start:
        options["ss"] = seconds(source.start)
    return options


def filtered(stream: Any, filters: Sequence[Filter]) -> Any:
    """Append filters to a stream of ffmpeg-python."""
    for step in filters:
        stream = stream.filter(step.name, **step.options)
    return stream


def downmix(channels: int | None) -> dict[str, str | int]:
    """Return options of aresample that mix down to stereo by ITU-R BS.775 without clipping.

    Between float samples, which AAC and most decoders use, ffmpeg scales nothing by default: full
    5.1 reaches +7.7 dBFS. Return nothing for one or two channels.
    """
    if channels is None or channels <= 2:
        return {}
    return {"out_chlayout": "stereo", "rematrix_maxval": 1}


def seconds(value: Fraction) -> str:
    """Return a time in ffmpeg's notation: seconds with microseconds."""
    return f"{float(value):.6f}"


def _compiled(output: Any, binary: str) -> tuple[str, ...]:
    """Return the words of a run, global options first: ffmpeg-python appends them."""
    import ffmpeg

    words = ffmpeg.compile(output.global_args(*_GLOBAL), cmd=binary, overwrite_output=True)
    tail = len(_GLOBAL) + 1  # and -y
    return (words[0], *words[-tail:], *words[1:-tail])
