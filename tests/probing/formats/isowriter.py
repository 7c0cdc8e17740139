"""Write ISO base media files for tests, box by box, and walk them."""

from __future__ import annotations

import struct

from mediaprep.probing.formats import isobmff
from mediaprep.probing.formats.isofile import IsoFile
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.probing.formats.window import InMemoryFile


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind, *parts, version=0, flags=0):
    return box(kind, bytes([version]) + flags.to_bytes(3, "big"), *parts)


def movie(*tracks, mdat=b"x" * 100, extra=b"", brand=b"isom", timescale=1000, duration=2000):
    """Return a small file: ftyp, mdat at byte 24, moov."""
    ftyp = box(b"ftyp", brand, b"\0\0\2\0", b"isom")
    mvhd = full(b"mvhd", struct.pack(">IIII", 0, 0, timescale, duration), bytes(80))
    return ftyp + box(b"mdat", mdat) + box(b"moov", mvhd, *tracks, extra)


def track(
    entry=b"",
    *,
    handler=b"vide",
    number=1,
    tables=None,
    edits=b"",
    timescale=1000,
    duration=2000,
    version=0,
    reference=b"",
):
    """Return a trak box; by default 4 samples of 10 bytes in one chunk at byte 28."""
    if tables is None:
        tables = (
            full(b"stts", struct.pack(">III", 1, 4, 500)),
            full(b"stsz", struct.pack(">II4I", 0, 4, 10, 10, 10, 10)),
            full(b"stsc", struct.pack(">IIII", 1, 1, 4, 1)),
            full(b"stco", struct.pack(">II", 1, 28)),
        )
    stsd = full(b"stsd", struct.pack(">I", 1 if entry else 0), entry, version=version)
    matrix = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    tkhd = full(
        b"tkhd",
        struct.pack(">5I", 0, 0, number, 0, duration),
        bytes(16),
        matrix,
        struct.pack(">II", 320 << 16, 240 << 16),
        flags=7,
    )
    mdhd = full(b"mdhd", struct.pack(">IIIIHH", 0, 0, timescale, duration, 0x15C7, 0))
    hdlr = full(b"hdlr", bytes(4), handler, bytes(12), b"name\0")
    minf = box(b"minf", box(b"stbl", stsd, *tables))
    return box(b"trak", tkhd, edits, reference, box(b"mdia", mdhd, hdlr, minf))


def video_entry(*children, kind=b"avc1", width=320, height=240):
    return box(
        kind, bytes(6), b"\0\1", bytes(16), struct.pack(">HH", width, height), bytes(50), *children
    )


def sound_entry(*children, kind=b"mp4a", version=0, channels=2, rate=48000):
    head = struct.pack(
        ">HHIHHHHI",
        version,
        0,
        0,
        channels if version < 2 else 3,
        16,
        0,
        0,
        (rate if version < 2 else 1) << 16,
    )
    more = {0: b"", 1: bytes(16), 2: struct.pack(">IdI", 72, float(rate), channels) + bytes(20)}[
        version
    ]
    return box(kind, bytes(6), b"\0\1", head, more, *children)


def esds(object_type=0x40, config=b"\x11\x90"):
    inner = (
        bytes([4, 13 + 2 + len(config), object_type]) + bytes(12) + bytes([5, len(config)]) + config
    )
    return full(b"esds", bytes([3, 3 + len(inner)]) + b"\0\1\0" + inner)


def walk(data) -> IsoFile:
    return isobmff.walk(InMemoryFile(data))


def only_track(data) -> IsoTrack:
    (found,) = walk(data).tracks
    return found
