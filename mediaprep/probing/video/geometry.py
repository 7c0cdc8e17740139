"""Size, rotation, pixel aspect ratio and pixel format from what the readers found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mediaprep.model.media import DeclaredSar

ONE = 65536  # 1 in 16.16, ISO/IEC 14496-12, 6.2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """How the decoded picture is shown: ``mirrored`` left to right first, then turned clockwise by ``rotation`` degrees; ``exact``:
    the matrix is one of the eight axis-aligned unit matrices."""

    rotation: int = 0
    mirrored: bool = False
    exact: bool = True


def orientation(matrix: tuple[int, ...] | None) -> Orientation:
    """From the nine integers of a display matrix (a b u, c d v, x y w: a point (p, q) is shown at (ap + cq, bp + dq), y downwards); the
    translation only moves the canvas. None: no matrix, upright. A matrix that is none of the eight takes the nearest right angle."""
    if matrix is None:
        return Orientation()
    a, b, u, c, d, v = matrix[:6]
    mirrored = a * d - b * c < 0
    exact = u == v == 0 and sorted(map(abs, (a, b, c, d))) == [0, 0, ONE, ONE] and abs(a) == abs(d)
    # with or without the mirror, the second row is (-sin, cos) of the clockwise angle
    upright = (0 if d >= 0 else 180) if abs(d) >= abs(c) else None
    return Orientation(
        rotation=upright if upright is not None else 90 if c < 0 else 270,
        mirrored=mirrored,
        exact=exact,
    )


def stated_sars(container: Fraction | None, bitstream: Fraction | None) -> tuple[DeclaredSar, ...]:
    """The ratios that are stated: None and 0 state nothing."""
    stated = []
    if container:
        stated.append(DeclaredSar(where="container", value=container))
    if bitstream:
        stated.append(DeclaredSar(where="bitstream", value=bitstream))
    return tuple(stated)


def clean_aperture(clap: tuple[int, ...] | None, width: int, height: int) -> tuple[int, ...]:
    """The (left, top, width, height) that a ``clap`` box leaves of a picture, in whole pixels; () where it leaves all, or makes no sense.
    ``clap``: four fractions (width, height, horizontal and vertical offset of the centre), ISO/IEC 14496-12, 12.1.4."""
    if clap is None or not all(clap[1::2]):
        return ()
    wide, high, across, down = (Fraction(clap[i], clap[i + 1]) for i in range(0, 8, 2))
    box = tuple(
        round(value)
        for value in (across + (width - wide) / 2, down + (height - high) / 2, wide, high)
    )
    inside = (
        box[0] >= 0
        and box[1] >= 0
        and 0 < box[2] <= width - box[0]
        and 0 < box[3] <= height - box[1]
    )
    return box if inside and box != (0, 0, width, height) else ()


def grey_aware(name: str, monochrome: bool) -> str:
    """The pixel format's name: decoders show H.264 4:0:0 as ``yuvj420p`` or ``yuv420p10le``; the SPS tells."""
    return f"gray{name.partition('420p')[2]}" if monochrome and "420p" in name else name
