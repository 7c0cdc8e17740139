"""Read fixed-length and Exp-Golomb codes, as the MPEG family of codecs uses them."""

from __future__ import annotations


class BitstreamDamaged(ValueError):
    """The bits end early, or hold a value that the syntax forbids."""


class BitReader:
    """Read bits, the most significant first. A read past the end raises BitstreamDamaged."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    @property
    def left(self) -> int:
        """Number of bits that are not read yet."""
        return self._left

    def u(self, count: int) -> int:
        """Read an unsigned number of ``count`` bits."""
        self._left -= count
        if self._left < 0:
            raise BitstreamDamaged("the bits end early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """Read one bit."""
        return self.u(1) == 1

    def skip(self, count: int) -> None:
        """Skip ``count`` bits."""
        self._left -= count
        if self._left < 0:
            raise BitstreamDamaged("the bits end early")

    def part(self, count: int) -> BitReader:
        """Return a reader of the next ``count`` bits, and skip them here."""
        part = BitReader(b"")
        part._value, part._left = self.u(count), count
        return part

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb code (ITU-T H.264 9.1) of at most 32 leading zeros."""
        if self._left and self._value >> (self._left - 1) & 1:
            self._left -= 1
            return 0
        rest = self._value & ((1 << self._left) - 1)
        zeros = self._left - rest.bit_length()
        if zeros > 32 or 2 * zeros >= self._left:
            raise BitstreamDamaged("an Exp-Golomb code is out of range")
        self._left -= 2 * zeros + 1
        return (rest >> self._left) - 1

    def se(self) -> int:
        """Read a signed Exp-Golomb code (ITU-T H.264 9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
