"""The filters give exactly the planned size at even offsets; content is not enlarged, and only
cropped on request.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mediaprep.model.media import Video
from mediaprep.model.options import Options
from mediaprep.planning.plan import plan
from mediaprep.tools.ffmpeg import Filter
from mediaprep.transcoding.video.scale_crop_pad import framing_filters, scaled_size
from tests.facts import sized, twitter

SIDES = st.one_of(
    st.integers(1, 2600),
    st.sampled_from([31, 32, 33, 426, 427, 720, 1024, 1080, 1280, 1281, 1282, 1920, 3840]),
)
Size = tuple[int, int]


def applied(filters: list[Filter], size: Size) -> tuple[Size, list[tuple[str, Size, Size]]]:
    """Return the resulting size, and each step with the size before and after it."""
    steps = []
    for step in filters:
        before = size
        if step.name in ("scale", "pad", "crop"):
            size = int(step.options["w"]), int(step.options["h"])
        steps.append((step.name, before, size))
    return size, steps


@settings(deadline=None)
@given(
    width=SIDES,
    height=SIDES,
    rotation=st.sampled_from([0, 90, 180, 270]),
    fit=st.sampled_from(["pad", "crop", "scale"]),
)
def test_the_filters_give_the_planned_size(
    width: int, height: int, rotation: int, fit: str
) -> None:
    media = sized(width, height, video__rotation=rotation, video__gop__structure="open")
    made = plan((media,), twitter(), Options(fit=fit)).outputs  # type: ignore[arg-type]
    assume(made)
    target = made[0].target
    shown = media.video.display_size
    assert isinstance(target, Video)
    assert target.video.display_size is not None
    assert shown is not None
    filters = framing_filters(media.video, target.video.display_size, fit)  # type: ignore[arg-type]
    size, steps = applied(filters, shown)
    assert size == target.video.display_size
    assert size[0] % 2 == size[1] % 2 == 0
    for name, before, after in steps:
        if name == "scale" and fit != "scale":
            assert after[0] <= max(2, shown[0])
            assert after[1] <= max(2, shown[1])
        if name == "crop":
            assert fit == "crop"
            assert after[0] <= before[0]
            assert after[1] <= before[1]
        if name == "pad":
            assert after[0] >= before[0]
            assert after[1] >= before[1]
    for step in filters:
        if step.name == "pad":
            assert int(step.options["x"]) % 2 == int(step.options["y"]) % 2 == 0


@settings(deadline=None)
@given(
    width=st.integers(8, 4000),
    height=st.integers(8, 4000),
    w=st.integers(8, 640),
    h=st.integers(8, 640),
    fill=st.booleans(),
)
def test_a_scaled_picture_keeps_its_aspect_ratio(
    width: int, height: int, w: int, h: int, fill: bool
) -> None:
    """Up to the rounding to even sides; inside the frame, or around it if it is to be filled."""
    size = 2 * w, 2 * h
    inner = scaled_size((width, height), size, fill=fill)
    assert inner[0] % 2 == inner[1] % 2 == 0
    ratios = Fraction(size[0], width), Fraction(size[1], height)
    scale = min(Fraction(1), max(ratios) if fill else min(ratios))
    assert abs(inner[0] - width * scale) <= 3
    assert abs(inner[1] - height * scale) <= 3
    if not fill:
        assert inner[0] <= size[0]
        assert inner[1] <= size[1]
    elif width >= size[0] and height >= size[1]:
        assert inner[0] >= size[0] - 2
        assert inner[1] >= size[1] - 2


def test_rounding_adds_no_border() -> None:
    """1919x1080 in 1280x720 is 1279.3 pixels wide: a border of one pixel would be left."""
    assert scaled_size((1919, 1080), (1280, 720), fill=False) == (1280, 720)
    assert scaled_size((641, 361), (640, 360), fill=False) == (640, 360)
