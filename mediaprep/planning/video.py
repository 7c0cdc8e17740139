"""Planning for videos: spans to cut, requested changes, and the tolerances of an output."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from mediaprep.model import containers, units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, Range
from mediaprep.model.media import AudioStream, Video, VideoStream
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement
from mediaprep.model.tolerance import AtMost, AtMostBytes, Near, Tolerance
from mediaprep.targets.byte_budget import affordable_bit_rate
from mediaprep.targets.picture_size import encoding, size_for_byte_limit, target_size
from mediaprep.targets.video import (
    PRIMING,
    audio_lead,
    picture_encoded,
    remuxed,
    sound_encoded,
    starts_with_picture,
    unknown_timing,
)

Span = tuple[Fraction, Fraction]
TRUE_PEAK = -1  # dBTP that loudness normalisation stays below: EBU R 128 s2, streaming
# Seconds by which sound may outlast the picture: two AAC frames (priming and padding; 1024 samples
# are 23 ms at 44.1 kHz).
_SOUND_EXCESS = Fraction(1, 20)
# bit/s: with less, x264 produces no picture worth seeing, or none at all (a guess).
_PICTURE_BIT_RATE_MIN = 16_000
# LU that are not worth an encode: EBU R 128 tolerates as much for programmes that are not live.
_LOUDNESS_STEP = 0.5
# LU: peaks, parts, or noise that the encoder drops may prevent the requested loudness. The result
# is reported, not refused.
_LOUDNESS_TOLERANCE = 24.0
# Parts of one video, 38 hours at 139.9 s: a file whose header declares years is not planned part
# by part (a guess).
_PARTS_MAX = 1000
_ROUNDING = Fraction(1, 20)  # of a frame: error of rounded timestamps
_START_TOLERANCE = Fraction(1, 1000)  # seconds
_SHOT_SEARCH = 15  # seconds before the end of a part in which a shot change is searched for
_VIDEO_CODECS_IN_MP4 = ("h264", "hevc", "av1", "vp9", "mpeg4")
_AUDIO_CODECS_IN_MP4 = ("aac", "mp3", "ac3", "eac3", "alac", "flac", "opus")


def spans(
    source: Video, placement: Placement, options: Options
) -> tuple[Span | None, ...] | Refused:
    """Return the spans of the source to keep, in seconds from its start; (None,) = all of it."""
    length, longest = source.duration, _duration_max(placement)
    if options.trim is None and not options.split:
        return (None,)
    if length is None:
        return unknown_timing(source)
    if options.trim == "first":
        if longest is None or length <= longest:
            return (None,)
        first = Fraction(0), encoding(placement).trim_to
        return (snapped_span(source, first, options.snap, longest) or first,)
    start, end = (Fraction(0), length) if options.trim is None else options.trim
    end = min(end, length)
    if not 0 <= start < end:
        return Refused(
            reason=f"--trim requests {units.duration_text(start)} to {units.duration_text(end)}; "
            f"the video lasts {units.duration_text(length)}"
        )
    if longest is not None and end - start > longest:
        return _too_long(source, (start, end), placement, options, longest)
    if start == 0 and end == length:
        return (None,)
    if start >= (last := _picture_end(source, length)):
        return Refused(
            reason=f"--trim starts at {units.duration_text(start)}; "
            f"the picture ends at {units.duration_text(last)}"
        )
    snapped = snapped_span(source, (start, end), options.snap, longest)
    return (snapped or _on_whole_frames(source, (start, end)),)


def _too_long(
    source: Video, span: Span, placement: Placement, options: Options, longest: Fraction
) -> tuple[Span | None, ...] | Refused:
    """Return the parts of a span that is longer than the limit; refuse if it may not be split."""
    length = span[1] - span[0]
    if not options.split:
        return Refused(
            reason=f"the requested span lasts {units.duration_text(length)}, "
            f"at most {units.duration_text(longest)} are allowed",
            remedies=("--split",),
        )
    if length / encoding(placement).trim_to > _PARTS_MAX:
        return Refused(
            reason=f"{units.duration_text(length)} would give more than {_PARTS_MAX} parts",
            remedies=("--trim START-END",),
        )
    return _parts(source, span, placement)


def _duration_max(placement: Placement) -> Fraction | None:
    limit = placement.limit("video-duration")
    return limit.max if isinstance(limit, Range) else None


def _on_whole_frames(source: Video, span: Span) -> Span:
    """Return the span from the frame that is shown at its start, with at least one frame."""
    start, end = (
        edge if edge in (0, source.duration) else _frame_start(source, edge) for edge in span
    )
    rate = source.video.frame_rate
    if rate is not None and start >= min(end, _picture_end(source, end)):
        start = _frame_start(source, min(span[0], _picture_end(source, end)) - 1 / rate)
    return (max(start, Fraction(0)), end) if end > start else span


def _first_frame(source: Video) -> Fraction:
    """Return the seconds from the start of the file at which the first frame is shown."""
    return max(Fraction(0), (source.video.start or Fraction(0)) - audio_lead(source))


def _picture_end(source: Video, default: Fraction) -> Fraction:
    """Return the seconds from the start of the file at which the last frame ends.

    ``default``: the result if the duration of the picture is unknown.
    """
    shown = source.video.duration
    return default if shown is None else _first_frame(source) + shown


def snapped_span(
    source: Video, span: Span, most: Fraction | None, longest: Fraction | None
) -> Span | None:
    """Return the span moved to key frames, so that its packets can be copied.

    Its start moves to an IDR picture, its end to one or to the end of the file, each by at most
    ``most`` seconds. With its sound it lasts at most ``longest`` seconds. None: that is impossible.
    """
    times, length = source.keyframes or (), source.duration
    if most is None or length is None or not times or not _can_cut_packets(source):
        return None
    start = _nearest(times, span[0])
    ends = [time for time in (*times, length) if time > start]
    if longest is not None:
        ends = [time for time in ends if time - start <= longest - _SOUND_EXCESS]
    if not ends:
        return None
    end = _nearest(ends, span[1])
    return (start, end) if abs(start - span[0]) <= most and abs(end - span[1]) <= most else None


def _nearest(times: Sequence[Fraction], requested: Fraction) -> Fraction:
    return min(times, key=lambda time: float(abs(time - requested)))


def _can_cut_packets(source: Video) -> bool:
    """Return True if packets can be cut: closed GOPs, picture and sound starting at time 0."""
    starts = (source.video.start, None if source.audio is None else source.audio.start)
    return (
        source.video.gop.structure == "closed"
        and source.video.codec == "h264"
        and source.video.timestamps == "ok"
        and all(abs(start or Fraction(0)) <= _START_TOLERANCE for start in starts)
        and containers.of(source.container.format).mp4_packets
    )


def can_copy_span(source: Video, span: Span | None) -> bool:
    """Return True if the span starts and ends where packets can be cut."""
    if span is None or not _can_cut_packets(source):
        return False
    times = source.keyframes or ()
    return span[0] in times and (span[1] in times or span[1] == source.duration)


def _parts(source: Video, span: Span, placement: Placement) -> tuple[Span, ...]:
    """Divide a span into the fewest parts.

    A part lasts at most ``trim_to`` of the placement, or ``part_at_most`` if that saves a part. It
    ends at the last shot change of its last 15 s, or at its full length.
    """
    target = encoding(placement)
    start, end = span
    longest, widest = (
        _whole_frames(source, seconds) for seconds in (target.trim_to, target.part_at_most)
    )
    if math.ceil((end - start) / widest) < math.ceil((end - start) / longest):
        longest = widest
    shortest = _part_min(placement)
    cuts: list[Fraction] = [start]
    while end - cuts[-1] > longest:
        here = cuts[-1]
        parts_left = math.ceil((end - here) / longest) - 1
        latest = min(here + longest, end - shortest)
        earliest = max(here + longest - _SHOT_SEARCH, end - parts_left * longest)
        if parts_left == 1:
            # If the sound is longer than the picture, the last part must still have a picture.
            picture_limit = _picture_end(source, end) - shortest
            if earliest <= picture_limit < latest:
                latest = picture_limit
        shots = [
            shot for shot in _frame_starts(source, source.shots or ()) if earliest <= shot <= latest
        ]
        cuts.append(max(shots) if shots else _frame_start(source, latest))
    return tuple(zip(cuts, [*cuts[1:], end], strict=True))


def _whole_frames(source: Video, seconds: Fraction) -> Fraction:
    """Return the longest duration up to ``seconds`` that is a whole number of frames."""
    rate = source.video.frame_rate
    return seconds if rate is None or seconds * rate < 1 else math.floor(seconds * rate) / rate


def _frame_start(source: Video, time: Fraction) -> Fraction:
    return _frame_starts(source, (time,))[0]


def _frame_starts(source: Video, times: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Return for each time the start of the frame shown then, since containers round timestamps.

    The times are unchanged if the rate is not constant.
    """
    rate = source.video.frame_rate
    if rate is None or source.video.rate_mode != "cfr":
        return times
    first = _first_frame(source)
    return tuple(
        first + math.floor((time - first) * rate + Fraction(1, 4)) / rate for time in times
    )


def _part_min(placement: Placement) -> Fraction:
    """Return the seconds that a part lasts at least: the limit, or a second for any frame rate."""
    limit = placement.limit("video-duration")
    least = limit.min if isinstance(limit, Range) else None
    return max(Fraction(1), least or Fraction(0))


def with_declared_facts(source: Video, options: Options) -> Video:
    """Return the facts with the timing that the user declares for a stream without timestamps."""
    rate, count = source.video.frame_rate or options.frame_rate, source.video.frame_count
    if source.video.timestamps != "missing" or rate is None or count is None:
        return source
    picture = count / rate
    sound = None if source.audio is None else source.audio.duration
    return replace(
        source,
        duration=picture if sound is None else max(picture, sound),
        video=replace(source.video, frame_rate=rate, start=Fraction(0), duration=picture),
    )


def requested_changes(source: Video, span: Span | None, case: Case) -> Iterator[tuple[str, Video]]:
    """Yield each option that changes the facts, and the facts with all changes so far."""
    target, options = source, case.options
    if source.video.timestamps == "missing" and source.video.frame_rate is not None:
        target = picture_encoded(target, case)
        yield "--frame-rate", target
    if span is not None:
        snaps = options.snap is not None and can_copy_span(source, span)
        copies = snaps and not target.video.reencode
        target = _packets_cut(target, span) if copies else cut(target, span, case)
        yield "--trim" if options.trim is not None else "--split", target
    if options.rung is not None and target_size(target, case) != target.video.display_size:
        target = picture_encoded(target, case)
        yield "--rung", target
    copied_sound = target.audio is not None and not target.audio.reencode
    if copied_sound and _loudness_differs(source, options):
        target = sound_encoded(target, case)
        yield "--loudness", target
    most = options.max_size
    if most is not None and source.size_bytes is not None and source.size_bytes > most:
        yield "--max-size", picture_encoded(target, case)


def _loudness_differs(source: Video, options: Options) -> bool:
    measured = None if source.audio is None else source.audio.loudness
    if options.loudness is None or measured is None:
        return False
    return abs(measured - float(options.loudness)) > _LOUDNESS_STEP


def loudness_reachable(source: Video, options: Options) -> bool:
    """Return True if one gain gives the whole sound the requested loudness without clipping."""
    audio, requested = source.audio, options.loudness
    if requested is None or options.trim == "first" or options.split:
        return False
    if audio is None or audio.loudness is None or audio.true_peak is None:
        return False
    return audio.true_peak + float(requested) - audio.loudness <= TRUE_PEAK


def unsatisfiable(
    source: Video, target: Video, tolerances: tuple[Tolerance, ...], placement: Placement
) -> tuple[str, Refused] | None:
    """Return the rule that no output can satisfy, and the reason; None: there is none."""
    undecodable = source.audio is not None and source.audio.decodable is False
    if target.audio is not None and target.audio.reencode and undecodable:
        return "audio-codec", Refused(
            reason="the sound has to be encoded, but no frame of it decodes: "
            "it is damaged or encrypted"
        )
    if not target.video.reencode:
        return None
    if _has_dolby_vision_5(source):
        return "video-hdr", Refused(
            reason="Dolby Vision profile 5 has no compatible base layer: its colours cannot be "
            "converted"
        )
    if _picture_encrypted(source):
        return "video-codec", Refused(reason="the picture has to be encoded, but it is encrypted")
    if target.video.frame_rate is None:
        return "video-frame-rate", unknown_timing(source)
    if target.video.display_size is None:
        return "video-dimensions", Refused(
            reason="the picture size is unknown, so the picture cannot be encoded"
        )
    return _too_few_bytes(target, tolerances, placement)


def _has_dolby_vision_5(source: Video) -> bool:
    return any(
        hdr.name == "Dolby Vision" and hdr.profile == 5 for hdr in source.video.colour.hdr or ()
    )


def _picture_encrypted(source: Video) -> bool:
    return any(
        track.chosen and track.encrypted
        for track in source.container.tracks or ()
        if track.kind == "video"
    )


def _too_few_bytes(
    target: Video, tolerances: tuple[Tolerance, ...], placement: Placement
) -> tuple[str, Refused] | None:
    """Refuse if the byte limit leaves the picture less than the minimum bit rate."""
    durations = [t.value for t in tolerances if isinstance(t, Near) and t.fact == "duration"]
    limits = [t.limit for t in tolerances if isinstance(t, AtMostBytes)]
    size, rate = target.video.display_size, target.video.frame_rate
    if not durations or not durations[0] or not limits or size is None:
        return None
    length, limit, sound = durations[0], min(limits), 0
    if target.audio is not None:
        sound = encoding(placement).ladder.holding(size).audio_bit_rate
    if affordable_bit_rate(limit, length, sound, rate) >= _PICTURE_BIT_RATE_MIN:
        return None
    streams = int(length * (_PICTURE_BIT_RATE_MIN + sound) / 8)
    container = limit - int(affordable_bit_rate(limit, length, 0, rate) * length / 8)
    return "video-size", Refused(
        reason=f"{limit} bytes are too few for {units.duration_text(length)}: "
        f"about {streams + container} are needed",
        remedies=("--trim START-END",),
    )


def cut(source: Video, span: Span | None, case: Case) -> Video:
    """Return the facts of a span with picture and sound encoded; None: of the source unchanged."""
    if span is None:
        return source
    encoded = sound_encoded(picture_encoded(source, case), case)
    length = span[1] - span[0]
    rate = encoded.video.frame_rate
    shown = length if rate is None else max(1, math.floor(length * rate + _ROUNDING)) / rate
    return replace(
        encoded,
        duration=shown,
        video=replace(encoded.video, duration=shown),
        audio=None if encoded.audio is None else replace(encoded.audio, duration=None),
        shots=None,
    )


def _packets_cut(source: Video, span: Span) -> Video:
    """Return the facts of a span that is copied; None where they depend on the copied packets."""
    length = span[1] - span[0]
    gop = replace(
        source.video.gop,
        count=None,
        length_min=None,
        length_mean=None,
        length_max=None,
        reorder_depth=None,
    )
    return replace(
        source,
        size_bytes=None,
        duration=length,
        video=replace(source.video, start=Fraction(0), duration=length, frame_count=None, gop=gop),
        audio=None if source.audio is None else replace(source.audio, duration=None),
        shots=None,
        keyframes=None,
    )


def derive(source: Video, target: Video, case: Case) -> tuple[Video, tuple[Tolerance, ...]]:
    """Return the target with the consequences of its changes, and the tolerances."""
    if target == source and not target.video.reencode:
        return target, ()
    target = _with_required_encodes(source, target, case)
    rewritten = replace(remuxed(target), private=None if case.options.keep_metadata else ())
    frame = 1 / target.video.frame_rate if target.video.frame_rate else Fraction(1, 24)
    tolerances = _common_tolerances(source, target, case, frame)
    if target.video.reencode:
        tolerances += _encode_tolerances(target, frame, case.placement)
        video = replace(rewritten.video, start=None)
    else:
        tolerances += _copy_tolerances(source, target, frame)
        video = _copied_picture(rewritten.video)
    video = replace(video, duration=None, bit_rate=None, frame_rate_average=None)
    audio = None if rewritten.audio is None else _open_sound(rewritten.audio)
    open_target = replace(rewritten, video=video, audio=audio, duration=None, shots=None)
    return open_target, tuple(tolerances)


def _with_required_encodes(source: Video, target: Video, case: Case) -> Video:
    """Return the target with the streams encoded that cannot be copied into an MP4."""
    if not target.video.reencode and not _can_copy_picture(source, case):
        target = picture_encoded(target, case)
    copied_sound = None if target.audio is None or target.audio.reencode else target.audio
    if copied_sound is not None and (
        copied_sound.codec not in _AUDIO_CODECS_IN_MP4 or _needs_edit_list(source, target)
    ):
        target = sound_encoded(target, case)
    if target.video.reencode:
        size = size_for_byte_limit(target, _written_limit(case), case)
        if size is not None and size != target.video.display_size:
            target = replace(target, video=replace(target.video, width=size[0], height=size[1]))
    return target


def _common_tolerances(
    source: Video, target: Video, case: Case, frame: Fraction
) -> list[Tolerance]:
    """Return the tolerances of size, loudness and durations. ``frame``: seconds of a frame."""
    tolerances: list[Tolerance] = []
    if (most := _written_limit(case)) is not None:
        tolerances.append(AtMostBytes(limit=most))
    requested = case.options.loudness
    measured = None if source.audio is None else source.audio.loudness
    sound_is_encoded = target.audio is not None and target.audio.reencode
    if sound_is_encoded and requested is not None and measured is not None:
        tolerances.append(
            Near(fact="audio.loudness", value=float(requested), tolerance=_LOUDNESS_TOLERANCE)
        )
    if target.duration is not None:
        value = target.duration - _counted_lead(source, target)
        tolerances.append(Near(fact="duration", value=value, tolerance=frame + _SOUND_EXCESS))
    if target.video.duration is not None:
        tolerance = 2 * frame if target.video.reencode else frame
        tolerances.append(
            Near(fact="video.duration", value=target.video.duration, tolerance=tolerance)
        )
    return tolerances


def _encode_tolerances(target: Video, frame: Fraction, placement: Placement) -> list[Tolerance]:
    """Return the tolerances of an encoded picture."""
    tolerances: list[Tolerance] = [Near(fact="video.start", value=Fraction(0), tolerance=frame)]
    rate, length = target.video.frame_rate, target.video.duration
    if rate is None:
        return tolerances
    most = math.ceil(encoding(placement).keyframe_seconds * rate)
    tolerances.append(AtMost(fact="video.gop.length_max", value=most))
    if length is not None:
        tolerances.append(Near(fact="video.frame_count", value=round(length * rate), tolerance=2))
    return tolerances


def _copy_tolerances(source: Video, target: Video, frame: Fraction) -> list[Tolerance]:
    """Return the tolerances of a copied picture."""
    tolerances: list[Tolerance] = []
    if audio_lead(source) or starts_with_picture(source):
        tolerances.append(Near(fact="video.start", value=Fraction(0), tolerance=frame / 2))
    if _rate_is_remeasured(target.video):
        rate = target.video.frame_rate or Fraction(0)
        tolerances.append(Near(fact="video.frame_rate", value=rate, tolerance=rate / 500))
    return tolerances


def _rate_is_remeasured(video: VideoStream) -> bool:
    """Return True if the frame rate of a copy is measured on its timestamps."""
    return video.frame_rate is not None and video.timestamps == "ok"


def _copied_picture(video: VideoStream) -> VideoStream:
    """Return the facts of a copied picture; None where another container changes them."""
    return replace(
        video,
        start=None,
        frame_rate=None if _rate_is_remeasured(video) else video.frame_rate,
        frame_rate_peak=None,
        jitter_frames=None,
        frame_rate_burst=None,
        rate_mode=None,
        timestamps=None,
        scan_content=None,
        parity=None,
        faults=None,
        gop=replace(video.gop, first_open=None, keyframe_interval_max=None, pattern=None),
    )


def _open_sound(audio: AudioStream) -> AudioStream:
    """Return the facts of the sound of an output; None where only the output settles them."""
    return replace(
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


def _needs_edit_list(source: Video, target: Video) -> bool:
    """Return True if only a delaying edit list could express how late a copied sound starts.

    Containers with edit lists have such a list already, and a copy keeps it.
    """
    if source.audio is None or source.audio.start is None or source.video.start is None:
        return False
    timed_anew = target.video.reencode or not containers.of(source.container.format).edit_lists
    return timed_anew and source.audio.start - source.video.start > PRIMING


def _counted_lead(source: Video, target: Video) -> Fraction:
    """Return the seconds before the first presented frame that the source's duration includes.

    FLV files with reordered frames have them, and a copy drops them. 0 if the times were changed.
    """
    if target.video.reencode or target.duration != source.duration or source.video.start is None:
        return Fraction(0)
    tracks = [
        (track.start, track.duration or Fraction(0))
        for track in (source.video, source.audio)
        if track is not None and track.start is not None
    ]
    first = min(start for start, _ in tracks)
    presented = max(start + length for start, length in tracks) - first
    return max(Fraction(0), min(first, (source.duration or first) - presented))


def _written_limit(case: Case) -> int | None:
    """Return how many bytes the output may have; None: any."""
    limit = case.placement.limit("video-size")
    limits = [limit.written] if isinstance(limit, ByteLimit) else []
    if case.options.max_size is not None:
        limits.append(case.options.max_size)
    return min(limits, default=None)


def _can_copy_picture(source: Video, case: Case) -> bool:
    """Return True if the picture can be copied into an MP4.

    A copy keeps its bytes: a source between N x 10^6 and N x 2^20 bytes is accepted as it is, but
    is too large for an output. Without usable timestamps, a copy would play in the wrong order.
    """
    most = _written_limit(case)
    if most is not None and source.size_bytes is not None and source.size_bytes > most:
        return False
    timed = source.video.timestamps not in ("missing", "broken")
    return timed and source.video.codec in _VIDEO_CODECS_IN_MP4
