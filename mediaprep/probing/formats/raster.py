"""Read the headers of pictures that are decoded by Pillow alone: Photoshop, PNM, PCX, SGI."""

from __future__ import annotations

import re
import struct

from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_PNM_DEMUXERS = {
    b"1": "pbm_pipe",
    b"2": "pgm_pipe",
    b"3": "ppm_pipe",
    b"4": "pbm_pipe",
    b"5": "pgm_pipe",
    b"6": "ppm_pipe",
    b"7": "pam_pipe",
}
_PNM_SIZE = re.compile(rb"P[1-6]\s(?:#[^\n]*\n|\s)*(\d{1,9})\s+(\d{1,9})\s")
_PCX_HEADER = 128  # bytes


def identify_psd(source: Readable, head: bytes) -> Sniffed:
    """Read the size of a Photoshop document."""
    height, width = struct.unpack_from(">II", head, 14)
    return recognised("psd", width=width, height=height, frames=1)


def identify_pnm(source: Readable, head: bytes) -> Sniffed | None:
    """Read the header of a PBM, PGM or PPM; a PAM states its size in words that are not read."""
    demuxer = _PNM_DEMUXERS.get(head[1:2])
    size = _PNM_SIZE.match(head[:4096])
    if demuxer is None or (size is None and not head.startswith(b"P7\n")):
        return None
    width, height = (int(size[1]), int(size[2])) if size else (None, None)
    return recognised("pnm", demuxer=demuxer, width=width, height=height, frames=1)


def identify_pcx(source: Readable, head: bytes) -> Sniffed | None:
    """Return None unless version, encoding and bits per pixel are known ones."""
    if len(head) < _PCX_HEADER or head[64]:
        return None
    if head[1] not in (0, 2, 3, 4, 5) or head[2] != 1 or head[3] not in (1, 2, 4, 8):
        return None
    left, top, right, bottom = struct.unpack_from("<HHHH", head, 4)
    return recognised("pcx", width=right - left + 1, height=bottom - top + 1, frames=1)


def identify_sgi(source: Readable, head: bytes) -> Sniffed | None:
    """Return None unless storage, depth and dimensions are known ones."""
    storage, depth, dimensions, width, height = struct.unpack_from(">BBHHH", head, 2)
    if storage > 1 or depth not in (1, 2) or dimensions not in (1, 2, 3):
        return None
    return recognised("sgi", width=width, height=height, frames=1)
