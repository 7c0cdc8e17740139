"""Coding a still under a byte limit: losslessly, with a palette or without, or at the highest quality that fits. In a confined child."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mediaprep.tools import pillow

if TYPE_CHECKING:
    from PIL import Image

    from mediaprep.tools.picture_job import PictureJob

PALETTE = 256
SSIM_PIXELS = 1_000_000
EFFORT = 4  # WebP's own default method
_STRIP, _SAMPLE = (
    64,
    16,
)  # rows of a strip, a multiple of what JPEG and WebP code together; one strip in so many
_CLOSE = 0.04  # share of the limit within which the next quality is worth a look: one step of quality is 2 to 4 % of the size
TRIALS = 6
_LONGEST = {
    "webp": 16_383,
    "jpeg": 65_500,
}  # pixels of a side: VP8's 14 bits (RFC 6386, 9.1), libjpeg's JPEG_MAX_DIMENSION
FINE = 90  # JPEG quality from which colour keeps its full resolution


def coded(
    picture: Image.Image, job: PictureJob, carried: dict[str, Any], *, exact: bool
) -> tuple[bytes, str, int | None, int] | None:
    """(bytes, format, quality, encodes) by the first target that fits; None: none does at this size. ``exact``: not halved so far."""
    for form in job.targets:
        if max(picture.size) > _LONGEST.get(form, max(picture.size)):
            continue
        if form == "png":
            if (
                found := _png(picture, job, carried, last=job.targets[-1] == "png", exact=exact)
            ) is not None:
                return found[0], "png", None, found[1]
        elif (fitted := _fitted(picture, form, job, carried)) is not None:
            return fitted[0], form, fitted[1], fitted[2]
    return None


def _png(
    picture: Image.Image, job: PictureJob, carried: dict[str, Any], *, last: bool, exact: bool
) -> tuple[bytes, int] | None:
    """Losslessly: with a palette where there are few colours, else as it is, unless a sample of it says that it cannot fit."""
    flat = _with_palette(picture)
    if flat is not None:
        data = _saved(flat, "PNG", carried, optimize=True)
        return (data, 1) if job.limit is None or len(data) <= job.limit else None
    if job.limit is not None and not last and (not exact or _likely_png_bytes(picture) > job.limit):
        return None
    data = _saved(picture, "PNG", carried, compress_level=6)
    return (data, 1) if job.limit is None or len(data) <= job.limit else None


def _likely_png_bytes(picture: Image.Image) -> float:
    """By nine samples of 128x128; an estimate that only saves time."""
    edge, (wide, high) = 128, picture.size
    if wide * high <= 16 * edge * edge:
        return 0.0
    if min(wide, high) < edge:
        return 0.0
    spots = [
        (x, y)
        for x in (0, (wide - edge) // 2, wide - edge)
        for y in (0, (high - edge) // 2, high - edge)
    ]
    sampled = sum(
        len(_saved(picture.crop((x, y, x + edge, y + edge)), "PNG", {})) for x, y in spots
    )
    return 0.9 * sampled * wide * high / (len(spots) * edge * edge)


def _with_palette(picture: Image.Image) -> Image.Image | None:
    """The same picture with a palette of its at most 256 colours; None: it has more."""
    import numpy as np
    from PIL import Image

    if picture.mode == "L":
        return picture
    colours: list[tuple[int, tuple[int, ...]]] | None = picture.getcolors(PALETTE)  # type: ignore[assignment]  # no mode with numbers
    if colours is None:
        return None
    ordered = [colour for _, colour in sorted(colours, key=lambda item: (-item[0], item[1]))]
    keys = np.array(
        [int.from_bytes(bytes(colour), "little") for colour in ordered], dtype=np.uint32
    )
    order = np.argsort(keys)
    pixels = np.asarray(picture)
    indices = np.empty(pixels.shape[:2], dtype=np.uint8)
    for row in range(0, pixels.shape[0], 256):  # in strips, for the memory that they take
        strip = pixels[row : row + 256].astype(np.uint32)
        packed = sum(
            (strip[..., channel] << (8 * channel) for channel in range(strip.shape[2])),
            np.uint32(0),
        )
        indices[row : row + 256] = order[np.searchsorted(keys[order], packed)]
    flat = Image.fromarray(indices, "L")
    flat.putpalette(b"".join(bytes(colour) for colour in ordered), picture.mode)
    return flat


def _fitted(
    picture: Image.Image, form: str, job: PictureJob, carried: dict[str, Any]
) -> tuple[bytes, int, int] | None:
    """(bytes, quality, encodes) at the highest quality that fits; at most seven encodes, the last of them the one that is written."""
    plain = _flattened(picture, job.background) if form == "jpeg" else picture
    tried: dict[int, bytes] = {}

    def size(quality: int) -> int:
        tried[quality] = _coded(plain, form, quality, carried)
        return len(tried[quality])

    best = (
        job.quality
        if job.limit is None
        else highest(size, job.limit, job.min_quality, job.quality, _estimate(plain, form, job))
    )
    if best is None:
        return None
    if best not in tried:
        size(best)
    data = tried[best]
    if form == "jpeg":
        small = _coded(plain, form, best, carried, final=True)
        data = small if len(small) <= len(data) else data
    return data, best, len(tried) + (form == "jpeg")


def highest(size: Callable[[int], int], limit: int, low: int, high: int, guess: int) -> int | None:
    """The highest quality from ``low`` to ``high`` whose size is within the limit; None: not even the lowest. By ``TRIALS`` at most, where
    there are up to 32 to choose from: first the guess, then its neighbour if it was close, else the middle of what is left."""
    best, trial, left = None, min(max(guess, low), high), TRIALS
    while low <= high:
        reached = size(trial)
        if reached <= limit:
            best, low = trial, trial + 1
        else:
            high = trial - 1
        left -= 1
        neighbourly = abs(reached - limit) < _CLOSE * limit and high - low < 2 ** (left - 1)
        trial = (low if reached <= limit else high) if neighbourly else (low + high) // 2
    return best


def _estimate(picture: Image.Image, form: str, job: PictureJob) -> int:
    """A first guess at the quality, from strips over the whole height that make a sixteenth of the picture."""
    wide, high = picture.size
    strips = high // (_STRIP * _SAMPLE)
    if wide * high < SSIM_PIXELS or not strips or job.limit is None:
        return job.quality
    from PIL import Image

    sample = Image.new(picture.mode, (wide, strips * _STRIP))
    for index in range(strips):
        top = index * _STRIP * _SAMPLE
        sample.paste(picture.crop((0, top, wide, top + _STRIP)), (0, index * _STRIP))
    share = job.limit * strips * _STRIP // high
    low, top_quality = job.min_quality, job.quality
    found = highest(
        lambda quality: len(_coded(sample, form, quality, {})),
        share,
        low,
        top_quality,
        (low + top_quality) // 2,
    )
    return low if found is None else found


def _coded(
    picture: Image.Image, form: str, quality: int, carried: dict[str, Any], *, final: bool = False
) -> bytes:
    if form == "webp":
        return _saved(picture, "WEBP", carried, quality=quality, method=EFFORT)
    words = {"progressive": True, "optimize": True} if final else {}
    return _saved(
        picture, "JPEG", carried, quality=quality, subsampling=0 if quality >= FINE else 2, **words
    )


def _saved(picture: Image.Image, form: str, carried: dict[str, Any], **words: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **carried, **words)
    return out.getvalue()


def _flattened(picture: Image.Image, background: str) -> Image.Image:
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, background)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def similarity(picture: Image.Image, data: bytes, form: str, background: str) -> float:
    """Structural similarity (Wang et al. 2004) of luma, over 8x8 windows, of a copy of at most a million pixels."""
    import numpy as np
    from PIL import Image

    shrink = 1
    while picture.width * picture.height > SSIM_PIXELS * shrink * shrink:
        shrink *= 2

    def small(whole: Image.Image, factor: int) -> Any:
        reduced = whole.reduce(factor) if factor > 1 else whole
        return np.asarray(_flattened(reduced, background).convert("L"), dtype=np.float64)

    with Image.open(io.BytesIO(data), formats=[form.upper()]) as result:
        drafted = min(shrink, 8) if form == "jpeg" else 1
        if drafted > 1:
            result.draft(None, (picture.width // drafted, picture.height // drafted))
        return structural_similarity(
            small(picture, shrink), small(pillow.eight_bit(result), shrink // drafted)
        )


def structural_similarity(a: Any, b: Any) -> float:
    """Mean SSIM of two H×W float arrays with values 0 to 255; 1 = equal."""
    import numpy as np

    window = min(8, *a.shape)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def mean(values: Any) -> Any:
        total = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        return (
            total[window:, window:]
            - total[:-window, window:]
            - total[window:, :-window]
            + total[:-window, :-window]
        ) / window**2

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b, both = (
        mean(a * a) - mean_a**2,
        mean(b * b) - mean_b**2,
        mean(a * b) - mean_a * mean_b,
    )
    similar = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    )
    return float(min(1.0, max(0.0, similar.mean())))
