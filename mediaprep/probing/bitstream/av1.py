"""Find the key frames of an AV1 stream (AV1 bitstream specification, version 1.0.0 with errata).

Nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.header import (
    IDR,
    INTRA,
    NO_PICTURE,
    NON_IDR_RAP,
    OPEN_LEADING,
    UNREADABLE,
    StreamHeader,
)
from mediaprep.probing.bitstream.nal import Data, read_rate
from mediaprep.probing.bitstream.reader import BitstreamReader

_SEQUENCE, _FRAME_HEADER, _METADATA, _FRAME = 1, 3, 5, 6  # obu_type
_KEY, _INTRA_ONLY = 0, 2  # frame_type
_SHOWN_AGAIN = -1  # in place of a frame_type: a frame with show_existing_frame
_PROFILES = ("Main", "High", "Professional")
_CHROMA_BY_PROFILE = ("4:2:0", "4:4:4", "4:2:2")  # unless it is Professional of 12 bits
_SRGB = (1, 13, 0)  # primaries, transfer, matrix


def obus(data: Data) -> Iterator[tuple[int, int, int]]:
    """Yield the type of each OBU (5.3), and start and end of its payload.

    Raises: BitstreamDamaged.
    """
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
    """Read a size at ``at``; return it and the byte after it."""
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
    """Return what a sequence header OBU (5.5) states, and reduced_still_picture_header.

    Raises: BitstreamDamaged.
    """
    bits = BitReader(payload[:256])
    profile = bits.u(3)
    bits.skip(1)
    reduced = bits.flag()
    stated: dict[str, Any] = {"profile": _PROFILES[profile] if profile < 3 else None}
    level = bits.u(5) if reduced else _read_operating_points(bits, stated)
    stated["level"] = f"{2 + (level >> 2)}.{level & 3}" if level < 24 else None
    width_bits, height_bits = bits.u(4) + 1, bits.u(4) + 1
    stated["width"], stated["height"] = bits.u(width_bits) + 1, bits.u(height_bits) + 1
    if not reduced and bits.flag():
        bits.skip(7)
    bits.skip(3)
    if not reduced:
        bits.skip(4)
        order_hint = bits.flag()
        bits.skip(2 if order_hint else 0)
        screen_content = 2 if bits.flag() else bits.u(1)
        if screen_content and not bits.flag():
            bits.skip(1)
        bits.skip(3 if order_hint else 0)
    bits.skip(3)
    _read_colour(bits, profile, stated)
    return StreamHeader(**stated), reduced


def _read_operating_points(bits: BitReader, stated: dict[str, Any]) -> int:
    """Read timing and operating points; return seq_level_idx of the first."""
    model_bits = 0
    if bits.flag():
        rate = read_rate(bits, 1)
        if bits.flag():
            ticks = bits.ue() + 1
            stated["timing_rate"] = rate and rate / ticks
        if bits.flag():
            model_bits = bits.u(5) + 1
            bits.skip(42)
    delays, first_level = bits.flag(), 0
    for index in range(bits.u(5) + 1):
        bits.skip(12)
        level = bits.u(5)
        bits.skip(1 if level > 7 else 0)
        if model_bits and bits.flag():
            bits.skip(2 * model_bits + 1)
        if delays and bits.flag():
            bits.skip(4)
        if index == 0:
            first_level = level
    return first_level


def _read_colour(bits: BitReader, profile: int, stated: dict[str, Any]) -> None:
    """Read color_config (5.5.2)."""
    depth = 10 if bits.flag() else 8
    if profile == 2 and depth == 10 and bits.flag():
        depth = 12
    monochrome = profile != 1 and bits.flag()
    codes = (bits.u(8), bits.u(8), bits.u(8)) if bits.flag() else None
    stated["bit_depth"] = depth
    if codes:
        stated["primaries"], stated["transfer"], stated["matrix"] = codes
    if not monochrome and codes == _SRGB:
        stated["chroma"], stated["full_range"] = "rgb", True
        return
    stated["full_range"] = bits.flag()
    if monochrome:
        stated["chroma"] = "4:0:0"
    elif profile == 2 and depth == 12:
        stated["chroma"] = _read_subsampling(bits)
    else:
        stated["chroma"] = _CHROMA_BY_PROFILE[profile] if profile < 3 else None


def _read_subsampling(bits: BitReader) -> str:
    if not bits.flag():
        return "4:4:4"
    return "4:2:0" if bits.flag() else "4:2:2"


class Av1Reader(BitstreamReader):
    """Classify the temporal units of an AV1 stream in decode order.

    A key frame that is shown at once is a clean start. A key frame that is shown later (forward
    key frame), and an intra-only frame that the container flags as key, are random access points;
    frames that follow may refer to frames before them.
    """

    def __init__(self, extradata: bytes | None) -> None:
        super().__init__()
        self._reduced = False  # reduced_still_picture_header
        self._raw_sequence = b""
        self._metadata: dict[str, Any] = {}
        self._sequence_first: bool | None = None  # a sequence header preceded the first frame
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Read extradata: an AV1CodecConfigurationRecord (OBUs begin at byte 4) or plain OBUs."""
        try:
            self._read_unit(extradata[4:] if extradata[0] == 0x81 else extradata)
        except BitstreamDamaged as damage:
            self._add_fault(f"the decoder configuration is damaged ({damage})")

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of a temporal unit."""
        try:
            frames = self._read_unit(data)
        except BitstreamDamaged as damage:
            self._add_fault(f"a temporal unit is damaged ({damage})")
            return NO_PICTURE | UNREADABLE
        if not frames:
            return NO_PICTURE
        if self._sequence_first is None:
            self._sequence_first = self._first_header is not None
        if (_KEY, True) in frames:
            return IDR | INTRA
        intra_key = keyframe and any(kind == _INTRA_ONLY for kind, _ in frames)
        if (_KEY, False) in frames or intra_key:
            return NON_IDR_RAP | INTRA | OPEN_LEADING
        return 0

    def _read_unit(self, data: Data) -> list[tuple[int, bool]]:
        """Return frame_type and show_frame of each frame."""
        frames = []
        for kind, start, end in obus(data):
            if kind in (_FRAME, _FRAME_HEADER) and start < end:
                head = data[start]
                if self._reduced:
                    frames.append((_KEY, True))
                elif head & 0x80:
                    frames.append((_SHOWN_AGAIN, True))
                else:
                    frames.append((head >> 5 & 3, bool(head & 0x10)))
            elif kind == _SEQUENCE:
                self._read_sequence(bytes(data[start:end]))
            elif kind == _METADATA and start < end:
                self._read_metadata(bytes(data[start : min(end, start + 8)]))
        return frames

    def _read_sequence(self, payload: bytes) -> None:
        if payload == self._raw_sequence:
            return
        self._raw_sequence = payload
        try:
            header, self._reduced = parse_sequence(payload)
        except BitstreamDamaged as damage:
            self._add_fault(f"a sequence header is damaged ({damage})")
            return
        self._use_header(header)

    def _read_metadata(self, payload: bytes) -> None:
        """Read a metadata OBU (5.8): mastering display is 2, ITU-T T.35 is 4.

        HDR10+ is carried as T.35 (SMPTE ST 2094-40).
        """
        if payload[0] == 2:
            self._metadata["mastering_display"] = True
        elif payload[:7] == b"\x04\xb5\x00\x3c\x00\x01\x04":
            self._metadata["hdr10_plus"] = True

    def header(self) -> StreamHeader:
        """Return what the first sequence header states, and what later units add."""
        return replace(
            self._first_header or StreamHeader(),
            size_changes=self._size_changes,
            parameter_sets_first=self._sequence_first,
            **self._metadata,
        )
