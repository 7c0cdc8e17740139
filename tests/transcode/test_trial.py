"""What a short trial tells of size and time, and where a host's speeds are kept."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from mediaprep.plan import Output, plan
from mediaprep.promise import Near
from mediaprep.report.predict import predict
from mediaprep.transcode.trial import PRESETS, Trial, read_speeds, windowed, write_speeds
from mediaprep.wishes import Wishes
from tests.facts import good, twitter

SPEEDS = {"veryfast": 30e6, "medium": 10e6, "slow": 5e6}


def output(wishes: Wishes | None = None) -> Output:
    (made,) = plan((good(video__gop__structure="open"),), twitter(), wishes).outputs
    return made


def test_a_window_is_a_short_output_of_its_own() -> None:
    window = windowed(output(), Fraction(3), Fraction(2))
    assert window.span == (Fraction(3), Fraction(5))
    found = {promise.fact: promise.value for promise in window.promises if isinstance(promise, Near)}
    assert (found["duration"], found["video.duration"], found["video.frame_count"]) == (2, 2, 60)


def test_a_window_of_a_part_is_counted_from_the_part() -> None:
    part = output(Wishes(trim=(Fraction(4), Fraction(9))))
    assert windowed(part, Fraction(1), Fraction(2)).span == (Fraction(5), Fraction(7))


def test_the_trial_gives_bits_and_work() -> None:
    """Ten seconds at 800 kbit/s with 128 kbit/s of copied sound; slower presets take more time, whole runs less so than x264 alone."""
    trial = Trial(bit_rate=800_000, work=0.2, speeds=SPEEDS)
    assert predict(output(), trial).bytes == (800_000 + 128_000) * 10 // 8
    assert trial.work_at("veryfast") == pytest.approx(0.2)
    assert trial.work_at("medium") == pytest.approx(0.2 * (0.4 + 0.6 * 3))
    assert Trial(bit_rate=1, work=0.2, speeds=None).work_at("slow") == 0.2


def test_without_a_trial_the_size_is_the_most_it_can_be() -> None:
    assert predict(output()).bytes == (2_048_000 + 128_000) * 10 // 8


def test_speeds_are_kept_for_one_binary(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "speeds.json"
    write_speeds(path, "ffmpeg:1:2", SPEEDS)
    assert read_speeds(path, "ffmpeg:1:2") == SPEEDS
    assert read_speeds(path, "ffmpeg:2:2") is None
    assert [item.name for item in path.parent.iterdir()] == ["speeds.json"]
    assert set(SPEEDS) == set(PRESETS)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"k": {"veryfast": "x"}}', '{"k": {"veryfast": 0, "medium": 1, "slow": 1}}'])
def test_a_damaged_cache_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "speeds.json"
    path.write_text(text)
    assert read_speeds(path, "k") is None


def test_a_cache_that_cannot_be_written_is_no_misfortune(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    write_speeds(tmp_path / "file" / "speeds.json", "k", SPEEDS)
