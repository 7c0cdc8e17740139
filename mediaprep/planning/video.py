"""What the planner knows of videos: spans to cut, and what is promised of a video that is written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from mediaprep.model import containers, units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, Range
from mediaprep.model.media import Video
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement
from mediaprep.model.tolerance import AtMost, AtMostBytes, Near, Tolerance
from mediaprep.targets.video import (
    PRIMING,
    affordable_bit_rate,
    audio_lead,
    encoding,
    picture_encoded,
    remuxed,
    size_for_byte_limit,
    sound_encoded,
    starts_with_picture,
    target_size,
    unknown_timing,
)

Span = tuple[Fraction, Fraction]
EDGE = Fraction(
    1, 20
)  # sound may outlast the picture by two AAC frames (priming and padding; 1024 samples, 23 ms at 44.1 kHz)
_PROFILE_5 = "Dolby Vision profile 5 has no compatible base layer: its colours cannot be converted"
_LEAST_PICTURE = (
    16_000  # bit/s: with less x264 gives no picture worth seeing, or none at all (a guess)
)
TRUE_PEAK = -1  # dBTP that loudness normalisation keeps below: EBU R 128 s2, streaming
_LOUDNESS_STEP = (
    0.5  # LU that are not worth an encode: EBU R 128 allows as much for what is not live
)
MOST_PARTS = 1000  # of one video, 38 hours at 139.9 s: a file whose header claims years is not planned part by part (a guess)
_ROUNDING = Fraction(1, 20)  # of a frame, by which rounded time stamps may miss it
_LOUDNESS_TRIED = 24.0  # LU: peaks, parts, or what the encoder leaves out of noise may stand in the way: what is missed is told
_AT_ZERO = Fraction(1, 1000)  # seconds
_LATEST_CUT = 15  # seconds before a part's end in which a shot change is looked for
_IN_MP4 = ("h264", "hevc", "av1", "vp9", "mpeg4")
_SOUND_IN_MP4 = ("aac", "mp3", "ac3", "eac3", "alac", "flac", "opus")


def spans(
    source: Video, placement: Placement, options: Options
) -> tuple[Span | None, ...] | Refused:
    """The spans of the source to make files of, in seconds from its start; (None,) = all of it in one."""
    length, target = source.duration, encoding(placement)
    requirement = placement.requirements.get("video-duration")
    limit = requirement.limit if requirement else None
    longest = limit.max if isinstance(limit, Range) else None
    if options.trim is None and not options.split:
        return (None,)
    if length is None:
        return unknown_timing(source)
    if options.trim == "first":
        if longest is None or length <= longest:
            return (None,)
        span = Fraction(0), target.trim_to
        return (snapped(source, span, options.snap, longest) or span,)
    start, end = (Fraction(0), length) if options.trim is None else options.trim
    end = min(end, length)
    if not 0 <= start < end:
        span_text = f"{units.duration_text(start)} to {units.duration_text(end)}"
        return Refused(
            reason=f"--trim asks for {span_text}; the video is {units.duration_text(length)} long"
        )
    if options.split and longest is not None and end - start > longest:
        if (end - start) / encoding(placement).trim_to > MOST_PARTS:
            return Refused(
                reason=f"{units.duration_text(end - start)} would become more than {MOST_PARTS} parts",
                remedies=("--trim START-END",),
            )
        return _parts(source, (start, end), placement)
    if longest is not None and end - start > longest:
        return Refused(
            reason=f"the span asked for is {units.duration_text(end - start)} long, {units.duration_text(longest)} are allowed",
            remedies=("--split",),
        )
    if start == 0 and end == length:
        return (None,)
    if start >= (last := _picture_end(source, length)):
        return Refused(
            reason=f"--trim begins at {units.duration_text(start)}; the picture ends at {units.duration_text(last)}"
        )
    return (
        snapped(source, (start, end), options.snap, longest)
        or _whole_frames_of(source, (start, end)),
    )


def _whole_frames_of(source: Video, span: Span) -> Span:
    """The span from the frame that is shown at its start, and of one frame at the least."""
    start, end = (
        edge if edge in (0, source.duration) else _on_frames((edge,), source)[0] for edge in span
    )
    rate = source.video.frame_rate
    if rate is not None and start >= min(end, _picture_end(source, end)):
        start = _on_frames((min(span[0], _picture_end(source, end)) - 1 / rate,), source)[0]
    return (max(start, Fraction(0)), end) if end > start else span


def _picture_end(source: Video, otherwise: Fraction) -> Fraction:
    """Seconds from the file's start at which the last frame ends."""
    shown = source.video.duration
    return (
        otherwise
        if shown is None
        else max(Fraction(0), (source.video.start or Fraction(0)) - audio_lead(source)) + shown
    )


def snapped(
    source: Video, span: Span, most: Fraction | None, longest: Fraction | None
) -> Span | None:
    """The span with its start moved to an IDR and its end to one (or to the file's end), each by at most ``most`` seconds, where what lies
    between can be copied and is at most ``longest``, its sound included; None where it cannot."""
    times, length = source.keyframes or (), source.duration
    if most is None or length is None or not times or not _cut_by_packets(source):
        return None
    start = _nearest(times, span[0])
    ends = tuple(
        time
        for time in (*times, length)
        if start < time and (longest is None or time - start <= longest - EDGE)
    )
    end = _nearest(ends, span[1]) if ends else start
    return (
        (start, end)
        if abs(start - span[0]) <= most and abs(end - span[1]) <= most and start < end
        else None
    )


def _nearest(times: tuple[Fraction, ...], wished: Fraction) -> Fraction:
    return min(times, key=lambda time: float(abs(time - wished)))


def _cut_by_packets(source: Video) -> bool:
    """Whether packets can be cut from it: its groups of pictures are closed, and time counts from 0 for picture and sound."""
    starts = (source.video.start, None if source.audio is None else source.audio.start)
    at_zero = all(abs(start or Fraction(0)) <= _AT_ZERO for start in starts)
    closed = (
        source.video.gop.structure == "closed"
        and source.video.codec == "h264"
        and source.video.timestamps == "ok"
    )
    return closed and at_zero and containers.of(source.container.format).mp4_packets


def copied_span(source: Video, span: Span | None) -> bool:
    """Whether the span begins and ends where packets can be cut."""
    times = source.keyframes or ()
    return (
        _cut_by_packets(source)
        and span is not None
        and span[0] in times
        and (span[1] in times or span[1] == source.duration)
    )


def _parts(source: Video, span: Span, placement: Placement) -> tuple[Span, ...]:
    """The fewest parts of at most 139.9 s (140 s where that saves a part), each cut at the last shot change of its last 15 s, else at its
    end.
    """
    target = encoding(placement)
    start, end = span
    longest, widest = (
        _whole_frames(seconds, source) for seconds in (target.trim_to, target.part_at_most)
    )
    if math.ceil((end - start) / widest) < math.ceil((end - start) / longest):
        longest = widest
    least = _shortest(placement)
    cuts: list[Fraction] = [start]
    while end - cuts[-1] > longest:
        here = cuts[-1]
        left = math.ceil((end - here) / longest) - 1
        latest = min(here + longest, end - least)
        earliest = max(here + longest - _LATEST_CUT, end - left * longest)
        if left == 1 and earliest <= (seen := _picture_end(source, end) - least) < latest:
            latest = seen  # of a longer sound: no part is without a picture
        shots = [
            shot for shot in _on_frames(source.shots or (), source) if earliest <= shot <= latest
        ]
        cuts.append(max(shots) if shots else max(_on_frames((latest,), source), default=latest))
    return tuple(zip(cuts, [*cuts[1:], end], strict=True))


def _whole_frames(seconds: Fraction, source: Video) -> Fraction:
    rate = source.video.frame_rate
    return seconds if rate is None or seconds * rate < 1 else math.floor(seconds * rate) / rate


def _on_frames(times: tuple[Fraction, ...], source: Video) -> tuple[Fraction, ...]:
    """The times, each at the frame that begins then: containers round their stamps. As they are where the rate is not constant."""
    rate = source.video.frame_rate
    if rate is None or source.video.rate_mode != "cfr":
        return times
    first = max(Fraction(0), (source.video.start or Fraction(0)) - audio_lead(source))
    return tuple(
        first + math.floor((time - first) * rate + Fraction(1, 4)) / rate for time in times
    )


def _shortest(placement: Placement) -> Fraction:
    """Seconds that a part has at the least: what the placement takes, and a frame of any usual rate."""
    requirement = placement.requirements.get("video-duration")
    limit = requirement.limit if requirement else None
    return max(Fraction(1), limit.min) if isinstance(limit, Range) and limit.min else Fraction(1)


def with_declared_facts(source: Video, options: Options) -> Video:
    """The facts with the timing that the user tells of a stream that carries none."""
    rate, count = source.video.frame_rate or options.frame_rate, source.video.frame_count
    if source.video.timestamps != "missing" or rate is None or count is None:
        return source
    length = count / rate
    sound = None if source.audio is None else source.audio.duration
    whole = length if sound is None else max(length, sound)
    return replace(
        source,
        duration=whole,
        video=replace(source.video, frame_rate=rate, start=Fraction(0), duration=length),
    )


def requested_changes(source: Video, span: Span | None, case: Case) -> Iterator[tuple[str, Video]]:
    """What the user's wishes alone make of the facts, wish by wish: the option that asks and the video wanted from there on."""
    target, options = source, case.options
    if source.video.timestamps == "missing" and source.video.frame_rate is not None:
        target = picture_encoded(target, case)
        yield "--frame-rate", target
    if span is not None:
        by_packet = (
            options.snap is not None and copied_span(source, span) and not target.video.reencode
        )
        target = _cut_by_packet(target, span) if by_packet else cut(target, span, case)
        yield "--trim" if options.trim is not None else "--split", target
    if options.rung is not None and target_size(target, case) != target.video.display_size:
        target = picture_encoded(target, case)
        yield "--rung", target
    if target.audio is not None and not target.audio.reencode and _other_loudness(source, options):
        target = sound_encoded(target, case)
        yield "--loudness", target
    if (
        options.max_size is not None
        and source.size_bytes is not None
        and source.size_bytes > options.max_size
    ):
        yield "--max-size", picture_encoded(target, case)


def _other_loudness(source: Video, options: Options) -> bool:
    measured = None if source.audio is None else source.audio.loudness
    return (
        options.loudness is not None
        and measured is not None
        and abs(measured - float(options.loudness)) > _LOUDNESS_STEP
    )


def loudness_kept(source: Video, options: Options) -> bool:
    """Whether one gain brings the whole sound to the loudness asked for, its peaks under full scale."""
    audio = source.audio
    if (
        options.loudness is None
        or audio is None
        or audio.loudness is None
        or audio.true_peak is None
        or options.trim == "first"
    ):
        return False
    return (
        not options.split
        and audio.true_peak + float(options.loudness) - audio.loudness <= TRUE_PEAK
    )


def unsatisfiable(
    source: Video, target: Video, tolerances: tuple[Tolerance, ...], placement: Placement
) -> tuple[str, Refused] | None:
    """Why the wanted video cannot be made of this one, with the rule that it belongs to; None: it can."""
    if (
        target.audio is not None
        and target.audio.reencode
        and source.audio is not None
        and source.audio.decodable is False
    ):
        return "audio-codec", Refused(
            reason="the sound would have to be encoded, and no frame of it decodes: damaged or encrypted"
        )
    if not target.video.reencode:
        return None
    if any(
        hdr.name == "Dolby Vision" and hdr.profile == 5 for hdr in source.video.colour.hdr or ()
    ):
        return "video-hdr", Refused(reason=_PROFILE_5)
    if any(
        track.chosen and track.encrypted
        for track in source.container.tracks or ()
        if track.kind == "video"
    ):
        return "video-codec", Refused(
            reason="the picture would have to be encoded, and it is encrypted"
        )
    if target.video.frame_rate is None:
        return "video-frame-rate", unknown_timing(source)
    if target.video.display_size is None:
        return "video-dimensions", Refused(
            reason="the picture's size cannot be told, so it cannot be encoded"
        )
    return _too_few_bytes(target, tolerances, placement)


def _too_few_bytes(
    target: Video, tolerances: tuple[Tolerance, ...], placement: Placement
) -> tuple[str, Refused] | None:
    length = next(
        (p.value for p in tolerances if isinstance(p, Near) and p.fact == "duration"), None
    )
    limits = [p.limit for p in tolerances if isinstance(p, AtMostBytes)]
    if not length or not limits or target.video.display_size is None:
        return None
    sound = (
        0
        if target.audio is None
        else encoding(placement).ladder.holding(target.video.display_size).audio_bit_rate
    )
    if affordable_bit_rate(min(limits), length, sound, target.video.frame_rate) >= _LEAST_PICTURE:
        return None
    least = (
        int(length * (_LEAST_PICTURE + sound) / 8)
        + min(limits)
        - int((affordable_bit_rate(min(limits), length, 0, target.video.frame_rate)) * length / 8)
    )
    return "video-size", Refused(
        reason=f"{min(limits)} bytes are too few for {units.duration_text(length)}: about {least} are needed",
        remedies=("--trim START-END",),
    )


def cut(source: Video, span: Span | None, case: Case) -> Video:
    """The facts of the span, made anew; the source's own where the span is all."""
    if span is None:
        return source
    made = sound_encoded(picture_encoded(source, case), case)
    length = span[1] - span[0]
    rate = made.video.frame_rate
    shown = length if rate is None else max(1, math.floor(length * rate + _ROUNDING)) / rate
    audio = None if made.audio is None else replace(made.audio, duration=None)
    return replace(
        made, duration=shown, video=replace(made.video, duration=shown), audio=audio, shots=None
    )


def _cut_by_packet(source: Video, span: Span) -> Video:
    """The facts of the span, copied; what depends on which packets are kept is left free."""
    length = span[1] - span[0]
    video = replace(
        source.video, start=Fraction(0), duration=length, frame_count=None,
        gop=replace(source.video.gop, count=None, length_min=None, length_mean=None, length_max=None, reorder_depth=None),
    )  # fmt: skip
    audio = None if source.audio is None else replace(source.audio, duration=None)
    return replace(
        source,
        size_bytes=None,
        duration=length,
        video=video,
        audio=audio,
        shots=None,
        keyframes=None,
    )


def derive(source: Video, target: Video, case: Case) -> tuple[Video, tuple[Tolerance, ...]]:
    """The wanted facts as they will be written, and the promises about what they leave free. The source itself, and none, where nothing
    changes.
    """
    if target == source and not target.video.reencode:
        return target, ()
    if not target.video.reencode and not _copies(source, case):
        target = picture_encoded(target, case)
    if (
        target.audio is not None
        and not target.audio.reencode
        and (target.audio.codec not in _SOUND_IN_MP4 or _edit_needed(source, target))
    ):
        target = sound_encoded(target, case)
    if target.video.reencode and (
        size := size_for_byte_limit(target, _written_limit(case), case)
    ) not in (
        None,
        target.video.display_size,
    ):
        target = replace(target, video=replace(target.video, width=size[0], height=size[1]))
    settled = replace(remuxed(target), private=None if case.options.keep_metadata else ())
    tolerances: list[Tolerance] = []
    if (most := _written_limit(case)) is not None:
        tolerances.append(AtMostBytes(limit=most))
    frame = 1 / target.video.frame_rate if target.video.frame_rate else Fraction(1, 24)
    if (
        target.audio is not None
        and target.audio.reencode
        and case.options.loudness is not None
        and source.audio
        and source.audio.loudness is not None
    ):
        tolerances.append(
            Near(
                fact="audio.loudness", value=float(case.options.loudness), tolerance=_LOUDNESS_TRIED
            )
        )
    if target.duration is not None:
        tolerances.append(
            Near(
                fact="duration",
                value=target.duration - _late(source, target),
                tolerance=frame + EDGE,
            )
        )
    if target.video.duration is not None:
        tolerances.append(
            Near(
                fact="video.duration",
                value=target.video.duration,
                tolerance=2 * frame if target.video.reencode else frame,
            )
        )
    video = replace(settled.video, duration=None, bit_rate=None, frame_rate_average=None)
    if settled.video.reencode:
        tolerances += _encoded_promises(target, frame, case.placement)
        video = replace(video, start=None)
    else:
        if audio_lead(source) or starts_with_picture(source):
            tolerances.append(Near(fact="video.start", value=Fraction(0), tolerance=frame / 2))
        if video.frame_rate is not None and video.timestamps == "ok":
            tolerances.append(
                Near(
                    fact="video.frame_rate",
                    value=video.frame_rate,
                    tolerance=video.frame_rate / 500,
                )
            )
            video = replace(video, frame_rate=None)
        video = replace(
            video, start=None, frame_rate_peak=None, jitter_frames=None, frame_rate_burst=None, timestamps=None, scan_content=None,
            parity=None, faults=None, rate_mode=None,
            gop=replace(video.gop, first_open=None, keyframe_interval_max=None, pattern=None),
        )  # fmt: skip
    audio = settled.audio
    if audio is not None:
        audio = replace(
            audio,
            start=None,
            duration=None,
            bit_rate=None,
            profile=audio.profile or None,
            loudness=None,
            loudness_range=None,
            true_peak=None,
            loudness_threshold=None,
        )
    return replace(settled, video=video, audio=audio, duration=None, shots=None), tuple(tolerances)


def _edit_needed(source: Video, target: Video) -> bool:
    """Whether a copied sound would begin so late that only a delaying edit list could say so, where the source itself has none to keep."""
    if source.audio is None or source.audio.start is None or source.video.start is None:
        return False
    written_anew = target.video.reencode or not containers.of(source.container.format).edit_lists
    return written_anew and source.audio.start - source.video.start > PRIMING


def _late(source: Video, target: Video) -> Fraction:
    """Seconds before anything is presented that the duration counts (FLV with reordered frames), which a copy leaves out; 0 where the times
    were changed already."""
    if target.video.reencode or target.duration != source.duration or source.video.start is None:
        return Fraction(0)
    spans = [
        (part.start, part.duration)
        for part in (source.video, source.audio)
        if part is not None and part.start is not None
    ]
    first = min(start for start, _ in spans)
    counted = (source.duration or first) - max(
        start + (length or 0) - first for start, length in spans
    )
    return max(Fraction(0), min(first, counted))


def _encoded_promises(target: Video, frame: Fraction, placement: Placement) -> list[Tolerance]:
    tolerances: list[Tolerance] = [Near(fact="video.start", value=Fraction(0), tolerance=frame)]
    rate = target.video.frame_rate
    if rate is not None:
        tolerances.append(
            AtMost(
                fact="video.gop.length_max",
                value=math.ceil(encoding(placement).keyframe_seconds * rate),
            )
        )
        if target.video.duration is not None:
            tolerances.append(
                Near(
                    fact="video.frame_count", value=round(target.video.duration * rate), tolerance=2
                )
            )
    return tolerances


def _written_limit(case: Case) -> int | None:
    requirement = case.placement.requirements.get("video-size")
    limits = (
        [requirement.limit.written]
        if requirement and isinstance(requirement.limit, ByteLimit)
        else []
    )
    if case.options.max_size is not None:
        limits.append(case.options.max_size)
    return min(limits, default=None)


def _copies(source: Video, case: Case) -> bool:
    """Whether the picture can be copied into the MP4 that is written. It keeps its bytes: a source between N x 10^6 and N x 2^20 is fine
    where it is, but not as something we write. Without usable time stamps a copy would play in the wrong order."""
    most = _written_limit(case)
    small = most is None or source.size_bytes is None or source.size_bytes <= most
    return (
        small
        and source.video.codec in _IN_MP4
        and source.video.timestamps not in ("missing", "broken")
    )
