"""The filters from each kind of colour to BT.709, limited range, 8 bits."""

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
    return [(step.name, dict(step.options)) for step in colour_filters(video)]


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
def test_every_chain_ends_in_tagged_bt709(colour: dict[str, Any]) -> None:
    steps = filters(**colour)
    assert steps[-1] == ("setparams", LAST)
    assert ("format", {"pix_fmts": "yuv420p"}) in steps or any(
        step[0] == "tonemap" for step in steps
    )


def test_bt709_is_not_converted() -> None:
    assert names(primaries="bt709", transfer="bt709", matrix="bt709", range="limited", hdr=()) == [
        "format",
        "setparams",
    ]


@pytest.mark.parametrize(
    ("size", "matrix", "expected"),
    [
        ((1280, 720), "unspecified", None),
        # Untagged and of a television's size: BT.601, as players assume.
        ((720, 576), "unspecified", "smpte170m"),
        ((1024, 576), None, "smpte170m"),
        ((1026, 576), "unspecified", None),
        ((720, 576), "bt709", None),
        ((1280, 720), "bt470bg", "bt470bg"),
    ],
)
def test_the_source_matrix_is_the_declared_or_assumed_one(
    size: tuple[int, int], matrix: str | None, expected: str | None
) -> None:
    first = filters(*size, matrix=matrix, range="limited")[0]
    if expected is None:
        assert first[0] == "format"
    else:
        assert first == (
            "scale",
            {
                "in_color_matrix": expected,
                "out_color_matrix": "bt709",
                "in_range": "limited",
                "out_range": "limited",
                "flags": "accurate_rnd",
            },
        )


def test_full_range_is_converted() -> None:
    name, options = filters(matrix="bt709", range="full")[0]
    assert (name, options["in_range"], options["out_range"]) == ("scale", "full", "limited")


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_tone_mapped_at_203_nit(transfer: str) -> None:
    steps = filters(
        transfer=transfer,
        primaries="bt2020",
        matrix="bt2020nc",
        range="limited",
        hdr=(HdrFormat(name="PQ"),),
    )
    assert steps[0] == (
        "setparams",
        {
            "color_primaries": "bt2020",
            "color_trc": transfer,
            "colorspace": "bt2020nc",
            "range": "limited",
        },
    )
    assert steps[1:5] == [
        (
            "zscale",
            {"t": "linear", "npl": 203} | ({"agamma": 0} if transfer == "arib-std-b67" else {}),
        ),
        ("format", {"pix_fmts": "gbrpf32le"}),
        ("zscale", {"p": "bt709"}),
        ("tonemap", {"tonemap": "mobius", "desat": 0, "peak": 10}),
    ]


def test_dolby_vision_is_converted_by_its_base_layer() -> None:
    """Profile 8.1 without tags is HDR10; the base layer of 8.2 is SDR, and tone mapping would dim
    it.
    """
    assert "tonemap" in names(
        transfer="unspecified", hdr=(HdrFormat(name="Dolby Vision", profile=8, compatibility=1),)
    )
    sdr = (HdrFormat(name="Dolby Vision", profile=8, compatibility=2),)
    assert "tonemap" not in names(transfer="bt709", matrix="bt709", range="limited", hdr=sdr)
    assert "tonemap" not in names(transfer="unspecified", hdr=sdr)


@pytest.mark.parametrize("primaries", ["bt2020", "smpte432", "smpte431", "smpte170m", "bt470bg"])
def test_other_primaries_without_hdr_are_converted(primaries: str) -> None:
    steps = filters(primaries=primaries, transfer="bt709", matrix="bt709", range="limited", hdr=())
    assert steps[0][0] == "setparams"
    assert steps[1] == (
        "zscale",
        {"p": "709", "t": "709", "m": "709", "r": "limited", "d": "error_diffusion"},
    )


def test_without_zscale_swscale_converts() -> None:
    for colour in (
        Colour(transfer="smpte2084", primaries="bt2020"),
        Colour(primaries="bt2020", matrix="bt2020nc", transfer="bt709"),
    ):
        steps = colour_filters(
            VideoStream(width=640, height=360, chroma="4:2:0", colour=colour),
            zscale=False,
        )
        assert "zscale" not in [step.name for step in steps]
        assert steps[1].options["out_primaries"] == "bt709"
        assert dict(steps[-1].options) == LAST
