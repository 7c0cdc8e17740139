"""The colour of pairs of pictures, and the usual mistakes that would explain a difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from mediaprep.comparing import picture, thresholds
from mediaprep.comparing.colour import HLG, PQ
from mediaprep.comparing.picture import ColourDifference, SmallPicture
from mediaprep.comparing.sampling import Pair, in_blocks

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray

# The light, 1.0 = diffuse white, that a tone map takes to white.
TONE_MAP_PEAKS = (1000 / 203, 10.0, 20.0, 100.0)
Mistake: TypeAlias = Callable[[SmallPicture], SmallPicture]


def colours(pair: Pair, peak: float | None) -> ColourDifference:
    """Return the colour difference of a pair, the source tone-mapped with ``peak`` (None: as it
    is).
    """
    mapped = picture.shown(pair.source, peak=peak if is_hdr(pair.source) else None)
    return picture.colour_difference(mapped, picture.shown(pair.output))


def is_hdr(shown: SmallPicture) -> bool:
    """Whether the picture is signalled as PQ or HLG."""
    return shown.reading.transfer in (PQ, HLG)


def best_peak(pairs: Sequence[Pair]) -> float | None:
    """Return the tone map that the output was made with, of a few; None where none was needed."""
    pair = pairs[len(pairs) // 2]
    if not is_hdr(pair.source) or is_hdr(pair.output):
        return None
    return min(TONE_MAP_PEAKS, key=lambda peak: colours(pair, peak).mean)


def likeliest_mistake(pairs: Sequence[Pair], peak: float | None) -> tuple[str, float, float]:
    """Return the usual mistake that explains the output best: words, certainty, share of difference
    explained.

    Certainty is how many standard errors, from block to block, the mistaken reading lies nearer to
    the
    output than the right one: what noise and grey areas say cancels out.
    """
    found = []
    right = [squares(pair, peak) for pair in pairs]
    for words, mistaken in mistakes(pairs[0].source, pairs[0].output).items():
        read = [replace(pair, source=mistaken(pair.source)) for pair in pairs]
        written = [replace(pair, output=mistaken(pair.output)) for pair in pairs]
        for wrong in (read, written):
            found.append((words, *nearer(right, [squares(pair, peak) for pair in wrong])))
    certain = [item for item in found if item[1] > thresholds.COLOUR_MISTAKE.limit]
    if certain:
        return max(certain, key=lambda item: item[2])
    return max(found, key=lambda item: item[1], default=("", 0.0, 0.0))


def squares(pair: Pair, peak: float | None) -> Array:
    """Return the squared colour distance of a pair, summed over blocks."""
    mapped = picture.shown(pair.source, peak=peak if is_hdr(pair.source) else None)
    apart = ((picture.shown(pair.output) - mapped) * 100.0) ** 2
    return in_blocks(apart.sum(axis=-1))


def nearer(right: Sequence[Array], wrong: Sequence[Array]) -> tuple[float, float]:
    """Return by how many standard errors, and by which share, ``wrong`` has smaller squares."""
    import numpy as np

    before, after = np.concatenate(right), np.concatenate(wrong)
    gain = before - after
    certainty = float(gain.sum() / max(np.sqrt((gain**2).sum()), 1e-9))
    return certainty, float(gain.sum() / max(before.sum(), 1e-9))


def mistakes(source: SmallPicture, output: SmallPicture) -> dict[str, Mistake]:
    """Return the mistakes that can be made with this source: words, and the source as it would
    look.
    """
    reading = source.reading
    found: dict[str, Mistake] = {
        "the colour is lost: the picture is grey": without_colour,
    }
    if not source.is_rgb and source.codes.shape[-1] == 3:
        other = 6 if reading.matrix == 1 else 1
        found["full and limited range are mixed up"] = read_as(full_range=not reading.full_range)
        found["the matrices of BT.601 and BT.709 or BT.2020 are mixed up"] = read_as(matrix=other)
        found["the colour planes Cb and Cr are swapped"] = with_swapped_chroma
    if is_hdr(source):
        found["the HDR picture is shown as if it were SDR"] = read_as(transfer=1)
    if reading.primaries != output.reading.primaries:
        found["the colour primaries were not converted"] = read_as(
            primaries=output.reading.primaries
        )
    return found


def read_as(**codes: object) -> Mistake:
    """Return the mistake of reading the source by other codes."""

    def mistaken(shown: SmallPicture) -> SmallPicture:
        return replace(shown, reading=replace(shown.reading, **codes))  # type: ignore[arg-type]

    return mistaken


def with_swapped_chroma(shown: SmallPicture) -> SmallPicture:
    """Return the picture with Cb and Cr exchanged."""
    swapped = shown.codes[..., [0, 2, 1]] if shown.codes.shape[-1] == 3 else shown.codes
    return replace(shown, codes=swapped)


def without_colour(shown: SmallPicture) -> SmallPicture:
    """Return the picture in grey."""
    if not shown.is_rgb:
        return replace(shown, codes=shown.codes[..., :1])
    luma = shown.luma[..., None] * float((1 << shown.bits) - 1)
    return replace(shown, codes=luma.repeat(3, axis=-1))
