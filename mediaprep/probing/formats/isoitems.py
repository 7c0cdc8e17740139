"""Image items of HEIF and AVIF (ISO/IEC 23008-12): which there are, where their bytes lie, how large the primary picture is."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mediaprep.probing.formats.boxes import Box, BoxReader

MAX_ITEMS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoItem:
    """One item: ``kind`` its four characters (hvc1, grid, av01, Exif, mime ...), ``content_type`` of a mime item, ``extents`` (start,
    length) in the file; a length of 0 means the whole. ``size`` (width, height) of ``ispe``, ``quarter_turns``
    counter-clockwise of ``irot``."""

    id: int
    kind: str
    content_type: str = ""
    extents: tuple[tuple[int, int], ...] = ()
    in_idat: bool = False
    size: tuple[int, int] | None = None
    quarter_turns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoItems:
    """All items; ``primary`` is the number of the picture to show."""

    items: tuple[IsoItem, ...]
    primary: int | None

    @property
    def shown(self) -> IsoItem | None:
        """The primary item."""
        return next((item for item in self.items if item.id == self.primary), None)

    @property
    def displayed_size(self) -> tuple[int, int] | None:
        """Width and height of the primary picture as shown, where they are stated."""
        shown = self.shown
        if shown is None or shown.size is None:
            return None
        return shown.size[::-1] if shown.quarter_turns % 2 else shown.size


def read(reader: BoxReader, meta: Box) -> IsoItems:
    """Read a top-level ``meta`` box; damage becomes faults and leaves out what it damages."""
    boxes = {box.kind: box for box in reader.boxes(meta.body + 4, meta.end)}
    names: dict[int, tuple[str, str]] = {}
    places: dict[int, tuple[tuple[tuple[int, int], ...], bool]] = {}
    shapes: dict[int, list[tuple[bytes, bytes]]] = {}
    primary = None
    try:
        if b"pitm" in boxes:
            data = reader.payload(boxes[b"pitm"], 8)
            primary = struct.unpack_from(">I" if data[0] else ">H", data, 4)[0]
        if b"iinf" in boxes:
            names = _names(reader, boxes[b"iinf"])
        if b"iloc" in boxes:
            places = _places(reader.payload(boxes[b"iloc"]))
        if b"iprp" in boxes:
            shapes = _properties(reader, boxes[b"iprp"])
    except (struct.error, IndexError) as problem:
        reader.fault(f"meta at byte {meta.start}: {problem}")
    items = []
    for number, (kind, content_type) in names.items():
        extents, in_idat = places.get(number, ((), False))
        size, turns = _shape(shapes.get(number, []))
        item = IsoItem(
            id=number,
            kind=kind,
            content_type=content_type,
            extents=extents,
            in_idat=in_idat,
            size=size,
            quarter_turns=turns,
        )
        items.append(item)
    return IsoItems(items=tuple(items), primary=primary)


def _names(reader: BoxReader, iinf: Box) -> dict[int, tuple[str, str]]:
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


def _places(data: bytes) -> dict[int, tuple[tuple[tuple[int, int], ...], bool]]:
    """``iloc`` (ISO/IEC 14496-12, 8.11.3): the widths of its fields are stated in nibbles."""
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

    places = {}
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
        places[item] = tuple(extents) if method == 0 or method == 1 else (), method == 1
    return places


def _properties(reader: BoxReader, iprp: Box) -> dict[int, list[tuple[bytes, bytes]]]:
    """Item number -> (four characters, first bytes) of each associated property."""
    ipco = reader.child(iprp, b"ipco")
    if ipco is None:
        return {}
    known = [(box.kind, reader.payload(box, 16)) for box in reader.boxes(ipco.body, ipco.end)]
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    for ipma in reader.boxes(iprp.body, iprp.end):
        if ipma.kind != b"ipma":
            continue
        data = reader.payload(ipma)
        wide, long_index = (4 if data[0] else 2), data[3] & 1
        at = 8
        for _ in range(min(struct.unpack_from(">I", data, 4)[0], MAX_ITEMS)):
            item, count = int.from_bytes(data[at : at + wide], "big"), data[at + wide]
            at += wide + 1
            for _ in range(count):
                index = (
                    struct.unpack_from(">H", data, at)[0] & 0x7FFF
                    if long_index
                    else data[at] & 0x7F
                )
                at += 2 if long_index else 1
                if 0 < index <= len(known):
                    found.setdefault(item, []).append(known[index - 1])
    return found


def _shape(properties: list[tuple[bytes, bytes]]) -> tuple[tuple[int, int] | None, int]:
    size, turns = None, 0
    for kind, data in properties:
        if kind == b"ispe" and len(data) >= 12:
            size = struct.unpack_from(">II", data, 4)
        elif kind == b"irot" and data:
            turns = data[0] & 3
    return size, turns
