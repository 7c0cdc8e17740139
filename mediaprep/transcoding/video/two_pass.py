"""Two-pass encodes, and the bounded search for the bit rate that fills a byte limit. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mediaprep.tools.ffmpeg import FfmpegCommand

MAX_TRIALS = 4  # second passes for one byte limit
MIN_FILL = Fraction(95, 100)  # of a byte limit that binds
# The share of the limit that each further trial aims at: more cautious from trial to trial.
_AIMS = (Fraction(985, 1000), Fraction(98, 100), Fraction(97, 100))
_SATURATED_RATE = 1.1  # if so many times the bit rate ...
_SATURATED_SIZE = 1.02  # ... gives a file less than so many times as large, more bits are useless
_MAX_FACTOR = 4.0  # by which one correction may change the bit rate
STATISTICS = "STATISTICS"  # in a command line: stands for the prefix of the statistics files
_FIRST_PASS_OPTIONS = (
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
_RATE_OPTIONS = ("crf", "b:v", "maxrate", "bufsize")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTrial:
    """A second pass at ``bit_rate`` (of the picture, bit/s) that wrote ``size_bytes``."""

    bit_rate: int
    size_bytes: int


def first_pass(command: FfmpegCommand, bit_rate: int) -> FfmpegCommand:
    """Return the pass that writes nothing but statistics, without sound."""
    options = {key: value for key, value in command.options.items() if key in _FIRST_PASS_OPTIONS}
    return replace(
        command,
        tracks=command.tracks[:1],
        options=_pass_options(options, bit_rate, 1),
        muxer="null",
    )


def second_pass(command: FfmpegCommand, bit_rate: int) -> FfmpegCommand:
    """Return the pass that writes the file."""
    options = {key: value for key, value in command.options.items() if key not in _RATE_OPTIONS}
    return replace(command, options=_pass_options({**options, **_peaks(bit_rate)}, bit_rate, 2))


def single_pass(command: FfmpegCommand, bit_rate: int) -> FfmpegCommand:
    """Return one run at an average bit rate, for encoders without two passes."""
    return replace(command, options={**command.options, "b:v": bit_rate, **_peaks(bit_rate)})


def next_bit_rate(trials: Sequence[RateTrial], limit: int, other_bytes: int) -> int | None:
    """Return the bit rate to try next, in bit/s; None if no further trial can do better.

    limit        bytes that the file may have
    other_bytes  bytes of the file that are not picture: sound, boxes
    """
    last = trials[-1]
    filled = MIN_FILL * limit <= last.size_bytes <= limit
    if len(trials) >= MAX_TRIALS or filled or _saturated(trials, limit):
        return None
    aim = _AIMS[min(len(trials), len(_AIMS)) - 1] * limit
    picture_bytes = max(1, last.size_bytes - other_bytes)
    factor = float((aim - other_bytes) / picture_bytes)
    wanted = int(last.bit_rate * min(_MAX_FACTOR, max(1 / _MAX_FACTOR, factor)))
    low = max((t.bit_rate for t in trials if t.size_bytes <= limit), default=0)
    high = min((t.bit_rate for t in trials if t.size_bytes > limit), default=None)
    if high is not None and low < high and not low < wanted < high:
        wanted = (low + high) // 2
    tried = {trial.bit_rate for trial in trials}
    return wanted if wanted > 0 and wanted not in tried else None


def best_trial(trials: Sequence[RateTrial], limit: int) -> RateTrial | None:
    """Return the trial with the largest file within the limit; None if there is none."""
    fit_name = [trial for trial in trials if trial.size_bytes <= limit]
    return max(fit_name, key=lambda trial: trial.size_bytes, default=None)


def _saturated(trials: Sequence[RateTrial], limit: int) -> bool:
    """Return True if more bits no longer make the file larger."""
    if len(trials) < 2 or trials[-1].size_bytes > limit:
        return False
    before, last = trials[-2:]
    return (
        last.bit_rate > _SATURATED_RATE * before.bit_rate
        and last.size_bytes < _SATURATED_SIZE * before.size_bytes
    )


def _peaks(bit_rate: int) -> dict[str, str | int]:
    return {"maxrate": 2 * bit_rate, "bufsize": 4 * bit_rate}


def _pass_options(
    options: Mapping[str, str | int], bit_rate: int, number: int
) -> dict[str, str | int]:
    return {**options, "b:v": bit_rate, "pass": number, "passlogfile": STATISTICS}
