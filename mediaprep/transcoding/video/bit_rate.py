"""How many bits a picture gets: the ladder's row, what the source is worth, what a byte limit affords. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from mediaprep.model.limits import Rung
from mediaprep.model.media import Video, VideoStream
from mediaprep.model.placement import Quality, VideoEncoding
from mediaprep.model.tolerance import AtMostBytes, Near
from mediaprep.planning.plan import Output
from mediaprep.targets.video import affordable_bit_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderPreset:
    """One row of the table of qualities (encoding.md, section 1): x264's preset and CRF; ``cap``: the rung's bit rate, or the placement's
    higher advised one.
    """

    preset: str
    crf: int
    advised_cap: bool = False


QUALITY: dict[Quality, EncoderPreset] = {
    "fast": EncoderPreset(preset="veryfast", crf=23),
    "default": EncoderPreset(preset="medium", crf=23),
    "best": EncoderPreset(preset="slow", crf=23),
    "hq": EncoderPreset(preset="medium", crf=18, advised_cap=True),
}
# How many bits of H.264 one bit of the source's codec is worth, generously: a re-encode is not given more than that. Guesses, on the safe
# side.
_WORTH = {
    "h264": Fraction(3, 2),
    "hevc": Fraction(5, 2),
    "vp9": Fraction(5, 2),
    "av1": Fraction(3),
    "vp8": Fraction(3, 2),
    "vc1": Fraction(5, 4),
    "wmv3": Fraction(5, 4),
    **dict.fromkeys(
        (
            "mpeg4",
            "mpeg1video",
            "mpeg2video",
            "h263",
            "flv1",
            "wmv1",
            "wmv2",
            "msmpeg4v2",
            "msmpeg4v3",
            "theora",
        ),
        Fraction(1),
    ),
}
_SOUND_WORTH, _LEAST_SOUND = (
    3,
    64_000,
)  # times the source's bit rate, whatever its codec, and bit/s that AAC LC gets all the same (guesses)
_LEAST_CAP = 100_000  # bit/s: below this H.264 headers and motion alone need it (a guess)
BUFFER_SECONDS = 2  # encoding.md, section 1: -bufsize is twice the rung
EFFORTS = 3  # encodes at the most to reach a quality that was asked for
_FINER = 4  # steps of CRF that one more effort is finer by
_LEAST = 1000  # bit/s that x264 is asked for at the least


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTarget:
    """What rate control aims at.

    way       quality: constant quality, never above ``bit_rate`` (over two seconds); average: two passes that give ``bit_rate``;
              bytes: two passes that fill ``limit`` bytes, ``bit_rate`` to begin with
    bit_rate  of the picture, bit/s
    """

    way: Literal["quality", "average", "bytes"]
    bit_rate: int
    limit: int | None = None


def aim(output: Output, effort: int = 0) -> RateTarget:
    """The table's rate where it is asked for, a byte limit where it is less than the rate control would otherwise allow, else quality.
    ``effort``: see ``setting``; the last spends all bits that are allowed."""
    table = output.options.rate == "table"
    most = rung(output).video_bit_rate if table else _worth_cap(output)
    limits = [
        tolerance.limit for tolerance in output.tolerances if isinstance(tolerance, AtMostBytes)
    ]
    for limit in sorted(limits)[:1]:
        afforded, seconds = picture_bit_rate(output, limit), length(output) or Fraction(1)
        if afforded * seconds < most * (
            seconds + BUFFER_SECONDS
        ):  # else no limit can be met by chance
            return RateTarget(way="bytes", bit_rate=min(afforded, most), limit=limit)
    return RateTarget(way="average" if table or effort >= EFFORTS - 1 else "quality", bit_rate=most)


def bit_rate_cap(output: Output) -> int:
    """bit/s that the picture may take: the rung's (or the advised one for ``hq``), less where the source's own bit rate is worth less, or
    where the promised bytes would not hold it.
    """
    return aim(output).bit_rate


def rung(output: Output) -> Rung:
    """The row of the ladder that gives the bit rates: the one asked for, else the smallest that holds the wanted picture."""
    target, video = (
        encoding(output),
        output.target.video if isinstance(output.target, Video) else VideoStream(),
    )
    asked = output.options.rung
    size = video.display_size or (target.ladder.rungs[0].width, target.ladder.rungs[0].height)
    return target.ladder.holding(size if asked is None else target.ladder.oriented(asked, size))


def setting(output: Output, effort: int = 0) -> EncoderPreset:
    """The quality asked for, else the profile's. ``effort``: 0; more, where a retry is to look better within the same cap."""
    asked = QUALITY[output.options.quality or encoding(output).quality]
    return asked if effort == 0 else replace(asked, preset="slow", crf=asked.crf - _FINER * effort)


def encoding(output: Output) -> VideoEncoding:
    """The placement's video target. Raises: ValueError for a placement that takes none."""
    if not isinstance(output.placement.encoding, VideoEncoding):
        raise ValueError(f"{output.placement.name} takes no video")
    return output.placement.encoding


def sound_bit_rate(output: Output) -> int | None:
    """bit/s of the sound that is written; 0: there is none; None: it is copied, and its rate is not known."""
    source_media, target = output.source, output.target
    if not isinstance(target, Video) or target.audio is None:
        return 0
    if target.audio.reencode:
        return encoded_sound_bit_rate(output)
    return (
        source_media.audio.bit_rate
        if isinstance(source_media, Video) and source_media.audio is not None
        else None
    )


def encoded_sound_bit_rate(output: Output) -> int:
    """bit/s of a sound that is encoded anew: the rung's, less where the source's own is worth less, save where the table's is asked for."""
    source_media, most = output.source, rung(output).audio_bit_rate
    known = (
        source_media.audio.bit_rate
        if isinstance(source_media, Video) and source_media.audio is not None
        else None
    )
    if known is None or output.options.rate == "table":
        return most
    return min(most, max(_LEAST_SOUND, known * _SOUND_WORTH))


def length(output: Output) -> Fraction:
    """Seconds that the output lasts, as promised; 0 where nothing is promised."""
    return next(
        (p.value for p in output.tolerances if isinstance(p, Near) and p.fact == "duration"),
        Fraction(0),
    )


def picture_bit_rate(output: Output, limit: int) -> int:
    """bit/s of the picture with which the file has ``limit`` bytes."""
    rate = output.target.video.frame_rate if isinstance(output.target, Video) else None
    return max(
        _LEAST,
        affordable_bit_rate(limit, length(output) or Fraction(1), sound_bit_rate(output), rate),
    )


def _worth_cap(output: Output) -> int:
    source_media = output.source
    cap = (
        encoding(output).hq_bit_rate if setting(output).advised_cap else rung(output).video_bit_rate
    )
    worth = _WORTH.get(source_media.video.codec or "") if isinstance(source_media, Video) else None
    if not isinstance(source_media, Video) or worth is None or source_media.video.bit_rate is None:
        return cap
    return max(min(cap, _LEAST_CAP), min(cap, int(source_media.video.bit_rate * worth)))
