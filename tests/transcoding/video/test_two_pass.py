"""The search for a byte limit: never above it, filled if bits help, bounded. The encoder is a
formula.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mediaprep.tools.ffmpeg import FfmpegCommand, Input, OutputTrack
from mediaprep.transcoding.video.two_pass import (
    MAX_TRIALS,
    MIN_FILL,
    RateTrial,
    best_trial,
    first_pass,
    next_bit_rate,
    second_pass,
    single_pass,
)

OTHER = 100_000
COMMAND = FfmpegCommand(
    input=Input(demuxer="mov", whitelist="mov"),
    tracks=(OutputTrack(index=0), OutputTrack(index=1)),
    options={
        "c:v": "libx264",
        "crf": 23,
        "maxrate": 2,
        "bufsize": 4,
        "preset": "medium",
        "c:a": "aac",
        "movflags": "+faststart",
        "t": "9",
    },
    muxer="mp4",
)


def search(encoder: Callable[[int], float], limit: int, start: int) -> list[RateTrial]:
    trials: list[RateTrial] = []
    wanted: int | None = start
    while wanted is not None:
        trials.append(RateTrial(bit_rate=wanted, size_bytes=int(encoder(wanted))))
        wanted = next_bit_rate(trials, limit, OTHER)
    return trials


@pytest.mark.parametrize(
    ("encoder", "max_trials"),
    [
        (lambda rate: OTHER + rate * 10 / 8, 1),  # exact
        (lambda rate: OTHER + rate * 10 / 8 * 1.05, 2),  # 5 % too much
        (lambda rate: OTHER + rate * 10 / 8 * 0.8, 2),
        (lambda rate: OTHER * 2 + rate * 10 / 8 * 1.1, 3),  # the other bytes are underestimated too
        (lambda rate: OTHER + 300 * rate**0.6, 4),  # far from linear
    ],
)
def test_a_limit_is_filled_and_not_exceeded(
    encoder: Callable[[int], float], max_trials: int
) -> None:
    limit = 1_000_000
    trials = search(encoder, limit, (limit * 98 // 100 - OTHER) * 8 // 10)
    found = best_trial(trials, limit)
    assert found is not None
    assert MIN_FILL * limit <= found.size_bytes <= limit
    assert len(trials) <= max_trials


def test_the_search_ends_if_more_bits_are_useless() -> None:
    trials = search(lambda rate: OTHER + min(rate, 100_000), 10_000_000, 400_000)
    assert len(trials) == 2
    assert best_trial(trials, 10_000_000) == trials[0]


def test_the_search_is_bounded_if_nothing_fits() -> None:
    trials = search(lambda rate: 5_000_000, 1_000_000, 700_000)
    assert len(trials) <= MAX_TRIALS
    assert best_trial(trials, 1_000_000) is None


def test_the_first_pass_writes_only_statistics() -> None:
    """No sound, no file, no muxer options; the second pass finds the statistics."""
    command = first_pass(COMMAND, 500)
    assert (command.muxer, command.tracks) == ("null", (OutputTrack(index=0),))
    assert dict(command.options) == {
        "c:v": "libx264", "preset": "medium", "t": "9", "b:v": 500, "pass": 1, "passlogfile": "STATISTICS",
    }  # fmt: skip


def test_the_second_pass_aims_at_the_average() -> None:
    options = dict(second_pass(COMMAND, 500).options)
    assert (options["b:v"], options["pass"], options["maxrate"], options["bufsize"]) == (
        500,
        2,
        1000,
        2000,
    )
    assert "crf" not in options
    assert options["c:a"] == "aac"


def test_an_encoder_without_two_passes_gets_the_average() -> None:
    options = dict(single_pass(COMMAND, 500).options)
    assert options["b:v"] == 500
    assert "pass" not in options
