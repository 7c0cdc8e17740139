"""Read EXIF and other TIFF structures (Exif 2.32; TIFF 6.0): private facts by their tags."""

from __future__ import annotations

import struct

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.iptc import iptc_items
from mediaprep.probing.formats.window import InMemoryFile, Window
from mediaprep.probing.formats.xmp import xmp_items

MAX_ENTRIES = 2000  # of one directory
MAX_ALL_ENTRIES = 5 * MAX_ENTRIES
MAX_DIRECTORIES = 50
MAX_POINTERS = 20  # to directories, of one entry
_BLOCK_BYTES = 2**20  # of an embedded block, or of the first strip or tile lists, that are read
_SAMPLE_BYTES = 256  # of any other value: enough to see whether it is empty
_TYPE_SIZES = {  # TIFF 6.0, section 2; 13: IFD; 16 to 18: BigTIFF
    **{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8},
    **{13: 4, 16: 8, 17: 8, 18: 8},
}
_SHORT, _LONG, _RATIONAL, _SIGNED_RATIONAL, _LONG8 = 3, 4, 5, 10, 16
_BIG_TIFF = 43
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
_GPS_VERSION = 0  # alone, it states no place
_EXIF_IFD, _GPS_IFD, _SUB_IFDS = 0x8769, 0x8825, 0x014A
_IFD_NAMES = {_EXIF_IFD: "Exif", _GPS_IFD: "GPS", _SUB_IFDS: "SubIFD"}
_XMP_TAG, _IPTC_TAG = 0x02BC, 0x83BB
_ORIENTATION, _JPEG_OFFSET, _DNG_VERSION = 0x0112, 0x0201, 0xC612
_STRIPS = {0x0111: 0x0117, 0x0144: 0x0145}  # offsets and byte counts, of strips and of tiles
_STRIP_TAGS = {*_STRIPS, *_STRIPS.values()}
_LARGE = {*_STRIP_TAGS, _XMP_TAG, _IPTC_TAG}
_READ = {*_LARGE, *_KINDS, _SUB_IFDS}
_PADDING = b"\0 ASCIUNODE"  # empty values, and the encoding names of an empty user comment


class Tiff:
    """A TIFF structure; its directories are read at construction.

    items   the private facts
    first   values of the first directory's single short and long entries, by tag
    tags    of all entries
    end     offset after the last directory, value, strip or tile of the first directory
    """

    def __init__(self, window: Window, where: str) -> None:
        self.items: list[PrivateItem] = []
        self.first: dict[int, int] = {}
        self.tags: set[int] = set()
        self.end = 8
        self._window, self._where = window, where
        self._visited: set[int] = set()
        self._left = MAX_ALL_ENTRIES
        self._read_whole: set[int] = set()
        self._strips: dict[int, tuple[int, ...]] = {}
        head = window.at(0, 16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 8:
            return
        self._order = order
        self._big = self._unpack("H", head, 2)[0] == _BIG_TIFF
        first = (
            self._unpack("Q", head, 8)
            if self._big and len(head) == 16
            else self._unpack("I", head, 4)
        )
        self._chain(first[0], "IFD0")
        for starts, sizes in _STRIPS.items():
            strips = zip(self._strips.get(starts, ()), self._strips.get(sizes, ()), strict=False)
            self.end = max(self.end, *(start + size for start, size in strips), 0)

    @property
    def orientation(self) -> int | None:
        """The EXIF orientation 1 to 8; None without one, and for any other value."""
        value = self.first.get(_ORIENTATION)
        return value if value in range(1, 9) else None

    def _unpack(self, layout: str, data: bytes, at: int = 0) -> tuple[int, ...]:
        return struct.unpack_from(self._order + layout, data, at)

    def _chain(self, start: int, name: str) -> None:
        """Read a directory and those that follow it."""
        number = 0
        while start and len(self._visited) < MAX_DIRECTORIES and start not in self._visited:
            self._visited.add(start)
            start = self._directory(start, name if number == 0 else f"IFD{number}")
            number += 1

    def _directory(self, start: int, name: str) -> int:
        """Read one directory; return the offset of the next in its chain, 0 without one."""
        count_code, offset_code = ("Q", "Q") if self._big else ("H", "I")
        entry_size, value_size = (20, 8) if self._big else (12, 4)
        head_size = struct.calcsize(self._order + count_code)
        head = self._window.at(start, head_size)
        if len(head) < head_size:
            return 0
        count = min(self._unpack(count_code, head)[0], MAX_ENTRIES)
        size = count * entry_size + value_size
        self.end = max(self.end, start + head_size + size)
        data = self._window.at(start + head_size, size)
        present = min(count, self._left, len(data) // entry_size)
        self._left -= present
        for at in range(0, present * entry_size, entry_size):
            tag, kind, number = self._unpack("HHQ" if self._big else "HHI", data, at)
            field = data[at + entry_size - value_size : at + entry_size]
            self._entry(tag, kind, number, field, name)
        if len(data) < size or self._left <= 0:
            return 0
        return self._unpack(offset_code, data, count * entry_size)[0]

    def _entry(self, tag: int, kind: int, number: int, field: bytes, directory: str) -> None:
        """Read one entry; ``field`` holds its value, or the offset of a longer one."""
        value = self._value(tag, kind, number, field, directory)
        self.tags.add(tag)
        if directory == "IFD0":
            self._first_directory_entry(tag, kind, number, field, value)
        if directory == "GPS":
            has_value = value.strip(b"\0 ") or kind in (_RATIONAL, _SIGNED_RATIONAL)
            if tag != _GPS_VERSION and has_value:
                self._add("location", "GPS")
        elif tag in _IFD_NAMES:
            for pointer in self._pointers(number, field, value):
                self._chain(pointer, _IFD_NAMES[tag])
        elif tag == _XMP_TAG:
            self.items += xmp_items(value, f"{self._where}/XMP")
        elif tag == _IPTC_TAG:
            self.items += iptc_items(value, f"{self._where}/IPTC")
        elif tag == _JPEG_OFFSET and directory == "IFD1":
            self._add("thumbnail", "IFD1 thumbnail")
        elif tag in _KINDS and value.strip(_PADDING):
            self._add(*_KINDS[tag])

    def _value(self, tag: int, kind: int, number: int, field: bytes, directory: str) -> bytes:
        """Return the value, or its beginning; empty for a long one that is not needed."""
        size = _TYPE_SIZES.get(kind, 1) * number
        if size <= len(field):
            return field[:size]
        start = self._offset(field)
        self.end = max(self.end, start + size)
        if tag not in _READ and directory != "GPS":
            return b""
        return self._window.at(start, min(size, self._most(tag)))

    def _offset(self, field: bytes) -> int:
        return self._unpack("Q" if self._big else "I", field)[0]

    def _first_directory_entry(
        self, tag: int, kind: int, number: int, field: bytes, value: bytes
    ) -> None:
        if number == 1 and kind in (_SHORT, _LONG):
            self.first[tag] = self._unpack("H" if kind == _SHORT else "I", field)[0]
        code = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}.get(kind)
        if tag in _STRIP_TAGS and tag not in self._strips and code is not None:
            self._strips[tag] = self._unpack(f"{len(value) // _TYPE_SIZES[kind]}{code}", value)

    def _pointers(self, number: int, field: bytes, value: bytes) -> list[int]:
        """Return the offsets of directories that an entry holds."""
        if number == 1:
            return [self._offset(field)]
        words = struct.iter_unpack(self._order + "I", value[: len(value) // 4 * 4])
        return [word for (word,) in words][:MAX_POINTERS]

    def _most(self, tag: int) -> int:
        """Return how many bytes of a value to read: blocks and lists are read whole, but once."""
        if tag not in _LARGE or tag in self._read_whole:
            return _SAMPLE_BYTES
        self._read_whole.add(tag)
        return _BLOCK_BYTES

    def _add(self, kind: str, name: str) -> None:
        self.items.append(PrivateItem(kind=kind, where=f"{self._where}/{name}"))


def exif_items(data: bytes, where: str = "EXIF") -> list[PrivateItem]:
    """Return the private facts of an EXIF block, with or without its ``Exif\\0\\0``."""
    return Tiff(Window(InMemoryFile(data[6:] if data[:4] == b"Exif" else data)), where).items


def is_camera_raw(tiff: Tiff) -> bool:
    """Return True for a DNG."""
    return _DNG_VERSION in tiff.tags
