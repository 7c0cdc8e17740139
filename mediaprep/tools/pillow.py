"""Read stills through Pillow (HEIF through pi-heif): headers and pixels, never more than allowed.

Only in confined children. The format is named by the caller; Pillow never guesses it.
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

# A JPEG may have so many times the pixels: a larger one is decoded at a half, quarter or eighth of
# its size.
DRAFT_FACTOR = 4
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_EXIF_ORIENTATION = 0x0112


class PictureUndecodable(Exception):
    """The picture cannot be decoded; the message is one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What Pillow reports without decoding.

    width, height   of the coded picture
    mode            Pillow's
    bit_depth       bits a sample
    alpha           an alpha channel or a transparent colour
    orientation     EXIF 1 to 8, still to be applied; None: not stated, or applied by Pillow
    icc             the profile
    primaries       code point of ITU-T H.273, if the container states one (HEIF)
    pictures        in the file; None: not reported for this format
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


def header(file: IO[bytes], name: str, *, max_pixels: int) -> ImageHeader:
    """Read the header of a picture of the format ``name``. Raises: PictureUndecodable."""
    record = containers.of(name)
    with opened(file, name, max_pixels=max_pixels) as picture:
        info = picture.info
        icc, nclx = info.get("icc_profile"), info.get("nclx_profile")
        return ImageHeader(
            width=picture.width,
            height=picture.height,
            mode=picture.mode,
            bit_depth=_bit_depth(picture),
            alpha=has_alpha(picture),
            orientation=None if record.pillow_orients else _orientation(picture),
            icc=icc if isinstance(icc, bytes) and icc else None,
            primaries=nclx.get("color_primaries") if isinstance(nclx, dict) else None,
            pictures=getattr(picture, "n_frames", 1) if record.image_items else None,
        )


def _bit_depth(picture: Image.Image) -> int | None:
    declared = picture.info.get("bit_depth")
    if declared:
        return declared if isinstance(declared, int) else None
    depth = 16 if picture.mode in _SIXTEEN_BIT else 8
    return {"1": 1, "F": 32}.get(picture.mode, depth)


def _orientation(picture: Image.Image) -> int | None:
    value = picture.getexif().get(_EXIF_ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else None


def has_alpha(picture: Image.Image) -> bool:
    """Return True with an alpha channel, or a transparent colour or palette entry."""
    return picture.mode in _ALPHA or "transparency" in picture.info


@contextmanager
def opened(file: IO[bytes], name: str, *, max_pixels: int) -> Iterator[Image.Image]:
    """Open a picture without decoding it.

    Raises: PictureUndecodable, also for errors of decoding inside the block.
    """
    from PIL import Image, UnidentifiedImageError

    readers = containers.of(name).pillow
    if not readers:
        raise PictureUndecodable(f"{name} has no reader here: export it as JPEG or PNG")
    if "HEIF" in readers:
        _register_heif()
    Image.MAX_IMAGE_PIXELS = max_pixels * DRAFT_FACTOR if name == "jpeg" else max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=readers) as picture:
                yield picture
    except UnidentifiedImageError as problem:  # its message names an object and its address
        raise PictureUndecodable(f"no {name} header that can be read") from problem
    except damage() as problem:
        raise PictureUndecodable(f"{type(problem).__name__}: {problem}"[:300]) from problem


def damage() -> tuple[type[Exception], ...]:
    """Return the exceptions that Pillow's readers raise for damaged files."""
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


def _register_heif() -> None:
    try:
        import pi_heif
    except ImportError:
        raise PictureUndecodable(
            "HEIF has no reader on this platform (pi-heif is not installed): export it as JPEG"
        ) from None
    pi_heif.options.DECODE_THREADS = 1
    pi_heif.register_heif_opener(thumbnails=False)


def eight_bit(picture: Image.Image) -> Image.Image:
    """Convert to one of the modes L, RGB, RGBA, CMYK, LAB with 8 bits a sample.

    Raises: PictureUndecodable for floating-point samples.
    """
    alpha = has_alpha(picture)
    if picture.mode in _SIXTEEN_BIT:
        return _from_sixteen_bit(picture)
    if picture.mode == "F":
        raise PictureUndecodable(
            "its samples are floating-point numbers without a standard range: export it with "
            "8 bits a sample"
        )
    if picture.mode in ("L", "RGB") and alpha:
        return picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGBA" if alpha else "RGB")


def flattened(picture: Image.Image, background: str) -> Image.Image:
    """Draw an RGBA picture on a colour; return any other picture unchanged."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    canvas = Image.new("RGB", picture.size, background)
    canvas.paste(picture, mask=picture.getchannel("A"))
    return canvas


def _from_sixteen_bit(picture: Image.Image) -> Image.Image:
    """Round grey of 16 bits (also in Pillow's 32-bit mode) to 8: 65535 becomes 255."""
    import numpy as np
    from PIL import Image

    values: Any = np.clip(np.asarray(picture), 0, 65535).astype(np.uint32)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
