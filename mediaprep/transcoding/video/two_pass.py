"""Two passes, and the bounded search for a byte limit: the words of each pass, and the bit rate to try next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mediaprep.tools.ffmpeg import FfmpegCommand

MOST = 4  # second passes for one byte limit
FILL = Fraction(95, 100)  # of a limit that binds, at the least
_AIMS = (
    Fraction(985, 1000),
    Fraction(98, 100),
    Fraction(97, 100),
)  # of the limit; the more has been tried, the more careful
_SATURATED = 1.02  # a tenth more bits gave not even this: the picture needs no more
_STEP = 4.0  # times the rate that one correction may go
STATISTICS = (
    "STATISTICS"  # the word of a command line that stands for the prefix of the passes' own files
)
_PICTURE_ONLY = (
    "c:v",
    "preset",
    "profile:v",
    "g",
    "flags:v",
    "r",
    "fps_mode",
    "t",
    "aq-mode",
    "x264-params",
    "pix_fmt",
    "b:v",
)
_RATE = ("crf", "b:v", "maxrate", "bufsize")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTrial:
    """A second pass at ``bit_rate`` (bit/s of the picture) that made ``size_bytes``."""

    bit_rate: int
    size_bytes: int


def first(job: FfmpegCommand, bit_rate: int) -> FfmpegCommand:
    """The pass that only looks: no sound, nothing written but statistics."""
    options = {key: value for key, value in job.options.items() if key in _PICTURE_ONLY}
    return replace(
        job, tracks=job.tracks[:1], options=_numbered(options, bit_rate, 1), muxer="null"
    )


def second(job: FfmpegCommand, bit_rate: int) -> FfmpegCommand:
    """The pass that writes."""
    options = {key: value for key, value in job.options.items() if key not in _RATE}
    peaks = {"maxrate": 2 * bit_rate, "bufsize": 4 * bit_rate}
    return replace(job, options=_numbered({**options, **peaks}, bit_rate, 2))


def single(job: FfmpegCommand, bit_rate: int) -> FfmpegCommand:
    """One run at an average bit rate, of an encoder that knows no passes."""
    return replace(
        job,
        options={**job.options, "b:v": bit_rate, "maxrate": 2 * bit_rate, "bufsize": 4 * bit_rate},
    )


def next_bit_rate(tries: Sequence[RateTrial], limit: int, other_bytes: int) -> int | None:
    """bit/s to try next for ``limit`` bytes, ``other_bytes`` of them sound and boxes; None: the best that can be had is among the tries."""
    last = tries[-1]
    if len(tries) >= MOST or FILL * limit <= last.size_bytes <= limit or _saturated(tries, limit):
        return None
    aim = _AIMS[min(len(tries), len(_AIMS)) - 1] * limit
    picture = max(1, last.size_bytes - other_bytes)
    factor = min(_STEP, max(1 / _STEP, float((aim - other_bytes) / picture)))
    low = max((t.bit_rate for t in tries if t.size_bytes <= limit), default=0)
    high = min((t.bit_rate for t in tries if t.size_bytes > limit), default=None)
    wanted = int(last.bit_rate * factor)
    if high is not None and low < high and not low < wanted < high:
        wanted = (low + high) // 2
    return wanted if wanted > 0 and wanted not in {t.bit_rate for t in tries} else None


def best(tries: Sequence[RateTrial], limit: int) -> RateTrial | None:
    """The largest that fits."""
    return max(
        (item for item in tries if item.size_bytes <= limit),
        key=lambda item: item.size_bytes,
        default=None,
    )


def _saturated(tries: Sequence[RateTrial], limit: int) -> bool:
    if len(tries) < 2 or tries[-1].size_bytes > limit:
        return False
    before, last = tries[-2:]
    return (
        last.bit_rate > 1.1 * before.bit_rate and last.size_bytes < _SATURATED * before.size_bytes
    )


def _numbered(options: Mapping[str, str | int], bit_rate: int, number: int) -> dict[str, str | int]:
    return {**options, "b:v": bit_rate, "pass": number, "passlogfile": STATISTICS}
