"""Parsing the logs of libvmaf and xpsnr, and the notes on a quality or loudness that is not
reached.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from mediaprep.model.options import Options
from mediaprep.model.record import QualityMeasurement
from mediaprep.pipeline.notes import max_encodes, notes_of, reaches_quality
from mediaprep.planning.plan import Output, plan
from mediaprep.probing.video.measures import parse_loudness, parse_shots
from mediaprep.transcoding.measure import metric_filters, vmaf_of, xpsnr_of
from tests.facts import good, twitter


def output(options: Options) -> Output:
    (made,) = plan((good(video__gop__structure="open"),), twitter(), options).outputs
    return made


def vmaf(mean: float) -> QualityMeasurement:
    return QualityMeasurement(metric="VMAF", mean=mean, worst=mean - 5, frames=100)


def test_vmaf_has_a_mean_and_the_mean_of_the_worst_twentieth() -> None:
    frames = [{"frameNum": i, "metrics": {"vmaf": 90.0 + i}} for i in range(10)]
    assert vmaf_of(json.dumps({"frames": frames})) == QualityMeasurement(
        metric="VMAF", mean=94.5, worst=90.0, frames=10
    )
    assert vmaf_of('{"frames": []}') is None


def test_xpsnr_is_of_luma() -> None:
    """A log of ffmpeg 9.0.2; identical pictures have an infinite XPSNR."""
    text = (
        "n:    1  XPSNR y: 40.0000  XPSNR u: 41.0000  XPSNR v: 42.0000\n"
        "n:    2  XPSNR y: inf  XPSNR u: inf  XPSNR v: inf\n\nXPSNR average, 2 frames  y: 43.0\n"
    )
    assert xpsnr_of(text) == QualityMeasurement(metric="XPSNR", mean=70.0, worst=40.0, frames=2)


def test_both_pictures_get_the_same_clock() -> None:
    names = [step.name for step in metric_filters("libvmaf", Fraction(30000, 1001), "/log", 2)]
    assert names == ["settb", "setpts", "format", "libvmaf"]


def test_only_a_requested_quality_is_retried() -> None:
    assert max_encodes(output(Options(measure=True))) == 1
    assert max_encodes(output(Options(min_vmaf=95))) == 3
    assert not reaches_quality(output(Options(min_vmaf=95)), vmaf(94.9))
    assert reaches_quality(output(Options(min_vmaf=95)), vmaf(95.0))
    assert reaches_quality(output(Options(min_vmaf=95)), None), (
        "without a measurement no retry helps"
    )


@pytest.mark.parametrize(
    ("options", "measured", "expected"),
    [
        (
            Options(min_vmaf=95),
            vmaf(91),
            "VMAF is 91.0, requested: 95; at most 2048 kbit/s are allowed",
        ),
        (Options(min_vmaf=95), None, "neither libvmaf nor xpsnr"),
        (
            Options(min_vmaf=95),
            QualityMeasurement(metric="XPSNR", mean=38, worst=30, frames=9),
            "measures only XPSNR: 38.0 dB",
        ),
    ],
)
def test_a_quality_that_is_not_reached_is_noted(
    options: Options, measured: QualityMeasurement | None, expected: str
) -> None:
    (line,) = notes_of(output(options), None, measured)
    assert expected in line.replace(" ", " ").replace("2,048", "2048").replace("2 048", "2048")


def test_a_quality_that_is_reached_is_not_noted() -> None:
    assert notes_of(output(Options(min_vmaf=95)), None, vmaf(96)) == ()
    assert notes_of(output(Options()), None, None) == ()


def test_a_loudness_that_is_not_reached_is_noted() -> None:
    written = good(audio__loudness=-20.0)
    requested = replace(output(Options()), options=Options(loudness=Fraction(-14)))
    assert "the loudness is -20.0 LUFS, requested: -14" in notes_of(requested, written, None)[0]
    assert notes_of(requested, good(audio__loudness=-14.5), None) == ()
    assert "silent" in notes_of(requested, good(), None)[0]


def test_shot_changes_are_parsed_from_the_metadata_filter() -> None:
    """Output of ffmpeg 9.0.2; a change at time 0 does not count."""
    text = "frame:120  pts:180000  pts_time:2\nlavfi.scd.time=2\nframe:126  pts:189000  pts_time:2.1\nlavfi.scd.time=2.1\nlavfi.scd.time=0\n"
    assert parse_shots(text) == (Fraction(2), Fraction(21, 10))
    assert parse_shots("") == ()


def test_loudness_is_parsed_from_loudnorm() -> None:
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


def test_a_copied_picture_and_an_encoded_span_are_noted() -> None:
    (copied,) = plan(
        (good(container__format="matroska"),), twitter(), Options(measure=True)
    ).outputs
    assert notes_of(copied, None, None) == ("the quality was not measured: the picture is copied",)
    encoded = output(Options(trim=(Fraction(3), Fraction(5)), snap=Fraction(1, 10)))
    assert "no keyframes within 0.1 s of the cuts" in notes_of(encoded, None, None)[0]
