"""The facts of a rewritten video: all fixes share one encode of picture and one of sound."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mediaprep.model import containers
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import DimensionRange, Range
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
FRAME_RATE_MAX = Fraction(60)  # frames per second if the placement has no limit
# Frames per second at least: two pictures a day apart are not a rate at which a span can be cut.
_FRAME_RATE_MIN = Fraction(1)
# Seconds of encoder delay (priming) in the sound: two and a half AAC frames, 2560 samples at 48 kHz
# (encoders use 1024, 2048 or 2112), and rounding.
PRIMING = Fraction(1, 18)
_STANDARD_RATES = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48000, 1001),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
)
# A variable rate within 3 % of a standard rate is taken for it (a guess).
_SNAP = Fraction(3, 100)
# The denominator of NTSC rates. Averages of variable rates have larger ones, for which no time base
# is fine enough.
_DENOMINATOR_MAX = 1001
# Timestamps that are off by a third of a frame make six intervals look this much faster (a guess).
_JITTER_FACTOR = Fraction(5, 4)
# Bytes of an MP4 besides the streams: the head, and tables for each frame and for each second of
# sound.
_HEAD_BYTES = 4000
_FRAME_BYTES = 16
_SOUND_BYTES_PER_SECOND = 300
# bit/s of a copied sound of unknown bit rate: the most that stereo AAC LC encoders produce.
_COPIED_SOUND_BIT_RATE = 320_000
# Share of a rung's bit rate below which the picture of the next rung looks better (a guess).
_RUNG_BIT_RATE_SHARE = Fraction(35, 100)
SQUARE = (
    DeclaredSar(where="container", value=Fraction(1)),
    DeclaredSar(where="bitstream", value=Fraction(1)),
)


def encoding(placement: Placement) -> VideoEncoding:
    """Return how a video is encoded. Raises: TypeError for a placement that takes no video."""
    if not isinstance(placement.encoding, VideoEncoding):
        raise TypeError(f"{placement.name} has no video encoding")
    return placement.encoding


def picture_encoded(target: Video, case: Case) -> Video:
    """Return the video with its picture encoded.

    That is H.264 High with closed GOPs, 8-bit 4:2:0, BT.709 limited range, constant rate, square
    pixels, progressive, upright, with a size that the placement takes, from time 0 (the first frame
    of a late picture is held from there). Facts that only the output can settle are None.
    """
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
    """Return the video with its sound encoded: AAC LC, at most two channels.

    The sample rate is the source's if the placement lists it, else the first that it lists.
    """
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
    """Return the video with its streams in a new MP4 with faststart and without chapters.

    It has one video track and at most one audio track. Facts that only the old container declared
    are None.
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
    """Return the picture with square pixels if its declared SAR is wrong, else unchanged.

    It is wrong if container and bitstream contradict each other and one declares 1:1, or if the
    user requests square pixels.
    """
    declared = {sar.value for sar in video.sars or ()}
    if not declared or declared == {1}:
        return video
    contradictory = len(declared) > 1 and 1 in declared
    return replace(video, sars=SQUARE) if options.square_pixels or contradictory else video


def unknown_timing(video: Video) -> Refused:
    """Return the refusal of a video whose frame rate or duration is unknown."""
    if video.video.timestamps == "missing":
        return Refused(
            reason="the stream has no timestamps: its frame rate and duration are unknown",
            remedies=("--frame-rate N",),
        )
    return Refused(reason="its frame rate or duration is unknown")


def _from_zero(target: Video) -> Video:
    """Return the video with time counted from the start of picture or sound, whichever is first.

    The first frame of a late picture is held from there. If the timestamps are broken, the number
    of frames and the declared rate determine the duration of the picture.
    """
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
    zero = max(Fraction(0), min(video.start, audio.start)) + audio_lead(target)
    picture_end = video.start + video.duration
    sound_end = audio.start + audio.duration
    if target.duration is not None:  # an edit list may end the sound within a packet
        sound_end = min(sound_end, zero + target.duration)
    return replace(
        target,
        duration=max(picture_end, sound_end) - zero,
        video=replace(video, start=Fraction(0), duration=picture_end - zero),
        audio=replace(audio, start=max(audio.start - zero, Fraction(0))),
    )


def audio_lead(source: Video) -> Fraction:
    """Return the seconds of encoder delay (priming) by which the sound starts before the picture.

    Containers that cannot declare it, such as transport streams, play it. In an MP4 it is skipped,
    and the picture starts at 0. Return 0 if the sound starts later, or earlier than by priming.
    """
    video, audio = source.video, source.audio
    if audio is None or video.start is None or audio.start is None:
        return Fraction(0)
    ahead = video.start - audio.start
    return ahead if audio.start >= 0 and 0 < ahead <= PRIMING else Fraction(0)


def starts_with_picture(source: Video) -> bool:
    """Return True if nothing is presented before the picture, and a copy may shift it to time 0.

    Segments and FLV files may start late. A delay in MP4 and MOV is an edit list, which a copy
    keeps.
    """
    video, audio = source.video, source.audio
    if containers.of(source.container.format).edit_lists or video.start is None:
        return False
    return audio is None or (audio.start is not None and audio.start >= video.start)


def target_rate(video: VideoStream, case: Case) -> Fraction | None:
    """Return the constant rate to encode at; None if the rate is unknown.

    A rate within the limits is kept. Above them it is divided, below them multiplied, by the
    smallest whole number that brings it within. Interlaced video gets a frame per field if that is
    within the limit, telecine four of five frames, a variable rate its fastest sustained rate.
    """
    least, limit = _rate_limits(case.placement)
    rate = video.frame_rate or case.options.frame_rate
    if rate is None:
        return None
    if video.rate_mode == "vfr" and rate <= limit:
        rate = min(limit, _snapped(_sustained_rate(video, rate)))
    if video.scan == "interlaced" and 2 * rate <= limit:
        return 2 * rate
    if video.scan == "telecine":
        rate = rate * 4 / 5
    rate /= math.ceil(rate / limit)
    least = max(_FRAME_RATE_MIN, least or _FRAME_RATE_MIN)
    if rate < least:
        rate = min(limit, rate * math.ceil(least / rate))
    return rate if rate.denominator <= _DENOMINATOR_MAX else Fraction(round(rate * 1000), 1000)


def _sustained_rate(video: VideoStream, rate: Fraction) -> Fraction:
    """Return the fastest rate that a variable rate sustains.

    That is the rate of its bursts, unless no second has as many frames: then they are jitter.
    """
    burst = max(rate, video.frame_rate_burst or rate)
    if video.frame_rate_peak is None or burst in _STANDARD_RATES:
        return burst
    most = Fraction(video.frame_rate_peak - (video.jitter_frames or 0))
    if most <= math.ceil(rate):
        if _snapped(rate) in _STANDARD_RATES:
            return rate
        return _rate_without_gaps(rate, min(burst, Fraction(video.frame_rate_peak)))
    if burst > most * _JITTER_FACTOR:
        return burst
    # Jitter may count one frame too many.
    near = [standard for standard in _STANDARD_RATES if most - 1 <= standard <= most]
    return max(rate, *near) if near else max(rate, most)


def _rate_without_gaps(rate: Fraction, most: Fraction) -> Fraction:
    """Return the standard rate of a recording with missing frames, as phones make in the dark.

    That is the highest one above ``rate`` and up to ``most``; ``rate`` if there is none.
    """
    return max((standard for standard in _STANDARD_RATES if rate < standard <= most), default=rate)


def target_size(target: Video, case: Case) -> Size | None:
    """Return the size of the encoded picture; None if the size is unknown.

    That is the displayed size if it is allowed, else one that fits a rung. Both sides are even.
    """
    shown = target.video.display_size
    if shown is None:
        return None
    canvas = canvas_size(shown, case)
    box = case.placement.limit("video-dimensions")
    ladder = encoding(case.placement).ladder
    if case.options.rung is not None:
        canvas = _shrunk(canvas, ladder.oriented(case.options.rung, canvas))
    if isinstance(box, DimensionRange) and not box.allows(canvas):
        canvas = _shrunk(canvas, ladder.top(canvas).size)
    return on_pixel_grid(target.video, canvas) or _even_size(canvas, case.placement)


def on_pixel_grid(video: VideoStream, size: Size) -> Size | None:
    """Return the largest size for enlarged pixel art that lies within ``size``.

    It is a whole multiple of the picture's own pixels, and both sides are even. None if there is
    none, if the picture is not pixel art, or if ``size`` does not reduce it.
    """
    shown, grid = video.display_size, video.pixel_grid or 1
    if shown is None or grid == 1 or video.sar != 1 or video.clap:
        return None
    if size[0] >= shown[0] or size[1] >= shown[1]:
        return None
    width, height = shown[0] // grid, shown[1] // grid
    for factor in range(grid, 0, -1):
        reduced = width * factor, height * factor
        fits = reduced[0] <= size[0] and reduced[1] <= size[1]
        if fits and reduced[0] % 2 == reduced[1] % 2 == 0:
            return reduced
    return None


def canvas_size(shown: Size, case: Case) -> Size:
    """Return the displayed size brought to an allowed shape and to the minimum size.

    It is padded, or cropped if the user requests that.
    """
    width, height = shown
    low, high = _ratio_limits(case.placement)
    ratio = Fraction(width, height)
    crop = case.options.fit == "crop"
    if high is not None and ratio > high:
        width, height = (int(height * high), height) if crop else (width, math.ceil(width / high))
    elif low is not None and ratio < low:
        width, height = (width, int(width / low)) if crop else (math.ceil(height * low), height)
    least = _size_min(case.placement, (width, height))
    return max(width, least[0]), max(height, least[1])


def affordable_bit_rate(
    limit: int, length: Fraction, sound_bit_rate: int | None, rate: Fraction | None
) -> int:
    """Return the bit/s of the picture with which a file of ``length`` seconds has ``limit`` bytes.

    Sound and container are included. ``sound_bit_rate``: None = unknown, 0 = no sound. The result
    may be 0 or less.
    """
    tables = (rate or FRAME_RATE_MAX) * _FRAME_BYTES
    if sound_bit_rate != 0:
        tables += _SOUND_BYTES_PER_SECOND
    whole = int((limit - _HEAD_BYTES - length * tables) * 8 / length)
    return whole - (_COPIED_SOUND_BIT_RATE if sound_bit_rate is None else sound_bit_rate)


def size_for_byte_limit(target: Video, limit: int | None, case: Case) -> Size | None:
    """Return the size of the encoded picture, reduced if ``limit`` bytes leave it too few bits.

    It is reduced to the largest rung for whose bit rate they suffice. A requested rung is kept.
    """
    size, length = target.video.display_size, target.duration
    if size is None or not length or limit is None or case.options.rung is not None:
        return size
    ladder = encoding(case.placement).ladder
    rung = ladder.holding(size)
    smaller = [
        other for other in ladder.of(rung.orientation) if other.video_bit_rate < rung.video_bit_rate
    ]
    for next_rung in reversed(smaller):
        if target.audio is None:
            sound_bit_rate: int | None = 0
        elif target.audio.reencode:
            sound_bit_rate = rung.audio_bit_rate
        else:
            sound_bit_rate = target.audio.bit_rate
        bit_rate = affordable_bit_rate(limit, length, sound_bit_rate, target.video.frame_rate)
        if bit_rate >= _RUNG_BIT_RATE_SHARE * rung.video_bit_rate:
            break
        size, rung = _shrunk(size, next_rung.size), next_rung
    return _even_size(size, case.placement)


def _size_min(placement: Placement, size: Size) -> Size:
    """Return the minimum width and height for a picture with the orientation of ``size``."""
    box = placement.limit("video-dimensions")
    if not isinstance(box, DimensionRange):
        return 2, 2
    turned = not box.oriented and (box.min[0] > box.min[1]) != (size[0] > size[1])
    return (box.min[1], box.min[0]) if turned else box.min


def _shrunk(size: Size, frame: Size) -> Size:
    """Return the size reduced to fit into ``frame``, never enlarged."""
    scale = min(Fraction(1), Fraction(frame[0], size[0]), Fraction(frame[1], size[1]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _even_size(size: Size, placement: Placement) -> Size:
    """Return the size with even sides.

    It is not enlarged, unless the short side has to be to keep the aspect ratio within its limit.
    """
    least = _size_min(placement, size)
    width, height = (max(low, side - side % 2) for side, low in zip(size, least, strict=True))
    low, high = _ratio_limits(placement)
    if high is not None and Fraction(width, height) > high:
        height += 2
    if low is not None and Fraction(width, height) < low:
        width += 2
    return width, height


def _snapped(rate: Fraction) -> Fraction:
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= nearest * _SNAP else rate


def _rate_limits(placement: Placement) -> tuple[Fraction | None, Fraction]:
    limit = placement.limit("video-frame-rate")
    if not isinstance(limit, Range):
        return None, FRAME_RATE_MAX
    return limit.min, limit.max or FRAME_RATE_MAX


def _ratio_limits(placement: Placement) -> tuple[Fraction | None, Fraction | None]:
    limit = placement.limit("video-aspect-ratio")
    return (limit.min, limit.max) if isinstance(limit, Range) else (None, None)
