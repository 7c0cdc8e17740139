"""Streams without a magic number, told by what repeats in them: MPEG transport and program streams, MXF, GXF, DV, raw video, sound."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from mediaprep.model.media import Kind
from mediaprep.probing.formats.window import Window

SYNC = 0x47
PACKET_SIZES = (188, 192, 204)
_CHAIN = 8  # packets in a row that must begin with the sync byte
_START = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_MXF_HEADER = bytes.fromhex("060e2b34020501010d0102010102")
_MP3_KBITS = (
    (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)  # ISO/IEC 11172-3, 2.4.2.3: MPEG-1 layers I, II, III; ISO/IEC 13818-3: MPEG-2 layer I, layers II and III


class Stream(NamedTuple):
    """A format told by structure: its name, ffmpeg's demuxer, the kind."""

    format: str
    demuxer: str
    kind: Kind


def recognise(window: Window, head: bytes) -> Stream | None:
    """The stream that this is; None: none that is known."""
    if transport_packets(head, window.size) is not None:
        return Stream("mpegts", "mpegts", "video")
    if head[:6] == b"\0\0\0\0\1\xbc" and head[14:16] == b"\xe1\xe2":
        return Stream("gxf", "gxf", "video")
    if head[:4] == b"\x84\x10\xff\xff":
        return Stream("roq", "roq", "video")
    if _MXF_HEADER in head:
        return Stream("mxf", "mxf", "video")
    if _is_dv(head):
        return Stream("dv", "dv", "video")
    if head[:2] == b"\x12\0" and head[2:3] in (b"\x0a", b"\x08"):
        return Stream("raw-av1", "obu", "video")
    if (
        len(head) > 22
        and head[4:6] in (b"\x11\xaf", b"\x12\xaf", b"\x44\xaf")
        and struct.unpack_from("<H", head, 12)[0] in (8, 15, 16, 24)
    ):
        return Stream("flic", "flic", "video")
    return _start_codes(head) or _sound(head)


def transport_packets(head: bytes, size: int) -> tuple[int, int] | None:
    """(packet size, offset of the first sync byte) of an MPEG transport stream; None: it is none."""
    for packet in PACKET_SIZES:
        first = 4 if packet == 192 else 0
        for offset in (first, *range(2 * packet)):
            if head[offset : offset + 1] != b"\x47":
                continue
            marks = head[offset::packet][:_CHAIN]
            enough = len(marks) >= min(_CHAIN, max(1, (size - offset) // packet)) and (
                len(marks) >= 3 or size == offset + packet * len(marks)
            )
            controls = head[offset + 3 :: packet][
                : len(marks)
            ]  # adaptation field control 0 is reserved: 2.4.3.3
            if (
                enough
                and marks.count(SYNC) == len(marks)
                and all(control & 0x30 for control in controls)
            ):
                return packet, offset
    return None


def _is_dv(head: bytes) -> bool:
    """The first blocks of a DIF sequence (IEC 61834-2): header, two of subcode, three of auxiliary video."""
    return (
        len(head) >= 480
        and head[0] == 0x1F
        and head[1] & 0xF0 == 0
        and head[3] & 0x7F == 0x3F
        and head[80] >> 5 == 1
        and head[160] >> 5 == 1
        and head[240] >> 5 == 2
    )


def _start_codes(head: bytes) -> Stream | None:
    """MPEG start codes: which come, and which comes first."""
    if not re.match(rb"\x00{2,}\x01", head):
        return None
    codes = [hit[1][0] for hit in _START.finditer(head)][:5000]
    if not codes:
        return None
    seen = set(codes)
    if codes[0] in (0xBA, 0xBB) or (0xBD <= codes[0] <= 0xEF and codes[0] != 0xB6):
        return Stream("mpegps", "mpeg", "video")
    if 0xB3 in seen and 0x00 in seen and codes[0] in (0xB3, 0xB2, 0xB5, 0xB8, 0x00):
        return Stream("mpegvideo", "mpegvideo", "video")
    if {code >> 1 & 63 for code in codes if not code & 0x81} >= {32, 33, 34} or {
        0x40,
        0x42,
        0x44,
    } <= seen:
        return Stream("raw-hevc", "hevc", "video")
    plain = {code & 31 for code in codes if not code & 0x80}
    if {7, 8} <= plain and plain & {1, 2, 5} and codes[0] & 31 in (1, 5, 6, 7, 8, 9):
        return Stream("raw-h264", "h264", "video")
    if 0xB6 in seen and any(0x20 <= code <= 0x2F for code in codes):
        return Stream("raw-mpeg4", "m4v", "video")
    if {0x0F, 0x0E, 0x0D} <= seen or (codes[0] == 0x0F and 0x0D in seen):
        return Stream("raw-vc1", "vc1", "video")
    if re.match(rb"\x00+\x01\x00[\x71\x79\xa1]", head) and re.search(
        rb"\x00\x00\x01\x00\x79", head
    ):
        return Stream("raw-vvc", "vvc", "video")
    return None


def _sound(head: bytes) -> Stream | None:
    if head[:2] == b"\x0b\x77" and len(head) > 5:
        return (
            Stream("eac3", "eac3", "sound") if head[5] >> 3 > 10 else Stream("ac3", "ac3", "sound")
        )
    if head[:4] == b"\x7f\xfe\x80\x01":
        return Stream("dts", "dts", "sound")
    if _chained(head, _adts_length):
        return Stream("aac", "aac", "sound")
    if _chained(head, _mpeg_audio_length):
        return Stream("mp3", "mp3", "sound")
    if (
        head[:1] == b"\x56"
        and len(head) > 3
        and head[1] & 0xE0 == 0xE0
        and _chained(head, _loas_length)
    ):
        return Stream("aac", "loas", "sound")
    return None


def _chained(head: bytes, length_at: Callable[[bytes, int], int], frames: int = 3) -> bool:
    """Whether ``frames`` whole frames follow one another from the start (or up to the end of what is there, two at least)."""
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
    """ISO/IEC 13818-7, 6.2; 0: no frame."""
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def _mpeg_audio_length(data: bytes, at: int) -> int:
    """ISO/IEC 11172-3, 2.4.1.3; 0: no frame."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer, index, rate_index = (
        head[1] >> 3 & 3,
        4 - (head[1] >> 1 & 3),
        head[2] >> 4,
        head[2] >> 2 & 3,
    )
    if version == 1 or layer == 4 or index in (0, 15) or rate_index == 3:
        return 0
    row = layer - 1 if version == 3 else (3 if layer == 1 else 4)
    rate = (44100, 48000, 32000)[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (12000 * _MP3_KBITS[row][index] // rate + padding) * 4
    return (72000 if layer == 3 and version != 3 else 144000) * _MP3_KBITS[row][
        index
    ] // rate + padding


def _loas_length(data: bytes, at: int) -> int:
    head = data[at : at + 3]
    if len(head) < 3 or head[0] != 0x56 or head[1] & 0xE0 != 0xE0:
        return 0
    return ((head[1] & 0x1F) << 8 | head[2]) + 3
