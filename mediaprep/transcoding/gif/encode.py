"""Encode a GIF: trial, at most three full encodes, gifsicle if it helps, exact delays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import VerifyError
from mediaprep.model.media import Animation
from mediaprep.model.tolerance import AtMostBytes
from mediaprep.runtime.atomic import remove_work_file, writing
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.source import Source
from mediaprep.tools import gifsicle
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.gif import blocks, width_search
from mediaprep.transcoding.gif.draw import GifRun, draw_steps, gifsicle_steps
from mediaprep.transcoding.gif.filters import (
    TRIAL_WIDTH,
    FrameSettings,
    byte_limit,
    exact_colours,
    grid_size,
    hundredths,
    largest_size,
    size_of_width,
    trial_frames,
)
from mediaprep.transcoding.gif.width_search import WidthTrial
from mediaprep.transcoding.gif.widths import min_width, possible_widths, refuse_small_gif
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.video.scale_crop_pad import Size

MAX_COPIED_BYTES = 2**28  # of a GIF that is read into memory to remove its comments
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


def encode_steps(job: EncodeJob, part: Path) -> Steps[EncodeLog]:
    """Steps: write the GIF of the job into ``part``.

    Raises: GifTooSmall, VerifyError (no GIF meets the byte limit), ToolError, DeadlineExceeded,
    Cancelled.
    """
    run = GifRun(job, part.parent)
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


def _search_steps(run: GifRun) -> Steps[Path]:
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
    widths = possible_widths(run.output)
    if largest[0] * largest[1] * run.frame_count * _MAX_BYTES_PER_PIXEL > limit:
        trials, compression = yield from _trial_steps(run, limit)
        expected = width_search.expected_width(trials, limit)
        if widths.step > 2 and expected < widths[0] == widths.step:
            # Not even the smallest whole factor of the pixel art fits: give up whole factors.
            widths = range(min(min_width(run.output), widths[0]), widths[0])
        if expected < 0.9 * widths[0]:
            refuse_small_gif(run.output)
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
            refuse_small_gif(run.output)
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


def _trial_steps(run: GifRun, limit: int) -> Steps[tuple[list[WidthTrial], _Compression]]:
    """Steps: encode some frames at 480 pixels, and again if the expected width is far below.
    Return the estimates, and how gifsicle should compress.
    """
    widths, widest = possible_widths(run.output), largest_size(run.output)[0]
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
            path = (yield from gifsicle_steps(run, path, compression.lossy)) or path
        trials.append(_estimated(run, nearer, path))
    return trials, compression


def _choose_compression_steps(
    run: GifRun, path: Path, plain: WidthTrial, expected: float
) -> Steps[tuple[_Compression, Path | None]]:
    """Steps: try gifsicle on a trial. Return how gifsicle should compress, and the compressed
    trial; None if gifsicle saves too little.
    """
    levels = (gifsicle.LOSSY, 0) if grid_size(run.output) is None else (0,)
    for lossy in levels:
        compressed = yield from gifsicle_steps(run, path, lossy)
        if compressed is None:
            continue
        share = _estimated(run, plain.width, compressed).size_bytes / plain.size_bytes
        threshold = _LOSSY_SHARE if lossy else _OPTIMISED_SHARE
        if share <= threshold or (lossy and expected < _SMALL_WIDTH):
            return _Compression(lossy=lossy, gifsicle=True), compressed
    return _Compression(), None


def _draw_trial_steps(run: GifRun, width: int) -> Steps[Path]:
    size = size_of_width(run.output, width)
    frames, _ = trial_frames(run.frame_count)
    settings = FrameSettings(size=size, frames=frames, exact=exact_colours(run.output, size))
    return (yield from draw_steps(run, settings, len(frames)))


def _estimated(run: GifRun, width: int, path: Path) -> WidthTrial:
    """Return the estimate for all frames from the work file of a trial."""
    data = path.read_bytes()
    frames, (_, run_length) = blocks.frame_bytes(data), trial_frames(run.frame_count)
    overhead = len(data) - sum(frames)
    size = width_search.estimate(frames, run_length, overhead, run.frame_count)
    return WidthTrial(width=width, size_bytes=size, full=False)


def _encode_steps(run: GifRun, size: Size, compression: _Compression) -> Steps[Path]:
    """Steps: draw all frames, and compress them if requested. Return the work file."""
    settings = FrameSettings(size=size, exact=exact_colours(run.output, size))
    path = yield from draw_steps(run, settings, run.frame_count)
    if not compression.gifsicle:
        return path
    return (yield from gifsicle_steps(run, path, compression.lossy)) or path


def _reduce_steps(
    run: GifRun, path: Path, limit: int, lossy: int, *, any_level: bool
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
        reduced = yield from gifsicle_steps(run, path, lossy + step)
        if reduced is not None and reduced.stat().st_size <= limit:
            return reduced
    return None


def _optimise_steps(run: GifRun, path: Path) -> Steps[Path]:
    """Steps: compress a GIF without loss if that is quick. Return the smaller file."""
    size = path.stat().st_size
    if size > _QUICK_BYTES:
        return path
    optimised = yield from gifsicle_steps(run, path, 0)
    if optimised is None or optimised.stat().st_size >= size:
        return path
    return optimised
