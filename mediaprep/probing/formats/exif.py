"""EXIF and other TIFF structures (Exif 2.32; TIFF 6.0), XMP and IPTC blocks: which private facts they hold, by their tags."""

from __future__ import annotations

import re
import struct

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.window import InMemoryFile, Window

MAX_ENTRIES = 2000  # of one directory, and of all together five times as many
MAX_DIRECTORIES = 50
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_KINDS = {
    0x010F: ("device", "Make"),
    0x0110: ("device", "Model"),
    0x0131: ("comment", "Software"),
    0x013C: ("device", "HostComputer"),
    0x013B: ("owner", "Artist"),
    0x8298: ("owner", "Copyright"),
    0x9C9D: ("owner", "XPAuthor"),
    0xA430: ("owner", "CameraOwnerName"),
    0xA431: ("device", "BodySerialNumber"),
    0xA432: ("device", "LensSpecification"),
    0xA433: ("device", "LensMake"),
    0xA434: ("device", "LensModel"),
    0xA435: ("device", "LensSerialNumber"),
    0xA420: ("device", "ImageUniqueID"),
    0xC614: ("device", "UniqueCameraModel"),
    0xC62F: ("device", "CameraSerialNumber"),
    0x927C: ("maker", "MakerNote"),
    0xC634: ("maker", "DNGPrivateData"),
    0x010E: ("comment", "ImageDescription"),
    0x9286: ("comment", "UserComment"),
    0x9C9B: ("comment", "XPTitle"),
    0x9C9C: ("comment", "XPComment"),
    0x9C9E: ("comment", "XPKeywords"),
    0x9C9F: ("comment", "XPSubject"),
    0x010D: ("comment", "DocumentName"),
    0x0132: ("time", "DateTime"),
    0x9003: ("time", "DateTimeOriginal"),
    0x9004: ("time", "DateTimeDigitized"),
}
_GPS_NO_PLACE = {0}  # GPSVersionID alone says nothing
_EXIF_IFD, _GPS_IFD, _SUB_IFDS = 0x8769, 0x8825, 0x014A
_XMP_TAG, _IPTC_TAG, _ORIENTATION, _JPEG_OFFSET, _DNG_VERSION = (
    0x02BC,
    0x83BB,
    0x0112,
    0x0201,
    0xC612,
)
_STRIPS = {0x0111: 0x0117, 0x0144: 0x0145}  # offsets and byte counts, of strips and of tiles
_LARGE = {*_STRIPS, *_STRIPS.values(), _XMP_TAG, _IPTC_TAG}
_READ = {*_STRIPS, *_STRIPS.values(), *_KINDS, _XMP_TAG, _IPTC_TAG, _SUB_IFDS}


class Tiff:
    """A TIFF structure, read when made.

    ``items`` its private facts, ``first`` the values of the first directory's single short and long tags by number, ``tags`` all
    that are there, ``end`` one past the last byte of a directory, of what an entry points at, of a strip or tile of the first directory.
    """

    def __init__(self, window: Window, where: str) -> None:
        self.items: list[PrivateItem] = []
        self.first: dict[int, int] = {}
        self.tags: set[int] = set()
        self.end = 8
        self._window, self._where = window, where
        self._seen: set[int] = set()
        self._left = 5 * MAX_ENTRIES
        self._large: set[int] = set()
        self._lists: dict[int, tuple[int, ...]] = {}
        head = window.at(0, 16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 8:
            return
        self._order = order
        self._big = struct.unpack_from(order + "H", head, 2)[0] == 43
        wide = self._big and len(head) == 16
        self._chain(
            struct.unpack_from(order + ("Q" if wide else "I"), head, 8 if wide else 4)[0], "IFD0"
        )
        for starts, sizes in _STRIPS.items():
            strips = zip(self._lists.get(starts, ()), self._lists.get(sizes, ()), strict=False)
            self.end = max(self.end, *(start + size for start, size in strips), 0)

    @property
    def orientation(self) -> int | None:
        """EXIF orientation 1 to 8; None where not stated, or stated as something else."""
        value = self.first.get(_ORIENTATION)
        return value if value in range(1, 9) else None

    def _chain(self, start: int, name: str) -> None:
        number = 0
        while start and len(self._seen) < MAX_DIRECTORIES and start not in self._seen:
            self._seen.add(start)
            start = self._directory(start, name if number == 0 else f"IFD{number}")
            number += 1

    def _directory(self, start: int, name: str) -> int:
        """Read one directory; the offset of the next in its chain, 0 where there is none."""
        order = self._order
        count_code, entry_size, value_size = ("Q", 20, 8) if self._big else ("H", 12, 4)
        head = struct.calcsize(order + count_code)
        data = self._window.at(start, head)
        if len(data) < head:
            return 0
        count = min(struct.unpack(order + count_code, data)[0], MAX_ENTRIES)
        self.end = max(self.end, start + head + count * entry_size + value_size)
        data = self._window.at(start + head, count * entry_size + value_size)
        there = min(count, self._left, len(data) // entry_size)
        self._left -= there
        for at in range(0, there * entry_size, entry_size):
            tag, kind, number = struct.unpack_from(
                order + ("HHQ" if self._big else "HHI"), data, at
            )
            self._entry(
                tag, kind, number, data[at + entry_size - value_size : at + entry_size], name
            )
        if len(data) < count * entry_size + value_size or self._left <= 0:
            return 0
        following: int = struct.unpack_from(
            order + ("Q" if self._big else "I"), data, count * entry_size
        )[0]
        return following

    def _entry(self, tag: int, kind: int, number: int, field: bytes, directory: str) -> None:
        order = self._order
        size = _SIZES.get(kind, 1) * number
        word = struct.unpack(order + ("Q" if self._big else "I"), field)[0]
        value = field[:size]
        if size > len(field):
            self.end = max(self.end, word + size)
            value = (
                self._window.at(word, min(size, self._most(tag)))
                if tag in _READ or directory == "GPS"
                else b""
            )
        self.tags.add(tag)
        if directory == "IFD0" and number == 1 and kind in (3, 4):
            self.first[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), field)[0]
        if (
            directory == "IFD0"
            and tag in (*_STRIPS, *_STRIPS.values())
            and tag not in self._lists
            and kind in (3, 4, 16)
        ):
            width = {3: 2, 4: 4, 16: 8}[kind]
            self._lists[tag] = struct.unpack(
                f"{order}{len(value) // width}{'HIQ'[width // 4]}",
                value[: len(value) // width * width],
            )
        if tag in (_EXIF_IFD, _GPS_IFD, _SUB_IFDS) and directory != "GPS":
            pointers = (
                [word]
                if number == 1
                else [
                    value
                    for (value,) in struct.iter_unpack(order + "I", value[: len(value) // 4 * 4])
                ][:20]
            )
            for pointer in pointers:
                self._chain(pointer, {_EXIF_IFD: "Exif", _GPS_IFD: "GPS"}.get(tag, "SubIFD"))
        elif directory == "GPS":
            if tag not in _GPS_NO_PLACE and (value.strip(b"\0 ") or kind in (5, 10)):
                self._add("location", "GPS")
        elif tag == _XMP_TAG:
            self.items += xmp_items(value, f"{self._where}/XMP")
        elif tag == _IPTC_TAG:
            self.items += iptc_items(value, f"{self._where}/IPTC")
        elif tag == _JPEG_OFFSET and directory == "IFD1":
            self._add("thumbnail", "IFD1 thumbnail")
        elif tag in _KINDS and value.strip(b"\0 ASCIUNODE"):
            self._add(*_KINDS[tag])

    def _most(self, tag: int) -> int:
        """Bytes of a value that are worth reading: whole blocks and lists once, of others enough to see that they say something."""
        if tag not in _LARGE or tag in self._large:
            return 256
        self._large.add(tag)
        return 2**20

    def _add(self, kind: str, name: str) -> None:
        self.items.append(PrivateItem(kind=kind, where=f"{self._where}/{name}"))


def exif_items(data: bytes, where: str = "EXIF") -> list[PrivateItem]:
    """The private facts of an EXIF block, with or without the ``Exif\\0\\0`` before it."""
    return Tiff(Window(InMemoryFile(data[6:] if data[:4] == b"Exif" else data)), where).items


_XMP = (
    (
        "location",
        "exif:GPS(?!VersionID)\\w+|Iptc4xmpCore:Location\\b|photoshop:(?:City|State|Country)\\b|Iptc4xmpExt:Location\\w+",
    ),
    (
        "device",
        "tiff:(?:Make|Model)\\b|aux:(?:SerialNumber|Lens\\w*|Firmware)|exifEX:\\w*(?:Serial|Lens)\\w*",
    ),
    ("comment", "xmp:CreatorTool\\b|xmpMM:History\\b"),
    (
        "owner",
        "dc:(?:creator|rights|publisher|contributor)\\b|xmpRights:\\w+|photoshop:(?:Credit|Source|AuthorsPosition|CaptionWriter)\\b",
    ),
    (
        "owner",
        "aux:OwnerName|exifEX:CameraOwnerName|plus:\\w+|Iptc4xmpCore:CreatorContactInfo|mwg-rs:\\w+|Iptc4xmpExt:PersonInImage",
    ),
    (
        "comment",
        "dc:(?:description|title|subject)\\b|photoshop:(?:Headline|Instructions)\\b|exif:UserComment|lr:\\w+|xmp:Label",
    ),
    ("time", "xmp:(?:CreateDate|ModifyDate)\\b|exif:DateTime\\w+|photoshop:DateCreated"),
)
_XMP_PATTERNS = tuple((kind, re.compile(pattern.encode())) for kind, pattern in _XMP)


def xmp_items(data: bytes, where: str = "XMP") -> list[PrivateItem]:
    """The private facts of an XMP packet, by the property names in use; each kind once."""
    text = data[: 2**22]
    if b"\0<\0" in text[:64] or b"<\0" in text[:4]:
        text = text.replace(b"\0", b"")
    found = ((kind, pattern.search(text)) for kind, pattern in _XMP_PATTERNS)
    return [
        PrivateItem(kind=kind, where=f"{where}/{hit[0].decode('ascii', 'replace')}")
        for kind, hit in found
        if hit
    ]


_IPTC = {
    **dict.fromkeys((26, 27, 90, 92, 95, 100, 101), "location"),
    **dict.fromkeys((65, 70), "device"),
    **dict.fromkeys((80, 85, 110, 115, 116, 118, 122), "owner"),
    **dict.fromkeys((5, 25, 40, 105, 120), "comment"),
    **dict.fromkeys((30, 35, 55, 60, 62, 63), "time"),
}


def iptc_items(data: bytes, where: str = "IPTC") -> list[PrivateItem]:
    """The private facts of IPTC-IIM records, bare or inside Photoshop's image resource 0x0404; each kind once."""
    at = data.find(b"\x1c\x02")
    kinds: list[str | None] = []
    while at >= 0 and at + 5 <= len(data) and data[at] == 0x1C and len(kinds) < 500:
        dataset, length = data[at + 2], struct.unpack_from(">H", data, at + 3)[0]
        if length & 0x8000:
            break
        if data[at + 1] == 2 and length:
            kinds.append(_IPTC.get(dataset))
        at += 5 + length
    return [PrivateItem(kind=kind, where=where) for kind in dict.fromkeys(kinds) if kind]


def is_camera_raw(tiff: Tiff) -> bool:
    """Whether a TIFF is a DNG."""
    return _DNG_VERSION in tiff.tags
