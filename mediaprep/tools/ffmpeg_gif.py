"""Command lines of ffmpeg that make a GIF in two processes: its palette, then the pictures. One graph for both would hold every frame in
memory (1.2 GB for 350 frames of 1200x676, two processes 95 MB). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mediaprep.tools.ffmpeg import SOURCE_FD, TARGET, Filter, Input, input_options

PALETTE_FD = "PALETTE_FD"
_QUIET = (
    "-nostdin",
    "-hide_banner",
    "-nostats",
    "-v",
    "error",
    "-filter_complex_threads",
    "2",
    "-y",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStreams:
    """The moving picture of an input: its stream, and the one that holds its transparency where that lies apart (AVIF)."""

    index: int
    alpha: int | None = None


def palette_argv(
    binary: str, source: Input, picture: PictureStreams, filters: Sequence[Filter], *, threads: int
) -> tuple[str, ...]:
    """Writes the palette of all frames (256 colours, one of them transparent) as a PNG to stdout."""
    import ffmpeg

    stream = _filtered(_opened(source, picture, threads), filters).filter(
        "palettegen", stats_mode="full", reserve_transparent=1
    )
    output = ffmpeg.output(
        stream, "pipe:1", **{"f": "image2pipe", "c:v": "png", "frames:v": 1, "threads": threads}
    )
    return _words(ffmpeg.compile(output, cmd=binary), ())


def gif_argv(
    binary: str,
    source: Input,
    picture: PictureStreams,
    filters: Sequence[Filter],
    *,
    dither: str,
    plays: int,
    threads: int,
    frames: int,
) -> tuple[str, ...]:
    """Writes ``frames`` pictures in the palette behind PALETTE_FD. ``dither``: bayer (scale 4) or none; ``plays``: 0 = for ever."""
    import ffmpeg

    png = {
        "protocol_whitelist": "fd",
        "format_whitelist": "png_pipe",
        "f": "png_pipe",
        "fd": PALETTE_FD,
    }
    pattern: dict[str, str | int] = {"bayer_scale": 4} if dither == "bayer" else {}
    used = ffmpeg.filter(
        [
            _filtered(_opened(source, picture, threads), filters),
            _filtered(ffmpeg.input("fd:", **png), ()),
        ],
        "paletteuse",
        dither=dither,
        diff_mode="rectangle",
        alpha_threshold=128,
        **pattern,
    )
    options: dict[str, str | int] = {
        "fps_mode": "passthrough",
        "frames:v": frames,
        "loop": {0: 0, 1: -1}.get(plays, plays - 1),
        "map_metadata": "-1",
        "fflags": "+bitexact",
        "threads": threads,
        "f": "gif",
    }
    return _words(
        ffmpeg.compile(ffmpeg.output(used, TARGET, **options), cmd=binary), ("-progress", "pipe:1")
    )


def bound(words: tuple[str, ...], source_fd: int, palette_fd: int, target: str) -> tuple[str, ...]:
    """The command line with the descriptors and the target's absolute path put in."""
    place = {SOURCE_FD: str(source_fd), PALETTE_FD: str(palette_fd), TARGET: f"file:{target}"}
    return tuple(place.get(word, word) for word in words)


def _opened(source: Input, picture: PictureStreams, threads: int) -> Any:
    import ffmpeg

    streams = ffmpeg.input("fd:", **input_options(source, threads))
    if picture.alpha is None:
        return streams[str(picture.index)]
    return ffmpeg.filter([streams[str(picture.index)], streams[str(picture.alpha)]], "alphamerge")


def _filtered(stream: Any, filters: Sequence[Filter]) -> Any:
    """Filtered, and without side data: EXIF of an APNG would go into the palette's PNG and beyond."""
    for step in filters:
        stream = stream.filter(step.name, **step.options)
    return stream.filter("sidedata", mode="delete")


def _words(compiled: list[str], more: tuple[str, ...]) -> tuple[str, ...]:
    return (compiled[0], *_QUIET, *more, *compiled[1:])
