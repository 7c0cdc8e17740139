"""What each kind of colour gets on its way to BT.709 limited range, 8 bits."""

from __future__ import annotations

from typing import Any

import pytest

from mediaprep.model.media import Colour, HdrFormat, VideoStream
from mediaprep.transcoding.video.colour import colour_filters

LAST = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "range": "limited"}


def filters(
    width: int = 1280, height: int = 720, chroma: str = "4:2:0", **colour: Any
) -> list[tuple[str, dict[str, Any]]]:
    video = VideoStream(width=width, height=height, chroma=chroma, colour=Colour(**colour))
    return [(step.name, dict(step.options)) for step in colour_filters(video, (width, height))]


def names(**colour: Any) -> list[str]:
    return [name for name, _ in filters(**colour)]


@pytest.mark.parametrize(
    "colour",
    [
        {
            "primaries": "bt709",
            "transfer": "bt709",
            "matrix": "bt709",
            "range": "limited",
            "hdr": (),
        },
        {
            "range": "unspecified",
            "primaries": "unspecified",
            "transfer": "unspecified",
            "matrix": "unspecified",
            "hdr": (),
        },
        {},
        {"range": "full", "matrix": "smpte170m"},
        {
            "transfer": "smpte2084",
            "primaries": "bt2020",
            "matrix": "bt2020nc",
            "hdr": (HdrFormat(name="HDR10"),),
        },
        {"primaries": "smpte432", "transfer": "bt709", "matrix": "bt709"},
        {"matrix": "ycgco"},
        {"chroma": "rgb", "matrix": "gbr"},
    ],
)
def test_all_end_in_tagged_bt709(colour: dict[str, Any]) -> None:
    made = filters(**colour)
    assert made[-1] == ("setparams", LAST)
    assert ("format", {"pix_fmts": "yuv420p"}) in made or any(step[0] == "tonemap" for step in made)


def test_what_is_bt709_already_is_not_converted() -> None:
    assert names(primaries="bt709", transfer="bt709", matrix="bt709", range="limited", hdr=()) == [
        "format",
        "setparams",
    ]


@pytest.mark.parametrize(
    ("size", "matrix", "taken"),
    [
        ((1280, 720), "unspecified", None),
        (
            (720, 576),
            "unspecified",
            "smpte170m",
        ),  # untagged and of a television's size: BT.601, as players take it
        ((1024, 576), None, "smpte170m"),
        ((1026, 576), "unspecified", None),
        ((720, 576), "bt709", None),
        ((1280, 720), "bt470bg", "bt470bg"),
    ],
)
def test_the_matrix_that_is_converted_from(
    size: tuple[int, int], matrix: str | None, taken: str | None
) -> None:
    first = filters(*size, matrix=matrix, range="limited")[0]
    if taken is None:
        assert first[0] == "format"
    else:
        assert first == (
            "scale",
            {
                "in_color_matrix": taken,
                "out_color_matrix": "bt709",
                "in_range": "limited",
                "out_range": "limited",
                "flags": "accurate_rnd",
            },
        )


def test_full_range_is_converted_not_retagged() -> None:
    name, options = filters(matrix="bt709", range="full")[0]
    assert (name, options["in_range"], options["out_range"]) == ("scale", "full", "limited")


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_tone_mapped_at_203_nit(transfer: str) -> None:
    made = filters(
        transfer=transfer,
        primaries="bt2020",
        matrix="bt2020nc",
        range="limited",
        hdr=(HdrFormat(name="PQ"),),
    )
    assert made[0] == (
        "setparams",
        {
            "color_primaries": "bt2020",
            "color_trc": transfer,
            "colorspace": "bt2020nc",
            "range": "limited",
        },
    )
    assert made[1:5] == [
        (
            "zscale",
            {"t": "linear", "npl": 203} | ({"agamma": 0} if transfer == "arib-std-b67" else {}),
        ),
        ("format", {"pix_fmts": "gbrpf32le"}),
        ("zscale", {"p": "bt709"}),
        ("tonemap", {"tonemap": "mobius", "desat": 0, "peak": 10}),
    ]


def test_dolby_vision_is_mapped_by_its_base_layer() -> None:
    """8.1 over untagged HDR10 is taken for PQ; 8.2 and 9 have a plain base layer, which tone mapping would only dim."""
    assert "tonemap" in names(
        transfer="unspecified", hdr=(HdrFormat(name="Dolby Vision", profile=8, compatibility=1),)
    )
    plain = (HdrFormat(name="Dolby Vision", profile=8, compatibility=2),)
    assert "tonemap" not in names(transfer="bt709", matrix="bt709", range="limited", hdr=plain)
    assert "tonemap" not in names(transfer="unspecified", hdr=plain)


@pytest.mark.parametrize("primaries", ["bt2020", "smpte432", "smpte431", "smpte170m", "bt470bg"])
def test_other_primaries_without_hdr_are_converted(primaries: str) -> None:
    made = filters(primaries=primaries, transfer="bt709", matrix="bt709", range="limited", hdr=())
    assert made[0][0] == "setparams"
    assert made[1] == (
        "zscale",
        {"p": "709", "t": "709", "m": "709", "r": "limited", "d": "error_diffusion"},
    )


def test_without_zscale_swscale_converts() -> None:
    """In the order of fallbacks of the dependency notes; said aloud by whoever runs it."""
    for colour in (
        Colour(transfer="smpte2084", primaries="bt2020"),
        Colour(primaries="bt2020", matrix="bt2020nc", transfer="bt709"),
    ):
        made = colour_filters(
            VideoStream(width=640, height=360, chroma="4:2:0", colour=colour),
            (640, 360),
            zscale=False,
        )
        assert "zscale" not in [step.name for step in made]
        assert made[1].options["out_primaries"] == "bt709"
        assert dict(made[-1].options) == LAST
