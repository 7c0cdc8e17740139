"""The size, the frames and the filters of a GIF that is made from an animation or a video. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from mediaprep.model.media import Animation, Video
from mediaprep.model.tolerance import AtMost, AtMostBytes
from mediaprep.planning.plan import Output
from mediaprep.targets.animation import scaled_to_width
from mediaprep.targets.gif_times import TICK, retained_frames
from mediaprep.tools.ffmpeg import Filter, Input
from mediaprep.tools.ffmpeg_gif import PictureStreams
from mediaprep.transcoding.animation_input import animation_input
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.video.command import chosen_track, source_input, upright_filters
from mediaprep.transcoding.video.scale_crop_pad import SCALER, Size
from mediaprep.transcoding.video.timing import clock_filters

TRIAL_RUNS, TRIAL_RUN_LENGTH = 3, 8  # a trial encodes 3 runs of 8 frames
TRIAL_WIDTH = 480


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSettings:
    """How the frames of one GIF encode are drawn.

    size    width and height
    frames  indices of the planned frames to draw; None for all
    exact   keep the colours: no dither, and scaling by whole factors (an unscaled GIF, pixel art)
    """

    size: Size
    frames: tuple[int, ...] | None = None
    exact: bool = False

    @property
    def dither(self) -> str:
        """ffmpeg's dither: an ordered one costs the fewest bytes for its quality."""
        return "none" if self.exact else "bayer"


def animation_target(output: Output) -> Animation:
    """Return the planned GIF. Raises: TypeError if the target is not an animation."""
    if not isinstance(output.target, Animation):
        raise TypeError("the target has to be an animation")
    return output.target


def largest_size(output: Output) -> Size:
    """Return the largest size that all limits except the byte limit allow."""
    largest = {item.fact: int(item.value) for item in output.tolerances if isinstance(item, AtMost)}
    return largest["width"], largest["height"]


def byte_limit(output: Output) -> AtMostBytes | None:
    """Return the tolerance with the byte limit."""
    return next((item for item in output.tolerances if isinstance(item, AtMostBytes)), None)


def grid_size(output: Output) -> Size | None:
    """Return the size that enlarged pixel art had originally; None for other sources."""
    source = output.source
    if not isinstance(source, Animation) or source.width is None or source.height is None:
        return None
    factor = source.pixel_grid or 1
    return None if factor == 1 else (source.width // factor, source.height // factor)


def size_of_width(output: Output, width: int) -> Size:
    """Return the size with this width and the shape of the largest size. Sides are even if the
    source is a video.
    """
    size = largest_size(output)
    if width == size[0]:
        return size
    width, height = scaled_to_width(size, width)
    if isinstance(output.source, Animation):
        return width, height
    return width - width % 2, max(2, height - height % 2)


def unscaled(output: Output, size: Size) -> bool:
    """Return True if the source is a GIF of this size, so that its colours can be kept."""
    source = output.source
    if not isinstance(source, Animation) or source.format != "gif":
        return False
    return (source.width, source.height) == size


def exact_colours(output: Output, size: Size) -> bool:
    """Return True if a GIF of this size keeps the colours of the source."""
    grid = grid_size(output)
    if grid is not None and size[0] % grid[0] == 0 and size[1] % grid[1] == 0:
        return True
    return unscaled(output, size)


def trial_frames(count: int) -> tuple[tuple[int, ...], int]:
    """Return the indices of a trial's frames and the length of a run: three runs of eight frames,
    at the start, in the middle and at the end; of few frames, the first half.
    """
    run = min(TRIAL_RUN_LENGTH, count // (2 * TRIAL_RUNS))
    if run < 2:
        half = max(2, count // 2)
        return tuple(range(half)), half
    starts = [(count - run) * i // (TRIAL_RUNS - 1) for i in range(TRIAL_RUNS)]
    return tuple(start + i for start in starts for i in range(run)), run


def gif_input(job: EncodeJob) -> tuple[Input, PictureStreams]:
    """Return ffmpeg's input and its moving picture.

    Raises: ValueError if the source is neither an animation nor a video with a chosen picture.
    """
    source = job.output.source
    if isinstance(source, Animation) and source.format is not None:
        return animation_input(job, source)
    track = chosen_track(source, "video") if isinstance(source, Video) else None
    if not isinstance(source, Video) or track is None:
        raise ValueError("the source has no moving picture")
    return source_input(job, source), PictureStreams(index=track.index)


def gif_filters(output: Output, settings: FrameSettings) -> tuple[Filter, ...]:
    """Return the filters from the decoded frames to the planned ones at the size of the settings.

    Frames come out every 1/10 s; the exact delays are written into the finished file.
    """
    source, target = output.source, animation_target(output)
    if target.frame_count is None:
        raise ValueError("the number of frames is not planned")
    filters: list[Filter] = []
    if isinstance(source, Video):
        filters = _sampling_filters(source, target, output, settings.size)
        if settings.frames is not None:
            filters.append(_select(settings.frames))
    elif isinstance(source, Animation) and source.delays is not None:
        frames = list(retained_frames(source.delays, target.frame_count))
        if settings.frames is not None:
            frames = [frames[index] for index in settings.frames]
        if len(frames) != source.frame_count:
            filters.append(_select(frames))
        if (source.width, source.height) != settings.size:
            filters += _scaling_filters(source, settings)
    else:
        raise ValueError("the frames of the source are unknown")
    return (
        *filters,
        Filter(name="settb", options={"expr": "1/100"}),
        Filter(name="setpts", options={"expr": "N*10"}),
    )


def hundredths(target: Animation) -> tuple[int, ...]:
    """Return the delays of the frames as a GIF stores them, in 1/100 s."""
    return tuple(int(delay / TICK) for delay in target.delays or ())


def _scaling_filters(source: Animation, settings: FrameSettings) -> list[Filter]:
    """Return the filters that scale: to the nearest pixel if colours are exact, else by Lanczos.

    Transparent pictures are premultiplied meanwhile, or the hidden colour behind transparent pixels
    would bleed into the edges.
    """
    width, height = settings.size
    flags = "neighbor" if settings.exact else SCALER
    scale = Filter(name="scale", options={"w": width, "h": height, "flags": flags})
    if settings.exact or source.transparency is False:
        return [scale]
    return [
        Filter(name="format", options={"pix_fmts": "gbrap"}),
        Filter(name="premultiply", options={"inplace": 1}),
        scale,
        Filter(name="unpremultiply", options={"inplace": 1}),
    ]


def _sampling_filters(source: Video, target: Animation, output: Output, size: Size) -> list[Filter]:
    """Return the filters that give the pictures of a video at the GIF's constant rate. The last
    picture is repeated if the video ends early.
    """
    rate = 1 / (target.delays or (Fraction(1),))[0]
    fps = f"{rate.numerator}/{rate.denominator}"
    upright = upright_filters(
        source.video, rate, size, "scale", before=clock_filters(output, source)
    )
    return [
        *upright,
        Filter(name="fps", options={"fps": fps, "start_time": 0}),
        Filter(name="tpad", options={"stop_mode": "clone", "stop": 2}),
        Filter(name="trim", options={"end_frame": target.frame_count or 0}),
    ]


def _select(indices: Iterable[int]) -> Filter:
    """Return the filter that lets these frames through, by an expression over runs of them."""
    runs = []
    for _, run in groupby(enumerate(sorted(indices)), key=lambda item: item[1] - item[0]):
        frames = [index for _, index in run]
        runs.append(f"between(n,{frames[0]},{frames[-1]})")
    return Filter(name="select", options={"expr": "+".join(runs)})
