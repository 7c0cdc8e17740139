"""Makes a GIF, as steps: palette, trial, at most three full encodes, gifsicle where it helps, the exact times last."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import ToolError, VerifyError
from mediaprep.model.events import Progress
from mediaprep.model.media import Animation
from mediaprep.model.placement import AnimationEncoding
from mediaprep.planning.plan import Output
from mediaprep.runtime.atomic import create_work_file, remove_work_file, writing
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import ffmpeg_gif, gifsicle
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.gif import blocks
from mediaprep.transcoding.gif import filters as animation
from mediaprep.transcoding.gif import width_search as fit
from mediaprep.transcoding.gif.filters import FrameSettings, Size
from mediaprep.transcoding.gif.width_search import WidthTrial
from mediaprep.transcoding.video.command import EncodeJob

COPIED_BYTES = (
    2**28
)  # the most that is read to leave out comments; what placements take is far smaller
LEAST_WIDTH = 16
_SMALL = 400  # pixels of width below which gifsicle's lossy mode gains more than it costs: encoding notes, section 4
_FAR = 0.6  # of a trial's width: a guess; beyond it the usual exponent may mislead
_MUCH = 0.8  # of a trial: where --lossy=20 saves a fifth, as of a screen recording, the width gained is worth more (SSIM 0.834 to 0.850)
_HELPS = 0.97  # gifsicle -O2 is run where it saves this much of a trial
_SURELY = 1.3  # bytes a pixel at the very most, LZW of noise with its codes: what is below the limit so is encoded at once
_ROOM = 64  # bytes of the loop extension and the trailer
_LITTLE = 1.1  # times the limit: what gifsicle's lossy mode may bring under it
_LEVELS = (10, 40, 200)  # gifsicle's lossy levels for that, on top of the one in use
_QUICK = 4_000_000  # bytes that gifsicle -O2 goes through in about a second
_MEMORY = 2**30
_BYTES_A_PIXEL = 48  # a few frames of the canvas in RGBA, and the scaler's lines
_BASE_SECONDS = 60.0
_DECODED, _DRAWN = (
    10e6,
    0.25e6,
)  # pixels a second on a slow, busy core: palette use on noise measured at 1.5e6


@dataclass(slots=True)
class _GifRun:
    """What every run of one GIF shares, and the work files that are still there."""

    output: Output
    means: EncodeJob
    binary: str
    source: Source
    folder: Path
    context: Context
    parts: list[Path] = field(default_factory=list)
    words: list[tuple[str, ...]] = field(default_factory=list)
    sandbox: str | None = None
    palettes: dict[bool, bytes] = field(default_factory=dict)
    drawn: int = 0

    @property
    def target(self) -> Animation:
        """The GIF wanted."""
        if not isinstance(self.output.target, Animation):
            raise TypeError("a GIF is wanted")
        return self.output.target


def make(
    output: Output, means: EncodeJob, binary: str, source: Source, part: Path, context: Context
) -> Steps[EncodeLog]:
    """Steps: writes the GIF into ``part``. Raises: fit.TooSmall, ToolError, VerifyError (nothing fits), DeadlineExceeded, Cancelled."""
    bench = _GifRun(output, means, binary, source, part.parent, context)
    if not bench.target.reencode:
        yield from call(_copy, source, part)
        return EncodeLog()
    try:
        made = yield from _search(bench)
        yield from call(_finish, made, part, bench.target)
    finally:
        for leftover in bench.parts:
            yield from call(remove_work_file, leftover)
    return EncodeLog(argv=tuple(bench.words), sandbox=bench.sandbox)


def _copy(source: Source, part: Path) -> None:
    if source.size_bytes > COPIED_BYTES:
        raise VerifyError(
            [
                f"a GIF of {source.size_bytes} bytes is not copied without its comments: at most {COPIED_BYTES}"
            ]
        )
    try:
        with writing(part):
            part.write_bytes(blocks.silenced(source.read_at(0, source.size_bytes)))
    except ValueError as problem:
        raise VerifyError([f"the GIF's blocks do not hold together: {problem}"]) from problem


def _finish(made: Path, part: Path, target: Animation) -> None:
    try:
        with writing(part):
            part.write_bytes(
                blocks.retimed(
                    made.read_bytes(),
                    animation.hundredths(target),
                    target.loop if target.loop is not None else 0,
                )
            )
    except ValueError as problem:
        raise VerifyError(
            [f"the encoder wrote other frames than were wanted: {problem}"]
        ) from problem


def _search(bench: _GifRun) -> Steps[Path]:
    """The widest GIF that keeps the byte limit, as a work file."""
    tolerance, most = animation.byte_limit(bench.output), animation.largest(bench.output)
    if tolerance is None:
        return (yield from _optimised(bench, (yield from _drawn(bench, most, 0, squeeze=False))))
    limit, tries = tolerance.limit - _ROOM, list[WidthTrial]()
    lossy, squeeze = 0, False
    widths = _widths(bench.output, most[0])
    if most[0] * most[1] * (bench.target.frame_count or 0) * _SURELY > limit:
        tries, lossy, squeeze = yield from _trial(bench, limit)
        wished = fit.wanted_width(tries, limit)
        if widths.step > 2 and wished < widths[0] == widths.step:
            widths = range(
                min(_floor(bench.output), widths[0]), widths[0]
            )  # not even the smallest whole factor fits: off the grid
        _refuse_small(bench.output, wished < 0.9 * widths[0])
    paths: dict[int, Path] = {}
    while (width := fit.next_width(tries, widths, limit, tolerance.fill)) is not None:
        paths[width] = yield from _drawn(
            bench, animation.of_shape(bench.output, width), lossy, squeeze=squeeze
        )
        tries.append(WidthTrial(width=width, size_bytes=paths[width].stat().st_size))
    found = fit.best(tries, limit)
    if found is None or (
        tolerance.fill is not None
        and found.size_bytes < tolerance.fill * limit
        and found.width < widths[-1]
    ):
        over = min(
            (item for item in tries if item.full and item.size_bytes > limit),
            key=lambda item: item.size_bytes,
            default=None,
        )
        _refuse_small(bench.output, found is None and over is not None and over.width <= widths[0])
        nudged = (
            None
            if over is None
            else (
                yield from _nudged(bench, paths[over.width], limit, lossy, desperate=found is None)
            )
        )
        if nudged is not None:
            return nudged
    if found is None:
        raise VerifyError(
            [f"no GIF of at most {tolerance.limit} bytes was found in {fit.MOST} encodes"]
        )
    return paths[found.width] if squeeze else (yield from _optimised(bench, paths[found.width]))


def _refuse_small(output: Output, small: bool) -> None:
    """A video shows more than a GIF below the least width: raised where nobody insists on a GIF."""
    if small and insists_not(output):
        encoding = output.placement.encoding
        least = encoding.min_width if isinstance(encoding, AnimationEncoding) else LEAST_WIDTH
        raise fit.TooSmall([f"a GIF within the limit would be less than {least} pixels wide"])


def insists_not(output: Output) -> bool:
    """Whether a video would do as well: no wish names the GIF, and the source is wide enough to lose something."""
    encoding = output.placement.encoding
    least = encoding.min_width if isinstance(encoding, AnimationEncoding) else 0
    return (
        output.options.to == "auto"
        and isinstance(output.source, Animation)
        and (output.source.width or 0) > least
    )


def _floor(output: Output) -> int:
    encoding = output.placement.encoding
    least = (
        encoding.min_width
        if isinstance(encoding, AnimationEncoding) and insists_not(output)
        else LEAST_WIDTH
    )
    return min(least, animation.largest(output)[0])


def _widths(output: Output, most: int) -> range:
    """The widths that may be tried: whole factors of pixel art, even ones of a video, any of the rest."""
    step = animation.grid_step(output)
    if step is not None and most % step[0] == 0:
        return range(-(-_floor(output) // step[0]) * step[0], most + 1, step[0])
    by = 1 if isinstance(output.source, Animation) else 2
    floor = _floor(output)
    return range(floor + (most - floor) % by, most + 1, by)


def _trial(bench: _GifRun, limit: int) -> Steps[tuple[list[WidthTrial], int, bool]]:
    """Some frames at 480 pixels, and again where that is far from the width wished: estimates of all of them, gifsicle's lossy level,
    and whether gifsicle is worth its time."""
    most = animation.largest(bench.output)[0]
    widths = _widths(bench.output, most)
    width = max((w for w in widths if w <= animation.TRIAL_WIDTH), default=widths[0])
    path, plain = yield from _tried(bench, width, None)
    wished = fit.wanted_width([plain], limit)
    if wished >= most:
        return [plain], 0, False
    lossy, squeezed = yield from _level(bench, path, plain, wished)
    tries = [plain if squeezed is None else _estimated(bench, width, squeezed)]
    helps = squeezed is not None
    nearer = max((w for w in widths if w <= fit.wanted_width(tries, limit)), default=widths[0])
    if nearer < _FAR * width:
        _, again = yield from _tried(bench, nearer, lossy if helps else None)
        tries.append(again)
    return tries, lossy, helps


def _level(
    bench: _GifRun, path: Path, plain: WidthTrial, wished: float
) -> Steps[tuple[int, Path | None]]:
    """gifsicle's lossy level for this picture, and the trial after it; None: gifsicle is not worth its time."""
    for lossy in (gifsicle.LOSSY, 0) if animation.grid_step(bench.output) is None else (0,):
        squeezed = yield from _squeezed(bench, path, lossy)
        if squeezed is not None:
            share = _estimated(bench, plain.width, squeezed).size_bytes / plain.size_bytes
            if share <= (_MUCH if lossy else _HELPS) or (lossy and wished < _SMALL):
                return lossy, squeezed
    return 0, None


def _tried(bench: _GifRun, width: int, lossy: int | None) -> Steps[tuple[Path, WidthTrial]]:
    """A trial at one width. ``lossy``: of gifsicle; None: without it."""
    size = animation.of_shape(bench.output, width)
    frames, _ = animation.trial_frames(bench.target.frame_count or 0)
    path = yield from _draw(
        bench,
        FrameSettings(size=size, frames=frames, exact=_exact(bench.output, size)),
        len(frames),
    )
    if lossy is not None:
        path = (yield from _squeezed(bench, path, lossy)) or path
    return path, _estimated(bench, width, path)


def _estimated(bench: _GifRun, width: int, path: Path) -> WidthTrial:
    data, count = path.read_bytes(), bench.target.frame_count or 0
    frames, (_, run) = blocks.frame_bytes(data), animation.trial_frames(count)
    return WidthTrial(
        width=width,
        size_bytes=fit.estimate(frames, run, len(data) - sum(frames), count),
        full=False,
    )


def _exact(output: Output, size: Size) -> bool:
    step = animation.grid_step(output)
    if step is not None and size[0] % step[0] == 0 and size[1] % step[1] == 0:
        return True
    return animation.unscaled(output, size)


def _drawn(bench: _GifRun, size: Size, lossy: int, *, squeeze: bool) -> Steps[Path]:
    """One full encode."""
    path = yield from _draw(
        bench,
        FrameSettings(size=size, exact=_exact(bench.output, size)),
        bench.target.frame_count or 0,
    )
    squeezed = (yield from _squeezed(bench, path, lossy)) if squeeze else None
    return path if squeezed is None else squeezed


def _draw(bench: _GifRun, drawing: FrameSettings, count: int) -> Steps[Path]:
    """ffmpeg's second process: the pictures in the palette."""
    palette = yield from _palette(bench, drawing)
    given, picture = animation.gif_input(bench.output, bench.means)
    words = ffmpeg_gif.gif_argv(
        bench.binary,
        given,
        picture,
        animation.gif_filters(bench.output, drawing),
        dither=drawing.dither,
        plays=bench.target.loop or 0,
        threads=bench.means.threads,
        frames=count,
    )
    path = yield from call(_work_file, bench)
    with tempfile.TemporaryFile() as held, _reopened(bench.source) as descriptor:
        with writing(Path(tempfile.gettempdir(), "palette")):
            held.write(palette)
            held.seek(0)
        yield from _run(
            bench,
            ffmpeg_gif.bound(words, descriptor, held.fileno(), str(path)),
            words,
            drawing,
            pass_fds=(descriptor, held.fileno()),
            on_line=_progress(bench, count),
        )
    bench.drawn += 1
    return path


def _palette(bench: _GifRun, drawing: FrameSettings) -> Steps[bytes]:
    """ffmpeg's first process: the palette of all frames, as PNG. One serves every size; exact colours have one of their own."""
    if (known := bench.palettes.get(drawing.exact)) is not None:
        return known
    most = animation.largest(bench.output)
    size = (
        drawing.size
        if drawing.exact
        else animation.of_shape(bench.output, min(most[0], animation.TRIAL_WIDTH))
    )
    whole = FrameSettings(size=size, exact=drawing.exact)
    given, picture = animation.gif_input(bench.output, bench.means)
    filters = animation.gif_filters(bench.output, whole)
    words = ffmpeg_gif.palette_argv(
        bench.binary, given, picture, filters, threads=bench.means.threads
    )
    with _reopened(bench.source) as descriptor:
        bound = ffmpeg_gif.bound(words, descriptor, -1, "")
        done = yield from _run(bench, bound, words, whole, pass_fds=(descriptor,), capture=True)
    bench.palettes[drawing.exact] = done.stdout
    return done.stdout


def _run(
    bench: _GifRun,
    bound: tuple[str, ...],
    words: tuple[str, ...],
    drawing: FrameSettings,
    *,
    pass_fds: tuple[int, ...],
    capture: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> Steps[Completed]:
    canvas, frames = _canvas(bench.output)
    seconds = (
        canvas * frames / _DECODED
        + drawing.size[0] * drawing.size[1] * (bench.target.frame_count or 0) / _DRAWN
    )
    done = yield from run_child(
        Command(
            argv=bound,
            what="find the palette" if capture else "encode",
            seconds=_BASE_SECONDS + seconds,
            pass_fds=pass_fds,
            reads=(bench.binary,),
            writes=() if capture else (str(bench.folder),),
            memory_bytes=_MEMORY + _BYTES_A_PIXEL * canvas,
            file_bytes=2**30,
            capture=capture,
            on_line=on_line,
        )
    )
    bench.words.append(words)
    bench.sandbox = done.sandbox
    return done


def _squeezed(bench: _GifRun, path: Path, lossy: int) -> Steps[Path | None]:
    """The GIF after gifsicle; None where there is no gifsicle, or it failed: then the GIF stays as ffmpeg wrote it."""
    binary = gifsicle.locate()
    if binary is None:
        return None
    target = yield from call(_work_file, bench)
    words = gifsicle.argv(binary, path, target, lossy=lossy)
    seconds = _BASE_SECONDS + path.stat().st_size / 1e5
    command = Command(
        argv=words,
        what="optimise the GIF",
        seconds=seconds,
        reads=(binary, str(path)),
        writes=(str(bench.folder),),
        memory_bytes=2 * _MEMORY,
        file_bytes=2**30,
    )
    try:
        yield from run_child(command)
    except ToolError:
        return None
    bench.words.append(gifsicle.argv("gifsicle", Path("TARGET"), Path("TARGET"), lossy=lossy))
    return target


def _nudged(
    bench: _GifRun, path: Path, limit: int, lossy: int, *, desperate: bool
) -> Steps[Path | None]:
    """A GIF that is a little too large, brought under the limit by gifsicle's lossy mode; never pixel art that has another way."""
    if not desperate and (
        path.stat().st_size > _LITTLE * limit or animation.grid_step(bench.output) is not None
    ):
        return None
    for level in _LEVELS if desperate else _LEVELS[:2]:
        made = yield from _squeezed(bench, path, lossy + level)
        if made is not None and made.stat().st_size <= limit:
            return made
    return None


def _optimised(bench: _GifRun, path: Path) -> Steps[Path]:
    """The same pictures in fewer bytes, where that takes no time to speak of."""
    size = path.stat().st_size
    made = (yield from _squeezed(bench, path, 0)) if size <= _QUICK else None
    return path if made is None or made.stat().st_size >= size else made


def _canvas(output: Output) -> tuple[int, int]:
    """Pixels of a source picture, and how many there are."""
    source_media = output.source
    if isinstance(source_media, Animation):
        return (source_media.width or 0) * (source_media.height or 0), source_media.frame_count or 0
    size = (
        (source_media.video.width or 0) * (source_media.video.height or 0)
        if source_media.kind == "video"
        else 0
    )
    length = (
        (source_media.duration or Fraction(0)) * (source_media.video.frame_rate or 30)
        if source_media.kind == "video"
        else Fraction(0)
    )
    return size, int(length)


def _work_file(bench: _GifRun) -> Path:
    path, descriptor = create_work_file(bench.folder, ".gif")
    os.close(descriptor)
    bench.parts.append(path)
    return path


@contextlib.contextmanager
def _reopened(source: Source) -> Iterator[int]:
    descriptor = source.reopen()
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _progress(bench: _GifRun, count: int) -> Callable[[str], None]:
    """A reader of ffmpeg's -progress lines; of the encodes, two are expected."""

    def on_line(line: str) -> None:
        key, _, value = line.strip().partition("=")
        if key == "frame" and value.isdigit() and count == bench.target.frame_count:
            fraction = min(0.99, (bench.drawn + int(value) / max(1, count)) / 3)
            bench.context.listener(
                Progress(path=bench.source.name, stage="encode", fraction=fraction)
            )

    return on_line
