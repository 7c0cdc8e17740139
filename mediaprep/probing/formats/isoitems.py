"""Read the image items of HEIF and AVIF (ISO/IEC 23008-12): kinds, extents, size when displayed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mediaprep.probing.formats.boxes import Box, BoxReader

MAX_ITEMS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoItem:
    """One item.

    kind            four characters: hvc1, grid, av01, Exif, mime ...
    content_type    of a mime item
    extents         (start, length) in the file, or in the ``idat`` box; a length of 0: to its end
    size            (width, height) of ``ispe``
    quarter_turns   counter-clockwise, of ``irot``
    """

    id: int
    kind: str
    content_type: str = ""
    extents: tuple[tuple[int, int], ...] = ()
    in_idat: bool = False
    size: tuple[int, int] | None = None
    quarter_turns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoItems:
    """All items; ``primary`` is the number of the picture to display."""

    items: tuple[IsoItem, ...]
    primary: int | None

    @property
    def displayed_size(self) -> tuple[int, int] | None:
        """Width and height of the primary picture as displayed; None if not stated."""
        primary = next((item for item in self.items if item.id == self.primary), None)
        if primary is None or primary.size is None:
            return None
        return primary.size[::-1] if primary.quarter_turns % 2 else primary.size


_Extents = tuple[tuple[tuple[int, int], ...], bool]


def read(reader: BoxReader, meta: Box) -> IsoItems:
    """Read a top-level ``meta`` box; note damage and leave out what is damaged."""
    boxes = {box.kind: box for box in reader.boxes(meta.body + 4, meta.end)}
    names: dict[int, tuple[str, str]] = {}
    extents: dict[int, _Extents] = {}
    properties: dict[int, list[tuple[bytes, bytes]]] = {}
    primary = None
    with reader.guarded(meta):
        if b"pitm" in boxes:
            data = reader.payload(boxes[b"pitm"], 8)
            primary = struct.unpack_from(">I" if data[0] else ">H", data, 4)[0]
        if b"iinf" in boxes:
            names = _names(reader, boxes[b"iinf"])
        if b"iloc" in boxes:
            extents = _extents(reader.payload(boxes[b"iloc"]))
        if b"iprp" in boxes:
            properties = _properties(reader, boxes[b"iprp"])
    return IsoItems(
        items=tuple(
            _item(number, name, extents.get(number, ((), False)), properties.get(number, []))
            for number, name in names.items()
        ),
        primary=primary,
    )


def _item(
    number: int,
    name: tuple[str, str],
    extents: _Extents,
    properties: list[tuple[bytes, bytes]],
) -> IsoItem:
    size, turns = _shape(properties)
    return IsoItem(
        id=number,
        kind=name[0],
        content_type=name[1],
        extents=extents[0],
        in_idat=extents[1],
        size=size,
        quarter_turns=turns,
    )


def _names(reader: BoxReader, iinf: Box) -> dict[int, tuple[str, str]]:
    """Return (kind, content type) of each item in ``iinf`` (ISO/IEC 14496-12, 8.11.6)."""
    wide = reader.payload(iinf, 1) != b"\0"
    names: dict[int, tuple[str, str]] = {}
    for box in reader.boxes(iinf.body + (8 if wide else 6), iinf.end):
        data = reader.payload(box, 512)
        if box.kind != b"infe" or len(data) < 12 or data[0] < 2 or len(names) >= MAX_ITEMS:
            continue
        at = 6 if data[0] == 2 else 8
        number = int.from_bytes(data[4:at], "big")
        strings = data[at + 6 :].split(b"\0")
        names[number] = (
            data[at + 2 : at + 6].decode("latin-1"),
            strings[1].decode("latin-1") if len(strings) > 1 else "",
        )
    return names


def _extents(data: bytes) -> dict[int, _Extents]:
    """Return (extents, whether in ``idat``) of each item in ``iloc`` (ISO/IEC 14496-12, 8.11.3).

    The widths of its fields are stated in half bytes. Items built of other items have no extents.
    """
    version, at = data[0], 6
    offset_size, length_size = data[4] >> 4, data[4] & 15
    base_size, index_size = data[5] >> 4, data[5] & 15 if version else 0
    wide = 4 if version == 2 else 2

    def number(width: int) -> int:
        nonlocal at
        if at + width > len(data):
            raise IndexError("iloc is too short")
        at += width
        return int.from_bytes(data[at - width : at], "big")

    found = {}
    for _ in range(min(number(wide), MAX_ITEMS)):
        item = number(wide)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_size)
        extents = []
        for _ in range(min(number(2), MAX_ITEMS)):
            number(index_size)
            extents.append((base + number(offset_size), number(length_size)))
            if offset_size + length_size + index_size == 0:
                break
        found[item] = tuple(extents) if method in (0, 1) else (), method == 1
    return found


def _properties(reader: BoxReader, iprp: Box) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return (four characters, first bytes) of each property, by the item that it belongs to."""
    ipco = reader.child(iprp, b"ipco")
    if ipco is None:
        return {}
    known = [(box.kind, reader.payload(box, 16)) for box in reader.boxes(ipco.body, ipco.end)]
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    for ipma in reader.boxes(iprp.body, iprp.end):
        if ipma.kind == b"ipma":
            for item, index in _associations(reader.payload(ipma)):
                if 0 < index <= len(known):
                    found.setdefault(item, []).append(known[index - 1])
    return found


def _associations(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (item, index of a property from 1) of an ``ipma`` box (ISO/IEC 23008-12, 9.3.2)."""
    id_size, long_index = (4 if data[0] else 2), bool(data[3] & 1)
    at = 8
    for _ in range(min(struct.unpack_from(">I", data, 4)[0], MAX_ITEMS)):
        item, count = int.from_bytes(data[at : at + id_size], "big"), data[at + id_size]
        at += id_size + 1
        for _ in range(count):
            if long_index:
                yield item, struct.unpack_from(">H", data, at)[0] & 0x7FFF
                at += 2
            else:
                yield item, data[at] & 0x7F
                at += 1


def _shape(properties: list[tuple[bytes, bytes]]) -> tuple[tuple[int, int] | None, int]:
    """Return (size, quarter turns) that properties state."""
    size, turns = None, 0
    for kind, data in properties:
        if kind == b"ispe" and len(data) >= 12:
            size = struct.unpack_from(">II", data, 4)
        elif kind == b"irot" and data:
            turns = data[0] & 3
    return size, turns
