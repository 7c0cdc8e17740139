"""Build the command lines that make a GIF in two processes: its palette, then its frames. Pure.

One graph for both would hold every frame in memory: 1.2 GB for 350 frames of 1200x676, against
95 MB in two processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mediaprep.tools import ffmpeg as commands
from mediaprep.tools.ffmpeg import SOURCE_FD, TARGET, Filter, Input, input_options

PALETTE_FD = "PALETTE_FD"
_BAYER_SCALE = 4
_GLOBAL = (
    *("-nostdin", "-hide_banner", "-nostats", "-v", "error"),
    *("-filter_complex_threads", "2", "-y"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStreams:
    """The stream of an animation's frames, and the one of their transparency if separate (AVIF)."""

    index: int
    alpha: int | None = None


def palette_argv(
    binary: str, source: Input, picture: PictureStreams, filters: Sequence[Filter], *, threads: int
) -> tuple[str, ...]:
    """Write the palette of all frames (256 colours, one transparent) as a PNG to stdout."""
    import ffmpeg

    stream = _filtered(_opened(source, picture, threads), filters).filter(
        "palettegen", stats_mode="full", reserve_transparent=1
    )
    options = {"f": "image2pipe", "c:v": "png", "frames:v": 1, "threads": threads}
    return _words(ffmpeg.compile(ffmpeg.output(stream, "pipe:1", **options), cmd=binary), ())


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
    """Write ``frames`` frames in the palette that PALETTE_FD holds.

    ``dither`` is bayer or none; ``plays`` 0 = for ever.
    """
    import ffmpeg

    palette = ffmpeg.input(
        "fd:",
        protocol_whitelist="fd",
        format_whitelist="png_pipe",
        f="png_pipe",
        fd=PALETTE_FD,
    )
    pattern: dict[str, str | int] = {"bayer_scale": _BAYER_SCALE} if dither == "bayer" else {}
    mapped = ffmpeg.filter(
        [_filtered(_opened(source, picture, threads), filters), _filtered(palette, ())],
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
    compiled = ffmpeg.compile(ffmpeg.output(mapped, TARGET, **options), cmd=binary)
    return _words(compiled, ("-progress", "pipe:1"))


def bound(words: tuple[str, ...], source_fd: int, palette_fd: int, target: str) -> tuple[str, ...]:
    """Replace the placeholders by descriptors and the target's absolute path."""
    values = {SOURCE_FD: str(source_fd), PALETTE_FD: str(palette_fd), TARGET: f"file:{target}"}
    return tuple(values.get(word, word) for word in words)


def _opened(source: Input, picture: PictureStreams, threads: int) -> Any:
    import ffmpeg

    streams = ffmpeg.input("fd:", **input_options(source, threads))
    if picture.alpha is None:
        return streams[str(picture.index)]
    return ffmpeg.filter([streams[str(picture.index)], streams[str(picture.alpha)]], "alphamerge")


def _filtered(stream: Any, filters: Sequence[Filter]) -> Any:
    """Apply filters and drop side data: EXIF of an APNG would enter the palette's PNG."""
    return commands.filtered(stream, filters).filter("sidedata", mode="delete")


def _words(compiled: list[str], more: tuple[str, ...]) -> tuple[str, ...]:
    return (compiled[0], *_GLOBAL, *more, *compiled[1:])
