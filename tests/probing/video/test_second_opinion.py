from fractions import Fraction

import pytest

from mediaprep.model.media import AudioStream, Colour, DeclaredSar, HdrFormat, VideoStream
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.probing.video import second_opinion

SQUARE = DeclaredSar(where="bitstream", value=Fraction(1))


def compare(video, fields):
    log = ReaderLog()
    second_opinion.compare_video(log, video, fields)
    return {(reported.fact, reported.value): reported.agrees for reported in log.reported_facts}


@pytest.mark.parametrize(
    ("facts", "fields", "expected"),
    [
        (
            {"scan_flags": "progressive"},
            {"ScanType": "Progressive"},
            ("video.scan_flags", "Progressive", True),
        ),
        (
            {"scan_flags": "tff"},
            {"ScanType": "MBAFF", "ScanOrder": "TFF"},
            ("video.scan_flags", "MBAFF TFF", True),
        ),
        (
            {"scan_flags": "progressive"},
            {"ScanType": "Interlaced"},
            ("video.scan_flags", "Interlaced", False),
        ),
        (
            {"rotation": 90, "mirrored": False},
            {"Rotation": "90.000"},
            ("video.rotation", "90", True),
        ),
        (
            {"rotation": 270, "mirrored": True},
            {"Rotation": "90.000"},
            ("video.rotation", "90", False),
        ),
        ({"sars": ()}, {"PixelAspectRatio": "1.000"}, ("video.sars", "1", True)),
        ({"sars": (SQUARE,)}, {"PixelAspectRatio": "1.333"}, ("video.sars", "1.333", False)),
        ({"rate_mode": "vfr"}, {"FrameRate_Mode": "CFR"}, ("video.rate_mode", "cfr", False)),
        ({"width": 288}, {"Width": "320"}, ("video.width", "320", False)),
    ],
)
def test_its_report_is_compared_with_the_fact(facts, fields, expected):
    fact, value, agrees = expected
    assert compare(VideoStream(**facts), fields) == {(fact, value): agrees}


def test_ratios_of_container_and_bitstream_are_compared_separately():
    stated = (DeclaredSar(where="container", value=Fraction(4, 3)), SQUARE)
    found = compare(
        VideoStream(sars=stated),
        {"PixelAspectRatio": "1.333", "PixelAspectRatio_Original": "1.000"},
    )
    assert found == {("video.sars", "1.333"): True, ("video.sars", "bitstream 1"): True}


def test_texts_that_are_not_numbers_report_nothing():
    assert (
        compare(
            VideoStream(rotation=0, mirrored=False, sars=()),
            {"Rotation": "0 / 90", "PixelAspectRatio": ""},
        )
        == {}
    )


def test_sbr_and_channels():
    log = ReaderLog()
    second_opinion.compare_audio(
        log,
        AudioStream(codec="aac", sbr=False, channels=1),
        {"Format_AdditionalFeatures": "LC SBR", "Channels": "2"},
    )
    assert [(reported.fact, reported.agrees) for reported in log.reported_facts] == [
        ("audio.sbr", False),
        ("audio.channels", False),
    ]


def test_dolby_vision_is_completed_if_only_its_presence_is_known():
    fields = {"HDR_Format_Profile": "dvhe.08 / ", "HDR_Format_Compatibility": "HDR10 / HDR10"}
    known = HdrFormat(name="Dolby Vision", profile=5, compatibility=0)
    assert second_opinion.complete_dolby_vision(
        (HdrFormat(name="Dolby Vision"), known), fields
    ) == (
        HdrFormat(name="Dolby Vision", profile=8, compatibility=1),
        known,
    )
    assert second_opinion.complete_dolby_vision(Colour().hdr or (), {}) == ()
