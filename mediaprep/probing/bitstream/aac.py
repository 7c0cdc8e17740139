"""AAC configurations: AudioSpecificConfig, ADTS header, and StreamMuxConfig in LOAS/LATM.

ISO/IEC 14496-3: 1.6.2.1, 1.A.2.2 and 1.7.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged

_RATE_COUNT, _EXPLICIT_RATE = 13, 15  # samplingFrequencyIndex, table 1.18
# Audio object types, table 1.17
_LC, _SBR, _BSAC, _PS, _ELD = 2, 5, 22, 29, 39
_GENERAL = {1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23}  # with a GASpecificConfig
_ERROR_RESILIENT = {17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 39}
_NAMES = {
    1: "Main",
    2: "LC",
    3: "SSR",
    4: "LTP",
    6: "Scalable",
    17: "ER LC",
    19: "ER LTP",
    20: "ER Scalable",
    23: "LD",
    39: "ELD",
    42: "xHE-AAC",
}
_LATM_SYNC, _ADTS_SYNC = 0x2B7, 0xFFF
_SBR_SYNC, _PS_SYNC = 0x2B7, 0x548  # syncExtensionType, 1.6.2.1

Framing = Literal["adts", "latm", "raw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AacConfig:
    """What a configuration announces; None = not stated.

    aot      audio object type of the core coder (2 = LC), with SBR or PS too
    sbr, ps  announced (True), denied (False), not stated (None: may still be present)
    """

    aot: int
    sbr: bool | None = None
    ps: bool | None = None

    @property
    def object_type(self) -> str | None:
        """Name of what is announced: LC, HE-AAC, HE-AACv2, Main, ...; None if it has no name."""
        if self.aot == _LC and (self.ps or self.sbr):
            return "HE-AACv2" if self.ps else "HE-AAC"
        return _NAMES.get(self.aot)


def parse_config(data: bytes) -> AacConfig:
    """Parse an AudioSpecificConfig.

    Raises: BitstreamDamaged (a ValueError) if it is cut short or uses reserved values.
    """
    return _read_config(BitReader(data[:512]), whole=True)


def _read_config(bits: BitReader, *, whole: bool) -> AacConfig:
    """Read an AudioSpecificConfig.

    ``whole``: all bits belong to it, so that an announcement of SBR may follow at its end.
    """
    aot = _read_object_type(bits)
    _read_rate(bits)
    channel_configuration = bits.u(4)
    sbr = ps = None
    is_extended = aot in (_SBR, _PS)
    if is_extended:
        sbr, ps = True, True if aot == _PS else None
        _read_rate(bits)
        aot = _read_object_type(bits)
        if aot == _BSAC:
            bits.skip(4)
    if aot in _GENERAL:
        _skip_general(bits, aot, channel_configuration)
    elif aot == _ELD:
        bits.skip(4)
        sbr = bits.flag()
    if aot in _ERROR_RESILIENT and aot != _ELD and bits.u(2) >= 2:
        bits.skip(1)
    if whole and not is_extended and aot in _GENERAL:
        sbr, ps = _read_extension(bits)
    return AacConfig(aot=aot, sbr=sbr, ps=ps)


def _read_object_type(bits: BitReader) -> int:
    kind = bits.u(5)
    return 32 + bits.u(6) if kind == 31 else kind


def _read_rate(bits: BitReader) -> None:
    """Skip a sampling frequency. Raises: BitstreamDamaged if it is reserved."""
    index = bits.u(4)
    if index >= _RATE_COUNT and not (index == _EXPLICIT_RATE and bits.u(24)):
        raise BitstreamDamaged("a reserved sampling frequency")


def _skip_general(bits: BitReader, aot: int, channel_configuration: int) -> None:
    """Skip GASpecificConfig (4.4.1)."""
    bits.skip(1)
    if bits.flag():
        bits.skip(14)
    extension = bits.flag()
    if channel_configuration == 0:
        _skip_program_config(bits)
    if aot in (6, 20):
        bits.skip(3)
    if extension:
        if aot == _BSAC:
            bits.skip(16)
        elif aot in (17, 19, 20, 23):
            bits.skip(3)
        bits.skip(1)


def _skip_program_config(bits: BitReader) -> None:
    """Skip a program_config_element (4.4.1.1)."""
    bits.skip(10)
    front, side, back = bits.u(4), bits.u(4), bits.u(4)
    lfe, data, coupling = bits.u(2), bits.u(3), bits.u(4)
    for width in (4, 4, 3):
        if bits.flag():
            bits.skip(width)
    bits.skip(5 * (front + side + back) + 4 * (lfe + data) + 5 * coupling)
    bits.skip(bits.left % 8)
    bits.skip(8 * bits.u(8))


def _read_extension(bits: BitReader) -> tuple[bool | None, bool | None]:
    """Read the backward-compatible announcement of SBR and PS at the end of a configuration."""
    sbr: bool | None = None
    ps: bool | None = None
    try:
        if bits.left >= 16 and bits.u(11) == _SBR_SYNC and _read_object_type(bits) == _SBR:
            sbr = bits.flag()
            if sbr:
                _read_rate(bits)
                if bits.left >= 12 and bits.u(11) == _PS_SYNC:
                    ps = bits.flag()
    except BitstreamDamaged:
        pass  # cut short: what precedes the cut is valid
    return sbr, ps


def parse_adts(data: bytes) -> AacConfig:
    """Parse the ADTS header at the start of ``data``; it cannot announce SBR.

    Raises: BitstreamDamaged if there is no ADTS header.
    """
    if len(data) < 7:
        raise BitstreamDamaged("the ADTS header is cut short")
    bits = BitReader(data[:7])
    if bits.u(12) != _ADTS_SYNC:
        raise BitstreamDamaged("no ADTS sync word")
    bits.skip(1)
    if bits.u(2):
        raise BitstreamDamaged("an MPEG audio layer, not AAC")
    bits.skip(1)
    aot = bits.u(2) + 1
    if bits.u(4) >= _RATE_COUNT:
        raise BitstreamDamaged("a reserved sampling frequency")
    return AacConfig(aot=aot)


def parse_latm(data: bytes) -> AacConfig | None:
    """Parse the configuration of the first layer in a LOAS frame.

    AudioSyncStream, 1.7.2; StreamMuxConfig, 1.7.3. None if the frame uses the configuration of an
    earlier frame. Raises: BitstreamDamaged if there is no such frame.
    """
    bits = BitReader(data[:512])
    if bits.u(11) != _LATM_SYNC:
        raise BitstreamDamaged("no LOAS sync word")
    bits.skip(13)
    if bits.flag():
        return None
    version = bits.u(1)
    if version and bits.flag():
        raise BitstreamDamaged("a reserved version of the LATM multiplex")
    if version:
        _read_latm_value(bits)
    bits.skip(1 + 6 + 4 + 3)  # framing, subframes, programs, layers
    if not version:
        return _read_config(bits, whole=False)
    length = _read_latm_value(bits)
    return _read_config(bits.part(length), whole=True)


def _read_latm_value(bits: BitReader) -> int:
    return bits.u(8 * (bits.u(2) + 1))


def packet_framing(data: bytes) -> Framing:
    """Return how an AAC packet is framed."""
    if len(data) >= 3 and int.from_bytes(data[:2], "big") >> 5 == _LATM_SYNC:
        return "latm"
    return "adts" if is_adts(data) else "raw"


def is_adts(data: bytes | memoryview) -> bool:
    """Return True if an AAC packet begins with an ADTS header."""
    return len(data) >= 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0
