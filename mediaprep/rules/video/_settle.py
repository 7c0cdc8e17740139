"""What the planner knows of videos: spans to cut, and what is promised of a video that is written."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mediaprep import units
from mediaprep.constraint import ByteLimit, Range
from mediaprep.media import Video
from mediaprep.promise import AtMost, AtMostBytes, Near, Promise
from mediaprep.rules._rule import Case, Refused
from mediaprep.rules.video._encode import encoding, picture_encoded, rewrapped, sound_encoded
from mediaprep.spec import Spec
from mediaprep.wishes import Wishes

Span = tuple[Fraction, Fraction]
AAC_FRAME = Fraction(1024, 44100)
EDGE = Fraction(1, 20)  # sound may outlast the picture by two AAC frames at each end (priming and padding)


def spans(have: Video, spec: Spec, wishes: Wishes) -> tuple[Span | None, ...] | Refused:
    """The spans of the source to make files of, in seconds from its start; (None,) = all of it in one."""
    length, target = have.duration, encoding(spec)
    requirement = spec.requirements.get("video-duration")
    limit = requirement.limit if requirement else None
    longest = limit.max if isinstance(limit, Range) else None
    if wishes.trim is None and not wishes.split:
        return (None,)
    if length is None:
        return Refused(reason="the duration cannot be told, so it cannot be cut")
    if wishes.trim == "first":
        return ((Fraction(0), target.trim_to),) if longest is not None and length > longest else (None,)
    start, end = (Fraction(0), length) if wishes.trim is None else wishes.trim
    end = min(end, length)
    if not 0 <= start < end:
        asked = f"{units.duration_text(start)} to {units.duration_text(end)}"
        return Refused(reason=f"--trim asks for {asked}; the video is {units.duration_text(length)} long")
    if wishes.split and longest is not None and end - start > longest:
        return _parts(have, (start, end), spec)
    if longest is not None and end - start > longest:
        return Refused(
            reason=f"the span asked for is {units.duration_text(end - start)} long, {units.duration_text(longest)} are allowed",
            ways_out=("--split",),
        )
    return (None,) if start == 0 and end == length else ((start, end),)


def _parts(have: Video, span: Span, spec: Spec) -> tuple[Span, ...]:
    """The fewest parts of at most 139.9 s (140 s where that saves a part), each cut at the last shot change of its last 15 s, else at its
    end.
    """
    target = encoding(spec)
    start, end = span
    frame = 1 / have.video.frame_rate if have.video.frame_rate else Fraction(1, 30)
    longest = target.trim_to
    if math.ceil((end - start) / target.part_at_most) < math.ceil((end - start) / target.trim_to):
        longest = target.part_at_most
    longest = math.floor(longest / frame) * frame
    cuts: list[Fraction] = [start]
    while end - cuts[-1] > longest:
        here = cuts[-1]
        left = math.ceil((end - here) / longest) - 1
        earliest = max(here + longest - 15, end - left * longest)
        shots = [shot for shot in have.shots or () if earliest <= shot <= here + longest]
        cuts.append(max(shots) if shots else here + longest)
    return tuple(zip(cuts, [*cuts[1:], end], strict=True))


def cut(have: Video, span: Span | None, case: Case) -> Video:
    """The facts of the span, made anew; the source's own where the span is all."""
    if span is None:
        return have
    made = sound_encoded(picture_encoded(have, case), case)
    length = span[1] - span[0]
    rate = made.video.frame_rate
    shown = length if rate is None else max(1, math.floor(length * rate)) / rate
    audio = None if made.audio is None else replace(made.audio, duration=None)
    return replace(made, duration=shown, video=replace(made.video, duration=shown), audio=audio, shots=None)


def settle(have: Video, want: Video, case: Case) -> tuple[Video, tuple[Promise, ...]]:
    """The wanted facts as they will be written, and the promises about what they leave free. The source itself, and none, where nothing
    changes.
    """
    if want == have and not want.video.anew:
        return want, ()
    if _copy_too_large(have, want, case.spec):
        want = picture_encoded(want, case)
    settled = rewrapped(want)
    if not case.wishes.keep_metadata:
        settled = replace(settled, private=())
    promises: list[Promise] = []
    if (most := _written_limit(case)) is not None:
        promises.append(AtMostBytes(limit=most))
    frame = 1 / want.video.frame_rate if want.video.frame_rate else Fraction(1, 24)
    if want.duration is not None:
        promises.append(Near(fact="duration", value=want.duration, tolerance=frame + EDGE))
    if want.video.duration is not None:
        promises.append(Near(fact="video.duration", value=want.video.duration, tolerance=frame))
    video = replace(settled.video, duration=None, bit_rate=None, frame_rate_average=None)
    if settled.video.anew:
        promises += _encoded_promises(want, frame, case.spec)
        video = replace(video, start=None)
    else:
        if video.frame_rate_peak is not None:
            promises.append(AtMost(fact="video.frame_rate_peak", value=video.frame_rate_peak + 1))
        if video.frame_rate is not None and video.timestamps == "ok":
            promises.append(Near(fact="video.frame_rate", value=video.frame_rate, tolerance=video.frame_rate / 500))
            video = replace(video, frame_rate=None)
        video = replace(
            video, start=None, frame_rate_peak=None, jitter_frames=None, frame_rate_burst=None, timestamps=None, scan_content=None,
            parity=None, faults=None, rate_mode=None,
            gop=replace(video.gop, first_open=None, keyframe_interval_max=None, pattern=None),
        )  # fmt: skip
    audio = settled.audio
    if audio is not None:
        audio = replace(audio, start=None, duration=None, bit_rate=None, profile=audio.profile or None)
    return replace(settled, video=video, audio=audio, duration=None, shots=None), tuple(promises)


def _encoded_promises(want: Video, frame: Fraction, spec: Spec) -> list[Promise]:
    promises: list[Promise] = [Near(fact="video.start", value=Fraction(0), tolerance=frame)]
    rate = want.video.frame_rate
    if rate is not None:
        promises.append(AtMost(fact="video.gop.length_max", value=math.ceil(encoding(spec).keyframe_seconds * rate)))
        promises.append(AtMost(fact="video.frame_rate_peak", value=math.ceil(rate) + 1))
        if want.video.duration is not None:
            promises.append(Near(fact="video.frame_count", value=round(want.video.duration * rate), tolerance=1))
    return promises


def _written_limit(case: Case) -> int | None:
    requirement = case.spec.requirements.get("video-size")
    limits = [requirement.limit.written] if requirement and isinstance(requirement.limit, ByteLimit) else []
    if case.wishes.max_size is not None:
        limits.append(case.wishes.max_size)
    return min(limits, default=None)


def _copy_too_large(have: Video, want: Video, spec: Spec) -> bool:
    """A copied picture keeps its bytes: a source between N x 10^6 and N x 2^20 is fine where it is, but not as something we write."""
    requirement = spec.requirements.get("video-size")
    limit = requirement.limit if requirement else None
    return isinstance(limit, ByteLimit) and not want.video.anew and have.size_bytes is not None and have.size_bytes > limit.written
