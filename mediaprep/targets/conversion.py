"""Conversion of an animation to a video and back: the facts of the one as the other."""

from __future__ import annotations

import math
from fractions import Fraction

from mediaprep.model import containers, units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import Range
from mediaprep.model.media import (
    Animation,
    Colour,
    Container,
    DeclaredSar,
    Media,
    Video,
    VideoStream,
)
from mediaprep.model.placement import Placement
from mediaprep.targets.animation import encoding, fitted_size, frames_max
from mediaprep.targets.frame_rate import FRAME_RATE_MAX

# Frames per second of a video made from an animation: with fewer, players seek badly (a guess).
_VIDEO_RATE_MIN = Fraction(10)
# Hundredths per frame of a GIF made from a video: 25 to 10 fps; the fastest that fits is used.
_GIF_TICKS = (4, 5, 6, 8, 10)


def frame_rate(delays: tuple[Fraction, ...], placement: Placement) -> Fraction:
    """Return the constant rate at which each frame of an animation starts on an output frame.

    If that is above the limit it is the limit; each frame then starts within half an output frame
    of its time.
    """
    limit = placement.limit("video-frame-rate")
    most = FRAME_RATE_MAX
    if isinstance(limit, Range) and limit.max is not None:
        most = limit.max
    exact = 1 / _divisor(delays)
    if exact < _VIDEO_RATE_MIN:
        exact *= math.ceil(_VIDEO_RATE_MIN / exact)
    return min(most, exact)


def _divisor(delays: tuple[Fraction, ...]) -> Fraction:
    """Return the greatest common divisor of exact times."""
    common = math.lcm(*(delay.denominator for delay in delays))
    return Fraction(math.gcd(*(int(delay * common) for delay in delays)), common)


def repeats(source: Animation, placement: Placement) -> int:
    """Return how often the video plays the animation: once, or as the minimum duration requires."""
    limit = placement.limit("video-duration")
    if not source.duration or not isinstance(limit, Range) or limit.min is None:
        return 1
    return max(1, math.ceil(limit.min / source.duration))


def as_video(source: Animation, placement: Placement) -> Video | Refused:
    """Return an animation as a video of constant rate without sound, with its repeats."""
    if source.delays is None or not source.duration:
        return Refused(reason="the times of its frames are unknown, so it cannot become a video")
    if source.width is None or source.height is None:
        return Refused(reason="its picture size is unknown, so it cannot become a video")
    rate = frame_rate(source.delays, placement)
    count = max(1, round(source.duration * repeats(source, placement) * rate))
    return Video(
        name=source.name,
        size_bytes=None,
        complete=source.complete,
        private=source.private,
        container=Container(format=source.format),
        audio_present=False,
        duration=count / rate,
        video=VideoStream(
            codec=source.format,
            chroma="rgb",
            bit_depth=8,
            alpha=source.transparency,
            width=source.width,
            height=source.height,
            size_changes=False,
            clap=(),
            sars=(DeclaredSar(where="container", value=Fraction(1)),),
            rotation=0,
            mirrored=False,
            matrix_exact=True,
            frame_rate=rate,
            rate_mode="cfr",
            timestamps="ok",
            scan="progressive",
            colour=Colour(hdr=()),
            start=Fraction(0),
            duration=count / rate,
            frame_count=count,
        ),
    )


def as_gif(
    source: Video, span: tuple[Fraction, Fraction] | None, case: Case
) -> Animation | Refused:
    """Return a video, or a span of it, as an endless GIF without sound.

    It has at most 25 fps, fewer if the limit of frames requires it, but at least 10.
    """
    encoding(case.placement)
    length = source.video.duration if span is None else span[1] - span[0]
    shown, rate = source.video.display_size, source.video.frame_rate
    if length is None or shown is None or rate is None:
        return Refused(
            reason="its picture size, duration or frame rate is unknown, so it cannot become a GIF"
        )
    most = frames_max(case.placement)
    ticks = _gif_ticks(length, rate, most)
    if ticks is None:
        longest = units.duration_text(Fraction(most * _GIF_TICKS[-1], 100))
        return Refused(
            reason=f"it lasts {units.duration_text(length)}; a GIF of {most} frames shows at most "
            f"{longest} at 10 fps",
            remedies=("--trim START-END", "--to video"),
        )
    count = _frame_count(length, ticks)
    even = shown[0] + shown[0] % 2, shown[1] + shown[1] % 2
    width, height = fitted_size(even, count, case.placement)
    delays = (Fraction(ticks, 100),) * count
    return Animation(
        name=source.name,
        complete=True,
        private=(),
        format="gif",
        width=width,
        height=height,
        frame_count=count,
        delays=delays,
        duration=sum(delays, Fraction(0)),
        loop=0,
        transparency=False,
        trailing_bytes=0,
        reencode=True,
    )


def _gif_ticks(length: Fraction, rate: Fraction, most: int) -> int | None:
    """Return the shortest frame time, in hundredths, with at most ``most`` frames.

    The GIF has no more frames per second than the video, unless that has fewer than 10.
    """
    for ticks in _GIF_TICKS:
        slow_enough = Fraction(100, ticks) <= max(rate, _VIDEO_RATE_MIN)
        if slow_enough and _frame_count(length, ticks) <= most:
            return ticks
    return None


def _frame_count(length: Fraction, ticks: int) -> int:
    return max(2, round(length * 100 / ticks))


def losses(source: Media, target: Media) -> tuple[str, ...]:
    """Return what the other kind cannot represent, one line each."""
    if isinstance(source, Video) and isinstance(target, Animation) and source.audio_present:
        return ("a GIF has no sound: it is dropped",)
    if not (isinstance(source, Animation) and isinstance(target, Video)):
        return ()
    lines = [f"the animation plays {_plays(source.loop)}; a video repeats as its player decides"]
    if source.transparency:
        stored = containers.of(source.format).image_items
        background = "on the colour stored behind it" if stored else "on white"
        lines.append(f"transparent parts are shown {background}")
    return tuple(lines)


def _plays(loop: int | None) -> str:
    if loop is None:
        return "an unknown number of times"
    if loop == 0:
        return "endlessly"
    return "once" if loop == 1 else f"{loop} times"
