"""The search for a byte limit: never over, full where bits help, bounded. The encoder is a formula here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mediaprep.tools.ffmpeg import FfmpegCommand, Input, OutputTrack
from mediaprep.transcoding.video.two_pass import (
    FILL,
    MOST,
    RateTrial,
    best,
    first,
    next_bit_rate,
    second,
    single,
)

OTHER = 100_000
JOB = FfmpegCommand(
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
    tries: list[RateTrial] = []
    wanted: int | None = start
    while wanted is not None:
        tries.append(RateTrial(bit_rate=wanted, size_bytes=int(encoder(wanted))))
        wanted = next_bit_rate(tries, limit, OTHER)
    return tries


@pytest.mark.parametrize(
    ("encoder", "most"),
    [
        (lambda rate: OTHER + rate * 10 / 8, 1),  # exact
        (lambda rate: OTHER + rate * 10 / 8 * 1.05, 2),  # 5 % too much
        (lambda rate: OTHER + rate * 10 / 8 * 0.8, 2),
        (lambda rate: OTHER * 2 + rate * 10 / 8 * 1.1, 3),  # the rest was misjudged, too
        (lambda rate: OTHER + 300 * rate**0.6, 4),  # far from linear
    ],
)
def test_a_limit_is_filled_and_never_passed(encoder: Callable[[int], float], most: int) -> None:
    limit = 1_000_000
    tries = search(encoder, limit, (limit * 98 // 100 - OTHER) * 8 // 10)
    found = best(tries, limit)
    assert found is not None
    assert FILL * limit <= found.size_bytes <= limit
    assert len(tries) <= most


def test_a_picture_that_needs_no_more_bits_ends_the_search() -> None:
    tries = search(lambda rate: OTHER + min(rate, 100_000), 10_000_000, 400_000)
    assert len(tries) == 2
    assert best(tries, 10_000_000) == tries[0]


def test_the_search_is_bounded_and_says_when_nothing_fits() -> None:
    tries = search(lambda rate: 5_000_000, 1_000_000, 700_000)
    assert len(tries) <= MOST
    assert best(tries, 1_000_000) is None


def test_the_first_pass_only_looks() -> None:
    """No sound, no file, none of the muxer's words; the statistics go where the second pass finds them."""
    probed = first(JOB, 500)
    assert (probed.muxer, probed.tracks) == ("null", (OutputTrack(index=0),))
    assert dict(probed.options) == {
        "c:v": "libx264", "preset": "medium", "t": "9", "b:v": 500, "pass": 1, "passlogfile": "STATISTICS",
    }  # fmt: skip


def test_the_second_pass_aims_at_the_average() -> None:
    options = dict(second(JOB, 500).options)
    assert (options["b:v"], options["pass"], options["maxrate"], options["bufsize"]) == (
        500,
        2,
        1000,
        2000,
    )
    assert "crf" not in options
    assert options["c:a"] == "aac"


def test_an_encoder_without_passes_gets_the_average_at_once() -> None:
    options = dict(single(JOB, 500).options)
    assert options["b:v"] == 500
    assert "pass" not in options
