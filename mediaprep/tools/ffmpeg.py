"""The ffmpeg program: where it is, what it can do, and its command line, built through ffmpeg-python. Nothing is run by ffmpeg-python.

A command line holds ``SOURCE_FD`` and ``TARGET`` as words of their own; ``bound`` puts the descriptor and the path in. A user's file
name never reaches the program.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import EnvironmentProblem
from mediaprep.model import containers
from mediaprep.runtime import process
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context

SOURCE_FD = "SOURCE_FD"
TARGET = "TARGET"
MADE_FD = "MADE_FD"
ENVIRONMENT = "MEDIAPREP_FFMPEG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter of a chain: its name and options, in ffmpeg's words."""

    name: str
    options: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The source as the demuxer gets it: ``demuxer`` forced, ``whitelist`` of formats, options before ``-i``; ``start`` seconds to seek
    to.
    """

    demuxer: str
    whitelist: str
    start: Fraction | None = None
    max_pixels: int | None = None
    options: Mapping[str, str | int] = field(default_factory=dict)


MADE = Input(  # the video that was written, read again
    demuxer=containers.of("mp4").demuxer or "", whitelist=containers.of("mp4").whitelist
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTrack:
    """One stream that is written: ``index`` in the source, its filters; none where it is copied or needs none."""

    index: int
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FfmpegCommand:
    """One run: input, tracks in the order they are written, options of the output (``"b:v"``: ``"2048k"``), muxer."""

    input: Input
    tracks: tuple[OutputTrack, ...]
    options: Mapping[str, str | int]
    muxer: str
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a binary says of itself: version, encoders and filters by name."""

    version: str
    encoders: frozenset[str]
    filters: frozenset[str]


def locate(override: str | None = None) -> str:
    """The binary: ``override`` (--ffmpeg), else $MEDIAPREP_FFMPEG, else the one of the imageio-ffmpeg wheel, else ffmpeg on PATH. An
    absolute path.

    Raises: EnvironmentProblem where there is none, or the one named is no program.
    """
    asked = override or os.environ.get(ENVIRONMENT)
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise EnvironmentProblem(
                f"ffmpeg: {asked!r} is no program; name an ffmpeg binary, or leave the choice to mediaprep"
            )
        return str(Path(found).resolve())
    return _bundled() or _on_path()


def ahead(override: str | None = None) -> None:
    """Do now what the first job would do: find the binary, which is started once for that, and import what writes command lines."""
    import ffmpeg  # noqa: F401 (for ``argv``)

    with contextlib.suppress(EnvironmentProblem):  # told when it is needed
        locate(override)


def argv(binary: str, job: FfmpegCommand, *, progress: bool = True) -> tuple[str, ...]:
    """The whole command line of a job, with SOURCE_FD and TARGET still to be bound. ``progress``: told on standard output,
    which is then not free for what is made. Pure."""
    import ffmpeg  # ffmpeg-python: the only place that imports it

    source = ffmpeg.input("fd:", **input_options(job.input, job.threads))
    streams = []
    for track in job.tracks:
        stream = source[str(track.index)]
        for step in track.filters:
            stream = stream.filter(step.name, **step.options)
        streams.append(stream)
    output = ffmpeg.output(
        *streams, TARGET, **{**job.options, "threads": job.threads, "f": job.muxer}
    )
    words = _leading_globals(
        ffmpeg.compile(output.global_args(*_GLOBAL), cmd=binary, overwrite_output=True)
    )
    return tuple(words if progress else (word for word in words if word not in _PROGRESS))


def input_options(source: Input, threads: int) -> dict[str, str | int]:
    """What stands before ``-i fd:``: nothing but the descriptor is opened, by the one demuxer, within the limits."""
    options: dict[str, str | int] = {
        "protocol_whitelist": "fd",
        "format_whitelist": source.whitelist,
        "f": source.demuxer,
        "max_alloc": max(200_000_000, 16 * (source.max_pixels or 0)),
        "threads": threads,
        **source.options,
        "fd": SOURCE_FD,
    }
    if source.max_pixels:
        options["max_pixels"] = source.max_pixels
    if source.start:
        options["ss"] = seconds(source.start)
    return options


_PROGRESS = ("-progress", "pipe:1")
_GLOBAL = (
    "-nostdin",
    "-hide_banner",
    "-nostats",
    "-v",
    "error",
    *_PROGRESS,
    "-filter_complex_threads",
    "2",
)


def _leading_globals(words: list[str]) -> list[str]:
    """ffmpeg-python puts global options last; ffmpeg wants -nostdin and its like anywhere, people want to read them first."""
    tail = len(_GLOBAL) + 1  # and -y
    return [words[0], *words[-tail:], *words[1:-tail]]


def bound(
    words: tuple[str, ...], source_fd: int, target: Path | None, made_fd: int | None = None
) -> tuple[str, ...]:
    """The command line with the descriptors and the target's absolute path put in; no target: the null muxer."""
    place = {
        SOURCE_FD: str(source_fd),
        MADE_FD: str(made_fd),
        TARGET: "-" if target is None else f"file:{target}",
    }
    return tuple(place.get(word, word) for word in words)


def decode_argv(
    binary: str,
    *,
    demuxer: str,
    whitelist: str,
    threads: int,
    strict: bool = True,
    kinds: Sequence[str] = ("v", "a"),
) -> tuple[str, ...]:
    """A command line that decodes every stream of these kinds and writes nothing; ``strict``: the first error ends it with a code."""
    errors = ("-xerror", "-err_detect", "explode") if strict else ()
    chosen = tuple(word for kind in kinds for word in ("-map", f"0:{kind}?"))
    return (
        binary, "-nostdin", "-hide_banner", "-nostats", "-v", "error", *_PROGRESS, *errors,
        "-protocol_whitelist", "fd", "-format_whitelist", whitelist, "-f", demuxer, "-threads", str(threads), "-fd", SOURCE_FD, "-i", "fd:",
        *chosen, "-fps_mode", "passthrough", "-f", "null", TARGET,
    )  # fmt: skip


def compare_argv(
    binary: str,
    source: Input,
    track: OutputTrack,
    made: Input,
    judge: Sequence[Filter],
    threads: int,
) -> tuple[str, ...]:
    """A command line that holds the picture of MADE_FD against a track of the source that went through its filters. ``judge``: filters of
    each of both, the last one of the pair (made, source). Nothing is written but what the judge writes. Pure."""
    import ffmpeg

    reference = ffmpeg.input("fd:", **input_options(source, threads))[str(track.index)]
    other = ffmpeg.input("fd:", **{**input_options(made, threads), "fd": MADE_FD})["v:0"]
    for step in track.filters:
        reference = reference.filter(step.name, **step.options)
    for step in judge[:-1]:
        reference, other = (
            stream.filter(step.name, **step.options) for stream in (reference, other)
        )
    judged = ffmpeg.filter([other, reference], judge[-1].name, **judge[-1].options)
    output = ffmpeg.output(judged, TARGET, f="null", threads=threads)
    return tuple(
        _leading_globals(
            ffmpeg.compile(output.global_args(*_GLOBAL), cmd=binary, overwrite_output=True)
        )
    )


def trial_argv(
    binary: str, options: Mapping[str, str | int], filters: Sequence[Filter]
) -> tuple[str, ...]:
    """A command line that encodes a few small frames with these options and keeps nothing: whether an encoder answers. Pure."""
    import ffmpeg

    stream = ffmpeg.input("color=size=256x256:rate=30:duration=0.2", f="lavfi")
    for step in filters:
        stream = stream.filter(step.name, **step.options)
    output = ffmpeg.output(stream, TARGET, **{**options, "f": "null"})
    return tuple(
        _leading_globals(
            ffmpeg.compile(output.global_args(*_GLOBAL), cmd=binary, overwrite_output=True)
        )
    )


def downmix(channels: int | None) -> dict[str, str | int]:
    """Options of aresample that mix so many channels down to stereo by ITU-R BS.775 without clipping: between float samples, which AAC and
    most decoders use, ffmpeg scales nothing unless told to, and full 5.1 comes out at +7.7 dBFS. None for one or two."""
    return (
        {"out_chlayout": "stereo", "rematrix_maxval": 1}
        if channels is not None and channels > 2
        else {}
    )


def seconds(value: Fraction) -> str:
    """A time in ffmpeg's words: seconds with microseconds."""
    return f"{float(value):.6f}"


def capabilities(binary: str, context: Context) -> Capabilities:
    """What the binary can do; asked once for each path and modification time. Raises: EnvironmentProblem, ToolError."""
    return _capabilities(binary, Path(binary).stat().st_mtime_ns, context.sandbox)


@functools.lru_cache(maxsize=8)
def _capabilities(binary: str, mtime_ns: int, sandbox: str) -> Capabilities:
    def ask(option: str) -> str:
        command = Command(
            argv=(binary, "-hide_banner", "-nostdin", option),
            what="ask ffmpeg",
            seconds=20,
            capture=True,
        )
        return process.run(command, Context(sandbox=sandbox)).stdout.decode(errors="replace")

    version = ask("-version").split("\n")[0].removeprefix("ffmpeg version ").split(" Copyright")[0]
    return Capabilities(
        version=version, encoders=_names(ask("-encoders")), filters=_names(ask("-filters"))
    )


def _names(listing: str) -> frozenset[str]:
    """The second column of ffmpeg's listings, which are the machine interface that there is."""
    rows = (line.split() for line in listing.splitlines())
    return frozenset(row[1] for row in rows if len(row) >= 3 and row[1] != "=")


def _bundled() -> str | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    try:
        found: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        return None
    return found if Path(found).is_absolute() else shutil.which(found)


def _on_path() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        raise EnvironmentProblem(
            "no ffmpeg: imageio-ffmpeg has none for this platform, nor is there one on PATH; install ffmpeg or name it with --ffmpeg"
        )
    return str(Path(found).resolve())
