"""Reading what libvmaf and xpsnr write, and what is said when a quality is not reached."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from mediaprep.model.options import Options
from mediaprep.model.record import QualityMeasurement
from mediaprep.pipeline.notes import efforts, notes_of, reached
from mediaprep.planning.plan import Output, plan
from mediaprep.probing.video.measures import parse_loudness, parse_shots
from mediaprep.transcoding.measure import judges, vmaf_of, xpsnr_of
from tests.facts import good, twitter


def output(options: Options) -> Output:
    (made,) = plan((good(video__gop__structure="open"),), twitter(), options).outputs
    return made


def vmaf(mean: float) -> QualityMeasurement:
    return QualityMeasurement(metric="VMAF", mean=mean, worst=mean - 5, frames=100)


def test_vmaf_is_the_mean_and_the_worst_twentieth() -> None:
    frames = [{"frameNum": i, "metrics": {"vmaf": 90.0 + i}} for i in range(10)]
    assert vmaf_of(json.dumps({"frames": frames})) == QualityMeasurement(
        metric="VMAF", mean=94.5, worst=90.0, frames=10
    )
    assert vmaf_of('{"frames": []}') is None


def test_xpsnr_is_that_of_luma() -> None:
    """As ffmpeg 9.0.2 wrote them; equal pictures are infinitely alike."""
    text = (
        "n:    1  XPSNR y: 40.0000  XPSNR u: 41.0000  XPSNR v: 42.0000\n"
        "n:    2  XPSNR y: inf  XPSNR u: inf  XPSNR v: inf\n\nXPSNR average, 2 frames  y: 43.0\n"
    )
    assert xpsnr_of(text) == QualityMeasurement(metric="XPSNR", mean=70.0, worst=40.0, frames=2)


def test_both_pictures_are_judged_on_one_clock() -> None:
    names = [step.name for step in judges("libvmaf", Fraction(30000, 1001), "/log", 2)]
    assert names == ["settb", "setpts", "format", "libvmaf"]


def test_only_a_quality_that_was_asked_for_is_tried_again() -> None:
    assert efforts(output(Options(measure=True))) == 1
    assert efforts(output(Options(min_vmaf=95))) == 3
    assert not reached(output(Options(min_vmaf=95)), vmaf(94.9))
    assert reached(output(Options(min_vmaf=95)), vmaf(95.0))
    assert reached(output(Options(min_vmaf=95)), None), "there is nothing to try again for"


@pytest.mark.parametrize(
    ("options", "measured", "told"),
    [
        (
            Options(min_vmaf=95),
            vmaf(91),
            "VMAF is 91.0, 95 was asked for: 2048 kbit/s hold no more",
        ),
        (Options(min_vmaf=95), None, "neither libvmaf nor xpsnr"),
        (
            Options(min_vmaf=95),
            QualityMeasurement(metric="XPSNR", mean=38, worst=30, frames=9),
            "measures only XPSNR: 38.0 dB",
        ),
    ],
)
def test_what_was_not_reached_is_told(
    options: Options, measured: QualityMeasurement | None, told: str
) -> None:
    (line,) = notes_of(output(options), None, measured)
    assert told in line.replace(" ", " ").replace("2,048", "2048").replace("2 048", "2048")


def test_what_was_reached_is_not() -> None:
    assert notes_of(output(Options(min_vmaf=95)), None, vmaf(96)) == ()
    assert notes_of(output(Options()), None, None) == ()


def test_a_loudness_that_was_not_reached_is_told() -> None:
    heard = good(audio__loudness=-20.0)
    asked = replace(output(Options()), options=Options(loudness=Fraction(-14)))
    assert "the loudness is -20.0 LUFS, -14 was asked for" in notes_of(asked, heard, None)[0]
    assert notes_of(asked, good(audio__loudness=-14.5), None) == ()
    assert "silent" in notes_of(asked, good(), None)[0]


def test_shot_changes_are_read_from_what_metadata_prints() -> None:
    """As ffmpeg 9.0.2 wrote it; a change at 0 is none."""
    text = "frame:120  pts:180000  pts_time:2\nlavfi.scd.time=2\nframe:126  pts:189000  pts_time:2.1\nlavfi.scd.time=2.1\nlavfi.scd.time=0\n"
    assert parse_shots(text) == (Fraction(2), Fraction(21, 10))
    assert parse_shots("") == ()


def test_loudness_is_read_from_what_loudnorm_writes() -> None:
    levels = {
        "input_i": "-10.97",
        "input_tp": "-1.84",
        "input_lra": "3.00",
        "input_thresh": "-21.94",
        "target_offset": "-4.73",
    }
    assert parse_loudness(json.dumps(levels).encode()) == (-10.97, 3.0, -1.84, -21.94)
    assert parse_loudness(json.dumps({**levels, "input_i": "-inf"}).encode()) is None
    assert parse_loudness(b"") is None


def test_what_cannot_be_measured_or_copied_is_told() -> None:
    (copied,) = plan(
        (good(container__format="matroska"),), twitter(), Options(measure=True)
    ).outputs
    assert notes_of(copied, None, None) == (
        "the quality was not measured: the picture is the source's own, copied",
    )
    encoded = output(Options(trim=(Fraction(3), Fraction(5)), snap=Fraction(1, 10)))
    assert "no key frames within 0.1 s of the cuts" in notes_of(encoded, None, None)[0]
