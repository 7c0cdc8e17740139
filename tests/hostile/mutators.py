"""Damaged copies of files, each a pure function of (name, number), so that it can be reproduced.

One to three changes are combined. Half of the general ones affect the first 4 kB, where headers
are. Changes that use the structure of a format (box, element, chunk, segment, block, directory,
page, tag, object, packet) leave the rest readable, so that the damage reaches deep into a parser.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal

INTERESTING = (
    0,
    1,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFF0,
    0xFFFFFFFF,
)
WIDE = (0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)
MAX_BYTES = 2**19  # of a seed that are used, and of a mutant

Change = Callable[[random.Random, bytearray], None]


def _place(rng: random.Random, size: int) -> int:
    """Return an offset: half of them in the first 4 kB, a quarter in the last."""
    part = rng.randrange(4)
    return (
        rng.randrange(min(size, 4096))
        if part < 2
        else rng.randrange(max(0, size - 4096), size)
        if part == 2
        else rng.randrange(size)
    )


# -- general changes ---------------------------------------------------------------------------


def _bits(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 4, 32))):
        data[_place(rng, len(data))] ^= 1 << rng.randrange(8)


def _integer(rng: random.Random, data: bytearray) -> None:
    at, width = _place(rng, len(data)), rng.choice((1, 2, 4, 4, 8))
    value = rng.choice(INTERESTING if width < 8 else (*INTERESTING, *WIDE))
    data[at : at + width] = (value & (1 << 8 * width) - 1).to_bytes(
        width, rng.choice(("big", "little"))
    )


def _cut(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


def _delete(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, len(data))
    del data[at : at + rng.choice((1, 2, 4, 16, 300, 5000))]


def _repeat(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, len(data))
    data[at:at] = data[at : at + rng.choice((1, 4, 8, 16, 64, 512))] * rng.randrange(2, 51)


def _zero(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, len(data))
    size = len(data[at : at + rng.choice((4, 64, 4000))])
    data[at : at + size] = bytes(size)


# -- changes that use the structure of a format --------------------------------------------------


def _false_size(rng: random.Random, size: int) -> int:
    """Return a wrong value for a size field."""
    return rng.choice(
        (
            0,
            1,
            7,
            8,
            max(size - 1, 0),
            size + 1,
            size * 2,
            size * 1000,
            0x7FFFFFFF,
            0xFFFFFFF0,
            0xFFFFFFFF,
        )
    )


_CONTAINER_BOXES = frozenset(
    (
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"moof",
        b"traf",
        b"mvex",
        b"edts",
        b"dinf",
        b"udta",
        b"iprp",
        b"ipco",
    )
)


def boxes(
    data: bytes, start: int = 0, end: int | None = None, depth: int = 0
) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, size, type) of ISO base media boxes, outer before inner."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > end:
            return
        yield at, size, kind
        if depth < 8 and (kind in _CONTAINER_BOXES or kind == b"meta"):
            yield from boxes(data, at + (12 if kind == b"meta" else 8), at + size, depth + 1)
        at += size


def _box(rng: random.Random, data: bytearray) -> None:
    """Change a box's size, type or one of its fields, or repeat it."""
    found = list(boxes(bytes(data)))
    if not found:
        return _integer(rng, data)
    at, size, kind = rng.choice(found)
    match rng.randrange(5):
        case 0:
            struct.pack_into(">I", data, at, _false_size(rng, size) & 0xFFFFFFFF)
        case 1 | 2:
            if size >= 12:
                field = at + 8 + 4 * rng.randrange(min((size - 8) // 4, 30))
                struct.pack_into(">I", data, field, rng.choice(INTERESTING))
        case 3:
            data[at + 4 : at + 8] = rng.choice(
                [other for _, _, other in found] + [b"free", b"\0\0\0\0", kind[::-1]]
            )
        case _:
            data[at:at] = bytes(data[at : at + min(size, 8192)]) * rng.randrange(2, 21)
    return None


def _element(rng: random.Random, data: bytearray) -> None:
    """Change an EBML element's size to another of the same width (all ones: unknown)."""
    ids = (
        b"\x18\x53\x80\x67",
        b"\x15\x49\xa9\x66",
        b"\x16\x54\xae\x6b",
        b"\xae",
        b"\xe0",
        b"\xe1",
        b"\x1f\x43\xb6\x75",
        b"\xa3",
        b"\x12\x54\xc3\x67",
    )
    name = rng.choice(ids)
    places = (
        [at for at in range(len(data) - 12) if data[at : at + len(name)] == name]
        if len(data) < 2**17
        else []
    )
    if not places:
        return _integer(rng, data)
    at = rng.choice(places[:50]) + len(name)
    width = 9 - data[at].bit_length() if data[at] else 8
    marker, most = 1 << 7 * width, (1 << 7 * width) - 1
    size = int.from_bytes(data[at : at + width], "big") & most
    data[at : at + width] = (marker | _false_size(rng, size) & most).to_bytes(width, "big")
    return None


def chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, body size, type) of PNG chunks."""
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + size > len(data):
            return
        yield at, size, kind
        at += 12 + size


def _chunk(rng: random.Random, data: bytearray) -> None:
    """Change a field of a PNG chunk (with a correct CRC) or its size, or repeat it."""
    found = list(chunks(bytes(data)))
    if not found:
        return _integer(rng, data)
    at, size, kind = rng.choice(found)
    match rng.randrange(4):
        case 0:
            struct.pack_into(">I", data, at, _false_size(rng, size) & 0xFFFFFFFF)
        case 1:
            data[at:at] = bytes(data[at : at + 12 + size]) * rng.randrange(1, 10)
        case _:
            if size:
                body = bytearray(data[at + 8 : at + 8 + size])
                width = min(rng.choice((1, 4)), size)
                field = rng.randrange(min(size - width, 40) + 1)
                body[field : field + width] = (
                    rng.choice(INTERESTING) & (1 << 8 * width) - 1
                ).to_bytes(width, "big")
                data[at + 8 : at + 12 + size] = body + struct.pack(">I", zlib.crc32(kind + body))
    return None


def _segment(rng: random.Random, data: bytearray) -> None:
    """Change the length of a JPEG segment or a byte of its body."""
    places = [
        at
        for at in range(2, len(data) - 4)
        if data[at] == 0xFF
        and 0xC0 <= data[at + 1] < 0xFF
        and data[at + 1] not in range(0xD0, 0xDA)
    ]
    if not places:
        return _integer(rng, data)
    at = rng.choice(places)
    (size,) = struct.unpack_from(">H", data, at + 2)
    if rng.random() < 0.5:
        struct.pack_into(">H", data, at + 2, _false_size(rng, size) & 0xFFFF)
    else:
        data[min(at + 4 + rng.randrange(24), len(data) - 1)] = rng.choice(INTERESTING) & 0xFF
    return None


def _block(rng: random.Random, data: bytearray) -> None:
    """Change a GIF's image descriptor, extension or sub-block length."""
    places = [at for at in range(13, len(data) - 10) if data[at] in (0x2C, 0x21)]
    if not places:
        return _integer(rng, data)
    at = rng.choice(places)
    data[at + 1 + rng.randrange(9)] = rng.choice(INTERESTING) & 0xFF
    return None


def _directory(rng: random.Random, data: bytearray) -> None:
    """Change types, counts or offsets in a TIFF (EXIF) directory, also into loops."""
    base = max(data.find(b"II*\0"), data.find(b"MM\0*"))
    if base < 0 or base + 10 >= len(data):
        return _integer(rng, data)
    order = "<" if data[base : base + 2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", data, base + 4)
    at = base + first
    if at + 14 > len(data):
        return _integer(rng, data)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    entry = at + 2 + 12 * rng.randrange(max(1, min(count, 30)))
    if entry + 12 > len(data):
        return _integer(rng, data)
    match rng.randrange(4):
        case 0:
            struct.pack_into(
                f"{order}I", data, entry + 8, rng.choice((first, 0, 8, len(data), 0xFFFFFFFF))
            )
        case 1:
            struct.pack_into(f"{order}I", data, entry + 4, rng.choice(INTERESTING))
        case 2:
            struct.pack_into(
                f"{order}H", data, entry, rng.choice((0x8769, 0x8825, 0xA005, 0x014A, 0x0201))
            )  # Exif, GPS, interop, SubIFDs
        case _:
            struct.pack_into(f"{order}H", data, at, rng.choice((0, 1, 0xFF, 0xFFFF)))
    return None


def _pages(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of Ogg pages."""
    at = 0
    while data.startswith(b"OggS", at) and at + 27 <= len(data):
        end = at + 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
        yield at, end
        at = end


def _tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of FLV tags with the size after each."""
    at = 13
    while at + 15 <= len(data):
        end = at + 15 + int.from_bytes(data[at + 1 : at + 4], "big")
        yield at, end
        at = end


def _chunks_of_riff(
    data: bytes, at: int = 12, end: int | None = None, depth: int = 0
) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of RIFF chunks, outer before inner."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield at, at + 8 + size
        if data[at : at + 4] == b"LIST" and depth < 5:
            yield from _chunks_of_riff(data, at + 12, min(at + 8 + size, end), depth + 1)
        at += 8 + size + (size & 1)


def _objects(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of ASF objects, including those of the header."""
    end = len(data) if end is None else end
    while at + 24 <= end and (size := int.from_bytes(data[at + 16 : at + 24], "little")) >= 24:
        yield at, at + size
        if at == 0:
            yield from _objects(data, 30, min(size, end))
        at += size


def _packets(data: bytes) -> Iterator[tuple[int, int]]:
    """Return (start, end) of transport stream packets."""
    return ((at, at + 188) for at in range(0, len(data) - 187, 188))


# First bytes of a file, its units, and the size field of a unit: offset, bytes, byte order.
_UNITS: tuple[
    tuple[
        bytes,
        Callable[[bytes], Iterator[tuple[int, int]]],
        tuple[int, int, Literal["big", "little"]],
    ],
    ...,
] = (
    (b"OggS", _pages, (26, 1, "big")),
    (b"FLV", _tags, (1, 3, "big")),
    (b"RIFF", _chunks_of_riff, (4, 4, "little")),
    (b"\x30\x26\xb2\x75", _objects, (16, 8, "little")),
    (b"\x47", _packets, (3, 2, "big")),
)


def _unit(rng: random.Random, data: bytearray) -> None:
    """Change a page, tag, chunk, object or packet, or repeat, remove or exchange it."""
    whole = bytes(data)
    row = next((row for row in _UNITS if whole.startswith(row[0])), None)
    if row is None:  # an earlier change hit the magic number
        return _integer(rng, data)
    _, walk, (offset, width, order) = row
    found = [(at, end) for at, end in islice(walk(whole), 5000) if end <= len(whole)]
    if not found:
        return _integer(rng, data)
    at, end = rng.choice(found)
    match rng.randrange(6):
        case 0 | 1:
            value = _false_size(rng, end - at) & (1 << 8 * width) - 1
            data[at + offset : at + offset + width] = value.to_bytes(width, order)
        case 2 | 3:
            field = at + rng.randrange(min(40, end - at))
            data[field : field + 4] = rng.choice(INTERESTING).to_bytes(4, order)
        case 4:
            data[at:end] = whole[at:end][:8192] * rng.choice((0, 2, 20))
        case _:
            other, stop = rng.choice(found)
            data[at:end] = whole[other:stop]
    return None


_GENERAL: tuple[Change, ...] = (_bits, _integer, _integer, _cut, _delete, _repeat, _zero)


def format_changes(head: bytes) -> tuple[Change, ...]:
    """Return the changes that fit a file with these first bytes."""
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return (_element,)
    if head.startswith(b"\x89PNG"):
        return _chunk, _directory
    if head.startswith(b"\xff\xd8"):
        return _segment, _directory
    if head.startswith(b"GIF8"):
        return (_block,)
    if head.startswith(tuple(start for start, _, _ in _UNITS)):
        return (_unit, _directory) if head.startswith(b"RIFF") else (_unit,)
    if head.startswith((b"II*\0", b"MM\0*")):
        return _directory, _integer
    return (_box,)


def mutant(seed: bytes, name: str, number: int, *, splice: bytes = b"") -> bytes:
    """Return damaged copy ``number`` of a file.

    ``splice``: another file, whose end may replace the end of this one.
    """
    rng = random.Random(f"{name}:{number}")
    data = bytearray(seed[:MAX_BYTES])
    special = format_changes(bytes(data[:16]))
    for _ in range(rng.randrange(1, 4)):
        if not data:
            break
        if splice and rng.random() < 0.03:
            data[rng.randrange(len(data)) :] = splice[rng.randrange(len(splice)) :]
        elif rng.random() < 0.4:
            rng.choice(special)(rng, data)
        else:
            rng.choice(_GENERAL)(rng, data)
        del data[MAX_BYTES:]
    return bytes(data)
