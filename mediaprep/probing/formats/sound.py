"""Recognise raw sound streams: frames that follow one another, or a sync word."""

from __future__ import annotations

from collections.abc import Callable

from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_AC3_SYNC, _DTS_SYNC = b"\x0b\x77", b"\x7f\xfe\x80\x01"
_LAST_AC3_VERSION = 10  # bsid, ATSC A/52, annex E: more is E-AC-3
_MP3_KBITS = (
    (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)  # ISO/IEC 11172-3, 2.4.2.3: MPEG-1 layers I, II, III; ISO/IEC 13818-3: MPEG-2 layer I, II and III
_MP3_RATES = (44100, 48000, 32000)  # Hz, of MPEG-1; half in MPEG-2, a quarter in MPEG-2.5
_RATE_DIVISORS = {3: 1, 2: 2, 0: 4}  # by the version field


def detect_dolby(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise AC-3 and E-AC-3 by their sync word."""
    if not head.startswith(_AC3_SYNC) or len(head) < 6:
        return None
    return recognised("eac3" if head[5] >> 3 > _LAST_AC3_VERSION else "ac3")


def detect_dts(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise DTS by its sync word."""
    return recognised("dts") if head.startswith(_DTS_SYNC) else None


def detect_aac(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise AAC in ADTS or LOAS frames."""
    if _consecutive_frames(head, _adts_length):
        return recognised("aac")
    if _consecutive_frames(head, _loas_length):
        return recognised("aac", demuxer="loas")
    return None


def detect_mp3(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise MPEG audio of any layer."""
    return recognised("mp3") if _consecutive_frames(head, _mpeg_audio_length) else None


def _consecutive_frames(
    head: bytes, length_at: Callable[[bytes, int], int], frames: int = 3
) -> bool:
    """Return True if ``frames`` frames follow one another; two if the data ends after them."""
    at = 0
    for count in range(frames):
        if at >= len(head):
            return count >= 2
        length = length_at(head, at)
        if not length:
            return False
        at += length
    return True


def _adts_length(data: bytes, at: int) -> int:
    """Return the bytes of an ADTS frame (ISO/IEC 13818-7, 6.2); 0 if there is none."""
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def _loas_length(data: bytes, at: int) -> int:
    """Return the bytes of a LOAS frame (ISO/IEC 14496-3, 1.7.2); 0 if there is none."""
    head = data[at : at + 3]
    if len(head) < 3 or head[0] != 0x56 or head[1] & 0xE0 != 0xE0:
        return 0
    return ((head[1] & 0x1F) << 8 | head[2]) + 3


def _mpeg_audio_length(data: bytes, at: int) -> int:
    """Return the bytes of an MPEG audio frame (ISO/IEC 11172-3, 2.4.1.3); 0 if there is none."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    index, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or index in (0, 15) or rate_index == 3:
        return 0
    rows = (0, 1, 2) if version == 3 else (3, 4, 4)
    kbits, rate = (
        _MP3_KBITS[rows[layer - 1]][index],
        _MP3_RATES[rate_index] // _RATE_DIVISORS[version],
    )
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (12000 * kbits // rate + padding) * 4
    samples_per_kbit = 72000 if layer == 3 and version != 3 else 144000
    return samples_per_kbit * kbits // rate + padding
