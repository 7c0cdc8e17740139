"""One pair of pictures: the source's brought to what the output should show, and judged against
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mediaprep.comparing import colour, geometry
from mediaprep.comparing.geometry import Area
from mediaprep.comparing.similarity import structure
from mediaprep.tools.planes import DecodedPicture

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray


_AREA = 8  # samples a side of the areas whose colours are compared


@dataclass(frozen=True, slots=True)
class ColourReading:
    """How sample codes are read: ITU-T H.273 codes and range."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A picture at comparison size, upright.

    codes   rows×columns×N sample codes: Y, Cb, Cr, or Y alone, or R, G, B; NaN where it shows bars
    """

    codes: Array
    bits: int
    is_rgb: bool
    reading: ColourReading

    def rgb(self) -> Array:
        """Return rows×columns×3 R'G'B', nominally 0 to 1."""
        import numpy as np

        full = self.reading.full_range
        if self.is_rgb:
            return self.codes / float((1 << self.bits) - 1)
        planes = [
            colour.normalised(self.codes[..., n], self.bits, full_range=full, chroma=n > 0)
            for n in range(self.codes.shape[-1])
        ]
        if len(planes) == 1:
            return np.repeat(planes[0][..., None], 3, axis=-1)
        return colour.ycbcr_to_rgb(np.stack(planes, axis=-1), self.reading.matrix)

    @property
    def luma(self) -> Array:
        """rows×columns of the first component, nominally 0 to 1; bars as black."""
        import numpy as np

        if self.is_rgb:
            weights = np.asarray((0.2126, 0.7152, 0.0722), dtype=np.float32)
            return np.nan_to_num(self.rgb()) @ weights
        full = self.reading.full_range
        plane = colour.normalised(self.codes[..., 0], self.bits, full_range=full, chroma=False)
        return np.clip(np.nan_to_num(plane), 0.0, 1.0)


def declared(picture: DecodedPicture) -> ColourReading:
    """Return how the picture says its samples are to be read, with players' guesses where it says
    nothing.
    """
    guess = colour.default_codes(*picture.size)
    primaries = picture.primaries if picture.primaries in colour.CHROMATICITIES else guess[0]
    transfer = guess[1] if picture.transfer in (0, 2, 3) else picture.transfer
    matrix = picture.matrix if picture.matrix in colour.LUMA_WEIGHTS else guess[2]
    full = picture.rgb if picture.full_range is None else picture.full_range
    return ColourReading(primaries, transfer, matrix, full)


def small(
    picture: DecodedPicture,
    area: Area,
    columns: int,
    rows: int,
    orientation: tuple[int, bool],
    *,
    luma_only: bool = False,
) -> SmallPicture:
    """Return the picture upright at columns×rows; ``area`` is a part of the coded picture."""
    import numpy as np

    across, down = (rows, columns) if geometry.swapped(orientation) else (columns, rows)
    planes = picture.planes[:1] if luma_only and not picture.rgb else picture.planes
    codes = np.stack([geometry.reduced(plane, area, across, down) for plane in planes], axis=-1)
    upright = np.ascontiguousarray(geometry.oriented(codes, orientation), dtype=np.float32)
    return SmallPicture(upright, picture.bits, picture.rgb, declared(picture))


def shown(picture: SmallPicture, *, peak: float | None = None) -> Array:
    """Return the OKLab colours that a display shows, rows×columns×3; bars are black.

    peak   for HDR: the light (1.0 = diffuse white) that tone mapping takes to white; None: not
    mapped
    """
    import numpy as np

    reading = picture.reading
    light = colour.linear(np.nan_to_num(picture.rgb()), reading.transfer)
    if peak is not None:
        light = colour.mobius(np.maximum(light, 0.0), peak=peak)
    matrix = colour.primaries_matrix(reading.primaries, 1).astype(np.float32)
    return colour.to_oklab(np.clip(light @ matrix.T, 0.0, 1.0).astype(np.float32))


@dataclass(frozen=True, slots=True)
class ColourDifference:
    """Distance in OKLab times 100, mean and 95th percentile; means of the signed lightness, a and
    b.
    """

    mean: float
    high: float
    lightness: float
    green_red: float
    blue_yellow: float


def colour_difference(reference: Array, other: Array) -> ColourDifference:
    """Return how two OKLab pictures differ, by areas of ``_AREA`` x ``_AREA``: lost detail is no
    colour.
    """
    import numpy as np

    apart = (by_areas(other) - by_areas(reference)) * 100.0
    distance = np.sqrt((apart**2).sum(axis=-1))
    signed = apart.mean(axis=(0, 1))
    return ColourDifference(
        mean=float(distance.mean()),
        high=float(np.percentile(distance, 95)),
        lightness=float(signed[0]),
        green_red=float(signed[1]),
        blue_yellow=float(signed[2]),
    )


def by_areas(lab: Array) -> Array:
    """Return the means of areas of a rows×columns×3 picture; a rest at the edges is left out."""
    rows, columns = (size // _AREA * _AREA for size in lab.shape[:2])
    cut = lab[:rows, :columns].reshape(rows // _AREA, _AREA, columns // _AREA, _AREA, 3)
    return cut.mean(axis=(1, 3))


def best_orientation(
    reference: SmallPicture, other: SmallPicture
) -> tuple[tuple[int, bool], float, float]:
    """Return the orientation of the source that the output is most like, its likeness, and
    identity's.

    The reference is turned and squeezed into the output's shape, so that a sideways picture is
    found.
    """
    goal = other.luma
    rows, columns = goal.shape
    scores = {}
    for orientation in geometry.ORIENTATIONS:
        turned = geometry.oriented(reference.luma, orientation)
        if turned.shape != goal.shape:
            turned = geometry.reduced(turned, geometry.WHOLE, columns, rows)
        scores[orientation] = structure(turned, goal)
    best = max(scores, key=lambda orientation: scores[orientation])
    return best, scores[best], scores[0, False]
