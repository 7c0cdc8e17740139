"""Encode a still within a byte limit: losslessly, or at the highest quality that fits.

Runs in a confined child.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from mediaprep.tools import pillow

if TYPE_CHECKING:
    from PIL import Image

    from mediaprep.tools.still_job import StillJob

PALETTE = 256
WEBP_METHOD = 4  # WebP's default
FULL_CHROMA_QUALITY = 90  # JPEG quality from which colour keeps its full resolution
TRIALS = 6
# Pixels of a side: VP8's 14 bits (RFC 6386, 9.1), libjpeg's JPEG_MAX_DIMENSION.
_LONGEST = {"webp": 16_383, "jpeg": 65_500}
# Share of the limit within which the neighbouring quality is tried next: one step of quality is 2
# to 4 % of the size.
_CLOSE = 0.04
_SAMPLE_PIXELS = 1_000_000  # smaller pictures are encoded whole: a sample saves no time
# Rows of a strip, a multiple of what JPEG and WebP encode together; one strip in so many.
_STRIP, _SAMPLE = 64, 16
_PNG_SAMPLE = 128  # pixels of a side
_PNG_SAMPLE_SHARE = 0.9  # of the sampled bytes, which contain one header a sample
_PALETTE_ROWS = 256  # that are converted at once, to save memory


class EncodedStill(NamedTuple):
    """An encoded picture; ``quality`` is None if it is lossless, ``encodes`` counts the trials."""

    data: bytes
    format: str
    quality: int | None
    encodes: int


def encode(
    picture: Image.Image, job: StillJob, metadata: dict[str, Any], *, full_size: bool
) -> EncodedStill | None:
    """Encode by the first target format that fits; return None if none does at this size.

    ``full_size`` is False if the picture was halved already.
    """
    for name in job.targets:
        if max(picture.size) > _LONGEST.get(name, max(picture.size)):
            continue
        if name == "png":
            last = job.targets[-1] == "png"
            found = _png(picture, job, metadata, last=last, full_size=full_size)
        else:
            found = _lossy(picture, name, job, metadata)
        if found is not None:
            return found
    return None


def highest(size: Callable[[int], int], limit: int, low: int, high: int, guess: int) -> int | None:
    """Return the highest quality from ``low`` to ``high`` whose size is within the limit.

    Return None if even the lowest is not. At most ``TRIALS`` sizes are computed for up to 32
    qualities: first the guess, then its neighbour if it was close, else the middle of what is left.
    """
    best, trial, left = None, min(max(guess, low), high), TRIALS
    while low <= high:
        reached = size(trial)
        if reached <= limit:
            best, low = trial, trial + 1
        else:
            high = trial - 1
        left -= 1
        if abs(reached - limit) < _CLOSE * limit and high - low < 2 ** (left - 1):
            trial = low if reached <= limit else high
        else:
            trial = (low + high) // 2
    return best


def _png(
    picture: Image.Image, job: StillJob, metadata: dict[str, Any], *, last: bool, full_size: bool
) -> EncodedStill | None:
    """Encode losslessly, with a palette if there are few colours.

    A picture of many colours is not tried if a sample shows that it cannot fit, and it is halved
    for PNG only if no other format is ``last``.
    """
    flat = _with_palette(picture)
    if flat is not None:
        data = _saved(flat, "PNG", metadata, optimize=True)
    elif _hopeless(picture, job, last=last, full_size=full_size):
        return None
    else:
        data = _saved(picture, "PNG", metadata, compress_level=6)
    if job.limit is not None and len(data) > job.limit:
        return None
    return EncodedStill(data, "png", None, 1)


def _hopeless(picture: Image.Image, job: StillJob, *, last: bool, full_size: bool) -> bool:
    """Return True if the next format should be tried without encoding a PNG."""
    if job.limit is None or last:
        return False
    return not full_size or _likely_png_bytes(picture) > job.limit


def _likely_png_bytes(picture: Image.Image) -> float:
    """Estimate the size by nine samples; 0 for pictures that are not worth sampling."""
    edge, (width, height) = _PNG_SAMPLE, picture.size
    if width * height <= 16 * edge * edge or min(width, height) < edge:
        return 0.0
    corners = [
        (x, y)
        for x in (0, (width - edge) // 2, width - edge)
        for y in (0, (height - edge) // 2, height - edge)
    ]
    sampled = sum(
        len(_saved(picture.crop((x, y, x + edge, y + edge)), "PNG", {})) for x, y in corners
    )
    return _PNG_SAMPLE_SHARE * sampled * width * height / (len(corners) * edge * edge)


def _with_palette(picture: Image.Image) -> Image.Image | None:
    """Return the picture with a palette of its colours; None if it has more than 256."""
    import numpy as np
    from PIL import Image

    if picture.mode == "L":
        return picture
    # tuples, because the mode is RGB or RGBA
    colours = cast("list[tuple[int, tuple[int, ...]]] | None", picture.getcolors(PALETTE))
    if colours is None:
        return None
    ordered = [colour for _, colour in sorted(colours, key=lambda item: (-item[0], item[1]))]
    keys = np.array(
        [int.from_bytes(bytes(colour), "little") for colour in ordered], dtype=np.uint32
    )
    order = np.argsort(keys)
    pixels = np.asarray(picture)
    indices = np.empty(pixels.shape[:2], dtype=np.uint8)
    for row in range(0, pixels.shape[0], _PALETTE_ROWS):
        strip = pixels[row : row + _PALETTE_ROWS].astype(np.uint32)
        channels = (strip[..., number] << (8 * number) for number in range(strip.shape[2]))
        packed = sum(channels, np.uint32(0))
        indices[row : row + _PALETTE_ROWS] = order[np.searchsorted(keys[order], packed)]
    flat = Image.fromarray(indices, "L")
    flat.putpalette(b"".join(bytes(colour) for colour in ordered), picture.mode)
    return flat


def _lossy(
    picture: Image.Image, name: str, job: StillJob, metadata: dict[str, Any]
) -> EncodedStill | None:
    """Encode at the highest quality that fits, by at most seven encodes.

    The last encode of a JPEG optimises its tables.
    """
    opaque = pillow.flattened(picture, job.background) if name == "jpeg" else picture
    tried: dict[int, bytes] = {}

    def size(quality: int) -> int:
        tried[quality] = _encoded(opaque, name, quality, metadata)
        return len(tried[quality])

    best: int | None = job.quality
    if job.limit is not None:
        guess = _estimate(opaque, name, job)
        best = highest(size, job.limit, job.min_quality, job.quality, guess)
    if best is None:
        return None
    if best not in tried:
        size(best)
    data = tried[best]
    if name == "jpeg":
        final = _encoded(opaque, name, best, metadata, final=True)
        data = final if len(final) <= len(data) else data
    return EncodedStill(data, name, best, len(tried) + (name == "jpeg"))


def _estimate(picture: Image.Image, name: str, job: StillJob) -> int:
    """Guess the quality by strips that make up a sixteenth of the picture."""
    width, height = picture.size
    strips = height // (_STRIP * _SAMPLE)
    if width * height < _SAMPLE_PIXELS or not strips or job.limit is None:
        return job.quality
    from PIL import Image

    sample = Image.new(picture.mode, (width, strips * _STRIP))
    for index in range(strips):
        top = index * _STRIP * _SAMPLE
        sample.paste(picture.crop((0, top, width, top + _STRIP)), (0, index * _STRIP))
    found = highest(
        lambda quality: len(_encoded(sample, name, quality, {})),
        job.limit * strips * _STRIP // height,
        job.min_quality,
        job.quality,
        (job.min_quality + job.quality) // 2,
    )
    return job.min_quality if found is None else found


def _encoded(
    picture: Image.Image, name: str, quality: int, metadata: dict[str, Any], *, final: bool = False
) -> bytes:
    if name == "webp":
        return _saved(picture, "WEBP", metadata, quality=quality, method=WEBP_METHOD)
    subsampling = 0 if quality >= FULL_CHROMA_QUALITY else 2
    options = {"progressive": True, "optimize": True} if final else {}
    return _saved(picture, "JPEG", metadata, quality=quality, subsampling=subsampling, **options)


def _saved(picture: Image.Image, name: str, metadata: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, name, **metadata, **options)
    return out.getvalue()
