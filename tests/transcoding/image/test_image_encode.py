"""What the encoding child has to do for a still image. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaprep.model.media import Image, PrivateItem
from mediaprep.model.options import Options
from mediaprep.planning.plan import plan
from mediaprep.profile import find_profile
from mediaprep.transcoding.image.encode import still_job

PLACEMENT = find_profile("twitter").placements["tweet_image"]
PHOTO = Image(
    name="a", size_bytes=6_000_000, complete=True, private=(), format="jpeg", width=4000, height=3000, orientation=6, mode="RGB",
    bit_depth=8, alpha=False, colour_space="Display P3", pictures=1, gain_map=False, least_bytes=5_990_000,
)  # fmt: skip
GPS = (PrivateItem(kind="location", where="EXIF/GPS"),)


def output(source: Image, options: Options | None = None):
    made = plan((source,), PLACEMENT, options)
    assert len(made.outputs) == 1, made.refusals
    return made.outputs[0]


def job(source: Image, options: Options | None = None):
    return still_job(output(source, options), max_pixels=64_000_000)


def test_a_large_photo_gets_upright_and_srgb():
    made = job(PHOTO)
    assert (made.source_format, made.orientation, made.targets, made.limit) == (
        "jpeg",
        6,
        ("jpeg",),
        5_000_000,
    )
    assert (made.quality, made.min_quality, made.tag, made.keep_metadata) == (95, 70, True, False)


def test_an_untagged_picture_is_not_tagged():
    assert job(replace(PHOTO, colour_space="unspecified")).tag is False


@pytest.mark.parametrize(
    ("form", "alpha", "targets"),
    [
        ("png", False, ("png", "jpeg")), ("png", True, ("png", "webp")), ("webp", True, ("webp",)), ("webp", False, ("jpeg",)),
        ("heif", False, ("jpeg",)), ("heif", True, ("webp",)), ("tiff", False, ("png", "jpeg")), ("bmp", False, ("png", "jpeg")),
        ("gif", True, ("png", "webp")), ("avif", False, ("jpeg",)), ("jpeg2000", True, ("webp",)),
    ],
)  # fmt: skip
def test_the_target_formats_depend_on_the_source(form, alpha, targets):
    assert job(replace(PHOTO, format=form, alpha=alpha)).targets == targets


def test_a_picture_that_its_reader_rotates_is_not_rotated_again():
    assert job(replace(PHOTO, format="heif", orientation=6)).orientation == 1
    assert job(replace(PHOTO, format="avif", orientation=6)).orientation == 6


def test_metadata_is_removed_without_reencoding():
    made = output(replace(PHOTO, size_bytes=4_000_000, least_bytes=3_900_000, private=GPS))
    assert isinstance(made.target, Image)
    assert made.target.reencode is False
    assert (made.target.orientation, made.target.colour_space, made.target.format) == (
        6,
        "Display P3",
        "jpeg",
    )
    assert {change.safety for change in made.changes} == {"lossless"}


def test_a_file_that_metadata_makes_too_large_is_not_reencoded():
    made = output(
        replace(
            PHOTO,
            least_bytes=4_000_000,
            private=(PrivateItem(kind="comment", where="JPEG comment"),),
        )
    )
    assert isinstance(made.target, Image)
    assert made.target.reencode is False


def test_written_files_stay_below_5_times_10_to_the_6():
    """A source of 5.1 x 10^6 bytes passes; if it has to be written again, it is re-encoded below 5
    x 10^6.
    """
    between = replace(PHOTO, size_bytes=5_150_000, least_bytes=5_100_000)
    assert plan((between,), PLACEMENT).status == "already_ok"
    made = output(replace(between, private=GPS))
    assert isinstance(made.target, Image)
    assert made.target.reencode is True


def test_metadata_is_kept_on_request():
    kept = Options(keep_metadata=True)
    assert job(replace(PHOTO, private=GPS), kept).keep_metadata is True
    assert (
        plan((replace(PHOTO, size_bytes=4_000_000, private=GPS),), PLACEMENT, kept).status
        == "already_ok"
    )


def test_a_requested_size_is_the_limit():
    assert job(PHOTO, Options(max_size=1_000_000)).limit == 1_000_000
    fine = replace(PHOTO, size_bytes=2_000_000, least_bytes=1_990_000)
    assert job(fine, Options(max_size=1_000_000)).limit == 1_000_000
    assert plan((fine,), PLACEMENT, Options(max_size=3_000_000)).status == "already_ok"


def test_an_undecodable_format_is_refused_with_a_remedy():
    made = plan((replace(PHOTO, format="jpegxl", mode=None),), PLACEMENT)
    assert made.status == "refused"
    assert made.refusals[0].remedies == ("export it as JPEG or PNG",)


def test_an_output_needs_no_further_change():
    made = replace(
        PHOTO,
        size_bytes=4_900_000,
        least_bytes=4_890_000,
        orientation=1,
        colour_space="sRGB",
        format="jpeg",
        width=2000,
        height=1500,
    )
    assert plan((made,), PLACEMENT).status == "already_ok"
