"""Orientation, sample aspect ratios, clean aperture and grey formats. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mediaprep.model.media import DeclaredSar

ONE = 65536  # 1 in 16.16 fixed point, ISO/IEC 14496-12, 6.2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """How the decoded picture is shown.

    mirrored  left to right, before it is rotated
    rotation  clockwise, in degrees
    exact     the matrix is one of the eight axis-aligned unit matrices
    """

    rotation: int = 0
    mirrored: bool = False
    exact: bool = True


def orientation(matrix: tuple[int, ...] | None) -> Orientation:
    """Return the orientation of a display matrix; None is upright.

    The nine integers are a b u, c d v, x y w: a point (p, q) is shown at (ap + cq, bp + dq), y
    downwards; the translation only moves the canvas. A matrix that is not axis-aligned takes the
    nearest right angle.
    """
    if matrix is None:
        return Orientation()
    a, b, u, c, d, v = matrix[:6]
    mirrored = a * d - b * c < 0
    exact = u == v == 0 and sorted(map(abs, (a, b, c, d))) == [0, 0, ONE, ONE] and abs(a) == abs(d)
    return Orientation(rotation=_clockwise(-c, d), mirrored=mirrored, exact=exact)


def _clockwise(sine: int, cosine: int) -> int:
    """Return the nearest right angle of a matrix whose second row is (-sine, cosine).

    That holds with and without a mirror.
    """
    if abs(cosine) >= abs(sine):
        return 0 if cosine >= 0 else 180
    return 90 if sine > 0 else 270


def declared_sars(
    container: Fraction | None, bitstream: Fraction | None
) -> tuple[DeclaredSar, ...]:
    """Return the ratios that are declared; None and 0 declare nothing."""
    declared = []
    if container:
        declared.append(DeclaredSar(where="container", value=container))
    if bitstream:
        declared.append(DeclaredSar(where="bitstream", value=bitstream))
    return tuple(declared)


def clean_aperture(clap: tuple[int, ...] | None, width: int, height: int) -> tuple[int, ...]:
    """Return the (left, top, width, height) that a ``clap`` box retains, in whole pixels.

    () if it retains the whole picture or is invalid. ``clap``: four fractions (width, height,
    horizontal and vertical offset of the centre), ISO/IEC 14496-12, 12.1.4.
    """
    if clap is None or not all(clap[1::2]):
        return ()
    wide, high, across, down = (Fraction(clap[i], clap[i + 1]) for i in range(0, 8, 2))
    corner = (across + (width - wide) / 2, down + (height - high) / 2)
    box = tuple(round(value) for value in (*corner, wide, high))
    inside = (
        box[0] >= 0
        and box[1] >= 0
        and 0 < box[2] <= width - box[0]
        and 0 < box[3] <= height - box[1]
    )
    return box if inside and box != (0, 0, width, height) else ()


def grey_aware(name: str, monochrome: bool) -> str:
    """Return the pixel format's name, grey if the SPS says that the stream is monochrome.

    Decoders output H.264 4:0:0 as ``yuvj420p`` or ``yuv420p10le``.
    """
    return f"gray{name.partition('420p')[2]}" if monochrome and "420p" in name else name
