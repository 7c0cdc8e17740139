"""Digests of coded streams that do not depend on the container: equal digests prove a copy.

Start codes and length prefixes, parameter sets, access unit delimiters, filler and ADTS headers are
framing, which MP4, Matroska and transport streams do differently; everything else is hashed in
decode order.
"""

from __future__ import annotations

import hashlib

from mediaprep.probing.bitstream.aac import is_adts
from mediaprep.probing.bitstream.nal import nal_units

# NAL unit types that are framing (ITU-T H.264 table 7-1, H.265 table 7-1): parameter sets,
# delimiters, ends of sequence and stream, filler.
_H264_FRAMING = frozenset((7, 8, 9, 10, 11, 12, 13, 15))
_HEVC_FRAMING = frozenset((32, 33, 34, 35, 36, 37, 38))
_ADTS_BYTES, _ADTS_BYTES_WITH_CRC = 7, 9


class PayloadDigest:
    """Hash every packet of a stream in decode order.

    codec      ffmpeg's name
    extradata  the decoder configuration
    """

    def __init__(self, codec: str, extradata: bytes | None) -> None:
        self._hash = hashlib.sha256()
        self._has_nal_units = codec in ("h264", "hevc")
        self._is_h264 = codec == "h264"
        self._may_be_adts = codec == "aac" and not extradata
        self._length_size = 0
        length_size_at = 4 if self._is_h264 else 21
        record = extradata if self._has_nal_units and extradata else b""
        if record[:1] == b"\x01" and len(record) > length_size_at:
            self._length_size = (record[length_size_at] & 3) + 1

    def add(self, data: memoryview) -> None:
        """Hash one packet."""
        if self._has_nal_units:
            self._add_units(data)
        elif self._may_be_adts and is_adts(data) and len(data) > _ADTS_BYTES_WITH_CRC:
            has_crc = not data[1] & 1
            self._hash.update(data[_ADTS_BYTES_WITH_CRC if has_crc else _ADTS_BYTES :])
        else:
            self._hash.update(data)

    def _add_units(self, data: memoryview) -> None:
        for unit in nal_units(data, self._length_size):
            if not len(unit):
                continue
            kind = unit[0] & 0x1F if self._is_h264 else unit[0] >> 1 & 0x3F
            if kind not in (_H264_FRAMING if self._is_h264 else _HEVC_FRAMING):
                self._hash.update(len(unit).to_bytes(4, "big"))
                self._hash.update(unit)

    def digest(self) -> str:
        """Return the sha256 in hexadecimal."""
        return self._hash.hexdigest()
