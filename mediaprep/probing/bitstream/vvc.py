"""VVC (ITU-T H.266): of each packet the kind of picture, by its NAL unit type alone; parameter sets are not read."""

from __future__ import annotations

from mediaprep.probing.bitstream._nal import Data, framing, starts
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    IDR,
    INTRA,
    NO_PICTURE,
    OPENS,
    RAP,
    REFRESH,
    StreamHeader,
)

# nal_unit_type of slices (table 5): trailing 0, STSA 1, RADL 2, RASL 3, IDR 7 8, CRA 9, GDR 10
_KINDS = {
    0: 0,
    1: 0,
    2: BIDIRECTIONAL,
    3: BIDIRECTIONAL | OPENS,
    7: IDR | INTRA,
    8: IDR | INTRA,
    9: RAP | INTRA,
    10: REFRESH,
}


class VvcReader:
    """Reads packets in decode order; only the base layer counts."""

    def __init__(self, extradata: bytes | None) -> None:
        self.faults: dict[str, int] = {}
        self._width = 0
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Takes the length size from a VvcDecoderConfigurationRecord (ISO/IEC 14496-15 11.2.4.2); Annex B begins with zeros."""
        self._width = (extradata[0] >> 1 & 3) + 1 if extradata[0] else 0

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """What the packet holds: flags of header.py."""
        for start in starts(data, framing(data, self._width)):
            if start + 1 < len(data) and not data[start] & 0xBF and data[start + 1] >> 3 in _KINDS:
                return _KINDS[data[start + 1] >> 3]
        return NO_PICTURE

    def header(self) -> StreamHeader:
        """Nothing is read."""
        return StreamHeader()
