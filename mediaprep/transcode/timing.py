"""From the source's fields, rates and gaps to evenly spaced progressive frames. Pure."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.media import Video, VideoStream
from mediaprep.plan import Output
from mediaprep.promise import Near, assume
from mediaprep.rules.video import lead
from mediaprep.tools.ffmpeg import Filter, seconds

_ROOM = Fraction(1)  # second
_SPARE = 2  # frames held at the end, of which as many are cut again as are not needed


def scan_filters(video: VideoStream, rate: Fraction | None) -> list[Filter]:
    """From fields to frames: deinterlaced at field rate where ``rate`` allows, telecine undone, PsF only flagged otherwise."""
    if video.scan == "psf":
        return [Filter(name="setfield", options={"mode": "prog"})]
    parity = video.parity or (video.scan_flags if video.scan_flags in ("tff", "bff") else "auto")
    if video.scan == "telecine":
        order = {"tff": "tff", "bff": "bff"}.get(parity, "auto")
        return [
            Filter(name="fieldmatch", options={"order": order}),
            Filter(name="yadif", options={"deint": "interlaced"}),
            Filter(name="decimate"),
        ]
    if video.scan == "interlaced":
        fields = rate is not None and video.frame_rate is not None and rate >= 2 * video.frame_rate
        return [Filter(name="bwdif", options={"mode": "send_field" if fields else "send_frame", "parity": parity, "deint": "all"})]
    return []


def clock_filters(output: Output, have: Video) -> list[Filter]:
    """Before anything else: frames without usable times are counted, and what lies behind a gap beyond the end is let go, before it is
    filled."""
    filters = []
    rate = have.video.frame_rate or output.wishes.frame_rate
    if have.video.timestamps in ("missing", "broken") and rate is not None:
        filters.append(Filter(name="setpts", options={"expr": f"N*{rate.denominator}/({rate.numerator}*TB)"}))
    whole = _promised(output, "video.duration")
    if output.span is None and whole is not None:
        filters.append(Filter(name="trim", options={"end": seconds(whole + _ROOM)}))
    return filters


def constant_rate(output: Output, have: Video) -> list[Filter]:
    """One frame at each tick of the wanted rate from 0 on: the one that is nearest in time; a late picture's first and the last one are
    held. As many as are promised."""
    want = output.want
    rate = want.video.frame_rate if isinstance(want, Video) else None
    if rate is None:
        raise ValueError("no frame rate is wanted")
    filters = [Filter(name="fps", options={"fps": f"{rate.numerator}/{rate.denominator}", "start_time": 0, "round": "near"})]
    if (count := _promised(output, "video.frame_count")) is None:
        return filters
    held = int(missing_time(output, have) * rate) + _SPARE
    return [
        *filters,
        Filter(name="tpad", options={"stop_mode": "clone", "stop": held}),
        Filter(name="trim", options={"end_frame": int(count)}),
    ]


def missing_time(output: Output, have: Video) -> Fraction:
    """Seconds to hold the last frame for, with a frame to spare: what the promised length has more than the source shows."""
    promised = assume(output.want, output.promises)
    shown, rate = have.video.duration, output.want.video.frame_rate if isinstance(output.want, Video) else None
    if shown is None or not isinstance(promised, Video) or promised.video.duration is None or rate is None:
        return Fraction(0)
    end = shown + (have.video.start or 0) - lead(have)
    if output.span is not None:
        end = min(end, output.span[1]) - output.span[0]
    missing = promised.video.duration - end
    return missing + 2 / rate if missing > 1 / (2 * rate) else Fraction(0)


def stop_at(output: Output, have: Video) -> Fraction:
    """Seconds to stop at: the promised length where something is cut off or held, else with room to spare, so that a copied track keeps its
    last packets; a gap in the time stamps cannot fill the disk in either case."""
    lengths = [promise.value for promise in output.promises if isinstance(promise, Near) and promise.fact in ("duration", "video.duration")]
    exact = output.span is not None or missing_time(output, have) > 0
    return max(lengths, default=Fraction(0)) + (0 if exact else _ROOM)


def _promised(output: Output, path: str) -> Fraction | None:
    return next((Fraction(p.value) for p in output.promises if isinstance(p, Near) and p.fact == path), None)
