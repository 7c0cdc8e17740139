"""Recognise MPEG program streams and raw video by their start codes."""

from __future__ import annotations

import re

from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_CODES = 5000
_START = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_FIRST_START = re.compile(rb"\x00{2,}\x01")
_FIRST_VVC_UNIT = re.compile(rb"\x00+\x01\x00[\x71\x79\xa1]")  # VPS, SPS or delimiter
_VVC_SPS = re.compile(rb"\x00\x00\x01\x00\x79")


def detect(source: Readable, head: bytes) -> Sniffed | None:
    """Decide by which start codes occur and which comes first."""
    if not _FIRST_START.match(head):
        return None
    codes = [hit[1][0] for hit in _START.finditer(head)][:MAX_CODES]
    if not codes:
        return None
    name = _format(codes)
    if name is None and _FIRST_VVC_UNIT.match(head) and _VVC_SPS.search(head):
        name = "raw-vvc"
    return None if name is None else recognised(name)


def _format(codes: list[int]) -> str | None:
    first, present = codes[0], set(codes)
    if first in (0xBA, 0xBB) or (0xBD <= first <= 0xEF and first != 0xB6):
        return "mpegps"  # ISO/IEC 13818-1, 2.5.3: pack, system header, stream
    if {0xB3, 0x00} <= present and first in (0xB3, 0xB2, 0xB5, 0xB8, 0x00):
        return "mpegvideo"  # ISO/IEC 13818-2, 6.2.1: sequence header and picture
    hevc_units = {code >> 1 & 63 for code in codes if not code & 0x81}
    if hevc_units >= {32, 33, 34} or {0x40, 0x42, 0x44} <= present:
        return "raw-hevc"  # ITU-T H.265, table 7-1: VPS, SPS, PPS
    h264_units = {code & 31 for code in codes if not code & 0x80}
    if {7, 8} <= h264_units and h264_units & {1, 2, 5} and first & 31 in (1, 5, 6, 7, 8, 9):
        return "raw-h264"  # ITU-T H.264, table 7-1: SPS, PPS and slices
    if 0xB6 in present and any(0x20 <= code <= 0x2F for code in codes):
        return "raw-mpeg4"  # ISO/IEC 14496-2, 6.2.1: VOP and video object layer
    if {0x0D, 0x0E, 0x0F} <= present or (first == 0x0F and 0x0D in present):
        return "raw-vc1"  # SMPTE ST 421, annex E: frame, entry point, sequence header
    return None
