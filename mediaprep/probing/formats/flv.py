"""Walk the tags of an FLV file (Adobe Flash Video File Format Specification 10.1, annex E)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.runtime.source import Readable

MAX_NAMES = 200
MAX_TAGS = 10  # at the beginning that are searched for the script tag
_TAG_BYTES = 2**20  # of a script tag that are read
_SCRIPT = 18
_TAG_TYPES = (8, 9, _SCRIPT)  # sound, video, script
_ENCRYPTED = 0x20
_TAG_HEADER = 11  # bytes
_LEAST_BYTES = 13 + 15  # the header of the file, and an empty tag with its size


def completeness(source: Readable) -> Completeness:
    """Check that the last tag is whole, and that the file has the size in ``onMetaData``.

    The last four bytes state the size of the last tag (E.3). That holds between any two tags, so
    only the declared size of the file (E.5) proves that none is missing.
    """
    window = Window(source)
    tail = window.at(window.size - 4, 4)
    if window.size < _LEAST_BYTES or len(tail) < 4:
        return False, "no whole tag in it"
    if not _is_tag(window, struct.unpack(">I", tail)[0]):
        return False, "the last tag is cut short"
    declared = _declared_size(window)
    if declared is None:
        return (
            None,
            "its tags follow one another without a mark of their end, "
            "and none states the size of the file",
        )
    if declared > window.size:
        return False, f"it ends {declared - window.size} bytes before the size that it states"
    return True, None


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the names in the ``onMetaData`` object of the first script tags."""
    items: list[PrivateItem] = []
    for data in _metadata(Window(source)):
        for name in _text_members(data, 13):
            items += tagnames.named(name, f"onMetaData/{name}")
    return items


def _is_tag(window: Window, size: int) -> bool:
    """Return True if a tag of ``size`` bytes stands before the last four bytes of the file."""
    if not _TAG_HEADER <= size <= window.size - 17:
        return False
    head = window.at(window.size - 4 - size, _TAG_HEADER)
    if len(head) < _TAG_HEADER or head[0] & ~_ENCRYPTED not in _TAG_TYPES:
        return False
    return int.from_bytes(head[1:4], "big") + _TAG_HEADER == size


def _declared_size(window: Window) -> int | None:
    """Return ``filesize`` of ``onMetaData``: a name of eight letters, then a number (AMF0, 2.2)."""
    for data in _metadata(window):
        at = data.find(b"\0\x08filesize\0") + 11
        value = struct.unpack_from(">d", data, at)[0] if 11 <= at <= len(data) - 8 else 0
        if 0 < value < 2**53:
            return int(value)
    return None


def _metadata(window: Window) -> Iterator[bytes]:
    """Yield each ``onMetaData`` among the first tags, from its AMF type byte on."""
    head = window.at(0, 9)
    at = struct.unpack_from(">I", head, 5)[0] + 4 if len(head) == 9 else 13
    for _ in range(MAX_TAGS):
        tag = window.at(at, _TAG_HEADER)
        if len(tag) < _TAG_HEADER or tag[0] & 0x1F not in _TAG_TYPES:
            break
        size = int.from_bytes(tag[1:4], "big")
        if tag[0] & 0x1F == _SCRIPT:
            data = window.at(at + _TAG_HEADER, min(size, _TAG_BYTES))
            if data[3:13] == b"onMetaData":
                yield data
        at += _TAG_HEADER + size + 4


def _text_members(data: bytes, at: int) -> list[str]:
    """Return the names of an AMF0 object's or array's members that are texts, or dates."""
    at += 5 if data[at : at + 1] == b"\x08" else 1
    names: list[str] = []
    while at + 3 <= len(data) and len(names) < MAX_NAMES:
        length = struct.unpack_from(">H", data, at)[0]
        name = data[at + 2 : at + 2 + length].decode("utf-8", "replace")
        kind = data[at + 2 + length : at + 3 + length]
        at += 3 + length
        if kind == b"\0":  # number
            at += 8
        elif kind == b"\1":  # Boolean
            at += 1
        elif kind == b"\2" and at + 2 <= len(data):  # string
            size = struct.unpack_from(">H", data, at)[0]
            if size:
                names.append(name)
            at += 2 + size
        elif kind == b"\x0b":  # date
            names.append(name)
            at += 10
        else:  # an object inside, or the end marker
            break
    return names
