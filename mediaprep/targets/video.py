"""What an encode settles: facts of a picture or sound that is made anew, whichever rule asked for it. All fixes meet in this one encode."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import Constraint, DimensionRange, Range
from mediaprep.model.media import (
    AudioStream,
    Colour,
    Container,
    DeclaredSar,
    Gop,
    Video,
    VideoStream,
)
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement, VideoEncoding

Size = tuple[int, int]
_STANDARD_RATES = tuple(
    Fraction(n)
    for n in (
        "24000/1001",
        "24",
        "25",
        "30000/1001",
        "30",
        "48000/1001",
        "48",
        "50",
        "60000/1001",
        "60",
    )
)
_SNAP = Fraction(3, 100)  # a guess: a variable rate within 3 % of a standard rate is meant to be it
_LARGEST_DENOMINATOR = (
    1001  # NTSC's; averages of variable rates have any, for which no clock is fine enough
)
_JITTERED = Fraction(
    5, 4
)  # six intervals of stamps that are off by a third of a frame look so much faster than they are (a guess)
FASTEST = Fraction(60)
SLOWEST = Fraction(
    1
)  # frame a second that is written at the least: two pictures a day apart are no rate to cut a span by
PRIMING = Fraction(
    1, 18
)  # seconds: two and a half AAC frames, 2560 samples at 48 kHz (encoders use 1024, 2048 or 2112), and rounding
_BOXES, _FRAME_BYTES, _SOUND_BYTES = (
    4000,
    16,
    300,
)  # of an MP4: its head, tables for each frame, and for each second of sound
_COPIED_SOUND = (
    320_000  # bit/s of a copied sound of unknown bit rate: as much as stereo AAC LC encoders give
)
_ENOUGH = Fraction(
    35, 100
)  # of a rung's bit rate: with less, the picture of the next rung looks better (a guess)
SQUARE = (
    DeclaredSar(where="container", value=Fraction(1)),
    DeclaredSar(where="bitstream", value=Fraction(1)),
)


def encoding(placement: Placement) -> VideoEncoding:
    """The placement's video target. Raises: TypeError for a placement that takes no video."""
    if not isinstance(placement.encoding, VideoEncoding):
        raise TypeError(f"{placement.name} has no video encoding")
    return placement.encoding


def picture_encoded(target: Video, case: Case) -> Video:
    """The same video with its picture encoded anew: H.264 High, closed GOP, 4:2:0 8 bits, BT.709 limited, constant rate, square pixels,
    progressive, upright, of a size that the placement takes, from time 0 (a late picture's first frame is held until then). What only the
    made file can tell is None."""
    target = _from_zero(replace(target, video=with_corrected_sar(target.video, case.options)))
    size = target_size(target, case)
    rate = target_rate(target.video, case)
    return replace(
        target,
        size_bytes=None,
        keyframes=None,
        video=VideoStream(
            codec="h264",
            profile="High",
            pixel_format="yuv420p",
            chroma="4:2:0",
            bit_depth=8,
            alpha=False,
            width=None if size is None else size[0],
            height=None if size is None else size[1],
            size_changes=False,
            clap=(),
            sars=SQUARE,
            rotation=0,
            mirrored=False,
            matrix_exact=True,
            frame_rate=rate,
            rate_mode="cfr",
            timestamps="ok",
            scan="progressive",
            scan_flags="progressive",
            gop=Gop(structure="closed", open_count=0, nonidr_count=0, starts_with_idr=True),
            colour=Colour(
                primaries="bt709", transfer="bt709", matrix="bt709", range="limited", hdr=()
            ),
            start=Fraction(0),
            duration=target.video.duration,
            faults=(),
            reencode=True,
        ),
    )


def sound_encoded(target: Video, case: Case) -> Video:
    """The same video with its sound encoded anew: AAC LC, at most two channels, at a sample rate that the target lists."""
    if target.audio is None:
        return target
    channels = min(2, target.audio.channels) if target.audio.channels else None
    rates = encoding(case.placement).sample_rates
    rate = target.audio.sample_rate if target.audio.sample_rate in rates else rates[0]
    layout = None if channels is None else {1: "mono", 2: "stereo"}[channels]
    audio = AudioStream(
        codec="aac",
        profile="LC",
        sbr=False,
        ps=False,
        channels=channels,
        layout=layout,
        sample_rate=rate,
        start=target.audio.start,
        duration=target.audio.duration,
        decodable=True,
        reencode=True,
    )
    return replace(target, size_bytes=None, audio=audio)


def remuxed(target: Video) -> Video:
    """The same streams in a new MP4: faststart, one picture and at most one sound track, no chapters. What the old wrapping alone said is
    forgotten.
    """
    video = replace(target.video, tag=None, frame_rate_declared=None, edit_list=None)
    audio = None if target.audio is None else replace(target.audio, tag=None)
    container = Container(format="mp4", faststart=True, fragmented=False, chapters=0)
    return replace(
        target,
        size_bytes=None,
        complete=True,
        incomplete_because=None,
        container=container,
        video=video,
        audio=audio,
    )


def with_corrected_sar(video: VideoStream, options: Options) -> VideoStream:
    """The picture with square pixels stated, where a stated SAR is taken for wrong: container and bitstream contradict each other and one
    says 1:1, or the user says so. Else as it is."""
    stated = {sar.value for sar in video.sars or ()}
    wrong = (
        stated != {1}
        and (options.square_pixels or (len(stated) > 1 and 1 in stated))
        and bool(stated)
    )
    return replace(video, sars=SQUARE) if wrong else video


def unknown_timing(video: Video) -> Refused:
    """The answer to a stream whose rate or length cannot be told."""
    if video.video.timestamps == "missing":
        reason = "the stream carries no timing: neither its frame rate nor its duration can be told"
        return Refused(reason=reason, remedies=("--frame-rate N",))
    return Refused(reason="its frame rate or duration cannot be told")


def _from_zero(target: Video) -> Video:
    """The same video with time counted from the first of picture and sound, and a late picture's first frame held from there on. Where the
    time stamps are of no use, the frames and the header's rate give the length of the picture."""
    video, audio = target.video, target.audio
    if (
        video.timestamps == "broken"
        and video.frame_count is not None
        and video.frame_rate is not None
    ):
        video = replace(video, start=Fraction(0), duration=video.frame_count / video.frame_rate)
        target = replace(target, video=video)
    if video.start is None or video.duration is None:
        return target
    if audio is None:
        return replace(target, duration=video.duration, video=replace(video, start=Fraction(0)))
    if audio.start is None or audio.duration is None:
        return target
    zero, end = (
        max(Fraction(0), min(video.start, audio.start)) + audio_lead(target),
        video.start + video.duration,
    )
    sounded = audio.start + audio.duration
    if target.duration is not None:
        sounded = min(sounded, zero + target.duration)  # an edit list may end it within a packet
    return replace(
        target,
        duration=max(end, sounded) - zero,
        video=replace(video, start=Fraction(0), duration=end - zero),
        audio=replace(audio, start=max(audio.start - zero, Fraction(0))),
    )


def audio_lead(source: Video) -> Fraction:
    """Seconds by which the sound begins before the picture with no more than an encoder's priming: the containers that cannot say so
    (transport streams) play it; written to MP4 it is skipped, and the picture begins at 0. Else 0."""
    video, audio = source.video, source.audio
    if audio is None or video.start is None or audio.start is None:
        return Fraction(0)
    ahead = video.start - audio.start
    return ahead if audio.start >= 0 and 0 < ahead <= PRIMING else Fraction(0)


def starts_with_picture(source: Video) -> bool:
    """Whether nothing is presented before the picture, and time merely begins late (segments, FLV): a copy counts it from the picture. An
    edit list that delays is kept by a copy."""
    video, audio = source.video, source.audio
    if source.container.format in ("mp4", "mov") or video.start is None:
        return False
    return audio is None or (audio.start is not None and audio.start >= video.start)


def target_rate(video: VideoStream, case: Case) -> Fraction | None:
    """The constant rate to encode at: a rate within the limits is kept; above them it is divided, below them multiplied, by the smallest
    whole number that brings it there. Real interlace gives a frame a field where that stays within the limit; telecine four frames of
    five; a variable rate its fastest lasting rate."""
    least, limit = _rates(case.placement)
    rate = video.frame_rate or case.options.frame_rate
    if rate is None:
        return None
    if video.rate_mode == "vfr" and rate <= limit:
        rate = min(limit, _snapped(_lasting(video, rate)))
    if video.scan == "interlaced" and 2 * rate <= limit:
        return 2 * rate
    if video.scan == "telecine":
        rate = rate * 4 / 5
    rate /= math.ceil(rate / limit)
    least = max(SLOWEST, least or SLOWEST)
    rate = rate if rate >= least else min(limit, rate * math.ceil(least / rate))
    return rate if rate.denominator <= _LARGEST_DENOMINATOR else Fraction(round(rate * 1000), 1000)


def _lasting(video: VideoStream, rate: Fraction) -> Fraction:
    """The fastest rate that a variable one keeps up: that of its bursts, save where the frames of no second bear them out (jitter)."""
    burst = max(rate, video.frame_rate_burst or rate)
    if video.frame_rate_peak is None or burst in _STANDARD_RATES:
        return burst
    most = Fraction(video.frame_rate_peak - (video.jitter_frames or 0))
    if most <= math.ceil(rate):
        return (
            rate
            if _snapped(rate) in _STANDARD_RATES
            else _without_gaps(rate, min(burst, Fraction(video.frame_rate_peak)))
        )
    meant = max(
        (standard for standard in _STANDARD_RATES if most - 1 <= standard <= most), default=most
    )  # jitter counts one too many
    return max(rate, meant) if burst <= most * _JITTERED else burst


def _without_gaps(rate: Fraction, most: Fraction) -> Fraction:
    """The standard rate of a recording that left frames out here and there, as phones do in the dark; ``rate`` where none is reached."""
    return max((standard for standard in _STANDARD_RATES if rate < standard <= most), default=rate)


def target_size(target: Video, case: Case) -> Size | None:
    """The encoded picture's size: as displayed where that is allowed, else fitted into the rung's size; sides even; None where the size
    is unknown.
    """
    shown = target.video.display_size
    if shown is None:
        return None
    canvas = canvas_size(shown, case)
    box = _limit(case.placement, "video-dimensions")
    ladder = encoding(case.placement).ladder
    if case.options.rung is not None:
        canvas = _within(canvas, ladder.oriented(case.options.rung, canvas))
    if isinstance(box, DimensionRange) and not box.allows(canvas):
        rung = ladder.top(canvas)
        canvas = _within(canvas, (rung.width, rung.height))
    return on_pixel_grid(target.video, canvas) or _even(
        canvas, _ratios(case.placement), _least(box, canvas)
    )


def on_pixel_grid(video: VideoStream, size: Size) -> Size | None:
    """Of enlarged pixel art the largest whole multiple of its own pixels that ``size``, which is smaller than the picture, holds and that
    has even sides; None where that is not so."""
    shown, grid = video.display_size, video.pixel_grid or 1
    if (
        shown is None
        or grid == 1
        or video.sar != 1
        or video.clap
        or size[0] >= shown[0]
        or size[1] >= shown[1]
    ):
        return None
    width, height = shown[0] // grid, shown[1] // grid
    return next(
        (
            (width * n, height * n)
            for n in range(grid, 0, -1)
            if _holds(size, (width * n, height * n))
        ),
        None,
    )


def _holds(size: Size, picture: Size) -> bool:
    return picture[0] <= size[0] and picture[1] <= size[1] and picture[0] % 2 == picture[1] % 2 == 0


def canvas_size(shown: Size, case: Case) -> Size:
    """The picture's own size brought to an allowed shape: padded (or cropped) where the aspect ratio is beyond the limit, padded up to
    the least size.
    """
    width, height = shown
    low, high = _ratios(case.placement)
    ratio = Fraction(width, height)
    crop = case.options.fit == "crop"
    if high is not None and ratio > high:
        width, height = (int(height * high), height) if crop else (width, math.ceil(width / high))
    elif low is not None and ratio < low:
        width, height = (width, int(width / low)) if crop else (math.ceil(height * low), height)
    box = _limit(case.placement, "video-dimensions")
    least = _least(box, (width, height))
    return max(width, least[0]), max(height, least[1])


def affordable_bit_rate(
    limit: int, length: Fraction, sound: int | None, rate: Fraction | None
) -> int:
    """bit/s of the picture with which a file of ``length`` seconds has ``limit`` bytes, its sound of ``sound`` bit/s (None: not known) and
    its boxes included; may be 0 or less."""
    tables = _BOXES + length * (
        (rate or FASTEST) * _FRAME_BYTES + (_SOUND_BYTES if sound != 0 else 0)
    )
    return int(((limit - tables) * 8) / length) - (_COPIED_SOUND if sound is None else sound)


def size_for_byte_limit(target: Video, limit: int | None, case: Case) -> Size | None:
    """The encoded picture's size where ``limit`` bytes leave it too few bits: that of the largest rung whose bit rate is not too far off.
    A rung that is asked for stays."""
    size, length = target.video.display_size, target.duration
    if size is None or not length or limit is None or case.options.rung is not None:
        return size
    ladder = encoding(case.placement).ladder
    own = ladder.holding(size)
    smaller = [
        rung for rung in ladder.of(own.orientation) if rung.video_bit_rate < own.video_bit_rate
    ]
    for rung in reversed(smaller):
        sound = (
            0
            if target.audio is None
            else own.audio_bit_rate
            if target.audio.reencode
            else target.audio.bit_rate
        )
        if (
            affordable_bit_rate(limit, length, sound, target.video.frame_rate)
            >= _ENOUGH * own.video_bit_rate
        ):
            break
        size, own = _within(size, (rung.width, rung.height)), rung
    return _even(
        size, _ratios(case.placement), _least(_limit(case.placement, "video-dimensions"), size)
    )


def _least(box: Constraint | None, size: Size) -> Size:
    """The least width and height for a picture that lies as ``size`` does."""
    if not isinstance(box, DimensionRange):
        return 2, 2
    turned = not box.oriented and (box.min[0] > box.min[1]) != (size[0] > size[1])
    return (box.min[1], box.min[0]) if turned else box.min


def _within(size: Size, frame: Size) -> Size:
    """The size shrunk to lie inside the frame; never enlarged."""
    scale = min(Fraction(1), Fraction(frame[0], size[0]), Fraction(frame[1], size[1]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _even(size: Size, ratios: tuple[Fraction | None, Fraction | None], least: Size) -> Size:
    """Both sides even, not enlarged, save the short side where the aspect ratio would otherwise pass its limit."""
    width, height = (max(low, side - side % 2) for side, low in zip(size, least, strict=True))
    low, high = ratios
    if high is not None and Fraction(width, height) > high:
        height += 2
    if low is not None and Fraction(width, height) < low:
        width += 2
    return width, height


def _snapped(rate: Fraction) -> Fraction:
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= nearest * _SNAP else rate


def _limit(placement: Placement, rule_id: str) -> Constraint | None:
    requirement = placement.requirements.get(rule_id)
    return None if requirement is None else requirement.limit


def _rates(placement: Placement) -> tuple[Fraction | None, Fraction]:
    limit = _limit(placement, "video-frame-rate")
    return (limit.min, limit.max or FASTEST) if isinstance(limit, Range) else (None, FASTEST)


def _ratios(placement: Placement) -> tuple[Fraction | None, Fraction | None]:
    limit = _limit(placement, "video-aspect-ratio")
    return (limit.min, limit.max) if isinstance(limit, Range) else (None, None)
