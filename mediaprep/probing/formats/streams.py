"""Recognise video formats that are read by ffmpeg alone, without a walker of ours."""

from __future__ import annotations

import struct

from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_FLIC_KINDS = (b"\x11\xaf", b"\x12\xaf", b"\x44\xaf")
_FLIC_DEPTHS = (8, 15, 16, 24)
_TEMPORAL_DELIMITER = b"\x12\0"  # an AV1 OBU with its size field, AV1 specification, 5.3 to 5.6
_SEQUENCE_HEADERS = (b"\x0a", b"\x08")


def detect_gxf(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise a map packet (SMPTE ST 360)."""
    found = head[:6] == b"\0\0\0\0\1\xbc" and head[14:16] == b"\xe1\xe2"
    return recognised("gxf") if found else None


def detect_roq(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise the signature chunk of id Software's RoQ."""
    return recognised("roq") if head[:4] == b"\x84\x10\xff\xff" else None


def detect_av1(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise a temporal delimiter and a sequence header."""
    found = head[:2] == _TEMPORAL_DELIMITER and head[2:3] in _SEQUENCE_HEADERS
    return recognised("raw-av1") if found else None


def detect_flic(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise the header of an Autodesk FLI or FLC."""
    if len(head) <= 22 or head[4:6] not in _FLIC_KINDS:
        return None
    depth = struct.unpack_from("<H", head, 12)[0]
    return recognised("flic") if depth in _FLIC_DEPTHS else None


def identify_realmedia(source: Readable, head: bytes) -> Sniffed:
    """Distinguish RealMedia, which may hold video, from RealAudio."""
    return recognised("rm", "sound" if head.startswith(b".ra") else "video")


def identify_aiff(source: Readable, head: bytes) -> Sniffed | None:
    """Return None for an IFF file of another form than AIFF and AIFF-C."""
    return recognised("aiff") if head[8:11] == b"AIF" else None
