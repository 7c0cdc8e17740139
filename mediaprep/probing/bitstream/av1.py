"""AV1 (AV1 bitstream specification, version 1.0.0 with errata): of each temporal unit whether it is a key frame; nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream._nal import Data, read_rate
from mediaprep.probing.bitstream.header import (
    IDR,
    INTRA,
    NO_PICTURE,
    OPENS,
    RAP,
    UNREADABLE,
    StreamHeader,
)

_SEQUENCE, _FRAME_HEADER, _METADATA, _FRAME = 1, 3, 5, 6
_KEY, _INTRA_ONLY = 0, 2
_PROFILES = ("Main", "High", "Professional")


def units(data: Data) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of the payload of each OBU (5.3). Raises: Damaged."""
    at, end = 0, len(data)
    while at < end:
        head = data[at]
        if head & 0x80:
            raise BitstreamDamaged("an OBU has its forbidden bit set")
        at += 2 if head & 4 else 1
        size = end - at
        if head & 2:
            size, at = _leb128(data, at)
        if size < 0 or at + size > end:
            raise BitstreamDamaged("an OBU is longer than its packet")
        yield head >> 3 & 15, at, at + size
        at += size


def _leb128(data: Data, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        if at >= len(data):
            raise BitstreamDamaged("a size is cut short")
        byte = data[at]
        at += 1
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, at
    raise BitstreamDamaged("a size is too long")


def parse_sequence(payload: bytes) -> tuple[StreamHeader, bool]:
    """A sequence header OBU (5.5): what it states, and reduced_still_picture_header. Raises: Damaged."""
    bits = BitReader(payload[:256])
    profile = bits.u(3)
    bits.skip(1)
    reduced = bits.flag()
    told: dict[str, Any] = {
        "profile_idc": profile,
        "profile": _PROFILES[profile] if profile < 3 else None,
    }
    level = bits.u(5) if reduced else _operating_points(bits, told)
    told["level"] = f"{2 + (level >> 2)}.{level & 3}" if level < 24 else None
    across, down = bits.u(4) + 1, bits.u(4) + 1
    told["width"], told["height"] = bits.u(across) + 1, bits.u(down) + 1
    if not reduced and bits.flag():
        bits.skip(7)
    bits.skip(3)
    if not reduced:
        bits.skip(4)
        order_hint = bits.flag()
        bits.skip(2 if order_hint else 0)
        screen = 2 if bits.flag() else bits.u(1)
        if screen and not bits.flag():
            bits.skip(1)
        bits.skip(3 if order_hint else 0)
    bits.skip(3)
    _colour(bits, profile, told)
    return StreamHeader(**told), reduced


def _operating_points(bits: BitReader, told: dict[str, Any]) -> int:
    """Timing and operating points; returns seq_level_idx of the first."""
    model_bits = 0
    if bits.flag():
        rate = read_rate(bits, 1)
        if bits.flag():
            ticks = bits.ue() + 1
            told["timing_rate"] = rate and rate / ticks
        if bits.flag():
            model_bits = bits.u(5) + 1
            bits.skip(42)
    delays, first = bits.flag(), 0
    for index in range(bits.u(5) + 1):
        bits.skip(12)
        level = bits.u(5)
        bits.skip(1 if level > 7 else 0)
        if model_bits and bits.flag():
            bits.skip(2 * model_bits + 1)
        if delays and bits.flag():
            bits.skip(4)
        first = first if index else level
    return first


def _colour(bits: BitReader, profile: int, told: dict[str, Any]) -> None:
    """color_config (5.5.2)."""
    high = bits.flag()
    depth = 12 if profile == 2 and high and bits.flag() else 10 if high else 8
    mono = profile != 1 and bits.flag()
    codes = (bits.u(8), bits.u(8), bits.u(8)) if bits.flag() else None
    told["bit_depth"] = depth
    if codes:
        told["primaries"], told["transfer"], told["matrix"] = codes
    if not mono and codes == (1, 13, 0):
        told["chroma"], told["full_range"] = "rgb", True
        return
    told["full_range"] = bits.flag()
    if mono:
        told["chroma"] = "4:0:0"
    elif profile == 2 and depth == 12:
        told["chroma"] = ("4:2:0" if bits.flag() else "4:2:2") if bits.flag() else "4:4:4"
    else:
        told["chroma"] = ("4:2:0", "4:4:4", "4:2:2")[profile] if profile < 3 else None


class Av1Reader:
    """A key frame that is shown starts afresh. One that is shown later (forward key frame), and an intra-only frame that the container
    flags as key, are random access points with frames that may refer behind them."""

    def __init__(self, extradata: bytes | None) -> None:
        self.faults: dict[str, int] = {}
        self._first: StreamHeader | None = None
        self._told: dict[str, Any] = {}
        self._reduced = False
        self._raw = b""
        self._sizes: set[tuple[int | None, int | None]] = set()
        self._complete: bool | None = None
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Takes in extradata: an AV1CodecConfigurationRecord (its OBUs begin at byte 4) or plain OBUs."""
        try:
            self._walk(extradata[4:] if extradata[0] == 0x81 else extradata)
        except BitstreamDamaged as damage:
            self._fault(f"the decoder configuration is damaged ({damage})")

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the temporal unit holds: flags of header.py."""
        try:
            kinds = self._walk(data)
        except BitstreamDamaged as damage:
            self._fault(f"a temporal unit is damaged ({damage})")
            return NO_PICTURE | UNREADABLE
        if not kinds:
            return NO_PICTURE
        if self._complete is None:
            self._complete = self._first is not None
        if (_KEY, True) in kinds:
            return IDR | INTRA
        if (_KEY, False) in kinds or (keyframe and any(kind == _INTRA_ONLY for kind, _ in kinds)):
            return RAP | INTRA | OPENS
        return 0

    def _walk(self, data: Data) -> list[tuple[int, bool]]:
        """frame_type and show_frame of each frame; a frame that is shown again counts as (-1, True)."""
        kinds = []
        for kind, start, end in units(data):
            if kind in (_FRAME, _FRAME_HEADER) and start < end:
                head = data[start]
                if self._reduced:
                    kinds.append((_KEY, True))
                else:
                    kinds.append((-1, True) if head & 0x80 else (head >> 5 & 3, bool(head & 0x10)))
            elif kind == _SEQUENCE:
                self._sequence(bytes(data[start:end]))
            elif kind == _METADATA and start < end:
                self._metadata(bytes(data[start : min(end, start + 8)]))
        return kinds

    def _sequence(self, payload: bytes) -> None:
        if payload == self._raw:
            return
        self._raw = payload
        try:
            header, self._reduced = parse_sequence(payload)
        except BitstreamDamaged as damage:
            self._fault(f"a sequence header is damaged ({damage})")
            return
        self._first = self._first or header
        self._sizes.add((header.width, header.height))

    def _metadata(self, payload: bytes) -> None:
        """Metadata OBU (5.8): content light level 1, mastering display 2, ITU-T T.35 4 (HDR10+: SMPTE ST 2094-40)."""
        if payload[0] in (1, 2):
            self._told["content_light" if payload[0] == 1 else "mastering_display"] = True
        elif payload[:7] == b"\x04\xb5\x00\x3c\x00\x01\x04":
            self._told["hdr10_plus"] = True

    def _fault(self, clause: str) -> None:
        self.faults[clause] = self.faults.get(clause, 0) + 1

    def header(self) -> StreamHeader:
        """What the first sequence header states, with what was met later."""
        return replace(
            self._first or StreamHeader(),
            size_changes=len(self._sizes) > 1 if self._sizes else None,
            parameter_sets_first=self._complete,
            **self._told,
        )
