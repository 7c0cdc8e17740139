"""From an animation or a video to the filters that make a GIF of it, and from an animation to a video's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

from mediaprep.model import containers
from mediaprep.model.fix import Refused
from mediaprep.model.media import Animation, Container, Video
from mediaprep.model.media import Track as SourceTrack
from mediaprep.model.tolerance import AtMost, AtMostBytes, Near
from mediaprep.planning.plan import Output
from mediaprep.runtime.context import MAX_PIXELS
from mediaprep.targets.animation import scaled_to_width
from mediaprep.targets.conversion import as_video
from mediaprep.targets.gif_times import TICK, retained_frames
from mediaprep.tools.ffmpeg import FfmpegCommand, Filter, Input, OutputTrack
from mediaprep.tools.ffmpeg_gif import PictureStreams
from mediaprep.transcoding.video import command as video
from mediaprep.transcoding.video.command import EncodeJob
from mediaprep.transcoding.video.timing import clock_filters

Size = tuple[int, int]
RUNS, RUN = 3, 8  # a trial's frames: 3 runs of 8
TRIAL_WIDTH = 480
_SCALER = "lanczos+accurate_rnd"
_CLOCK = 100_000  # ticks a second: times of any animation to 10 microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSettings:
    """How the pictures of one GIF run are made.

    size     width, height; frames: which of the frames wanted, by index, None = all
    exact    colours are kept as they are (an unscaled GIF, pixel art): no dither, scaling by whole factors
    """

    size: Size
    frames: tuple[int, ...] | None = None
    exact: bool = False

    @property
    def dither(self) -> str:
        """Ordered dither costs the fewest bytes for its quality; exact colours need none."""
        return "none" if self.exact else "bayer"


def largest(output: Output) -> Size:
    """The size that the limits other than bytes leave."""
    most = {
        tolerance.fact: int(tolerance.value)
        for tolerance in output.tolerances
        if isinstance(tolerance, AtMost)
    }
    return most["width"], most["height"]


def byte_limit(output: Output) -> AtMostBytes | None:
    """The promise of bytes."""
    return next(
        (tolerance for tolerance in output.tolerances if isinstance(tolerance, AtMostBytes)), None
    )


def grid_step(output: Output) -> Size | None:
    """The size of enlarged pixel art before it was enlarged; None for other pictures."""
    source_media = output.source
    factor = (source_media.pixel_grid or 1) if isinstance(source_media, Animation) else 1
    if (
        factor == 1
        or not isinstance(source_media, Animation)
        or source_media.width is None
        or source_media.height is None
    ):
        return None
    return source_media.width // factor, source_media.height // factor


def of_shape(output: Output, width: int) -> Size:
    """The size of a width in the shape of the largest; even where a video is drawn."""
    size = largest(output)
    if width == size[0]:
        return size
    made = scaled_to_width(size, width)
    return (
        made
        if isinstance(output.source, Animation)
        else (made[0] - made[0] % 2, max(2, made[1] - made[1] % 2))
    )


def unscaled(output: Output, size: Size) -> bool:
    """The source is a GIF, and this is its own size: its colours can be kept."""
    source_media = output.source
    return (
        isinstance(source_media, Animation)
        and source_media.format == "gif"
        and (source_media.width, source_media.height) == size
    )


def trial_frames(count: int) -> tuple[tuple[int, ...], int]:
    """(indices, length of a run): three runs of eight frames, at the beginning, in the middle and at the end; half of them where there
    are few."""
    run = min(RUN, count // (2 * RUNS))
    if run < 2:
        return tuple(range(max(2, count // 2))), max(2, count // 2)
    starts = [(count - run) * i // (RUNS - 1) for i in range(RUNS)]
    return tuple(start + i for start in starts for i in range(run)), run


def gif_input(output: Output, means: EncodeJob) -> tuple[Input, PictureStreams]:
    """The source as ffmpeg gets it, and its moving picture. Raises: ValueError where there is none."""
    source_media = output.source
    if isinstance(source_media, Video):
        track = video.chosen(source_media, "video")
        if track is None:
            raise ValueError("no picture track is chosen")
        return video.source_input(output, source_media, means), PictureStreams(index=track.index)
    if not isinstance(source_media, Animation) or source_media.format is None:
        raise ValueError("a GIF is made of an animation or a video")
    picture = PictureStreams(index=0)
    if containers.of(source_media.format).image_items:
        # a still comes first: its colour and, if it has one, its transparency
        picture = (
            PictureStreams(index=2, alpha=3)
            if source_media.transparency
            else PictureStreams(index=1)
        )
    # An animation's frames have one size. Where the first has EXIF and the next has not, ffmpeg 9 would build the graph anew in the middle,
    # without the palette that was read already ("internal bug", most times).
    options = {"reinit_filter": 0}
    return Input(
        demuxer=means.demuxer,
        whitelist=means.whitelist,
        max_pixels=MAX_PIXELS,
        options=options,
    ), picture


def gif_filters(output: Output, drawing: FrameSettings) -> tuple[Filter, ...]:
    """From the decoded frames to the wanted ones at the wanted size, one every tick of 1/10 s: the real times are written afterwards."""
    source_media, target = output.source, output.target
    if not isinstance(target, Animation) or target.frame_count is None:
        raise ValueError("a GIF is wanted")
    even = [
        Filter(name="settb", options={"expr": "1/100"}),
        Filter(name="setpts", options={"expr": "N*10"}),
    ]
    if isinstance(source_media, Video):
        filters = _sampled(source_media, target, output, drawing.size)
        chosen: Iterable[int] | None = drawing.frames
    elif isinstance(source_media, Animation) and source_media.delays is not None:
        filters = []
        shown = retained_frames(source_media.delays, target.frame_count)
        chosen = [shown[index] for index in drawing.frames] if drawing.frames is not None else shown
        chosen = None if len(chosen) == source_media.frame_count else chosen
    else:
        raise ValueError("the source's frames are not known")
    if chosen is not None:
        filters.append(Filter(name="select", options={"expr": _listed(chosen)}))
    if (
        isinstance(source_media, Animation)
        and (source_media.width, source_media.height) != drawing.size
    ):
        filters += _scaled(source_media, drawing)
    return (*filters, *even)


def _scaled(source_media: Animation, drawing: FrameSettings) -> list[Filter]:
    """Pixel art by its nearest pixel; else Lanczos, transparent edges without a fringe of the colour that hides behind them."""
    flags = "neighbor" if drawing.exact else _SCALER
    scale = Filter(
        name="scale", options={"w": drawing.size[0], "h": drawing.size[1], "flags": flags}
    )
    if drawing.exact or source_media.transparency is False:
        return [scale]
    planar = Filter(name="format", options={"pix_fmts": "gbrap"})
    return [
        planar,
        Filter(name="premultiply", options={"inplace": 1}),
        scale,
        Filter(name="unpremultiply", options={"inplace": 1}),
    ]


def _sampled(source_media: Video, target: Animation, output: Output, size: Size) -> list[Filter]:
    """The video's pictures at the GIF's constant rate, the last one held where it ends early."""
    delays, count = target.delays or (), target.frame_count or 0
    rate = 1 / delays[0]
    return [
        *video.upright_filters(
            source_media.video,
            rate,
            size,
            "scale",
            timing=(clock_filters(output, source_media), []),
        ),
        Filter(
            name="fps", options={"fps": f"{rate.numerator}/{rate.denominator}", "start_time": 0}
        ),
        Filter(name="tpad", options={"stop_mode": "clone", "stop": 2}),
        Filter(name="trim", options={"end_frame": count}),
    ]


def _listed(indices: Iterable[int]) -> str:
    """An expression of ``n`` that is true for these indices, by runs of neighbours."""
    runs = [
        [index for _, index in run]
        for _, run in groupby(enumerate(sorted(indices)), key=lambda item: item[1] - item[0])
    ]
    return "+".join(f"between(n,{run[0]},{run[-1]})" for run in runs)


def video_job(output: Output, means: EncodeJob) -> FfmpegCommand:
    """The run that makes an MP4 of an animation: each frame begins within half an output frame of its time, transparency is shown on
    white, the last frame stays for its time, one that is too short is repeated. Raises: ValueError for what no plan asks."""
    source_media = output.source
    if (
        not isinstance(source_media, Animation)
        or source_media.delays is None
        or not isinstance(output.target, Video)
    ):
        raise ValueError("a video is made of an animation")
    seen = as_video(source_media, output.placement)
    if isinstance(seen, Refused):
        raise ValueError(seen.reason)
    track = SourceTrack(index=0, kind="video", chosen=True)
    as_source = replace(
        output,
        source=replace(seen, container=Container(format=source_media.format, tracks=(track,))),
        span=None,
    )
    job = video.job(as_source, means)
    source, picture = gif_input(output, means)
    rate, whole = output.target.video.frame_rate, seen.video.frame_count
    if rate is None or whole is None:
        raise ValueError("no frame rate is wanted")
    size = output.target.video.display_size
    if size is None:
        raise ValueError("no picture size is wanted")
    upright = video.upright_filters(seen.video, rate, size, output.options.fit)
    filters = [
        *_timed(source_media.delays),
        *_on_white(source_media),
        *upright,
        *_constant(source_media, rate, whole),
        *_span(output, rate),
    ]
    return replace(
        job, input=source, tracks=(OutputTrack(index=picture.index, filters=tuple(filters)),)
    )


def _timed(delays: Sequence[Fraction]) -> list[Filter]:
    """Each frame at its time as browsers play it, whatever the demuxer makes of its delay: the sum over runs of equal delays."""
    terms, first = [], 0
    for delay, run in groupby(delays):
        count, step = len(list(run)), delay * _CLOCK
        terms.append(
            f"{step.numerator}*clip(N-{first},0,{count})"
            + (f"/{step.denominator}" if step.denominator > 1 else "")
        )
        first += count
    return [
        Filter(name="settb", options={"expr": f"1/{_CLOCK}"}),
        Filter(name="setpts", options={"expr": "+".join(terms)}),
    ]


def _on_white(source_media: Animation) -> list[Filter]:
    """White behind what is transparent: the colours' complement is multiplied with the alpha, and turned round again."""
    if source_media.transparency is False:
        return []
    turn = Filter(name="negate", options={"components": "r+g+b"})
    planar = Filter(name="format", options={"pix_fmts": "gbrap"})
    return [
        planar,
        turn,
        Filter(name="premultiply", options={"inplace": 1}),
        turn,
        Filter(name="format", options={"pix_fmts": "gbrp"}),
    ]


def _constant(source_media: Animation, rate: Fraction, whole: int) -> list[Filter]:
    """One play at a constant rate, each frame on the nearest output frame, then as many plays as ``whole`` frames take."""
    duration = source_media.duration or Fraction(0)
    once = max(1, round(duration * rate))
    last = source_media.delays[-1] if source_media.delays else Fraction(0)
    filters = [
        Filter(
            name="tpad",
            options={"stop_mode": "clone", "stop_duration": f"{float(last + 2 / rate):.6f}"},
        ),
        Filter(
            name="fps",
            options={
                "fps": f"{rate.numerator}/{rate.denominator}",
                "start_time": 0,
                "round": "near",
            },
        ),
        Filter(name="trim", options={"end_frame": once}),
    ]
    if whole > once:
        filters.append(Filter(name="loop", options={"loop": -(-whole // once) - 1, "size": once}))
        filters.append(Filter(name="trim", options={"end_frame": whole}))
    return filters


def _span(output: Output, rate: Fraction) -> list[Filter]:
    if output.span is None:
        return []
    first = round(output.span[0] * rate)
    count = next(
        (
            p.value
            for p in output.tolerances
            if isinstance(p, Near) and p.fact == "video.frame_count"
        ),
        None,
    )
    end = round(output.span[1] * rate) if count is None else first + count
    return [
        Filter(name="trim", options={"start_frame": first, "end_frame": end}),
        Filter(name="setpts", options={"expr": "PTS-STARTPTS"}),
    ]


def hundredths(target: Animation) -> tuple[int, ...]:
    """The delays as a GIF writes them."""
    return tuple(int(delay / TICK) for delay in target.delays or ())
