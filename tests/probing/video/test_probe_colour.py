import pytest

from mediaprep.model.media import HdrFormat
from mediaprep.probing.video.colour import DolbyVision, colour_range, hdr_formats


@pytest.mark.parametrize(
    ("code", "pixel_format", "flag", "expected"),
    [
        (0, "yuv420p", None, "unspecified"),
        (1, "yuv420p", None, "limited"),
        (2, "yuv420p", None, "full"),
        (0, "yuvj420p", None, "full"),
        (0, "yuv420p", True, "full"),
        (0, "yuv420p", False, "limited"),
    ],
)
def test_range_is_by_the_code_then_by_the_flag(code, pixel_format, flag, expected):
    assert colour_range(code, pixel_format, flag) == expected


@pytest.mark.parametrize(
    ("transfer", "side_data", "dolby", "names"),
    [
        ("bt709", {"MASTERING_DISPLAY_METADATA"}, None, []),
        ("smpte2084", set(), None, ["PQ"]),
        (
            "smpte2084",
            {"MASTERING_DISPLAY_METADATA", "DYNAMIC_HDR_PLUS"},
            None,
            ["HDR10", "HDR10+"],
        ),
        ("arib-std-b67", set(), DolbyVision(profile=8, compatibility=4), ["HLG", "Dolby Vision"]),
        (
            "unspecified",
            set(),
            DolbyVision(profile=5, compatibility=0),
            ["Dolby Vision"],
        ),  # profile 5 is untagged
    ],
)
def test_every_hdr_signalling_is_named(transfer, side_data, dolby, names):
    assert [item.name for item in hdr_formats(transfer, frozenset(side_data), dolby)] == names


def test_dolby_vision_has_profile_and_compatibility():
    assert HdrFormat(name="Dolby Vision", profile=8, compatibility=4) in hdr_formats(
        "arib-std-b67", frozenset(), DolbyVision(profile=8, compatibility=4)
    )
