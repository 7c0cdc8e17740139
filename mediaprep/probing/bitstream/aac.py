"""AAC configurations: AudioSpecificConfig, ADTS header, and StreamMuxConfig in LOAS/LATM.

ISO/IEC 14496-3: 1.6.2.1, 1.A.2.2 and 1.7.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged

# Table 1.18
_RATES = (
    *(96000, 88200, 64000, 48000, 44100, 32000, 24000),
    *(22050, 16000, 12000, 11025, 8000, 7350),
)
_EXPLICIT_RATE = 15  # samplingFrequencyIndex
# Table 1.19; 0: in a program config element
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 13: 24, 14: 8}
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

    aot                    audio object type of the core coder (2 = LC), with SBR or PS too
    sample_rate            of the core coder, Hz
    extension_rate         of the output, Hz, if SBR is announced
    sbr, ps                announced (True), denied (False), not stated (None: may still be present)
    channel_configuration  as written
    channels               counted; from the program config element if channel_configuration is 0
    frame_length           samples per channel in a frame of the core coder: 1024, 960, 512, 480
    """

    aot: int
    sample_rate: int | None = None
    sbr: bool | None = None
    ps: bool | None = None
    channel_configuration: int | None = None
    channels: int | None = None
    frame_length: int | None = None
    extension_rate: int | None = None

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
    aot, rate, layout = _read_object_type(bits), _read_rate(bits), bits.u(4)
    sbr = ps = None
    extension_rate = None
    if aot in (_SBR, _PS):
        sbr, ps = True, True if aot == _PS else None
        extension_rate, aot = _read_rate(bits), _read_object_type(bits)
        if aot == _BSAC:
            bits.skip(4)
    length: int | None = None
    channels = _CHANNELS.get(layout)
    if aot in _GENERAL:
        length, counted = _read_general(bits, aot, layout)
        channels = counted if layout == 0 else channels
    elif aot == _ELD:
        length = 480 if bits.flag() else 512
        bits.skip(3)
        sbr = bits.flag()
    if aot in _ERROR_RESILIENT and aot != _ELD and bits.u(2) >= 2:
        bits.skip(1)
    if whole and extension_rate is None and aot in _GENERAL:
        sbr, ps, extension_rate = _read_extension(bits)
    return AacConfig(
        aot=aot,
        sample_rate=rate,
        sbr=sbr,
        ps=ps,
        channel_configuration=layout,
        channels=channels,
        frame_length=length,
        extension_rate=extension_rate,
    )


def _read_object_type(bits: BitReader) -> int:
    kind = bits.u(5)
    return 32 + bits.u(6) if kind == 31 else kind


def _read_rate(bits: BitReader) -> int:
    index = bits.u(4)
    if index < len(_RATES):
        return _RATES[index]
    rate = bits.u(24) if index == _EXPLICIT_RATE else 0
    if not rate:
        raise BitstreamDamaged("a reserved sampling frequency")
    return rate


def _read_general(bits: BitReader, aot: int, layout: int) -> tuple[int, int | None]:
    """Read GASpecificConfig (4.4.1): frame length, and channels of a program config element."""
    short = bits.flag()
    if bits.flag():
        bits.skip(14)
    extension = bits.flag()
    channels = _read_element_channels(bits) if layout == 0 else None
    if aot in (6, 20):
        bits.skip(3)
    if extension:
        if aot == _BSAC:
            bits.skip(16)
        elif aot in (17, 19, 20, 23):
            bits.skip(3)
        bits.skip(1)
    if aot == 23:
        return 480 if short else 512, channels
    return 960 if short else 1024, channels


def _read_element_channels(bits: BitReader) -> int:
    """Read a program_config_element (4.4.1.1) to its end and count its channels.

    Front, side and back elements have 1 or 2 channels each, an LFE element has 1.
    """
    bits.skip(10)
    front, side, back = bits.u(4), bits.u(4), bits.u(4)
    lfe, data, coupling = bits.u(2), bits.u(3), bits.u(4)
    for width in (4, 4, 3):
        if bits.flag():
            bits.skip(width)
    channels = lfe
    for _ in range(front + side + back):
        channels += 1 + bits.u(1)
        bits.skip(4)
    bits.skip(4 * (lfe + data) + 5 * coupling)
    bits.skip(bits.left % 8)
    bits.skip(8 * bits.u(8))
    return channels


def _read_extension(bits: BitReader) -> tuple[bool | None, bool | None, int | None]:
    """Read the backward-compatible announcement of SBR and PS at the end: sbr, ps, output rate."""
    sbr: bool | None = None
    ps: bool | None = None
    extension_rate = None
    try:
        if bits.left >= 16 and bits.u(11) == _SBR_SYNC and _read_object_type(bits) == _SBR:
            sbr = bits.flag()
            if sbr:
                extension_rate = _read_rate(bits)
                if bits.left >= 12 and bits.u(11) == _PS_SYNC:
                    ps = bits.flag()
    except BitstreamDamaged:
        pass  # cut short: what precedes the cut is valid
    return sbr, ps, extension_rate


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
    aot, index = bits.u(2) + 1, bits.u(4)
    if index >= len(_RATES):
        raise BitstreamDamaged("a reserved sampling frequency")
    bits.skip(1)
    layout = bits.u(3)
    return AacConfig(
        aot=aot,
        sample_rate=_RATES[index],
        channel_configuration=layout,
        channels=_CHANNELS.get(layout),
        frame_length=1024,
    )


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
