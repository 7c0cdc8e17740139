"""From an animation to a video and back, as asked: what each is in the other's facts."""

from __future__ import annotations

import math
from fractions import Fraction

from mediaprep.model import units
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
from mediaprep.targets.animation import encoding, fitted_size, frames_max, limit_of
from mediaprep.targets.video import FASTEST

SLOWEST = Fraction(
    10
)  # frames a second of a video made of an animation: fewer make players seek badly (a guess)
GIF_TICKS = (
    4,
    5,
    6,
    8,
    10,
)  # hundredths a frame of a GIF made of a video: 25 to 10 frames a second, the fastest that fits is taken


def frame_rate(delays: tuple[Fraction, ...], placement: Placement) -> Fraction:
    """The constant rate at which each frame begins on an output frame; where that would be above the limit, the limit, at which each
    begins within half an output frame of its time."""
    limit = limit_of(placement, "video-frame-rate")
    fastest = limit.max if isinstance(limit, Range) and limit.max is not None else FASTEST
    exact = 1 / _divisor(delays)
    if exact > fastest:
        return fastest
    return exact if exact >= SLOWEST else min(fastest, exact * math.ceil(SLOWEST / exact))


def _divisor(delays: tuple[Fraction, ...]) -> Fraction:
    """The greatest common divisor of exact times."""
    common = math.lcm(*(delay.denominator for delay in delays))
    return Fraction(math.gcd(*(int(delay * common) for delay in delays)), common)


def repeats(source: Animation, placement: Placement) -> int:
    """Plays that the video shows: once, or as often as the shortest video allowed needs."""
    limit = limit_of(placement, "video-duration")
    least = limit.min if isinstance(limit, Range) and limit.min is not None else Fraction(0)
    return 1 if not source.duration else max(1, math.ceil(least / source.duration))


def as_video(source: Animation, placement: Placement) -> Video | Refused:
    """The animation seen as a video of constant rate: what its frames show, one play or the repeats of a short one, no sound."""
    if (
        source.delays is None
        or not source.duration
        or source.width is None
        or source.height is None
    ):
        return Refused(
            reason="the times of its frames cannot be told, so no video can be made of it"
        )
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
    """A GIF that repeats for ever, of all of a short video or the span asked for: at most 25 frames a second, fewer where the limit of
    frames needs it, never fewer than 10. The sound is lost."""
    length = source.video.duration if span is None else span[1] - span[0]
    shown, rate = source.video.display_size, source.video.frame_rate
    if length is None or shown is None or rate is None:
        return Refused(
            reason="its picture size, duration or frame rate cannot be told, so no GIF can be made of it"
        )
    most = frames_max(case.placement)
    ticks = next(
        (
            t
            for t in GIF_TICKS
            if _count(length, t) <= most and Fraction(100, t) <= max(rate, SLOWEST)
        ),
        None,
    )
    if ticks is None:
        longest = Fraction(most * GIF_TICKS[-1], 100)
        return Refused(
            reason=f"it is {units.duration_text(length)} long; a GIF of {most} frames shows {units.duration_text(longest)} at 10 fps",
            remedies=("--trim START-END", "--to video"),
        )
    count = _count(length, ticks)
    width, height = (side + side % 2 for side in shown)
    width, height = fitted_size((width, height), count, case.placement)
    delays = (Fraction(ticks, 100),) * count
    encoding(case.placement)
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


def _count(length: Fraction, ticks: int) -> int:
    return max(2, round(length * 100 / ticks))


def losses(source: Media, target: Media) -> tuple[str, ...]:
    """What the other kind cannot carry, one line each."""
    if isinstance(source, Animation) and isinstance(target, Video):
        plays = (
            "for ever"
            if source.loop == 0
            else "once"
            if source.loop == 1
            else f"{source.loop} times"
        )
        lines = [
            f"the animation says that it plays {plays}; a video plays as its player repeats it"
        ]
        if source.transparency:
            behind = (
                "as the colour stored behind it"
                if source.format in ("avif", "heif")
                else "on white"
            )
            lines.append(f"what is transparent is shown {behind}")
        return tuple(lines)
    if isinstance(source, Video) and isinstance(target, Animation) and source.audio_present:
        return ("a GIF has no sound: it is left out",)
    return ()
