"""What a still declares about its orientation and colours, read from its container.

Orientation: Exif 2.32, 4.6.4 (tag 274) in JPEG, PNG and WebP; ``irot`` and ``imir`` in HEIF and
AVIF, where Exif and XMP do not count (ISO/IEC 23008-12:2022, 6.5.10 and 6.5.12). Colours: ``cICP``,
``sRGB``, ``gAMA`` and ``cHRM`` of PNG in that order (PNG, third edition, 4.3 and 11.3.2), ``nclx``
of HEIF and AVIF. ICC profiles are left to the decoder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from mediaprep.comparing import colour
from mediaprep.comparing.compositor import ByteSource, boxes

Orientation: TypeAlias = tuple[int, bool]  # quarter turns clockwise, then mirrored left to right
Chromaticities: TypeAlias = tuple[tuple[float, float], ...]  # red, green, blue, white

_HEAD = 2**20  # bytes in which metadata are looked for
_META = 2**22  # bytes of a HEIF header that are read
_EXIF_ORIENTATIONS: dict[int, Orientation] = {
    1: (0, False),
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (1, True),
    6: (1, False),
    7: (3, True),
    8: (3, False),
}
_GAMMA_SLACK = 0.05  # share by which a gamma may differ and is taken for sRGB's, as in libpng
_SRGB_GAMMA = 1 / 2.2
_CHROMATICITY_SLACK = 0.003
# H.273 transfer characteristics that stills of ordinary range are shown with sRGB's curve for.
_AS_SRGB = (1, 2, 6, 13, 14, 15)
_GAMMAS = {4: 2.2, 5: 2.8}


@dataclass(frozen=True, slots=True, kw_only=True)
class StillDeclaration:
    """What a file says about how its samples are shown.

    orientation     how the decoded samples are turned to be upright
    chromaticities  of the primaries; None: sRGB's, or those of the ICC profile
    transfer        H.273 code PQ, HLG, LINEAR or SRGB; None with ``gamma`` or where nothing is
                 declared
    gamma           exponent from sample to light
    overrides_icc   an ICC profile in the same file does not count
    """

    orientation: Orientation = (0, False)
    chromaticities: Chromaticities | None = None
    transfer: int | None = None
    gamma: float | None = None
    overrides_icc: bool = False

    @property
    def numbers(self) -> bool:
        """Whether colours are declared by numbers."""
        return (self.transfer, self.gamma, self.chromaticities) != (None, None, None)

    @property
    def high_range(self) -> bool:
        """Whether the samples are PQ or HLG."""
        return self.transfer in (colour.PQ, colour.HLG)


def still_format(source: ByteSource) -> str | None:
    """Return the format of a still by its first bytes.

    None if it is none of those that are compared.
    """
    head = source.read_at(0, 32)
    for start, name in _MAGIC:
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        brands = source.read_at(8, max(0, int.from_bytes(head[:4], "big") - 8))[:256]
        if b"avif" in brands or b"avis" in brands:
            return "avif"
        return "heif"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "pnm"
    return None


_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
    (b"8BPS", "psd"),
    (b"\0\0\0\x0cjP  ", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\0\0\x01\0", "ico"),
    (b"icns", "icns"),
    (b"\x0a\x05\x01", "pcx"),
    (b"\x0a\x03\x01", "pcx"),
    (b"\x01\xda", "sgi"),
    (b"qoif", "qoi"),
    (b"DDS ", "dds"),
)


def declaration(source: ByteSource, form: str) -> StillDeclaration:
    """Read what a still declares; a damaged item counts as missing."""
    try:
        match form:
            case "jpeg":
                return StillDeclaration(orientation=_of_exif(_jpeg_exif(source)))
            case "webp":
                return StillDeclaration(orientation=_of_exif(_webp_exif(source)))
            case "png":
                return _png(source)
            case "avif" | "heif":
                return _heif(source, turned=form == "heif")
    except (struct.error, IndexError, ValueError):
        pass
    return StillDeclaration()


def _of_exif(data: bytes | None) -> Orientation:
    """Return the orientation in Exif data (a TIFF file with or without its name before it)."""
    if data is None:
        return 0, False
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 0, False
    at = struct.unpack_from(f"{order}I", data, 4)[0]
    for entry in range(struct.unpack_from(f"{order}H", data, at)[0]):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", data, at + 2 + 12 * entry)
        if tag == 274 and kind == 3:
            return _EXIF_ORIENTATIONS.get(value, (0, False))
    return 0, False


def _jpeg_exif(source: ByteSource) -> bytes | None:
    """Return the first Exif segment before the picture data (Exif 2.32, 4.7.2)."""
    at = 2
    while at < source.size_bytes:
        head = source.read_at(at, 10)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            return None
        if head[1] == 0xFF:
            at += 1
            continue
        size = int.from_bytes(head[2:4], "big")
        if head[1] == 0xE1 and head[4:10] == b"Exif\0\0":
            return source.read_at(at + 4, size - 2)
        at += 2 + size
    return None


def _webp_exif(source: ByteSource) -> bytes | None:
    at = 12
    while at + 8 <= source.size_bytes:
        head = source.read_at(at, 8)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] == b"EXIF":
            return source.read_at(at + 8, size)
        at += 8 + size + size % 2
    return None


def _png(source: ByteSource) -> StillDeclaration:
    """Read the chunks before and behind the picture data.

    Of colours the first kind present counts.
    """
    found: dict[bytes, bytes] = {}
    at = 8
    while at + 12 <= source.size_bytes:
        head = source.read_at(at, 8)
        size, kind = struct.unpack(">I4s", head)
        if kind in (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf") and size <= _HEAD:
            found.setdefault(kind, source.read_at(at + 8, size))
        at += 12 + size
    orientation = _of_exif(found.get(b"eXIf"))
    if b"cICP" in found:
        coded = _coded(found[b"cICP"][0], found[b"cICP"][1])
        return replace(coded, orientation=orientation, overrides_icc=True)
    if b"iCCP" in found or b"sRGB" in found:
        return StillDeclaration(orientation=orientation)
    gamma = struct.unpack(">I", found[b"gAMA"])[0] / 100_000 if b"gAMA" in found else None
    if gamma is not None and (gamma <= 0 or abs(gamma / _SRGB_GAMMA - 1) <= _GAMMA_SLACK):
        gamma = None
    points: Chromaticities | None = None
    if b"cHRM" in found:
        values = [value / 100_000 for value in struct.unpack(">8I", found[b"cHRM"])]
        pairs = tuple(zip(values[::2], values[1::2], strict=True))
        points = (*pairs[1:], pairs[0])
        if _close(points, colour.CHROMATICITIES[1]) or any(y <= 0 for _, y in points):
            points = None
    return StillDeclaration(
        orientation=orientation,
        chromaticities=points,
        gamma=None if gamma is None else 1 / gamma,
    )


def _coded(primaries: int, transfer: int) -> StillDeclaration:
    """Return the colours that code points of ITU-T H.273 declare."""
    points = colour.CHROMATICITIES.get(primaries)
    if points is not None and _close(points, colour.CHROMATICITIES[1]):
        points = None
    gamma = _GAMMAS.get(transfer)
    code = None
    if gamma is None:
        code = colour.SRGB if transfer in _AS_SRGB else transfer
    if code not in (None, colour.SRGB, colour.LINEAR, colour.PQ, colour.HLG):
        code = colour.SRGB
    return StillDeclaration(chromaticities=points, transfer=code, gamma=gamma)


def _close(one: Chromaticities, other: Chromaticities) -> bool:
    pairs = zip(one, other, strict=True)
    return all(
        abs(a - b) < _CHROMATICITY_SLACK for p, q in pairs for a, b in zip(p, q, strict=True)
    )


# -- HEIF and AVIF ---------------------------------------------------------------------------------


def _heif(source: ByteSource, *, turned: bool) -> StillDeclaration:
    """Read the properties of the primary item in their order.

    ``turned``: the decoder obeys irot and imir.
    """
    found = StillDeclaration()
    orientation: Orientation = 0, False
    icc = False
    for kind, data in _primary_properties(_meta(source)):
        if kind == b"irot":
            orientation = _turned(orientation, -(data[0] & 3))
        elif kind == b"imir":
            turns = 0 if data[0] & 1 else 2  # axis 0 exchanges top and bottom
            turns, mirrored = _turned(orientation, turns)
            orientation = turns, not mirrored
        elif kind == b"colr" and data[:4] == b"nclx":
            found = _coded(*struct.unpack_from(">HH", data, 4))
        elif kind == b"colr" and data[:4] in (b"prof", b"rICC"):
            icc = True
    if icc and not found.high_range:
        found = StillDeclaration()
    return replace(found, orientation=(0, False) if turned else orientation)


def _turned(orientation: Orientation, turns: int) -> Orientation:
    """Return an orientation followed by quarter turns clockwise."""
    before, mirrored = orientation
    return (before - turns if mirrored else before + turns) % 4, mirrored


def _meta(source: ByteSource) -> bytes:
    """Return the content of the file's meta box; empty if there is none."""
    at = 0
    while at + 8 <= source.size_bytes:
        size, kind = struct.unpack(">I4s", source.read_at(at, 8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", source.read_at(at + 8, 8))[0], 16
        size = size or source.size_bytes - at
        if kind == b"meta":
            return source.read_at(at + head + 4, min(size - head - 4, _META))
        if size < head:
            break
        at += size
    return b""


def _primary_properties(meta: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, content) of the primary item's properties in the order of their association."""
    parts = {kind: (start, end) for kind, start, end in boxes(meta, 0, len(meta))}
    if b"pitm" not in parts or b"iprp" not in parts:
        return
    start, _ = parts[b"pitm"]
    primary = int.from_bytes(meta[start + 4 : start + (6 if meta[start] == 0 else 8)], "big")
    inner = {kind: (at, end) for kind, at, end in boxes(meta, *parts[b"iprp"])}
    properties = [(kind, meta[at:end]) for kind, at, end in boxes(meta, *inner[b"ipco"])]
    for index in _associated(meta[slice(*inner[b"ipma"])], primary):
        if 0 < index <= len(properties):
            yield properties[index - 1]


def _associated(data: bytes, item: int) -> list[int]:
    """Return the property indices of an item (ISO/IEC 23008-12:2022, 9.3.1, ``ipma``)."""
    version, wide = data[0], bool(data[3] & 1)
    count = int.from_bytes(data[4:8], "big")
    at = 8
    for _ in range(count):
        size = 4 if version else 2
        found = int.from_bytes(data[at : at + size], "big")
        number = data[at + size]
        at += size + 1
        step = 2 if wide else 1
        if found == item:
            mask = 0x7FFF if wide else 0x7F
            ends = range(at, at + number * step, step)
            return [int.from_bytes(data[end : end + step], "big") & mask for end in ends]
        at += number * step
    return []
