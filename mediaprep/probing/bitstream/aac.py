"""AAC: the AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1), the ADTS header (1.A.2.2) and the configuration in LOAS/LATM (1.7.3)."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.probing.bitstream._bits import BitReader, BitstreamDamaged

_RATES = (
    96000,
    88200,
    64000,
    48000,
    44100,
    32000,
    24000,
    22050,
    16000,
    12000,
    11025,
    8000,
    7350,
)  # table 1.18
_CHANNELS = {
    1: 1,
    2: 2,
    3: 3,
    4: 4,
    5: 5,
    6: 6,
    7: 8,
    11: 7,
    12: 8,
    13: 24,
    14: 8,
}  # table 1.19; 0: in a program config element
_SBR, _PS = 5, 29
_GENERAL = {1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23}  # object types with a GASpecificConfig
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
}
_NAMES[42] = "xHE-AAC"
# objectTypeIndication in esds (ISO/IEC 14496-1 table 5, mp4ra.org), as ffmpeg names the codec
_OBJECTS = {
    0x40: "aac",
    0x66: "aac",
    0x67: "aac",
    0x68: "aac",
    0x69: "mp3",
    0x6B: "mp3",
    0xA5: "ac3",
    0xA6: "eac3",
    0xA9: "dts",
}
_OBJECTS |= {0xAD: "opus", 0xDD: "vorbis", 0xE1: "qcelp"}
_LATM_SYNC = 0x2B7


@dataclass(frozen=True, slots=True, kw_only=True)
class AacConfig:
    """What the header announces; None where it says nothing.

    aot            audio object type of the core coder (2 = LC), also where SBR or PS wraps it
    sample_rate    of the core coder, Hz; extension_rate: of the output, where SBR is announced
    sbr, ps        announced (True), denied (False), not mentioned (None: still possible, implicitly)
    channel_configuration   as written; channels: counted, from the program config element where that is 0
    frame_length   samples a channel of one frame of the core coder: 1024, 960, 512, 480
    object_type    LC, HE-AAC, HE-AACv2, Main, SSR, LTP, LD, ELD, xHE-AAC ...: what the whole announces; None for others
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
        """The name of what a decoder is promised."""
        if self.aot == 2 and (self.ps or self.sbr):
            return "HE-AACv2" if self.ps else "HE-AAC"
        return _NAMES.get(self.aot)


def parse_config(data: bytes) -> AacConfig:
    """An AudioSpecificConfig. Raises: Damaged (a ValueError) where it is cut short or uses reserved values."""
    return _config(BitReader(data[:512]), trailing=True)


def _config(bits: BitReader, *, trailing: bool) -> AacConfig:
    """``trailing``: an announcement of SBR may follow, because what follows belongs to the configuration."""
    aot, rate, layout = _object_type(bits), _rate(bits), bits.u(4)
    sbr = ps = None
    extension_rate = None
    if aot in (_SBR, _PS):
        sbr, ps = True, True if aot == _PS else None
        extension_rate, aot = _rate(bits), _object_type(bits)
        if aot == 22:
            bits.skip(4)
    length: int | None = None
    channels = _CHANNELS.get(layout)
    if aot in _GENERAL:
        length, counted = _general(bits, aot, layout)
        channels = counted if layout == 0 else channels
    elif aot == 39:
        length = 480 if bits.flag() else 512
        bits.skip(3)
        sbr = bits.flag()
    if aot in _ERROR_RESILIENT and aot != 39 and bits.u(2) >= 2:
        bits.skip(1)
    if trailing and extension_rate is None and aot in _GENERAL:
        sbr, ps, extension_rate = _trailing(bits, rate)
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


def _object_type(bits: BitReader) -> int:
    kind = bits.u(5)
    return 32 + bits.u(6) if kind == 31 else kind


def _rate(bits: BitReader) -> int:
    index = bits.u(4)
    rate = bits.u(24) if index == 15 else _RATES[index] if index < len(_RATES) else 0
    if not rate:
        raise BitstreamDamaged("a reserved sampling frequency")
    return rate


def _general(bits: BitReader, aot: int, layout: int) -> tuple[int, int | None]:
    """GASpecificConfig (4.4.1): frame length, and channels where a program config element counts them."""
    short = bits.flag()
    if bits.flag():
        bits.skip(14)
    extension = bits.flag()
    channels = _element_channels(bits) if layout == 0 else None
    if aot in (6, 20):
        bits.skip(3)
    if extension:
        bits.skip(16 if aot == 22 else 3 if aot in (17, 19, 20, 23) else 0)
        bits.skip(1)
    return (480 if short else 512) if aot == 23 else (960 if short else 1024), channels


def _element_channels(bits: BitReader) -> int:
    """program_config_element (4.4.1.1), to its end: front, side and back elements count 1 or 2, LFE 1."""
    bits.skip(10)
    front, side, back, lfe, data, coupling = (
        bits.u(4),
        bits.u(4),
        bits.u(4),
        bits.u(2),
        bits.u(3),
        bits.u(4),
    )
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


def _trailing(bits: BitReader, rate: int) -> tuple[bool | None, bool | None, int | None]:
    """The backward-compatible announcement of SBR (sync 0x2b7) and PS (0x548) behind the config."""
    sbr: bool | None = None
    ps: bool | None = None
    extension_rate = None
    try:
        if bits.left >= 16 and bits.u(11) == 0x2B7 and _object_type(bits) == _SBR:
            sbr = bits.flag()
            if sbr:
                extension_rate = _rate(bits)
                if bits.left >= 12 and bits.u(11) == 0x548:
                    ps = bits.flag()
    except BitstreamDamaged:
        pass
    return sbr, ps, extension_rate


def parse_adts(data: bytes) -> AacConfig:
    """The ADTS frame header at the start of ``data``. It cannot announce SBR. Raises: Damaged where there is none."""
    if len(data) < 7:
        raise BitstreamDamaged("the ADTS header is cut short")
    bits = BitReader(data[:7])
    if bits.u(12) != 0xFFF:
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
    """The configuration of the first layer in a LOAS frame (AudioSyncStream, 1.7.2; StreamMuxConfig, 1.7.3); None where the frame goes by
    an earlier one. Raises: Damaged where there is no such frame."""
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
        _latm_value(bits)
    bits.skip(1 + 6 + 4 + 3)  # framing, subframes, programs, layers
    if not version:
        return _config(bits, trailing=False)
    length = _latm_value(bits)
    return _config(bits.part(length), trailing=True)


def _latm_value(bits: BitReader) -> int:
    return bits.u(8 * (bits.u(2) + 1))


def packet_framing(data: bytes) -> str:
    """How a packet is wrapped: ``adts``, ``latm`` or ``raw``."""
    if len(data) >= 3 and int.from_bytes(data[:2], "big") >> 5 == _LATM_SYNC:
        return "latm"
    return "adts" if len(data) >= 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0 else "raw"


def object_indication_codec(indication: int) -> str | None:
    """ffmpeg's codec name for the objectTypeIndication of an ``mp4a`` track: 0x69 and 0x6B are MP3, not AAC; None where unknown."""
    return _OBJECTS.get(indication)
