"""The pixels of a still as they are to be written: upright, 8 bits a sample, sRGB, exactly halved where asked. In a confined child only."""

from __future__ import annotations

import io
import struct
from typing import IO, TYPE_CHECKING, Any

from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools import pillow

if TYPE_CHECKING:
    from PIL import Image

    from mediaprep.tools.picture_job import PictureJob

_DRAFTS = (1, 2, 4, 8)  # libjpeg decodes at these fractions for next to nothing
_ORIENTATION_TAG = 0x0112


def developed(
    source: Readable, job: PictureJob, halvings: int, carried: dict[str, Any]
) -> tuple[Image.Image, int]:
    """The picture as L, RGB or RGBA in sRGB, and by how much it was divided: at least 2^``halvings``, more where it has too many pixels.
    ``carried`` gets what goes into the file beside it. Raises: pillow.Undecodable."""
    from PIL import Image, ImageFile

    ImageFile.LOAD_TRUNCATED_IMAGES = False
    factor = 2**halvings
    file: IO[bytes] = SourceFile(source)  # type: ignore[assignment]
    with pillow.opened(file, job.form, max_pixels=job.max_pixels) as picture:
        drafted = 1
        if job.form == "jpeg":
            factor = max(
                factor,
                next(
                    n for n in _DRAFTS if picture.width * picture.height <= n * n * job.max_pixels
                ),
            )
            drafted = min(factor, _DRAFTS[-1])
            picture.draft(None, (picture.width // drafted, picture.height // drafted))
        picture.load()
        profile = picture.info.get("icc_profile")
        if job.keep_metadata:
            _carry(picture, carried)
        upright = (
            picture if job.orientation == 1 else picture.transpose(_undoing(Image)[job.orientation])
        )
        made = in_srgb(pillow.eight_bit(upright), profile, job.space)
        if factor > drafted:
            made = made.reduce(factor // drafted)
        if job.tag:
            made = made.convert("RGB") if made.mode == "L" else made
            carried["icc_profile"] = srgb_profile()
        made.info = {}
        return made, factor


def _carry(picture: Image.Image, carried: dict[str, Any]) -> None:
    exif = picture.getexif()
    exif.pop(_ORIENTATION_TAG, None)
    if len(exif):
        carried["exif"] = exif.tobytes()
    if isinstance(picture.info.get("xmp"), bytes):
        carried["xmp"] = picture.info["xmp"]


def _undoing(module: Any) -> dict[int, Any]:
    """EXIF orientation -> the turn that shows it upright (Exif 2.32, 4.6.4)."""
    turn = module.Transpose
    return {
        2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
        6: turn.ROTATE_270, 7: turn.TRANSVERSE, 8: turn.ROTATE_90,
    }  # fmt: skip


def in_srgb(picture: Image.Image, profile: Any, space: str | None) -> Image.Image:
    """L, RGB or RGBA in sRGB. By the embedded profile, else by the named space; without either the values are taken for sRGB already."""
    from PIL import ImageCms

    data = (
        profile
        if isinstance(profile, bytes) and profile
        else named_profile(space)
        if picture.mode in ("RGB", "RGBA")
        else None
    )
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    plain = picture.convert("RGB") if alpha is not None else picture
    lab = ImageCms.createProfile("LAB") if plain.mode == "LAB" else None
    try:
        origin = lab or (ImageCms.ImageCmsProfile(io.BytesIO(data)) if data else None)
        fits = lab is not None or (origin is not None and _matches(origin, plain.mode))
        if origin is not None and fits:
            intent, black = (
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            turned = ImageCms.profileToProfile(
                plain, origin, ImageCms.createProfile("sRGB"), intent, "RGB", flags=black
            )
            plain = plain if turned is None else turned
    except (ImageCms.PyCMSError, OSError, ValueError):
        pass  # a broken profile says nothing: the values count as they are
    if plain.mode not in ("L", "RGB"):
        plain = plain.convert("RGB")
    if alpha is not None:
        plain.putalpha(alpha)
    return plain


def _matches(profile: Any, mode: str) -> bool:
    space = profile.profile.xcolor_space.strip()
    return bool(space == {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}.get(mode))


def srgb_profile() -> bytes:
    """An sRGB profile that is the same on every day: its creation time is fixed."""
    from PIL import ImageCms

    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2000-01-01
    return bytes(data)


# D50-adapted colorants, red green blue as X Y Z each: Apple's Display P3 profile; ITU-R BT.2020 adapted by Bradford's matrix
_COLORANTS = {
    "Display P3": (
        0.51512,
        0.24120,
        -0.00105,
        0.29198,
        0.69225,
        0.04189,
        0.15710,
        0.06657,
        0.78407,
    ),
    "BT.2020": (0.67348, 0.27905, -0.00193, 0.16566, 0.67534, 0.02998, 0.12506, 0.04561, 0.79686),
}


def named_profile(space: str | None) -> bytes | None:
    """A matrix profile (ICC.1:2001-12) of a space that containers state by number, with sRGB's tone curve; None: no conversion needed."""
    colorants = _COLORANTS.get(space or "")
    if colorants is None:
        return None

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (i / 1023 for i in range(1024))
    ]
    curve = b"curv" + bytes(4) + struct.pack(">I1024H", 1024, *(round(v * 65535) for v in linear))
    tags = {
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249),
        b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
    }
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", 5) + b"wide\0" + bytes(79)
    for at, name in enumerate((b"r", b"g", b"b")):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*colorants[3 * at : 3 * at + 3])
        tags[name + b"TRC"] = curve
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s6H4s",
        offset + len(body),
        bytes(4),
        0x02100000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        2000,
        1,
        1,
        0,
        0,
        0,
        b"acsp",
    )
    return (
        head
        + bytes(28)
        + fixed(0.9642, 1.0, 0.8249)
        + bytes(48)
        + struct.pack(">I", len(tags))
        + table
        + body
    )
