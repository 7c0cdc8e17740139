"""What H.264, HEVC and VVC share: NAL units in packets, SEI messages, the front of the VUI."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, TypeAlias

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged

Data: TypeAlias = "memoryview | bytes"

START = b"\0\0\1"
CUT_UNIT = "a NAL unit is longer than its packet"  # the one fault that no decoder can make good
_SAR: tuple[tuple[int, int] | None, ...] = (
    None,
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
)
_SAR += ((15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1))  # ITU-T H.273 table 10
CHROMA = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")
_MOST_SEI = 64  # messages in one NAL unit that are looked at
_MOST_UNITS = (
    1 << 14
)  # NAL units or start codes in one packet that are looked at: above what any level allows


def unescaped(data: bytes) -> bytes:
    """The RBSP: emulation prevention bytes removed (ITU-T H.264 7.4.1)."""
    return data.replace(b"\0\0\3", b"\0\0") if b"\0\0\3" in data else data


def fits_lengths(data: Data, width: int) -> bool:
    """Whether length prefixes of ``width`` bytes lead exactly to the end of the packet."""
    at, end = 0, len(data)
    for _ in range(_MOST_UNITS):
        size = int.from_bytes(data[at : at + width], "big")
        at += width + size
        if not size or at >= end:
            return size > 0 and at == end
    return False


def is_cut(data: Data, width: int, at: int = 0) -> bool:
    """Whether a length prefix of ``width`` bytes, from byte ``at`` on, leads past the end of the packet. A length of 0 is padding."""
    end = len(data)
    for _ in range(_MOST_UNITS):
        if at + width >= end:
            return at > end
        size = int.from_bytes(data[at : at + width], "big")
        if not size:
            return False
        at += width + size
    return False


def framing(data: Data, width: int) -> int:
    """The framing of a packet: 0 Annex B, else the width of its length prefixes. ``width``: what the extradata says, 0 where nothing.

    A payload may be Annex B although the extradata promises lengths; only a packet that begins like a start code is looked at twice.
    """
    if bytes(data[:3]) == START or bytes(data[:4]) == b"\0\0\0\1":
        return width if width and fits_lengths(data, width) else 0
    if width:
        return width
    return 4 if fits_lengths(data, 4) else 0


def starts(data: Data, width: int, at: int = 0) -> Iterator[int]:
    """Where each NAL unit begins, from byte ``at`` on, framed by length prefixes (``width`` 1-4) or start codes (0). A unit ends
    ``width or 3`` bytes before the next begins; a length of 0 is padding, which ends the packet. Start codes are searched in a growing copy
    of the front: who stops early pays no more."""
    end = len(data)
    if width:
        for _ in range(_MOST_UNITS):
            start = at + width
            at = start + int.from_bytes(data[at:start], "big")
            if at == start or start >= end:
                return
            yield start
        return
    reach = at + 1024
    front = bytes(data[:reach])
    for _ in range(_MOST_UNITS):
        found = front.find(START, at)
        while (found < 0 or found + 3 >= len(front)) and len(front) < end:
            at = max(at, found if found >= 0 else len(front) - 2)
            reach *= 8
            front = bytes(data[:reach])
            found = front.find(START, at)
        if found < 0 or found + 3 >= end:
            return
        yield found + 3
        at = found + 3


def sei_messages(rbsp: bytes) -> Iterator[tuple[int, bytes]]:
    """Payload type and payload of each message (ITU-T H.264 7.3.2.3.1); a message that the unit cuts short is left out."""
    at, end = 0, len(rbsp)
    for _ in range(_MOST_SEI):
        kind = size = 0
        while at < end and rbsp[at] == 0xFF:
            kind, at = kind + 255, at + 1
        if at + 1 >= end:
            return
        kind, at = kind + rbsp[at], at + 1
        while at < end and rbsp[at] == 0xFF:
            size, at = size + 255, at + 1
        if at >= end:
            return
        size, at = size + rbsp[at], at + 1
        if at + size > end:
            return
        yield kind, rbsp[at : at + size]
        at += size
        if at + 1 >= end:
            return


class SeiNotes:
    """What SEI messages state about the whole stream; ``values`` are fields of StreamHeader."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def read(self, kind: int, payload: bytes) -> None:
        """Takes in one message; kinds that say nothing about the stream are passed over (ITU-T H.274, H.265 annex D)."""
        if kind == 137 and len(payload) >= 24:
            self.values["mastering_display"] = True
        elif kind == 144 and len(payload) >= 4:
            self.values["content_light"] = True
        elif kind == 147 and payload:
            self.values["alternative_transfer"] = payload[0]
        elif (
            kind == 4 and payload[:6] == b"\xb5\x00\x3c\x00\x01\x04"
        ):  # SMPTE ST 2094-40, carried as ITU-T T.35
            self.values["hdr10_plus"] = True
        elif kind == 47 and len(payload) >= 3:
            bits = BitReader(payload[:3])
            if not bits.flag():
                self.values |= {
                    "sei_hflip": bits.flag(),
                    "sei_vflip": bits.flag(),
                    "sei_rotation": Fraction(bits.u(16) * 360, 65536),
                }


def read_signal(bits: BitReader) -> dict[str, Any]:
    """The front of the VUI, equal in H.264 (E.1.1) and HEVC (E.2.1): SAR, overscan, range, colour codes, chroma location."""
    told: dict[str, Any] = {}
    if bits.flag():
        told["sar"] = _read_sar(bits)
    if bits.flag():
        bits.skip(1)
    if bits.flag():
        bits.skip(3)
        told["full_range"] = bits.flag()
        if bits.flag():
            told |= {"primaries": bits.u(8), "transfer": bits.u(8), "matrix": bits.u(8)}
    if bits.flag():
        bits.ue()
        bits.ue()
    return told


def _read_sar(bits: BitReader) -> Fraction | None:
    code = bits.u(8)
    if code == 255:
        width, height = bits.u(16), bits.u(16)
        return Fraction(width, height) if width and height else None
    pair = _SAR[code] if code < len(_SAR) else None
    return Fraction(*pair) if pair else None


def read_rate(bits: BitReader, ticks_per_frame: int) -> Fraction | None:
    """num_units_in_tick and time_scale as frames a second; None where one is 0."""
    units_in_tick, time_scale = bits.u(32), bits.u(32)
    return (
        Fraction(time_scale, units_in_tick * ticks_per_frame)
        if units_in_tick and time_scale
        else None
    )


def arrays(config: bytes, at: int, count: int) -> Iterator[bytes]:
    """``count`` NAL units with 16-bit lengths from byte ``at`` of a decoder configuration record. Raises: Damaged where it ends early."""
    for _ in range(count):
        size = int.from_bytes(config[at : at + 2], "big")
        if at + 2 + size > len(config):
            raise BitstreamDamaged("the decoder configuration ends early")
        yield config[at + 2 : at + 2 + size]
        at += 2 + size
