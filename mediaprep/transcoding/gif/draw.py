"""Draw the frames of a GIF with ffmpeg, and compress it with gifsicle.

Palette and pictures are drawn by two processes: one filter graph for both would hold every frame
in memory.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mediaprep.errors import ToolError
from mediaprep.model.events import Progress
from mediaprep.model.media import Animation, Video
from mediaprep.planning.plan import Output
from mediaprep.runtime.atomic import create_work_file, writing
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg_gif, gifsicle
from mediaprep.transcoding.gif.filters import (
    TRIAL_WIDTH,
    FrameSettings,
    animation_target,
    gif_filters,
    gif_input,
    largest_size,
    size_of_width,
)
from mediaprep.transcoding.job import EncodeJob

_MEMORY = 2**30
_MEMORY_PER_PIXEL = 48  # of the canvas: a few frames in RGBA, and the scaler's lines
_FILE_BYTES = 2**30
_BASE_SECONDS = 60.0
# Pixels per second on a slow, busy core, for deadlines. Palette use on noise was measured at 1.5e6.
_DECODED_PIXELS_PER_SECOND, _DRAWN_PIXELS_PER_SECOND = 10e6, 0.25e6
_GIFSICLE_BYTES_PER_SECOND = 1e5
_EXPECTED_ENCODES = 3  # for progress


@dataclass(slots=True)
class GifRun:
    """What the child processes for one GIF share, and the work files that are still there."""

    job: EncodeJob
    folder: Path
    parts: list[Path] = field(default_factory=list)
    argv: list[tuple[str, ...]] = field(default_factory=list)
    sandbox: str | None = None
    palettes: dict[bool, bytes] = field(default_factory=dict)  # by FrameSettings.exact
    encodes: int = 0

    @property
    def output(self) -> Output:
        """The planned output."""
        return self.job.output

    @property
    def target(self) -> Animation:
        """The planned GIF."""
        return animation_target(self.job.output)

    @property
    def frame_count(self) -> int:
        """The planned number of frames."""
        return self.target.frame_count or 0


def draw_steps(run: GifRun, settings: FrameSettings, count: int) -> Steps[Path]:
    """Steps: draw ``count`` frames in the palette. Return the work file."""
    palette = yield from _palette_steps(run, settings)
    source_input, picture = gif_input(run.job)
    argv = ffmpeg_gif.gif_argv(
        run.job.binary,
        source_input,
        picture,
        gif_filters(run.output, settings),
        dither=settings.dither,
        plays=run.target.loop or 0,
        threads=run.job.threads,
        frames=count,
    )
    path = yield from call(_new_work_file, run)
    with tempfile.TemporaryFile() as palette_file, _reopened(run.job.source) as descriptor:
        with writing(Path(tempfile.gettempdir(), "palette")):
            palette_file.write(palette)
            palette_file.seek(0)
        descriptors = descriptor, palette_file.fileno()
        bound = ffmpeg_gif.bound(argv, *descriptors, str(path))
        yield from _ffmpeg_steps(
            run,
            argv,
            bound,
            settings,
            what="encode",
            pass_fds=descriptors,
            writes=(str(run.folder),),
            on_line=_frame_reader(run, count),
        )
    run.encodes += 1
    return path


def _palette_steps(run: GifRun, settings: FrameSettings) -> Steps[bytes]:
    """Steps: compute the palette of all frames, as a PNG. One palette serves every size, but exact
    colours have their own.
    """
    known = run.palettes.get(settings.exact)
    if known is not None:
        return known
    size = settings.size
    if not settings.exact:
        size = size_of_width(run.output, min(largest_size(run.output)[0], TRIAL_WIDTH))
    all_frames = FrameSettings(size=size, exact=settings.exact)
    source_input, picture = gif_input(run.job)
    filters = gif_filters(run.output, all_frames)
    argv = ffmpeg_gif.palette_argv(
        run.job.binary, source_input, picture, filters, threads=run.job.threads
    )
    with _reopened(run.job.source) as descriptor:
        bound = ffmpeg_gif.bound(argv, descriptor, -1, "")
        completed = yield from _ffmpeg_steps(
            run,
            argv,
            bound,
            all_frames,
            what="find the palette",
            pass_fds=(descriptor,),
            capture=True,
        )
    run.palettes[settings.exact] = completed.stdout
    return completed.stdout


def _ffmpeg_steps(
    run: GifRun,
    argv: tuple[str, ...],
    bound: tuple[str, ...],
    settings: FrameSettings,
    *,
    what: str,
    pass_fds: tuple[int, ...],
    writes: tuple[str, ...] = (),
    capture: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> Steps[Completed]:
    """Steps: run ffmpeg once. ``argv`` is logged, ``bound`` is run."""
    canvas, frames = _source_frames(run.output)
    decoded = canvas * frames / _DECODED_PIXELS_PER_SECOND
    drawn = settings.size[0] * settings.size[1] * run.frame_count / _DRAWN_PIXELS_PER_SECOND
    completed = yield from run_child(
        Command(
            argv=bound,
            what=what,
            seconds=_BASE_SECONDS + decoded + drawn,
            pass_fds=pass_fds,
            reads=(run.job.binary,),
            writes=writes,
            memory_bytes=_MEMORY + _MEMORY_PER_PIXEL * canvas,
            file_bytes=_FILE_BYTES,
            capture=capture,
            on_line=on_line,
        )
    )
    run.argv.append(argv)
    run.sandbox = completed.sandbox
    return completed


def gifsicle_steps(run: GifRun, path: Path, lossy: int) -> Steps[Path | None]:
    """Steps: compress a GIF with gifsicle. Return the new work file; None if gifsicle is not
    installed or fails, so that the GIF stays as ffmpeg wrote it.
    """
    binary = gifsicle.locate()
    if binary is None:
        return None
    target = yield from call(_new_work_file, run)
    command = Command(
        argv=gifsicle.argv(binary, path, target, lossy=lossy),
        what="optimise the GIF",
        seconds=_BASE_SECONDS + path.stat().st_size / _GIFSICLE_BYTES_PER_SECOND,
        reads=(binary, str(path)),
        writes=(str(run.folder),),
        memory_bytes=2 * _MEMORY,
        file_bytes=_FILE_BYTES,
    )
    try:
        yield from run_child(command)
    except ToolError:
        return None
    run.argv.append(gifsicle.argv("gifsicle", Path("TARGET"), Path("TARGET"), lossy=lossy))
    return target


def _source_frames(output: Output) -> tuple[int, int]:
    """Return pixels of a source frame and the number of frames, for deadline and memory."""
    source = output.source
    if isinstance(source, Animation):
        return (source.width or 0) * (source.height or 0), source.frame_count or 0
    if isinstance(source, Video):
        pixels = (source.video.width or 0) * (source.video.height or 0)
        return pixels, int((source.duration or 0) * (source.video.frame_rate or 30))
    return 0, 0


def _new_work_file(run: GifRun) -> Path:
    path, descriptor = create_work_file(run.folder, ".gif")
    os.close(descriptor)
    run.parts.append(path)
    return path


@contextlib.contextmanager
def _reopened(source: Source) -> Iterator[int]:
    descriptor = source.reopen()
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _frame_reader(run: GifRun, count: int) -> Callable[[str], None]:
    """Return a function that takes ffmpeg's ``-progress`` lines and sends events. Trials, which
    draw fewer frames, send none.
    """

    def on_line(line: str) -> None:
        key, _, value = line.strip().partition("=")
        if key == "frame" and value.isdigit() and count == run.frame_count:
            done = run.encodes + int(value) / max(1, count)
            fraction = min(0.99, done / _EXPECTED_ENCODES)
            run.job.context.listener(
                Progress(path=run.job.source.name, stage="encode", fraction=fraction)
            )

    return on_line
