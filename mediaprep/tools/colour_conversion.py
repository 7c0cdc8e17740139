"""Decode a still to the pixels to write: oriented, 8 bits a sample, sRGB, halved if requested.

Runs in a confined child.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools import pillow
from mediaprep.tools.icc_profiles import named_profile, srgb_profile

if TYPE_CHECKING:
    from PIL import Image

    from mediaprep.tools.still_job import StillJob

_DRAFTS = (
    1,
    2,
    4,
    8,
)  # divisors that libjpeg applies while it decodes, which saves most of the time
_ORIENTATION_TAG = 0x0112


def decoded(
    source: Readable, job: StillJob, halvings: int, metadata: dict[str, Any]
) -> tuple[Image.Image, int]:
    """Return (picture as L, RGB or RGBA in sRGB, divisor of its sides).

    The divisor is at least 2^``halvings``, more for a picture of too many pixels. ``metadata``
    receives what is to be saved with the picture. Raises: pillow.PictureUndecodable.
    """
    from PIL import ImageFile

    ImageFile.LOAD_TRUNCATED_IMAGES = False
    divisor = 2**halvings
    file: IO[bytes] = SourceFile(source)  # type: ignore[assignment]
    with pillow.opened(file, job.source_format, max_pixels=job.max_pixels) as picture:
        drafted = 1
        if job.source_format == "jpeg":
            divisor = max(divisor, _least_divisor(picture, job.max_pixels))
            drafted = min(divisor, _DRAFTS[-1])
            picture.draft(None, (picture.width // drafted, picture.height // drafted))
        picture.load()
        profile = picture.info.get("icc_profile")
        if job.keep_metadata:
            _copy_metadata(picture, metadata)
        upright = pillow.eight_bit(_oriented(picture, job.orientation))
        converted = in_srgb(upright, profile, job.space)
        if divisor > drafted:
            converted = converted.reduce(divisor // drafted)
        if job.tag:
            converted = converted.convert("RGB") if converted.mode == "L" else converted
            metadata["icc_profile"] = srgb_profile()
        converted.info = {}
        return converted, divisor


def in_srgb(picture: Image.Image, profile: Any, space: str | None) -> Image.Image:
    """Convert to L, RGB or RGBA in sRGB, by the embedded profile, else by the named space.

    Without either, or with a damaged profile, the values count as sRGB.
    """
    from PIL import ImageCms

    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    opaque = picture.convert("RGB") if alpha is not None else picture
    try:
        origin = _origin(opaque, profile, space)
        if origin is not None:
            converted = ImageCms.profileToProfile(
                opaque,
                origin,
                ImageCms.createProfile("sRGB"),
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                "RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            opaque = opaque if converted is None else converted
    except (ImageCms.PyCMSError, OSError, ValueError):
        pass
    if opaque.mode not in ("L", "RGB"):
        opaque = opaque.convert("RGB")
    if alpha is not None:
        opaque.putalpha(alpha)
    return opaque


def _least_divisor(picture: Image.Image, max_pixels: int) -> int:
    pixels = picture.width * picture.height
    return next(divisor for divisor in _DRAFTS if pixels <= divisor * divisor * max_pixels)


def _copy_metadata(picture: Image.Image, metadata: dict[str, Any]) -> None:
    exif = picture.getexif()
    exif.pop(_ORIENTATION_TAG, None)
    if len(exif):
        metadata["exif"] = exif.tobytes()
    if isinstance(picture.info.get("xmp"), bytes):
        metadata["xmp"] = picture.info["xmp"]


def _oriented(picture: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation (Exif 2.32, 4.6.4)."""
    from PIL.Image import Transpose

    operations = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return picture if orientation == 1 else picture.transpose(operations[orientation])


def _origin(picture: Image.Image, profile: Any, space: str | None) -> Any:
    """Return the profile of the picture's values; None if it has none that fits its mode."""
    from PIL import ImageCms

    if picture.mode == "LAB":
        return ImageCms.createProfile("LAB")
    data = profile if isinstance(profile, bytes) and profile else None
    if data is None and picture.mode == "RGB":
        data = named_profile(space)
    if data is None:
        return None
    origin = ImageCms.ImageCmsProfile(io.BytesIO(data))
    colour_space = origin.profile.xcolor_space.strip()
    expected = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}.get(picture.mode)
    return origin if colour_space == expected else None
