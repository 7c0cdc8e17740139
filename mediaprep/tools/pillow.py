"""Still pictures through Pillow (HEIF through pi-heif): what a header says, and the pixels, upright or not, never more than allowed.

Only in confined children: both for reading headers and for decoding. A reader is named beforehand; Pillow never guesses.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from mediaprep.model import containers

if TYPE_CHECKING:
    from PIL import Image

DRAFT_FACTOR = 4  # a JPEG may have so many times the pixels: it is decoded at a half, a quarter or an eighth where it is larger
_SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_EXIF_ORIENTATION = 0x0112


class PictureUndecodable(Exception):
    """The picture cannot be decoded; one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a reader says without decoding.

    width, height   of the coded picture; ``turned``: as displayed already
    mode            Pillow's; bit_depth bits a sample; alpha: an alpha channel or a transparent colour
    orientation     EXIF 1 to 8, still to be applied; icc: the profile
    primaries       code point of ITU-T H.273 where the container states one (HEIF); pictures in the file
    """

    width: int
    height: int
    mode: str
    bit_depth: int | None
    alpha: bool
    orientation: int | None
    icc: bytes | None
    primaries: int | None
    pictures: int | None


def header(file: IO[bytes], form: str, *, max_pixels: int) -> ImageHeader:
    """Read the header. Raises: Undecodable."""
    with opened(file, form, max_pixels=max_pixels) as picture:
        info = picture.info
        depth = info.get("bit_depth") or {"1": 1, "F": 32}.get(
            picture.mode, 16 if picture.mode in _SIXTEEN else 8
        )
        orientation = (
            None if containers.of(form).pillow_orients else picture.getexif().get(_EXIF_ORIENTATION)
        )
        icc, nclx = info.get("icc_profile"), info.get("nclx_profile")
        return ImageHeader(
            width=picture.width,
            height=picture.height,
            mode=picture.mode,
            bit_depth=depth if isinstance(depth, int) else None,
            alpha=has_alpha(picture),
            orientation=orientation
            if isinstance(orientation, int) and 1 <= orientation <= 8
            else None,
            icc=icc if isinstance(icc, bytes) and icc else None,
            primaries=nclx.get("color_primaries") if isinstance(nclx, dict) else None,
            pictures=getattr(picture, "n_frames", 1) if containers.of(form).image_items else None,
        )


def has_alpha(picture: Image.Image) -> bool:
    """An alpha channel, or a transparent colour or palette entry."""
    return picture.mode in _ALPHA or "transparency" in picture.info


@contextmanager
def opened(file: IO[bytes], form: str, *, max_pixels: int) -> Iterator[Image.Image]:
    """The picture, not decoded yet. What decoding raises inside becomes Undecodable too. Raises: Undecodable."""
    from PIL import Image, UnidentifiedImageError

    names = containers.of(form).pillow
    if not names:
        raise PictureUndecodable(f"{form} has no reader here: export it as JPEG or PNG")
    if form == "heif":
        _with_heif()
    Image.MAX_IMAGE_PIXELS = max_pixels * DRAFT_FACTOR if form == "jpeg" else max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=names) as picture:
                yield picture
    except UnidentifiedImageError as problem:  # its own words name an object and an address
        raise PictureUndecodable(f"no {form} header that can be read") from problem
    except damage() as problem:
        raise PictureUndecodable(f"{type(problem).__name__}: {problem}"[:300]) from problem


def damage() -> tuple[type[Exception], ...]:
    """What Pillow's readers raise for damaged files."""
    from PIL import Image

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    return (
        OSError,
        EOFError,
        SyntaxError,
        ValueError,
        LookupError,
        TypeError,
        OverflowError,
        RuntimeError,
        struct.error,
        *bombs,
    )


def _with_heif() -> None:
    try:
        import pi_heif
    except ImportError:
        raise PictureUndecodable(
            "HEIF has no reader on this platform (pi-heif is not installed): export it as JPEG"
        ) from None
    pi_heif.options.DECODE_THREADS = 1
    pi_heif.register_heif_opener(thumbnails=False)


def eight_bit(picture: Image.Image) -> Image.Image:
    """One of the modes L, RGB, RGBA, CMYK, LAB with 8 bits a sample. Raises: Undecodable for floating-point samples."""
    alpha = has_alpha(picture)
    if picture.mode in _SIXTEEN:
        return _from_sixteen(picture)
    if picture.mode == "F":
        raise PictureUndecodable(
            "its samples are floating-point numbers of no agreed range: export it with 8 bits a sample"
        )
    if picture.mode in ("L", "RGB") and alpha:
        return picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGBA" if alpha else "RGB")


def _from_sixteen(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits (also in Pillow's 32-bit mode) to 8, rounded: 65535 becomes 255."""
    import numpy as np
    from PIL import Image

    values: Any = np.clip(np.asarray(picture), 0, 65535).astype(np.uint32)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
