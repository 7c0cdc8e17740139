"""Encode a GIF: palette, trial, at most three full encodes, gifsicle if it helps, exact delays.

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

from mediaprep.errors import ToolError, VerifyError
from mediaprep.model.events import Progress
from mediaprep.model.media import Animation, Video
from mediaprep.model.placement import AnimationEncoding
from mediaprep.model.tolerance import AtMostBytes
from mediaprep.planning.plan import Output
from mediaprep.runtime.atomic import create_work_file, remove_work_file, writing
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg_gif, gifsicle
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.gif import blocks, width_search
from mediaprep.transcoding.gif.filters import (
    TRIAL_WIDTH,
    FrameSettings,
    animation_target,
    byte_limit,
    gif_filters,
    gif_input,
    grid_size,
    hundredths,
    largest_size,
    size_of_width,
    trial_frames,
    unscaled,
)
from mediaprep.transcoding.gif.width_search import GifTooSmall, WidthTrial
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.video.scale_crop_pad import Size

MAX_COPIED_BYTES = 2**28  # of a GIF that is read into memory to remove its comments
MIN_WIDTH = 16
# Below this width gifsicle's lossy mode saves so many bytes that the GIF can be visibly larger.
_SMALL_WIDTH = 400
# A trial again if the expected width is below this share of the trial's: the exponent may differ.
_FAR_SHARE = 0.6
# If --lossy=20 saves a fifth, as with screen recordings, the width gained is worth more than the
# loss (SSIM 0.850 against 0.834).
_LOSSY_SHARE = 0.8
_OPTIMISED_SHARE = 0.97  # gifsicle -O2 without loss is run if it saves that much of a trial
_MAX_BYTES_PER_PIXEL = 1.3  # LZW of noise; if even that fits the limit, no trial is needed
_RESERVED_BYTES = 64  # loop extension and trailer
_NEAR_LIMIT = 1.1  # times the limit: what gifsicle's lossy mode may bring below it ...
_LOSSY_STEPS = (10, 40, 200)  # ... with these lossy levels on top of the one in use
_QUICK_BYTES = 4_000_000  # that gifsicle -O2 processes in about a second
_MEMORY = 2**30
_MEMORY_PER_PIXEL = 48  # of the canvas: a few frames in RGBA, and the scaler's lines
_FILE_BYTES = 2**30
_BASE_SECONDS = 60.0
# Pixels per second on a slow, busy core, for deadlines. Palette use on noise was measured at 1.5e6.
_DECODED_PIXELS_PER_SECOND, _DRAWN_PIXELS_PER_SECOND = 10e6, 0.25e6
_GIFSICLE_BYTES_PER_SECOND = 1e5
_EXPECTED_ENCODES = 3  # for progress


@dataclass(slots=True)
class _GifRun:
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


def encode_steps(job: EncodeJob, part: Path) -> Steps[EncodeLog]:
    """Steps: write the GIF of the job into ``part``.

    Raises: GifTooSmall, VerifyError (no GIF meets the byte limit), ToolError, DeadlineExceeded,
    Cancelled.
    """
    run = _GifRun(job, part.parent)
    if not run.target.reencode:
        yield from call(_copy_without_comments, job.source, part)
        return EncodeLog()
    try:
        drawn = yield from _search_steps(run)
        yield from call(_write_exact_delays, drawn, part, run.target)
    finally:
        for leftover in run.parts:
            yield from call(remove_work_file, leftover)
    return EncodeLog(argv=tuple(run.argv), sandbox=run.sandbox)


def _copy_without_comments(source: Source, part: Path) -> None:
    if source.size_bytes > MAX_COPIED_BYTES:
        raise VerifyError(
            [
                f"the GIF has {source.size_bytes} bytes; comments are removed from GIFs of at most"
                f" {MAX_COPIED_BYTES} bytes"
            ]
        )
    try:
        with writing(part):
            part.write_bytes(blocks.without_metadata(source.read_at(0, source.size_bytes)))
    except ValueError as problem:
        raise VerifyError([f"the GIF's blocks are damaged: {problem}"]) from problem


def _write_exact_delays(drawn: Path, part: Path, target: Animation) -> None:
    loop = target.loop if target.loop is not None else 0
    try:
        with writing(part):
            part.write_bytes(blocks.with_delays(drawn.read_bytes(), hundredths(target), loop))
    except ValueError as problem:
        raise VerifyError(
            [f"the encoder wrote other frames than were planned: {problem}"]
        ) from problem


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compression:
    """How gifsicle compresses: at ``lossy`` level, or not at all unless ``gifsicle``."""

    lossy: int = 0
    gifsicle: bool = False


def _search_steps(run: _GifRun) -> Steps[Path]:
    """Steps: draw the widest GIF within the byte limit. Return its work file.

    Raises: GifTooSmall, VerifyError (no GIF fits).
    """
    tolerance, largest = byte_limit(run.output), largest_size(run.output)
    if tolerance is None:
        drawn = yield from _encode_steps(run, largest, _Compression())
        return (yield from _optimise_steps(run, drawn))
    limit = tolerance.limit - _RESERVED_BYTES
    trials: list[WidthTrial] = []
    compression = _Compression()
    widths = _possible_widths(run.output)
    if largest[0] * largest[1] * run.frame_count * _MAX_BYTES_PER_PIXEL > limit:
        trials, compression = yield from _trial_steps(run, limit)
        expected = width_search.expected_width(trials, limit)
        if widths.step > 2 and expected < widths[0] == widths.step:
            # Not even the smallest whole factor of the pixel art fits: give up whole factors.
            widths = range(min(_min_width(run.output), widths[0]), widths[0])
        if expected < 0.9 * widths[0]:
            _refuse_small_gif(run.output)
    encodes: dict[int, Path] = {}
    while True:
        width = width_search.next_width(trials, widths, limit, tolerance.fill)
        if width is None:
            break
        size = size_of_width(run.output, width)
        encodes[width] = yield from _encode_steps(run, size, compression)
        trials.append(WidthTrial(width=width, size_bytes=encodes[width].stat().st_size))
    best = width_search.best_trial(trials, limit)
    if best is None or not _fills(best, tolerance, widths):
        over = _smallest_over(trials, limit)
        if best is None and over is not None and over.width <= widths[0]:
            _refuse_small_gif(run.output)
        if over is not None:
            reduced = yield from _reduce_steps(
                run, encodes[over.width], limit, compression.lossy, any_level=best is None
            )
            if reduced is not None:
                return reduced
    if best is None:
        raise VerifyError(
            [
                f"none of {width_search.MAX_ENCODES} encodes is a GIF of at most"
                f" {tolerance.limit} bytes"
            ]
        )
    drawn = encodes[best.width]
    return drawn if compression.gifsicle else (yield from _optimise_steps(run, drawn))


def _fills(best: WidthTrial, tolerance: AtMostBytes, widths: range) -> bool:
    """Return True if the best encode fills the limit as planned, or cannot be wider."""
    if tolerance.fill is None or best.width >= widths[-1]:
        return True
    return best.size_bytes >= tolerance.fill * (tolerance.limit - _RESERVED_BYTES)


def _smallest_over(trials: list[WidthTrial], limit: int) -> WidthTrial | None:
    over = [trial for trial in trials if trial.full and trial.size_bytes > limit]
    return min(over, key=lambda trial: trial.size_bytes, default=None)


def _refuse_small_gif(output: Output) -> None:
    """Raise GifTooSmall if a video may be made instead: below the minimum width it shows more."""
    if _video_allowed(output):
        raise GifTooSmall(
            [f"a GIF within the limit would be less than {_profile_min_width(output)} pixels wide"]
        )


def _video_allowed(output: Output) -> bool:
    """Return True if a video may be made instead of a GIF: no option asks for a GIF, and the
    source is wider than the minimum width of the profile.
    """
    source, encoding = output.source, output.placement.encoding
    if output.options.to != "auto" or not isinstance(source, Animation):
        return False
    min_width = encoding.min_width if isinstance(encoding, AnimationEncoding) else 0
    return (source.width or 0) > min_width


def _profile_min_width(output: Output) -> int:
    encoding = output.placement.encoding
    return encoding.min_width if isinstance(encoding, AnimationEncoding) else MIN_WIDTH


def _min_width(output: Output) -> int:
    """Return the smallest width to try: the profile's if a video may be made instead."""
    min_width = _profile_min_width(output) if _video_allowed(output) else MIN_WIDTH
    return min(min_width, largest_size(output)[0])


def _possible_widths(output: Output) -> range:
    """Return the widths to try, ascending: whole factors of pixel art, even widths if the source
    is a video, any width of other animations.
    """
    widest, grid, narrowest = largest_size(output)[0], grid_size(output), _min_width(output)
    if grid is not None and widest % grid[0] == 0:
        return range(-(-narrowest // grid[0]) * grid[0], widest + 1, grid[0])
    step = 1 if isinstance(output.source, Animation) else 2
    return range(narrowest + (widest - narrowest) % step, widest + 1, step)


def _trial_steps(run: _GifRun, limit: int) -> Steps[tuple[list[WidthTrial], _Compression]]:
    """Steps: encode some frames at 480 pixels, and again if the expected width is far below.
    Return the estimates, and how gifsicle should compress.
    """
    widths, widest = _possible_widths(run.output), largest_size(run.output)[0]
    width = max((w for w in widths if w <= TRIAL_WIDTH), default=widths[0])
    path = yield from _draw_trial_steps(run, width)
    plain = _estimated(run, width, path)
    expected = width_search.expected_width([plain], limit)
    if expected >= widest:
        return [plain], _Compression()
    compression, compressed = yield from _choose_compression_steps(run, path, plain, expected)
    trials = [plain if compressed is None else _estimated(run, width, compressed)]
    expected = width_search.expected_width(trials, limit)
    nearer = max((w for w in widths if w <= expected), default=widths[0])
    if nearer < _FAR_SHARE * width:
        path = yield from _draw_trial_steps(run, nearer)
        if compression.gifsicle:
            path = (yield from _gifsicle_steps(run, path, compression.lossy)) or path
        trials.append(_estimated(run, nearer, path))
    return trials, compression


def _choose_compression_steps(
    run: _GifRun, path: Path, plain: WidthTrial, expected: float
) -> Steps[tuple[_Compression, Path | None]]:
    """Steps: try gifsicle on a trial. Return how gifsicle should compress, and the compressed
    trial; None if gifsicle saves too little.
    """
    levels = (gifsicle.LOSSY, 0) if grid_size(run.output) is None else (0,)
    for lossy in levels:
        compressed = yield from _gifsicle_steps(run, path, lossy)
        if compressed is None:
            continue
        share = _estimated(run, plain.width, compressed).size_bytes / plain.size_bytes
        threshold = _LOSSY_SHARE if lossy else _OPTIMISED_SHARE
        if share <= threshold or (lossy and expected < _SMALL_WIDTH):
            return _Compression(lossy=lossy, gifsicle=True), compressed
    return _Compression(), None


def _draw_trial_steps(run: _GifRun, width: int) -> Steps[Path]:
    size = size_of_width(run.output, width)
    frames, _ = trial_frames(run.frame_count)
    settings = FrameSettings(size=size, frames=frames, exact=_exact_colours(run.output, size))
    return (yield from _draw_steps(run, settings, len(frames)))


def _estimated(run: _GifRun, width: int, path: Path) -> WidthTrial:
    """Return the estimate for all frames from the work file of a trial."""
    data = path.read_bytes()
    frames, (_, run_length) = blocks.frame_bytes(data), trial_frames(run.frame_count)
    overhead = len(data) - sum(frames)
    size = width_search.estimate(frames, run_length, overhead, run.frame_count)
    return WidthTrial(width=width, size_bytes=size, full=False)


def _exact_colours(output: Output, size: Size) -> bool:
    """Return True if a GIF of this size keeps the colours of the source."""
    grid = grid_size(output)
    if grid is not None and size[0] % grid[0] == 0 and size[1] % grid[1] == 0:
        return True
    return unscaled(output, size)


def _encode_steps(run: _GifRun, size: Size, compression: _Compression) -> Steps[Path]:
    """Steps: draw all frames, and compress them if requested. Return the work file."""
    settings = FrameSettings(size=size, exact=_exact_colours(run.output, size))
    path = yield from _draw_steps(run, settings, run.frame_count)
    if not compression.gifsicle:
        return path
    return (yield from _gifsicle_steps(run, path, compression.lossy)) or path


def _draw_steps(run: _GifRun, settings: FrameSettings, count: int) -> Steps[Path]:
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


def _palette_steps(run: _GifRun, settings: FrameSettings) -> Steps[bytes]:
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
    run: _GifRun,
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


def _gifsicle_steps(run: _GifRun, path: Path, lossy: int) -> Steps[Path | None]:
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


def _reduce_steps(
    run: _GifRun, path: Path, limit: int, lossy: int, *, any_level: bool
) -> Steps[Path | None]:
    """Steps: bring a GIF that is a little too large below the limit by a higher lossy level.
    Return the new work file, or None.

    any_level  try every level and pixel art too, because no encode fits
    """
    if not any_level:
        near = path.stat().st_size <= _NEAR_LIMIT * limit
        if not near or grid_size(run.output) is not None:
            return None
    for step in _LOSSY_STEPS if any_level else _LOSSY_STEPS[:2]:
        reduced = yield from _gifsicle_steps(run, path, lossy + step)
        if reduced is not None and reduced.stat().st_size <= limit:
            return reduced
    return None


def _optimise_steps(run: _GifRun, path: Path) -> Steps[Path]:
    """Steps: compress a GIF without loss if that is quick. Return the smaller file."""
    size = path.stat().st_size
    if size > _QUICK_BYTES:
        return path
    optimised = yield from _gifsicle_steps(run, path, 0)
    if optimised is None or optimised.stat().st_size >= size:
        return path
    return optimised


def _source_frames(output: Output) -> tuple[int, int]:
    """Return pixels of a source frame and the number of frames, for deadline and memory."""
    source = output.source
    if isinstance(source, Animation):
        return (source.width or 0) * (source.height or 0), source.frame_count or 0
    if isinstance(source, Video):
        pixels = (source.video.width or 0) * (source.video.height or 0)
        return pixels, int((source.duration or 0) * (source.video.frame_rate or 30))
    return 0, 0


def _new_work_file(run: _GifRun) -> Path:
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


def _frame_reader(run: _GifRun, count: int) -> Callable[[str], None]:
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
