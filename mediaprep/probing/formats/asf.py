"""ASF (WMV, WMA) by its objects (Advanced Systems Format Specification 01.20.05): sizes, and who is named."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.window import Readable, Window

MAX_OBJECTS = 10_000
HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_CONTENT = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_EXTENDED_CONTENT = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_HEADER_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_METADATA = (
    bytes.fromhex("eacbf8c5af5b77488467aa8c44fa4cca"),
    bytes.fromhex("941c23449894d149a1411d134e457054"),
)
_CONTENT_KINDS = ("comment", "owner", "owner", "comment", "comment")
_HARMLESS = (
    *(
        "wm/encodingtime",
        "wmfsdkversion",
        "wmfsdkneeded",
        "isvbr",
        "wm/toolname",
        "wm/toolversion",
        "devicecon",
        "wm/wm",
        "aspectratio",
    ),
    *(
        "wm/encodingsettings",
        "wm/mediaclass",
        "wm/providerrating",
        "wm/providerstyle",
        "average level",
        "peak value",
        "windowsmedia",
        "deviceconform",
    ),
)


def objects(window: Window, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(identifier, start of the data, end as stated) of the objects in order."""
    for _ in range(MAX_OBJECTS):
        head = window.at(start, 24)
        size = struct.unpack_from("<Q", head, 16)[0] if len(head) == 24 else 0
        if size < 24 or start >= end:
            return
        yield head[:16], start + 24, start + size
        start += size


def completeness(source: Readable) -> tuple[bool | None, str | None]:
    """Objects must add up to the file, which has the size that it states; a broadcast states neither that nor its data's."""
    window = Window(source)
    last, stated, broadcast = 0, 0, False
    for kind, body, end in objects(window, 0, window.size):
        if kind == HEADER:
            for inner, at, _ in objects(window, body + 6, min(end, window.size)):
                data = window.at(at, 68) if inner == _FILE_PROPERTIES else b""
                broadcast = broadcast or (len(data) == 68 and bool(data[64] & 1))
                stated = (
                    max(stated, *struct.unpack_from("<Q", data, 16)) if len(data) == 68 else stated
                )
        if kind == DATA and broadcast:
            return None, "a broadcast, whose data states no size"
        if end > window.size:
            what = {HEADER: "header", DATA: "data"}.get(kind, "index")
            return (
                False,
                f"the {what} object ends {end - window.size} bytes after the end of the file",
            )
        last = end if kind == DATA else last
    if last and stated > window.size:
        return False, f"it ends {stated - window.size} bytes before the size that it states"
    return (True, None) if last else (False, "no data object")


def private_items(source: Readable) -> list[PrivateItem]:
    """Names in the content descriptions and metadata objects."""
    window = Window(source)
    items: list[PrivateItem] = []
    for kind, body, end in objects(window, 0, window.size):
        if kind == HEADER:
            _in_header(window, body + 6, min(end, window.size), items, depth=0)
        break
    return items


def _in_header(
    window: Window, start: int, end: int, items: list[PrivateItem], *, depth: int
) -> None:
    for kind, body, stop in objects(window, start, end):
        data = window.at(body, min(stop - body, 2**20))
        if kind == _HEADER_EXTENSION and depth == 0:
            _in_header(window, body + 22, min(stop, end), items, depth=1)
        elif kind == _FILE_PROPERTIES and len(data) >= 32 and any(data[24:32]):
            items.append(PrivateItem(kind="time", where="File Properties/Creation Date"))
        elif kind == _CONTENT and len(data) >= 10:
            sizes = struct.unpack_from("<5H", data)
            names = ("Title", "Author", "Copyright", "Description", "Rating")
            at = 10
            for name, private, size in zip(names, _CONTENT_KINDS, sizes, strict=True):
                if data[at : at + size].strip(b"\0 "):
                    items.append(PrivateItem(kind=private, where=f"Content Description/{name}"))
                at += size
        elif kind == _EXTENDED_CONTENT or kind in _METADATA:
            items += _descriptors(data, extended=kind == _EXTENDED_CONTENT)


def _descriptors(data: bytes, *, extended: bool) -> list[PrivateItem]:
    items: list[PrivateItem] = []
    at = 2
    for _ in range(min(int.from_bytes(data[:2], "little"), 200)):
        if extended:
            size = int.from_bytes(data[at : at + 2], "little")
            name, tail = data[at + 2 : at + 2 + size], at + 2 + size + 2
            value = int.from_bytes(data[tail : tail + 2], "little")
            following = tail + 2 + value
        else:
            size, value = (
                int.from_bytes(data[at + 4 : at + 6], "little"),
                int.from_bytes(data[at + 8 : at + 12], "little"),
            )
            name, following = data[at + 12 : at + 12 + size], at + 12 + size + value
        if following > len(data):
            break
        text = name.decode("utf-16-le", "replace").rstrip("\0")
        if value and not text.lower().startswith(_HARMLESS):
            items += tagnames.named(text.removeprefix("WM/"), f"Metadata/{text}")
        at = following
    return items
