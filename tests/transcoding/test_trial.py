"""Predictions from a trial encode, and the cached speed of the host."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from mediaprep.model.options import Options
from mediaprep.model.tolerance import Near
from mediaprep.planning.plan import Output, plan
from mediaprep.report.predict import MEASURED_SPEED, predict
from mediaprep.transcoding.host_speed import read_speed, write_speed
from mediaprep.transcoding.trial import TrialResult, window_of
from tests.facts import good, twitter


def output(options: Options | None = None) -> Output:
    (made,) = plan((good(video__gop__structure="open"),), twitter(), options).outputs
    return made


def test_a_window_is_a_short_output() -> None:
    window = window_of(output(), Fraction(3), Fraction(2))
    assert window.span == (Fraction(3), Fraction(5))
    found = {
        tolerance.fact: tolerance.value
        for tolerance in window.tolerances
        if isinstance(tolerance, Near)
    }
    assert (found["duration"], found["video.duration"], found["video.frame_count"]) == (2, 2, 60)


def test_a_window_of_a_part_counts_from_the_start_of_the_part() -> None:
    part = output(Options(trim=(Fraction(4), Fraction(9))))
    assert window_of(part, Fraction(1), Fraction(2)).span == (Fraction(5), Fraction(7))


def test_a_trial_gives_size_and_time() -> None:
    """Ten seconds at 800 kbit/s with 128 kbit/s of copied sound. A second more of work for each
    second of the output makes ten seconds.
    """
    slow, fast = (
        predict(output(), TrialResult(bit_rate=800_000, work=work)) for work in (1.2, 0.2)
    )
    assert slow.bytes == fast.bytes == (800_000 + 128_000) * 10 // 8
    assert (slow.seconds or 0) - (fast.seconds or 0) == pytest.approx(10)


def test_two_passes_take_longer_than_their_trial() -> None:
    once, twice = (
        predict(output(options), TrialResult(bit_rate=1e6, work=1.0)).seconds or 0
        for options in (Options(), Options(rate="table"))
    )
    assert twice - once == pytest.approx(2.9)


def test_without_a_trial_a_slow_host_takes_longer() -> None:
    usual, slow = (
        predict(output(), host_speed=speed).seconds or 0
        for speed in (MEASURED_SPEED, MEASURED_SPEED / 2)
    )
    assert 1.5 * usual < slow < 2 * usual


def test_without_a_trial_the_size_is_an_upper_bound() -> None:
    assert predict(output()).bytes == (2_048_000 + 128_000) * 10 // 8


def test_the_speed_is_cached_by_binary(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "speed.json"
    write_speed(path, "ffmpeg:1:2", 8e6)
    assert read_speed(path, "ffmpeg:1:2") == 8e6
    assert read_speed(path, "ffmpeg:2:2") is None
    assert [item.name for item in path.parent.iterdir()] == ["speed.json"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"k": "x"}', '{"k": {}}', '{"k": 0}'])
def test_a_damaged_cache_is_ignored(tmp_path: Path, text: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(text)
    assert read_speed(path, "k") is None


def test_a_cache_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    write_speed(tmp_path / "file" / "speed.json", "k", 8e6)
