"""FLV by its tags (Adobe Flash Video File Format Specification 10.1, annex E): names of the script tag, whether the last tag is whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.window import Readable, Window

_TAG_TYPES = (8, 9, 18)
_ENCRYPTED = 0x20


def completeness(source: Readable) -> tuple[bool | None, str | None]:
    """The last four bytes state the size of the last tag; a tag of that size must stand before them (E.3). That holds between any two
    tags: only the size of the file that ``onMetaData`` states (E.5) tells that there are no more."""
    window = Window(source)
    tail = window.at(window.size - 4, 4)
    if window.size < 13 + 15 or len(tail) < 4:
        return False, "no whole tag in it"
    size = struct.unpack(">I", tail)[0]
    head = window.at(window.size - 4 - size, 11) if 11 <= size <= window.size - 17 else b""
    if (
        len(head) < 11
        or head[0] & ~_ENCRYPTED not in _TAG_TYPES
        or int.from_bytes(head[1:4], "big") + 11 != size
    ):
        return False, "the last tag is cut short"
    stated = _stated_size(window)
    if stated is None:
        return (
            None,
            "its tags follow one another without a mark of their end, and none states the size of the file",
        )
    return (
        (True, None)
        if stated <= window.size
        else (False, f"it ends {stated - window.size} bytes before the size that it states")
    )


def private_items(source: Readable) -> list[PrivateItem]:
    """Names in the ``onMetaData`` object of the first script tag."""
    items: list[PrivateItem] = []
    for data in _metadata(Window(source)):
        names = _strings_of(data, 13)
        items += [item for name in names for item in tagnames.named(name, f"onMetaData/{name}")]
    return items


def _stated_size(window: Window) -> int | None:
    """``filesize`` of ``onMetaData``: a name of eight letters, then a number (AMF0, 2.2)."""
    for data in _metadata(window):
        at = data.find(b"\0\x08filesize\0") + 11
        value = struct.unpack_from(">d", data, at)[0] if 11 <= at <= len(data) - 8 else 0
        if 0 < value < 2**53:
            return int(value)
    return None


def _metadata(window: Window) -> Iterator[bytes]:
    """The ``onMetaData`` among the first ten tags, from their AMF type byte on."""
    head = window.at(0, 9)
    at = struct.unpack_from(">I", head, 5)[0] + 4 if len(head) == 9 else 13
    for _ in range(10):
        tag = window.at(at, 11)
        if len(tag) < 11 or tag[0] & 0x1F not in _TAG_TYPES:
            break
        size = int.from_bytes(tag[1:4], "big")
        if tag[0] & 0x1F == 18:
            data = window.at(at + 11, min(size, 2**20))
            if data[3:13] == b"onMetaData":
                yield data
        at += 11 + size + 4


def _strings_of(data: bytes, at: int) -> list[str]:
    """Names of the members of an AMF0 object or array whose value is a string that is not empty, or a date."""
    at += 5 if data[at : at + 1] == b"\x08" else 1
    names: list[str] = []
    while at + 3 <= len(data) and len(names) < 200:
        length = struct.unpack_from(">H", data, at)[0]
        name, kind = (
            data[at + 2 : at + 2 + length].decode("utf-8", "replace"),
            data[at + 2 + length : at + 3 + length],
        )
        at += 3 + length
        if kind == b"\0":
            at += 8
        elif kind == b"\1":
            at += 1
        elif kind == b"\2" and at + 2 <= len(data):
            size = struct.unpack_from(">H", data, at)[0]
            if size:
                names.append(name)
            at += 2 + size
        elif kind == b"\x0b":
            names.append(name)
            at += 10
        else:
            break  # an object inside, or the end mark
    return names
