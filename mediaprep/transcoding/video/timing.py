"""From the source's fields, rates and gaps to evenly spaced progressive frames. Pure."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.model import containers
from mediaprep.model.media import Video, VideoStream
from mediaprep.model.tolerance import Near, fill_in
from mediaprep.planning.plan import Output
from mediaprep.targets.video import audio_lead
from mediaprep.tools.ffmpeg import Filter, seconds
from mediaprep.transcoding.video.cutting import by_packet

_ROOM = Fraction(1)  # second
_BEFORE = Fraction(1, 500)  # seconds: Matroska rounds to 1 ms
_MILLISECOND = Fraction(1, 1000)
_FADE = Fraction(3, 1000)  # seconds
_AHEAD = Fraction(1, 10)  # seconds before a cut that are read even of those
_LEAST_AHEAD = Fraction(
    5
)  # seconds, of the others: transport streams land up to two key frames late
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
        return [
            Filter(
                name="bwdif",
                options={
                    "mode": "send_field" if fields else "send_frame",
                    "parity": parity,
                    "deint": "all",
                },
            )
        ]
    return []


def rounded_rate(source_media: Video) -> Fraction | None:
    """The even rate of a picture whose container rounds times to milliseconds; None where it has none, or nothing is rounded, or its start
    is off the places that frames of that rate have, so that to round it would shift it against the sound. Copied as they are, 60 frames a
    second average 60.02."""
    rate, start = source_media.video.frame_rate, source_media.video.start
    even = (
        source_media.video.rate_mode == "cfr"
        and source_media.video.timestamps == "ok"
        and containers.of(source_media.container.format).millisecond_times
    )
    if rate is None or start is None or not even or (1000 / rate).denominator == 1:
        return None
    sounds = (
        start
        if source_media.audio is None or source_media.audio.start is None
        else source_media.audio.start
    )
    begins = (
        start - min(start, sounds) - audio_lead(source_media)
    )  # ffmpeg counts from whatever comes first
    return rate if abs(begins - round(begins * rate) / rate) <= _MILLISECOND else None


def seek(output: Output, source_media: Video) -> tuple[Fraction, Fraction] | None:
    """Where reading starts, in seconds, and for how long it goes on; None: all is read. It starts ahead of a span, which filters cut."""
    if output.span is None:
        return None
    start, end = output.span
    if by_packet(output):
        return Fraction(0), end + _ROOM
    ahead = _AHEAD
    if not containers.of(source_media.container.format).indexed:
        apart = source_media.video.gop.keyframe_interval_max
        ahead = start if apart is None else max(_LEAST_AHEAD, 2 * apart + 1)
    start = Fraction(0) if _counted(source_media) else max(Fraction(0), start - ahead)
    return start, end - start


def clock_filters(output: Output, source_media: Video) -> list[Filter]:
    """Before anything else: frames without usable times are counted; what lies outside the span, or behind a gap beyond the end, is let
    go before gaps are filled. A cut falls a little before the frame that it means, so that rounded stamps lie on the right side."""
    filters = []
    rate = source_media.video.frame_rate or output.options.frame_rate
    if _counted(source_media) and rate is not None:
        filters.append(
            Filter(name="setpts", options={"expr": f"N*{rate.denominator}/({rate.numerator}*TB)"})
        )
    if (read := seek(output, source_media)) is not None and output.span is not None:
        before = min(_BEFORE, Fraction(1, 4) / (rate or 1))
        edges = _edges(output, source_media, read[0])
        cut = {key: seconds(value - before) for key, value in edges.items() if value > 0}
        return [
            *filters,
            *([Filter(name="trim", options=cut)] if cut else []),
            *_shifted("setpts", edges["start"]),
        ]
    whole = _promised(output, "video.duration")
    if whole is not None:
        filters.append(Filter(name="trim", options={"end": seconds(whole + _ROOM)}))
    return filters


def _counted(source_media: Video) -> bool:
    """Frames are counted from the first one on, for want of usable times."""
    return source_media.video.timestamps in ("missing", "broken")


def sound_cut(output: Output, source_media: Video) -> list[Filter]:
    """The span of the sound, by samples. Its cut ends are faded: AAC makes a crackle of 0.2 of full scale of a step, none of 3 ms."""
    read = seek(output, source_media)
    if read is None or output.span is None:
        return []
    edges = _edges(output, source_media, read[0])
    cut = {key: seconds(value) for key, value in edges.items() if value > 0}
    filters = [
        *([Filter(name="atrim", options=cut)] if cut else []),
        *_shifted("asetpts", edges["start"]),
    ]
    if output.span[0] > 0:
        filters.append(
            Filter(
                name="afade", options={"type": "in", "start_time": 0, "duration": seconds(_FADE)}
            )
        )
    if "end" in edges:
        fade = {
            "type": "out",
            "start_time": seconds(output.span[1] - output.span[0] - _FADE),
            "duration": seconds(_FADE),
        }
        filters.append(Filter(name="afade", options=fade))
    return filters


def _edges(output: Output, source_media: Video, read_from: Fraction) -> dict[str, Fraction]:
    """The span's ends after the shift that reading from there on makes; no end where it is the file's."""
    start, end = output.span or (Fraction(0), Fraction(0))
    last = source_media.duration is not None and end >= source_media.duration
    return (
        {"start": start - read_from}
        if last
        else {"start": start - read_from, "end": end - read_from}
    )


def _shifted(name: str, start: Fraction) -> list[Filter]:
    return (
        [Filter(name=name, options={"expr": f"PTS-{start.numerator}/({start.denominator}*TB)"})]
        if start > 0
        else []
    )


def constant_rate(output: Output, source_media: Video) -> list[Filter]:
    """One frame at each tick of the wanted rate from 0 on: the one that is nearest in time; a late picture's first and the last one are
    held. As many as are promised."""
    target = output.target
    rate = target.video.frame_rate if isinstance(target, Video) else None
    if rate is None:
        raise ValueError("no frame rate is wanted")
    filters = [
        Filter(
            name="fps",
            options={
                "fps": f"{rate.numerator}/{rate.denominator}",
                "start_time": 0,
                "round": "near",
            },
        )
    ]
    if (count := _promised(output, "video.frame_count")) is None:
        return filters
    held = int(missing_time(output, source_media) * rate) + _SPARE
    return [
        *filters,
        Filter(name="tpad", options={"stop_mode": "clone", "stop": held}),
        Filter(name="trim", options={"end_frame": int(count)}),
    ]


def missing_time(output: Output, source_media: Video) -> Fraction:
    """Seconds to hold the last frame for, with a frame to spare: what the promised length has more than the source shows."""
    promised = fill_in(output.target, output.tolerances)
    shown, rate = (
        source_media.video.duration,
        output.target.video.frame_rate if isinstance(output.target, Video) else None,
    )
    if (
        shown is None
        or not isinstance(promised, Video)
        or promised.video.duration is None
        or rate is None
    ):
        return Fraction(0)
    end = shown + (source_media.video.start or 0) - audio_lead(source_media)
    if output.span is not None:
        end = min(end, output.span[1]) - output.span[0]
    missing = promised.video.duration - end
    return missing + 2 / rate if missing > 1 / (2 * rate) else Fraction(0)


def stop_at(output: Output, source_media: Video) -> Fraction:
    """Seconds to stop at: the promised length where something is cut off or held, else with room to spare, so that a copied track keeps its
    last packets; a gap in the time stamps cannot fill the disk in either case."""
    lengths = [
        tolerance.value
        for tolerance in output.tolerances
        if isinstance(tolerance, Near) and tolerance.fact in ("duration", "video.duration")
    ]
    exact = output.span is not None or missing_time(output, source_media) > 0
    return max(lengths, default=Fraction(0)) + (0 if exact else _ROOM)


def _promised(output: Output, path: str) -> Fraction | None:
    return next(
        (Fraction(p.value) for p in output.tolerances if isinstance(p, Near) and p.fact == path),
        None,
    )
