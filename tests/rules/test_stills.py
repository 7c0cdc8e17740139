"""Rules for still images: three rows each, and an animation uploaded as an image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaprep.model.media import Animation, Image, PrivateItem
from mediaprep.planning.check import check
from mediaprep.planning.plan import plan
from mediaprep.profile import find_profile

PLACEMENT = find_profile("twitter").placements["tweet_image"]
PHOTO = Image(
    name="a.jpg",
    size_bytes=1000,
    complete=True,
    private=(),
    format="jpeg",
    width=40,
    height=30,
    orientation=1,
    mode="RGB",
    bit_depth=8,
    alpha=False,
    colour_space="sRGB",
    pictures=1,
    gain_map=False,
)
MOVING = Animation(
    name="a.gif",
    size_bytes=1000,
    complete=True,
    private=(),
    format="gif",
    width=40,
    height=30,
    frame_count=3,
)


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        *((replace(PHOTO, format=form), {}) for form in ("jpeg", "png", "gif", "webp")),
        *(
            (replace(PHOTO, format=form), {"image-type": "broken"})
            for form in ("heif", "avif", "tiff", "bmp", "psd", "jpeg2000", "ico")
        ),
        (replace(PHOTO, format=None), {"image-type": "unknown"}),
        (replace(PHOTO, size_bytes=5 * 2**20), {}),
        (replace(PHOTO, size_bytes=5 * 2**20 + 1), {"image-size": "broken"}),
        (replace(PHOTO, size_bytes=None), {"image-size": "unknown"}),
        (replace(PHOTO, complete=False), {"file-complete": "broken"}),
        (
            replace(PHOTO, private=(PrivateItem(kind="location", where="EXIF/GPS"),)),
            {"file-private-metadata": "broken"},
        ),
        (MOVING, {}),
        (replace(MOVING, format="apng"), {"image-type": "broken"}),
        (replace(MOVING, size_bytes=6 * 2**20), {"image-size": "broken"}),
    ],
)
def test_rows(source, rules):
    assert {finding.rule: finding.state for finding in check(source, PLACEMENT).findings} == rules


@pytest.mark.parametrize(
    "source", [replace(MOVING, format="apng"), replace(MOVING, size_bytes=6 * 2**20)]
)
def test_an_animation_uploaded_as_an_image_does_not_become_a_still(source):
    """The category for animations has its own limits: 15 MB for a GIF."""
    result = plan((source,), PLACEMENT)
    assert result.status == "refused"
    assert result.refusals[0].remedies == ("omit the category so that it is inferred",)


def test_comments_are_removed_from_a_gif_uploaded_as_an_image():
    comment = (PrivateItem(kind="comment", where="GIF comment"),)
    result = plan((replace(MOVING, private=comment),), PLACEMENT)
    assert [change.fact for change in result.outputs[0].changes] == ["private"]
    assert plan((replace(MOVING, format="webp", private=comment),), PLACEMENT).outputs == ()
