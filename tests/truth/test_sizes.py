"""Bit rates, byte limits and loudness are what was requested; a source of few bits gets few bits."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import mediaprep
from mediaprep import Options, Outcome, Video
from tests.truth.ffmpeg_reader import X264, ffmpeg, loudness

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds that use every bit they get, in an open GOP."""
    path = tmp_path_factory.mktemp("sizes") / "noisy.mp4"
    picture, sound = (
        "testsrc2=s=480x270:r=30:d=6,noise=alls=14:allf=t",
        "anoisesrc=c=pink:a=0.05:d=6:r=48000",
    )
    coded = "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "5M"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        picture,
        "-f",
        "lavfi",
        "-i",
        sound,
        *coded,
        "-x264-params",
        "open-gop=1:bframes=2:keyint=30",
        "-c:a",
        "aac",
        path,
    )
    return path


def fixed(source: Path, target: Path, **options: object) -> Outcome:
    outcome = mediaprep.prepare(source, target, options=Options(**options))  # type: ignore[arg-type]
    assert outcome.status == "fixed", outcome.problems
    return outcome


def test_the_bit_rate_of_the_table_is_reached(noisy: Path, tmp_path: Path) -> None:
    """768 kbit/s for up to 640x360. Six seconds are the shortest that two passes can control; on a
    minute the error is 1 %.
    """
    media = fixed(noisy, tmp_path / "out.mp4", rate="table", quality="fast").after[0].media
    assert isinstance(media, Video)
    assert media.video.bit_rate == pytest.approx(768_000, rel=0.04)


@pytest.mark.parametrize("limit", [400_000, 230_000])
def test_a_byte_limit_is_filled_and_not_exceeded(noisy: Path, tmp_path: Path, limit: int) -> None:
    outcome = fixed(noisy, tmp_path / "out.mp4", max_size=limit, quality="fast")
    size = (tmp_path / "out.mp4").stat().st_size
    assert 0.95 * limit <= size <= limit
    assert outcome.uploads[0].total_bytes == size


def test_an_impossible_byte_limit_is_refused_before_any_work(noisy: Path, tmp_path: Path) -> None:
    outcome = mediaprep.prepare(noisy, tmp_path / "out.mp4", options=Options(max_size=20_000))
    assert outcome.status == "refused"
    assert "20000 bytes are too few" in outcome.problems[0]
    assert list(tmp_path.iterdir()) == []


def test_a_source_of_few_bits_stays_small(tmp_path: Path) -> None:
    """A source of 150 kbit/s gets at most 1.5 times that, not the 768 kbit/s of its rung."""
    poor = tmp_path / "poor.mp4"
    picture = "testsrc2=s=480x270:r=30:d=6,noise=alls=14:allf=t"
    few = (
        "-b:v",
        "150k",
        "-maxrate",
        "150k",
        "-bufsize",
        "300k",
        "-x264-params",
        "open-gop=1:bframes=2:keyint=30",
    )
    ffmpeg("-f", "lavfi", "-i", picture, *X264, *few, "-pix_fmt", "yuv420p", poor)
    fixed(poor, tmp_path / "out.mp4", quality="fast")
    assert (tmp_path / "out.mp4").stat().st_size <= 1.7 * poor.stat().st_size


def test_a_loudness_is_reached_and_the_picture_copied(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.mp4"
    sound = "anoisesrc=c=pink:a=0.05:d=6:r=48000"
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=6", "-f", "lavfi", "-i", sound)
    ffmpeg(*inputs, *X264, "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", quiet)
    outcome = fixed(quiet, tmp_path / "out.mp4", loudness=Fraction(-16))
    assert loudness(tmp_path / "out.mp4") == pytest.approx(-16, abs=0.5)
    assert [copy.track for copy in outcome.records[0].copied] == ["video"]
    again = mediaprep.prepare(
        tmp_path / "out.mp4", tmp_path / "again.mp4", options=Options(loudness=Fraction(-16))
    )
    assert again.status == "already_ok"


def test_a_loudness_that_the_bit_rate_prevents_is_noted(tmp_path: Path) -> None:
    """White noise at 64 kbit/s: AAC drops its upper half, and with it 2 LU."""
    noise = tmp_path / "noise.mp4"
    inputs = (
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=128x96:r=25:d=4",
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=d=4:a=0.3,aformat=channel_layouts=stereo",
    )
    ffmpeg(*inputs, *X264, "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "320k", noise)
    outcome = fixed(noise, tmp_path / "out.mp4", loudness=Fraction(-14))
    reached = loudness(tmp_path / "out.mp4")
    assert reached < -15
    assert (
        f"the loudness is {reached:.1f} LUFS, requested: -14; the bit rate"
        in outcome.records[0].notes[0]
    )


@pytest.mark.long
def test_quality_is_measured_on_request(noisy: Path, tmp_path: Path) -> None:
    """A low bit rate gives a low score, a high one a high score."""
    coarse = fixed(
        noisy, tmp_path / "coarse.mp4", max_size=230_000, measure=True, quality="fast"
    ).measured[0]
    fine = fixed(noisy, tmp_path / "fine.mp4", measure=True, quality="hq").measured[0]
    assert coarse.metric == fine.metric == "VMAF"
    assert coarse.frames == fine.frames == 180
    assert fine.mean > 90
    assert coarse.mean < fine.mean - 2
    assert fine.worst <= fine.mean
