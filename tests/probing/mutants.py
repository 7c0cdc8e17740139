"""Damaged copies of small files, and a source that counts what is read from it.

Each copy is a pure function of (seed file, number).
"""

from __future__ import annotations

import random
import struct

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
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


class Counted:
    """A source in memory that counts reads and bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size_bytes = len(data)
        self.reads = 0
        self.bytes_read = 0

    def read_at(self, offset: int, n: int) -> bytes:
        assert offset >= 0, "a walker reads before the start of the file"
        found = self.data[offset : offset + max(n, 0)]
        self.reads += 1
        self.bytes_read += len(found)
        return found


def _place(rng: random.Random, size: int) -> int:
    """Return a random place: half of them are in the first 4 kB, a quarter in the last."""
    part = rng.randrange(4)
    if part < 2:
        return rng.randrange(min(size, 4096))
    if part == 2:
        return rng.randrange(max(0, size - 4096), size)
    return rng.randrange(size)


def _bits(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 4, 32))):
        data[_place(rng, len(data))] ^= 1 << rng.randrange(8)


def _integer(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, len(data))
    width = rng.choice((1, 2, 4, 4, 8))
    value = (rng.choice(INTERESTING) & (1 << 8 * width) - 1).to_bytes(
        width, rng.choice(("big", "little"))
    )
    data[at : at + width] = value


def _cut(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


def _delete(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, len(data))
    del data[at : at + rng.choice((1, 2, 4, 16, 300, 5000))]


def _repeat(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, len(data))
    part = data[at : at + rng.choice((1, 4, 8, 16, 64, 512))]
    data[at:at] = part * rng.randrange(2, 50)


def _zero(rng: random.Random, data: bytearray) -> None:
    at, size = _place(rng, len(data)), rng.choice((4, 64, 4000))
    data[at : at + size] = bytes(len(data[at : at + size]))


def _box(rng: random.Random, data: bytearray) -> None:
    """Change a field that looks like the size of a box: a word before four letters."""
    places = [
        at for at in range(4, min(len(data), 20000) - 4) if bytes(data[at : at + 4]).isalnum()
    ]
    if places:
        at = rng.choice(places) - 4
        (size,) = struct.unpack_from(">I", data, at)
        new = (
            rng.choice((0, 1, 7, 8, size + 1, max(size - 1, 0), size * 2, 0xFFFFFFFF)) & 0xFFFFFFFF
        )
        struct.pack_into(">I", data, at, new)


_MUTATIONS = (_bits, _integer, _integer, _cut, _delete, _repeat, _zero, _box, _box)


def mutant(seed: bytes, name: str, number: int) -> bytes:
    """Return the ``number``-th damaged copy, with one to three changes."""
    rng = random.Random(f"{name}:{number}")
    data = bytearray(seed[: 2**18])
    for _ in range(rng.randrange(1, 4)):
        if data:
            rng.choice(_MUTATIONS)(rng, data)
    return bytes(data)
