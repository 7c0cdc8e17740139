"""The rules of stills, three rows each, and an animation that is sent as a picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaprep.model.media import Animation, Image, PrivateItem
from mediaprep.planning.check import check
from mediaprep.planning.plan import plan
from mediaprep.profile import find_profile

PLACEMENT = find_profile("twitter").placements["tweet_image"]
PHOTO = Image(
    name="a.jpg", size_bytes=1000, complete=True, private=(), format="jpeg", width=40, height=30, orientation=1, mode="RGB",
    bit_depth=8, alpha=False, colour_space="sRGB", pictures=1, gain_map=False,
)  # fmt: skip
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
def test_an_animation_sent_as_a_picture_is_not_made_a_still(source):
    """Its own category has limits of its own: 15 MB for a GIF."""
    made = plan((source,), PLACEMENT)
    assert made.status == "refused"
    assert made.refusals[0].remedies == ("omit the category so that it is inferred",)


def test_comments_are_left_out_of_a_gif_sent_as_a_picture():
    comment = (PrivateItem(kind="comment", where="GIF comment"),)
    made = plan((replace(MOVING, private=comment),), PLACEMENT)
    assert [change.fact for change in made.outputs[0].changes] == ["private"]
    assert plan((replace(MOVING, format="webp", private=comment),), PLACEMENT).outputs == ()
