"""From fields, variable rates and gaps to progressive frames at a constant rate, and the cut of a
span. Pure.
"""

from __future__ import annotations

from fractions import Fraction

from mediaprep.model import containers
from mediaprep.model.media import Video, VideoStream
from mediaprep.model.tolerance import Near, fill_in
from mediaprep.planning.plan import Output
from mediaprep.targets.video import audio_lead
from mediaprep.tools.ffmpeg import Filter, seconds
from mediaprep.transcoding.video.cutting import copies_span

_MARGIN = Fraction(1)  # seconds that are read or written beyond the end, for the last packets
_ROUNDING = Fraction(1, 500)  # seconds: Matroska rounds timestamps to 1 ms
_MILLISECOND = Fraction(1, 1000)
_FADE = Fraction(3, 1000)  # seconds at the ends of cut sound
_SEEK_AHEAD = Fraction(1, 10)  # seconds before the span to seek to, in an indexed format
# In a format without an index: transport streams land up to two keyframes late.
_MIN_SEEK_AHEAD = Fraction(5)
_SPARE_FRAMES = 2  # repeated at the end beyond what is missing; surplus frames are cut off


def deinterlace_filters(video: VideoStream, rate: Fraction | None) -> list[Filter]:
    """Return the filters from fields to frames. Interlaced pictures give a frame for each field if
    ``rate`` is twice the source's; telecine is reversed; PsF is only flagged as progressive.
    """
    if video.scan == "psf":
        return [Filter(name="setfield", options={"mode": "prog"})]
    parity = video.parity or (video.scan_flags if video.scan_flags in ("tff", "bff") else "auto")
    if video.scan == "telecine":
        order = parity if parity in ("tff", "bff") else "auto"
        return [
            Filter(name="fieldmatch", options={"order": order}),
            Filter(name="yadif", options={"deint": "interlaced"}),
            Filter(name="decimate"),
        ]
    if video.scan == "interlaced":
        fields = rate is not None and video.frame_rate is not None and rate >= 2 * video.frame_rate
        mode = "send_field" if fields else "send_frame"
        options = {"mode": mode, "parity": parity, "deint": "all"}
        return [Filter(name="bwdif", options=options)]
    return []


def rounded_rate(source: Video) -> Fraction | None:
    """Return the constant rate of a picture whose container rounds timestamps to milliseconds: a
    copy restores the exact times, since 60 fps would otherwise average 60.02.

    Return None if the rate is not constant or nothing is rounded, or if the first frame does not
    start on a frame time: then the exact times would shift the picture against the sound.
    """
    video = source.video
    if not containers.of(source.container.format).millisecond_times:
        return None
    if video.rate_mode != "cfr" or video.timestamps != "ok":
        return None
    rate, start = video.frame_rate, video.start
    if rate is None or start is None or (1000 / rate).denominator == 1:
        return None
    sound_start = source.audio.start if source.audio is not None else None
    earliest = start if sound_start is None else min(start, sound_start)
    begin = start - earliest - audio_lead(source)  # ffmpeg counts from the earliest stream
    return rate if abs(begin - round(begin * rate) / rate) <= _MILLISECOND else None


def read_window(output: Output, source: Video) -> tuple[Fraction, Fraction] | None:
    """Return where reading starts and how long it lasts, in seconds; None if all is read.

    Reading starts ahead of the span; filters make the exact cut.
    """
    if output.span is None:
        return None
    start, end = output.span
    if copies_span(output):
        return Fraction(0), end + _MARGIN
    ahead = _SEEK_AHEAD
    if not containers.of(source.container.format).indexed:
        interval = source.video.gop.keyframe_interval_max
        ahead = start if interval is None else max(_MIN_SEEK_AHEAD, 2 * interval + 1)
    begin = Fraction(0) if _counts_frames(source) else max(Fraction(0), start - ahead)
    return begin, end - begin


def clock_filters(output: Output, source: Video) -> list[Filter]:
    """Return the filters that come first: number frames without usable timestamps, and cut the
    span, or a gap in the timestamps beyond the end, before gaps are filled.

    The cut lies a little before the first frame, so that a rounded timestamp is on the right side.
    """
    filters = []
    rate = source.video.frame_rate or output.options.frame_rate
    if _counts_frames(source) and rate is not None:
        expression = f"N*{rate.denominator}/({rate.numerator}*TB)"
        filters.append(Filter(name="setpts", options={"expr": expression}))
    window = read_window(output, source)
    if window is not None and output.span is not None:
        start, end = _span_from(window[0], output.span, source)
        rounding = min(_ROUNDING, Fraction(1, 4) / (rate or 1))
        filters += _trim_filters("trim", start, end, rounding)
        return [*filters, *_restart_clock("setpts", start)]
    duration = _planned(output, "video.duration")
    if duration is not None:
        filters.append(Filter(name="trim", options={"end": seconds(duration + _MARGIN)}))
    return filters


def sound_cut_filters(output: Output, source: Video) -> list[Filter]:
    """Return the filters that cut the span of the sound by samples.

    Cut ends are faded over 3 ms: AAC turns a step into a click of 0.2 of full scale.
    """
    window = read_window(output, source)
    if window is None or output.span is None:
        return []
    start, end = _span_from(window[0], output.span, source)
    filters = [*_trim_filters("atrim", start, end), *_restart_clock("asetpts", start)]
    if output.span[0] > 0:
        filters.append(_fade("in", Fraction(0)))
    if end is not None:
        filters.append(_fade("out", output.span[1] - output.span[0] - _FADE))
    return filters


def constant_rate_filters(output: Output, source: Video) -> list[Filter]:
    """Return the filters that give one frame for each tick of the target's rate from time 0 on:
    the nearest in time. The first frame of a late picture and the last frame are repeated, up to
    the planned number of frames.
    """
    rate = output.target.video.frame_rate if isinstance(output.target, Video) else None
    if rate is None:
        raise ValueError("the target has no frame rate")
    fps = f"{rate.numerator}/{rate.denominator}"
    filters = [Filter(name="fps", options={"fps": fps, "start_time": 0, "round": "near"})]
    count = _planned(output, "video.frame_count")
    if count is None:
        return filters
    repeats = int(missing_time(output, source) * rate) + _SPARE_FRAMES
    return [
        *filters,
        Filter(name="tpad", options={"stop_mode": "clone", "stop": repeats}),
        Filter(name="trim", options={"end_frame": int(count)}),
    ]


def missing_time(output: Output, source: Video) -> Fraction:
    """Return the seconds for which the last frame is repeated: what the planned picture has more
    than the source shows, and two frames to spare; 0 if nothing is missing.
    """
    planned = fill_in(output.target, output.tolerances)
    if not isinstance(output.target, Video) or not isinstance(planned, Video):
        return Fraction(0)
    rate, shown = output.target.video.frame_rate, source.video.duration
    if rate is None or shown is None or planned.video.duration is None:
        return Fraction(0)
    end = shown + (source.video.start or 0) - audio_lead(source)
    if output.span is not None:
        end = min(end, output.span[1]) - output.span[0]
    missing = planned.video.duration - end
    return missing + 2 / rate if missing > 1 / (2 * rate) else Fraction(0)


def stop_at(output: Output, source: Video) -> Fraction:
    """Return the time in seconds at which ffmpeg stops writing: the planned duration if something
    is cut or repeated, else a second more, so that a copied track keeps its last packets. Either
    way a gap in the timestamps cannot fill the disk.
    """
    lengths = [_planned(output, name) or Fraction(0) for name in ("duration", "video.duration")]
    exact = output.span is not None or missing_time(output, source) > 0
    return max(lengths) + (0 if exact else _MARGIN)


def _counts_frames(source: Video) -> bool:
    """Return True if frames are numbered from the first on, because timestamps are unusable."""
    return source.video.timestamps in ("missing", "broken")


def _span_from(
    begin: Fraction, span: tuple[Fraction, Fraction], source: Video
) -> tuple[Fraction, Fraction | None]:
    """Return the span in times since ``begin``. The end is None if it is the end of the file."""
    start, end = span
    if source.duration is not None and end >= source.duration:
        return start - begin, None
    return start - begin, end - begin


def _trim_filters(
    name: str, start: Fraction, end: Fraction | None, rounding: Fraction = Fraction(0)
) -> list[Filter]:
    options = {}
    if start > 0:
        options["start"] = seconds(start - rounding)
    if end is not None and end > 0:
        options["end"] = seconds(end - rounding)
    return [Filter(name=name, options=options)] if options else []


def _restart_clock(name: str, start: Fraction) -> list[Filter]:
    """Return the filter (setpts or asetpts) that counts time from ``start``."""
    if start <= 0:
        return []
    expression = f"PTS-{start.numerator}/({start.denominator}*TB)"
    return [Filter(name=name, options={"expr": expression})]


def _fade(direction: str, start: Fraction) -> Filter:
    begin = 0 if start == 0 else seconds(start)
    options = {"type": direction, "start_time": begin, "duration": seconds(_FADE)}
    return Filter(name="afade", options=options)


def _planned(output: Output, name: str) -> Fraction | None:
    """Return the value around which the plan allows a tolerance; None if the fact has none."""
    for item in output.tolerances:
        if isinstance(item, Near) and item.fact == name:
            return Fraction(item.value)
    return None
