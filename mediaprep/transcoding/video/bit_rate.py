"""The bit rates of picture and sound: the rung's, less what the source cannot use or a byte limit
does not allow. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mediaprep.model.limits import Rung
from mediaprep.model.media import Video, VideoStream
from mediaprep.model.tolerance import AtMostBytes, Near
from mediaprep.planning.plan import Output
from mediaprep.targets.byte_budget import affordable_bit_rate
from mediaprep.transcoding.video.presets import MAX_ENCODES, preset_of, video_encoding

BUFFER_SECONDS = 2  # of the rate control: -bufsize is this many seconds of -maxrate
# Bits of H.264 that one bit of the source's codec can be worth. A re-encode gets no more than
# that. Generous guesses.
_WORTH = {
    "h264": Fraction(3, 2),
    "hevc": Fraction(5, 2),
    "vp9": Fraction(5, 2),
    "av1": Fraction(3),
    "vp8": Fraction(3, 2),
    "vc1": Fraction(5, 4),
    "wmv3": Fraction(5, 4),
    "mpeg4": Fraction(1),
    "mpeg1video": Fraction(1),
    "mpeg2video": Fraction(1),
    "h263": Fraction(1),
    "flv1": Fraction(1),
    "wmv1": Fraction(1),
    "wmv2": Fraction(1),
    "msmpeg4v2": Fraction(1),
    "msmpeg4v3": Fraction(1),
    "theora": Fraction(1),
}
_MIN_CAP = 100_000  # bit/s; a guess: below this, headers and motion alone need it
_MIN_BIT_RATE = 1000  # bit/s, the lowest that x264 is asked for
_SOUND_WORTH = 3  # times the source's bit rate, whatever its codec; a guess
_MIN_SOUND_BIT_RATE = 64_000  # bit/s that AAC LC gets from any source; a guess


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTarget:
    """What rate control aims at.

    way       quality: constant quality, capped at ``bit_rate`` over two seconds
              average: two passes that hit ``bit_rate``
              bytes: two passes that fill ``limit`` bytes, starting at ``bit_rate``
    bit_rate  of the picture, in bit/s
    limit     of the file, in bytes; None unless ``way`` is bytes
    """

    way: Literal["quality", "average", "bytes"]
    bit_rate: int
    limit: int | None = None


def rate_target(output: Output, effort: int = 0) -> RateTarget:
    """Return what rate control aims at: the byte limit if it may bind, the rung's bit rate if
    ``--rate table`` is requested, else quality. The last ``effort`` uses all allowed bits.
    """
    table = output.options.rate == "table"
    cap = rung(output).video_bit_rate if table else _quality_cap(output)
    limit = byte_limit(output)
    if limit is not None:
        affordable_rate = picture_bit_rate(output, limit)
        seconds = duration(output) or Fraction(1)
        # With a full buffer, capped quality may write BUFFER_SECONDS more than cap * duration.
        if affordable_rate * seconds < cap * (seconds + BUFFER_SECONDS):
            return RateTarget(way="bytes", bit_rate=min(affordable_rate, cap), limit=limit)
    all_bits = table or effort >= MAX_ENCODES - 1
    return RateTarget(way="average" if all_bits else "quality", bit_rate=cap)


def bit_rate_cap(output: Output) -> int:
    """Return the highest bit rate of the picture, in bit/s."""
    return rate_target(output).bit_rate


def byte_limit(output: Output) -> int | None:
    """Return the lowest limit of the file's size in bytes; None if there is none."""
    limits = [item.limit for item in output.tolerances if isinstance(item, AtMostBytes)]
    return min(limits, default=None)


def rung(output: Output) -> Rung:
    """Return the requested rung of the ladder, else the smallest that holds the target picture."""
    ladder = video_encoding(output).ladder
    video = output.target.video if isinstance(output.target, Video) else VideoStream()
    size = video.display_size or (ladder.rungs[0].width, ladder.rungs[0].height)
    requested = output.options.rung
    return ladder.holding(size if requested is None else ladder.oriented(requested, size))


def duration(output: Output) -> Fraction:
    """Return the planned duration in seconds; 0 if it is not planned."""
    for item in output.tolerances:
        if isinstance(item, Near) and item.fact == "duration":
            return Fraction(item.value)
    return Fraction(0)


def picture_bit_rate(output: Output, limit: int) -> int:
    """Return the bit rate of the picture at which the file has ``limit`` bytes, in bit/s."""
    rate = output.target.video.frame_rate if isinstance(output.target, Video) else None
    seconds = duration(output) or Fraction(1)
    return max(_MIN_BIT_RATE, affordable_bit_rate(limit, seconds, sound_bit_rate(output), rate))


def sound_bit_rate(output: Output) -> int | None:
    """Return the bit rate of the written sound in bit/s: 0 without sound, None if the sound is
    copied and its bit rate is unknown.
    """
    if not isinstance(output.target, Video) or output.target.audio is None:
        return 0
    if output.target.audio.reencode:
        return encoded_sound_bit_rate(output)
    return _source_sound_bit_rate(output)


def encoded_sound_bit_rate(output: Output) -> int:
    """Return the bit rate of re-encoded sound in bit/s: the rung's, or less if the source has
    few bits and ``--rate table`` is not requested.
    """
    rung_rate, source_rate = rung(output).audio_bit_rate, _source_sound_bit_rate(output)
    if source_rate is None or output.options.rate == "table":
        return rung_rate
    return min(rung_rate, max(_MIN_SOUND_BIT_RATE, source_rate * _SOUND_WORTH))


def _source_sound_bit_rate(output: Output) -> int | None:
    if not isinstance(output.source, Video) or output.source.audio is None:
        return None
    return output.source.audio.bit_rate


def _quality_cap(output: Output) -> int:
    """Return the cap of a constant-quality encode in bit/s: the rung's bit rate (the advised one
    for ``hq``), or less if the source's own bit rate is worth less in H.264.
    """
    source, cap = output.source, rung(output).video_bit_rate
    if preset_of(output).advised_cap:
        cap = video_encoding(output).hq_bit_rate
    if not isinstance(source, Video) or source.video.bit_rate is None:
        return cap
    worth = _WORTH.get(source.video.codec or "")
    if worth is None:
        return cap
    return min(cap, max(_MIN_CAP, int(source.video.bit_rate * worth)))
