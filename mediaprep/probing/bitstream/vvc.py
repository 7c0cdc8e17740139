"""Classify the pictures of a VVC stream (ITU-T H.266) by their NAL unit types alone."""

from __future__ import annotations

from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    IDR,
    INTRA,
    NO_PICTURE,
    NON_IDR_RAP,
    OPEN_LEADING,
    REFRESH,
    StreamHeader,
)
from mediaprep.probing.bitstream.nal import Data, length_size, unit_starts
from mediaprep.probing.bitstream.reader import BitstreamReader

# nal_unit_type of slices (table 5): trailing 0, STSA 1, RADL 2, RASL 3, IDR 7 8, CRA 9, GDR 10
_FLAGS = {
    0: 0,
    1: 0,
    2: BIDIRECTIONAL,
    3: BIDIRECTIONAL | OPEN_LEADING,
    7: IDR | INTRA,
    8: IDR | INTRA,
    9: NON_IDR_RAP | INTRA,
    10: REFRESH,
}


class VvcReader(BitstreamReader):
    """Classify the packets of a VVC stream in decode order; only the base layer counts."""

    def __init__(self, extradata: bytes | None) -> None:
        super().__init__()
        self._length_size = 0
        if extradata:
            self.configure(extradata)

    def configure(self, extradata: bytes) -> None:
        """Read the length size of a VvcDecoderConfigurationRecord (ISO/IEC 14496-15 11.2.4.2).

        Extradata that begins with a zero uses start codes (Annex B).
        """
        self._length_size = (extradata[0] >> 1 & 3) + 1 if extradata[0] else 0

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's picture."""
        for start in unit_starts(data, length_size(data, self._length_size)):
            if start + 1 < len(data) and not data[start] & 0xBF and data[start + 1] >> 3 in _FLAGS:
                return _FLAGS[data[start + 1] >> 3]
        return NO_PICTURE

    def header(self) -> StreamHeader:
        """Return an empty header: parameter sets are not read."""
        return StreamHeader()
