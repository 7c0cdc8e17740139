"""Walk the objects of an ASF file (WMV, WMA; Advanced Systems Format Specification 01.20.05)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.runtime.source import Readable

MAX_OBJECTS = 10_000
MAX_DESCRIPTORS = 200
_OBJECT_BYTES = 2**20  # of one object that are read
HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_CONTENT = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_EXTENDED_CONTENT = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_HEADER_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_METADATA = bytes.fromhex("eacbf8c5af5b77488467aa8c44fa4cca")
_METADATA_LIBRARY = bytes.fromhex("941c23449894d149a1411d134e457054")
_CONTENT_KINDS = (  # the fields of a content description, in order
    ("Title", "comment"),
    ("Author", "owner"),
    ("Copyright", "owner"),
    ("Description", "comment"),
    ("Rating", "comment"),
)
_TECHNICAL = (  # beginnings of attribute names that say nothing about a person
    "wm/encodingtime",
    "wmfsdkversion",
    "wmfsdkneeded",
    "isvbr",
    "wm/toolname",
    "wm/toolversion",
    "devicecon",
    "wm/wm",
    "aspectratio",
    "wm/encodingsettings",
    "wm/mediaclass",
    "wm/providerrating",
    "wm/providerstyle",
    "average level",
    "peak value",
    "windowsmedia",
    "deviceconform",
)


def completeness(source: Readable) -> Completeness:
    """Check that the objects add up to the file, and the file to the size in its header.

    A broadcast declares neither that size nor the size of its data.
    """
    window = Window(source)
    data_end, declared, broadcast = 0, 0, False
    for kind, body, end in objects(window, 0, window.size):
        if kind == HEADER:
            size, is_broadcast = _file_properties(window, body + 6, min(end, window.size))
            declared, broadcast = max(declared, size), broadcast or is_broadcast
        if kind == DATA and broadcast:
            return None, "a broadcast, whose data states no size"
        if end > window.size:
            what = {HEADER: "header", DATA: "data"}.get(kind, "index")
            missing = end - window.size
            return False, f"the {what} object ends {missing} bytes after the end of the file"
        if kind == DATA:
            data_end = end
    if data_end and declared > window.size:
        return False, f"it ends {declared - window.size} bytes before the size that it states"
    return (True, None) if data_end else (False, "no data object")


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the names in content descriptions and metadata objects of the header."""
    window = Window(source)
    for kind, body, end in objects(window, 0, window.size):
        if kind == HEADER:
            return _header_items(window, body + 6, min(end, window.size), depth=0)
        break
    return []


def objects(window: Window, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (identifier, start of the data, declared end) of the objects in order."""
    for _ in range(MAX_OBJECTS):
        head = window.at(start, 24)
        size = struct.unpack_from("<Q", head, 16)[0] if len(head) == 24 else 0
        if size < 24 or start >= end:
            return
        yield head[:16], start + 24, start + size
        start += size


def _file_properties(window: Window, start: int, end: int) -> tuple[int, bool]:
    """Return (declared size of the file, whether it is a broadcast) of a header (3.2)."""
    size, broadcast = 0, False
    for kind, body, _ in objects(window, start, end):
        data = window.at(body, 68) if kind == _FILE_PROPERTIES else b""
        if len(data) == 68:
            size = max(size, *struct.unpack_from("<Q", data, 16))
            broadcast = broadcast or bool(data[64] & 1)
    return size, broadcast


def _header_items(window: Window, start: int, end: int, *, depth: int) -> list[PrivateItem]:
    items: list[PrivateItem] = []
    for kind, body, stop in objects(window, start, end):
        data = window.at(body, min(stop - body, _OBJECT_BYTES))
        if kind == _HEADER_EXTENSION and depth == 0:
            items += _header_items(window, body + 22, min(stop, end), depth=1)
        elif kind == _FILE_PROPERTIES and len(data) >= 32 and any(data[24:32]):
            items.append(PrivateItem(kind="time", where="File Properties/Creation Date"))
        elif kind == _CONTENT and len(data) >= 10:
            items += _content_items(data)
        elif kind == _EXTENDED_CONTENT:
            items += _descriptor_items(data, extended=True)
        elif kind in (_METADATA, _METADATA_LIBRARY):
            items += _descriptor_items(data, extended=False)
    return items


def _content_items(data: bytes) -> list[PrivateItem]:
    """Read a content description (3.10): five lengths, then the texts."""
    items: list[PrivateItem] = []
    at = 10
    for (name, kind), size in zip(_CONTENT_KINDS, struct.unpack_from("<5H", data), strict=True):
        if data[at : at + size].strip(b"\0 "):
            items.append(PrivateItem(kind=kind, where=f"Content Description/{name}"))
        at += size
    return items


def _descriptor_items(data: bytes, *, extended: bool) -> list[PrivateItem]:
    """Read the descriptors of an extended content description (3.11) or metadata object (4.7)."""
    items: list[PrivateItem] = []
    at = 2
    for _ in range(min(int.from_bytes(data[:2], "little"), MAX_DESCRIPTORS)):
        if extended:
            size = int.from_bytes(data[at : at + 2], "little")
            name, tail = data[at + 2 : at + 2 + size], at + 2 + size + 2
            value_size = int.from_bytes(data[tail : tail + 2], "little")
            following = tail + 2 + value_size
        else:
            size = int.from_bytes(data[at + 4 : at + 6], "little")
            value_size = int.from_bytes(data[at + 8 : at + 12], "little")
            name, following = data[at + 12 : at + 12 + size], at + 12 + size + value_size
        if following > len(data):
            break
        text = name.decode("utf-16-le", "replace").rstrip("\0")
        if value_size and not text.lower().startswith(_TECHNICAL):
            items += tagnames.named(text.removeprefix("WM/"), f"Metadata/{text}")
        at = following
    return items
