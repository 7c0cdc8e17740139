"""A digest of a stream's coded payload that does not depend on its wrapping: equal digests prove a copy.

Start codes and length prefixes, parameter sets, access unit delimiters, filler and ADTS headers belong to the framing, which MP4,
Matroska and transport streams do differently; all else is hashed in decode order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

# NAL unit types that are framing (ITU-T H.264 table 7-1, H.265 table 7-1): parameter sets, delimiters, ends of sequence and stream, filler.
_H264_FRAMING = frozenset((7, 8, 9, 10, 11, 12, 13, 15))
_HEVC_FRAMING = frozenset((32, 33, 34, 35, 36, 37, 38))


class PayloadDigest:
    """Feed it every packet in decode order; ``digest`` at the end. ``codec``: ffmpeg's name; ``extradata``: the decoder's configuration."""

    def __init__(self, codec: str, extradata: bytes | None) -> None:
        self._hash = hashlib.sha256()
        self._nal = codec in ("h264", "hevc")
        self._framing = _H264_FRAMING if codec == "h264" else _HEVC_FRAMING
        self._shift, self._mask = (0, 0x1F) if codec == "h264" else (1, 0x3F)
        self._adts = codec == "aac" and not extradata
        at = 4 if codec == "h264" else 21
        self._length = (
            (extradata[at] & 3) + 1
            if self._nal and extradata and extradata[0] == 1 and len(extradata) > at
            else 0
        )

    def add(self, data: memoryview) -> None:
        """One packet."""
        if self._nal:
            for unit in _prefixed(data, self._length) if self._length else _annex_b(bytes(data)):
                if len(unit) and (unit[0] >> self._shift) & self._mask not in self._framing:
                    self._hash.update(len(unit).to_bytes(4, "big"))
                    self._hash.update(unit)
        elif self._adts and len(data) > 9 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
            self._hash.update(data[7 if data[1] & 1 else 9 :])
        else:
            self._hash.update(data)

    def digest(self) -> str:
        """The sha256 as hexadecimal text."""
        return self._hash.hexdigest()


def _prefixed(data: memoryview, size: int) -> Iterator[memoryview]:
    at, end = 0, len(data)
    while at + size <= end:
        length = int.from_bytes(data[at : at + size], "big")
        at += size
        yield data[at : at + length]
        at += length


def _annex_b(data: bytes) -> Iterator[bytes]:
    start = data.find(b"\0\0\1")
    while start >= 0:
        start += 3
        following = data.find(b"\0\0\1", start)
        yield data[start : len(data) if following < 0 else following].rstrip(b"\0")
        start = following
