"""What H.264, HEVC and VVC share: NAL units in packets, SEI messages, the first part of the VUI."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged

Data: TypeAlias = "memoryview | bytes"

START_CODE = b"\0\0\1"
# The one fault that no decoder can conceal.
CUT_UNIT = "a NAL unit is longer than its packet"
CHROMA_FORMATS = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")  # by chroma_format_idc
# ITU-T H.273, table 10
_SARS: tuple[tuple[int, int] | None, ...] = (
    *(None, (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11)),
    *((80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1)),
)
_EXTENDED_SAR = 255
_MOST_SEI = 64  # messages of one NAL unit that are read
# NAL units or start codes of one packet that are read; more than any level allows.
_MOST_UNITS = 1 << 14


def unescaped(data: bytes) -> bytes:
    """Return the RBSP: ``data`` without emulation prevention bytes (ITU-T H.264 7.4.1)."""
    return data.replace(b"\0\0\3", b"\0\0") if b"\0\0\3" in data else data


def fits_lengths(data: Data, width: int) -> bool:
    """Return True if length prefixes of ``width`` bytes end exactly at the end of the packet."""
    at, end = 0, len(data)
    for _ in range(_MOST_UNITS):
        size = int.from_bytes(data[at : at + width], "big")
        at += width + size
        if not size or at >= end:
            return size > 0 and at == end
    return False


def is_cut(data: Data, width: int, at: int = 0) -> bool:
    """Return True if a length prefix, from byte ``at`` on, points past the end of the packet.

    ``width``: bytes of a length prefix. A length of 0 is padding.
    """
    end = len(data)
    for _ in range(_MOST_UNITS):
        if at + width >= end:
            return at > end
        size = int.from_bytes(data[at : at + width], "big")
        if not size:
            return False
        at += width + size
    return False


def length_size(data: Data, declared: int) -> int:
    """Return the size of a packet's length prefixes in bytes; 0 if it uses start codes (Annex B).

    ``declared``: the size that the extradata declares; 0 = none. Packets may use start codes
    although the extradata declares lengths; only a packet that begins like a start code is checked
    for that.
    """
    if bytes(data[:3]) == START_CODE or bytes(data[:4]) == b"\0\0\0\1":
        return declared if declared and fits_lengths(data, declared) else 0
    if declared:
        return declared
    return 4 if fits_lengths(data, 4) else 0


def unit_starts(data: Data, width: int, at: int = 0) -> Iterator[int]:
    """Yield the first byte of each NAL unit from byte ``at`` on.

    ``width``: size of the length prefixes (1 to 4), or 0 for start codes. A unit ends
    ``width or 3`` bytes before the next one begins. A length of 0 is padding and ends the packet.
    Start codes are searched in a growing copy of the packet's front, so a caller that stops early
    does not pay for the rest.
    """
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
        found = front.find(START_CODE, at)
        while (found < 0 or found + 3 >= len(front)) and len(front) < end:
            at = max(at, found if found >= 0 else len(front) - 2)
            reach *= 8
            front = bytes(data[:reach])
            found = front.find(START_CODE, at)
        if found < 0 or found + 3 >= end:
            return
        yield found + 3
        at = found + 3


def nal_units(data: memoryview, width: int) -> Iterator[memoryview | bytes]:
    """Yield the NAL units of a packet, without the zeros that may trail them in Annex B."""
    if not width:
        for start, following in pairwise([*unit_starts(data, 0), len(data) + 3]):
            yield bytes(data[start : following - 3]).rstrip(b"\0")
        return
    at = 0
    while at + width <= len(data):
        start = at + width
        at = start + int.from_bytes(data[at:start], "big")
        yield data[start:at]


def sei_messages(rbsp: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield payload type and payload of each complete SEI message (ITU-T H.264 7.3.2.3.1)."""
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


def stream_facts(kind: int, payload: bytes) -> dict[str, Any]:
    """Return what an SEI message states about the whole stream, as fields of StreamHeader.

    Sources: ITU-T H.274; H.265, annex D; SMPTE ST 2094-40, carried as ITU-T T.35.
    """
    if kind == 137 and len(payload) >= 24:
        return {"mastering_display": True}
    if kind == 147 and payload:
        return {"alternative_transfer": payload[0]}
    if kind == 4 and payload[:6] == b"\xb5\x00\x3c\x00\x01\x04":
        return {"hdr10_plus": True}
    return {}


def read_signal(bits: BitReader) -> dict[str, Any]:
    """Read the first part of the VUI, which H.264 (E.1.1) and HEVC (E.2.1) share.

    It holds SAR, overscan, range, colour codes and chroma location.
    """
    stated: dict[str, Any] = {}
    if bits.flag():
        stated["sar"] = _read_sar(bits)
    if bits.flag():
        bits.skip(1)
    if bits.flag():
        bits.skip(3)
        stated["full_range"] = bits.flag()
        if bits.flag():
            stated |= {"primaries": bits.u(8), "transfer": bits.u(8), "matrix": bits.u(8)}
    if bits.flag():
        bits.ue()
        bits.ue()
    return stated


def _read_sar(bits: BitReader) -> Fraction | None:
    code = bits.u(8)
    if code == _EXTENDED_SAR:
        width, height = bits.u(16), bits.u(16)
        return Fraction(width, height) if width and height else None
    pair = _SARS[code] if code < len(_SARS) else None
    return Fraction(*pair) if pair else None


def read_rate(bits: BitReader, ticks_per_frame: int) -> Fraction | None:
    """Read num_units_in_tick and time_scale as frames per second; None if either is 0."""
    units_in_tick, time_scale = bits.u(32), bits.u(32)
    if not units_in_tick or not time_scale:
        return None
    return Fraction(time_scale, units_in_tick * ticks_per_frame)


def cropped_size(
    bits: BitReader, width: int, height: int, unit: tuple[int, int]
) -> tuple[int, int]:
    """Read the four offsets of a cropping or conformance window; return the size that it leaves.

    ``unit``: luma samples that one step across and one step down stand for. A window that leaves
    nothing is ignored.
    """
    left, right, top, bottom = (bits.ue() for _ in range(4))
    cut = unit[0] * (left + right), unit[1] * (top + bottom)
    if cut[0] < width and cut[1] < height:
        return width - cut[0], height - cut[1]
    return width, height


def length_prefixed(config: bytes, at: int, count: int) -> Iterator[bytes]:
    """Yield ``count`` NAL units with 16-bit lengths from byte ``at`` of a decoder configuration.

    Raises: BitstreamDamaged if it ends early.
    """
    for _ in range(count):
        size = int.from_bytes(config[at : at + 2], "big")
        if at + 2 + size > len(config):
            raise BitstreamDamaged("the decoder configuration ends early")
        yield config[at + 2 : at + 2 + size]
        at += 2 + size
