from fractions import Fraction

import pytest

from mediaprep.model.media import DeclaredSar
from mediaprep.probing.video.geometry import (
    Orientation,
    clean_aperture,
    declared_sars,
    grey_aware,
    orientation,
)

ONE = 65536


def map_point(point, matrix):
    """Map a point with a display matrix: ISO/IEC 14496-12, 6.2.2, without the translation."""
    a, b, _, c, d, _ = matrix[:6]
    return round((a * point[0] + c * point[1]) / ONE), round((b * point[0] + d * point[1]) / ONE)


def rotate(point, orientation):
    """Mirror a point left to right, then rotate it clockwise.

    y points down, so (1, 0) goes to (0, 1).
    """
    x, y = (-point[0], point[1]) if orientation.mirrored else point
    for _ in range(orientation.rotation // 90):
        x, y = -y, x
    return x, y


@pytest.mark.parametrize(
    "corners",
    [
        (1, 0, 0, 1),
        (-1, 0, 0, 1),
        (1, 0, 0, -1),
        (-1, 0, 0, -1),
        (0, 1, 1, 0),
        (0, 1, -1, 0),
        (0, -1, 1, 0),
        (0, -1, -1, 0),
    ],
)
def test_orientations_of_the_eight_unit_matrices_map_points_alike(corners):
    a, b, c, d = (ONE * value for value in corners)
    matrix = (a, b, 0, c, d, 0, 37 * ONE, 11 * ONE, 1 << 30)
    found = orientation(matrix)
    assert found.exact
    assert all(
        rotate(point, found) == map_point(point, matrix) for point in ((1, 0), (0, 1), (2, 3))
    )


@pytest.mark.parametrize(
    ("matrix", "rotation"),
    [
        ((46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30), 0),  # 45 degrees
        ((2 * ONE, 0, 0, 0, 2 * ONE, 0, 0, 0, 1 << 30), 0),  # enlarged
        ((0, ONE // 2, 0, -ONE // 2, 0, 0, 0, 0, 1 << 30), 90),  # turned and halved
        ((0, 0, 0, 0, 0, 0, 0, 0, 0), 0),
        ((ONE, 0, 1, 0, ONE, 0, 0, 0, 1 << 30), 0),  # perspective
    ],
)
def test_any_other_matrix_is_inexact_and_takes_the_nearest_right_angle(matrix, rotation):
    found = orientation(matrix)
    assert (found.exact, found.rotation) == (False, rotation)


def test_no_matrix_is_upright():
    assert orientation(None) == Orientation(rotation=0, mirrored=False, exact=True)


@pytest.mark.parametrize("nothing", [None, Fraction(0)])
def test_none_and_zero_declare_no_ratio(nothing):
    assert declared_sars(nothing, nothing) == ()
    assert declared_sars(nothing, Fraction(4, 3)) == (
        DeclaredSar(where="bitstream", value=Fraction(4, 3)),
    )


@pytest.mark.parametrize(
    ("clap", "box"),
    [
        (None, ()),
        ((320, 1, 240, 1, 0, 1, 0, 1), ()),  # the whole picture
        ((300, 1, 200, 1, 0, 1, 0, 1), (10, 20, 300, 200)),  # centred
        ((300, 1, 200, 1, -10, 1, 20, 1), (0, 40, 300, 200)),  # shifted to the edges
        ((400, 1, 200, 1, 0, 1, 0, 1), ()),  # larger than the picture
        ((300, 0, 200, 1, 0, 1, 0, 1), ()),  # a denominator of 0
    ],
)
def test_clean_aperture_of_a_320x240_picture(clap, box):
    assert clean_aperture(clap, 320, 240) == box


@pytest.mark.parametrize(
    ("name", "monochrome", "expected"),
    [
        ("yuvj420p", True, "gray"),
        ("yuv420p10le", True, "gray10le"),
        ("yuv420p", False, "yuv420p"),
        ("gray", True, "gray"),
        ("yuv444p", True, "yuv444p"),
    ],
)
def test_monochrome_output_as_420_is_named_grey(name, monochrome, expected):
    assert grey_aware(name, monochrome) == expected
