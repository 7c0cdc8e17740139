"""Taking metadata out of a still without touching its picture: whole segments, chunks and blocks are left out, all else is copied.

What stays: the coded picture, the colour profile, and the orientation where it matters, in an EXIF block that holds nothing else.
The walk bounds every read; the source has been found whole before.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator

from mediaprep.errors import ToolError
from mediaprep.runtime.source import Readable

Piece = bytes | tuple[int, int]  # bytes to write, or (start, end) of the source
_CHUNK = 2**20
_PNG_KEPT = {
    b"cHRM",
    b"gAMA",
    b"iCCP",
    b"sBIT",
    b"sRGB",
    b"cICP",
    b"mDCV",
    b"cLLI",
    b"bKGD",
    b"hIST",
    b"tRNS",
    b"pHYs",
    b"sPLT",
}
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"ALPH", b"ICCP"}
_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG = (
    0x20,
    0x10,
    0x08,
)  # of VP8X: WebP Container Specification, Extended File Format
_JPEG_MARKER = re.compile(
    rb"\xff[^\x00\x01\xff\xd0-\xd8]", re.DOTALL
)  # neither stuffing, fill, restart nor a second beginning
FORMATS = ("jpeg", "png", "webp", "gif")


def stripped(
    source: Readable,
    form: str,
    orientation: int,
    write: Callable[[bytes], object],
    check: Callable[[], None],
) -> None:
    """Write the picture without its metadata. ``check`` is called between pieces and may raise.

    Raises: ToolError where the structure is not the one that the probe found.
    """
    walkers = {"jpeg": _jpeg, "png": _png, "webp": _webp, "gif": _gif}
    try:
        for piece in walkers[form](source, orientation):
            if isinstance(piece, bytes):
                write(piece)
                continue
            start, end = piece
            for at in range(start, end, _CHUNK):
                check()
                write(_exactly(source, at, min(_CHUNK, end - at)))
    except struct.error as problem:
        raise ToolError(
            (), None, f"a structure of the {form} is cut short: {problem}", what="remove metadata"
        ) from problem


def orientation_only(orientation: int) -> bytes:
    """A TIFF structure with one entry, the orientation (Exif 2.32, 4.6.4); big-endian, as cameras write it."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _exactly(source: Readable, at: int, n: int) -> bytes:
    data = source.read_at(at, n)
    if len(data) < n:
        raise struct.error(f"{n} bytes wanted at {at}, {len(data)} are there")
    return data


def _jpeg(source: Readable, orientation: int) -> Iterator[Piece]:
    """Segments of ITU-T T.81, annex B. Kept of the application data: a bare JFIF header, the ICC profile, Adobe's transform flag."""
    yield b"\xff\xd8"
    at, said = 2, orientation == 1
    while True:
        at, marker, start = _marker(source, at)
        if start > at:
            yield at, start  # entropy-coded data
        if marker == 0xD9:
            yield b"\xff\xd9"
            return
        body = start + 2
        size = struct.unpack(">H", _exactly(source, body, 2))[0]
        if size < 2:
            raise struct.error(f"a segment of {size} bytes at {body}")
        name = source.read_at(body + 2, min(size - 2, 16))
        if marker == 0xE0 and name.startswith(b"JFIF\0") and size >= 16:
            yield b"\xff\xe0" + struct.pack(">H", 16) + source.read_at(body + 2, 12) + b"\0\0"
        elif (
            marker == 0xEE
            or marker < 0xE0
            or (marker == 0xE2 and name.startswith(b"ICC_PROFILE\0"))
        ):
            if not said and marker != 0xE0:
                yield _exif_segment(orientation)
                said = True
            yield start, body + size
        at = body + size


def _exif_segment(orientation: int) -> bytes:
    block = b"Exif\0\0" + orientation_only(orientation)
    return b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block


def _marker(source: Readable, at: int) -> tuple[int, int, int]:
    """(``at``, marker byte, where it begins) of the next marker that is neither stuffing, fill nor restart."""
    here = at
    while True:
        data = source.read_at(here, 2**16)
        if len(data) < 2:
            raise struct.error("no end marker")
        if hit := _JPEG_MARKER.search(data):
            return at, hit[0][1], here + hit.start()
        here += len(data) - (data[-1] == 0xFF)


def _png(source: Readable, orientation: int) -> Iterator[Piece]:
    """Chunks of the PNG specification: critical ones, and those that tell how the picture is to be shown."""
    yield 0, 8
    at, said = 8, orientation == 1
    while True:
        size, kind = struct.unpack(">I4s", _exactly(source, at, 8))
        end = at + 12 + size
        if kind == b"IDAT" and not said:
            yield _png_chunk(b"eXIf", orientation_only(orientation))
            said = True
        if kind[:1].isupper() or kind in _PNG_KEPT:
            yield at, end
        if kind == b"IEND":
            return
        at = end


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _webp(source: Readable, orientation: int) -> Iterator[Piece]:
    """Chunks of the WebP container: picture, alpha, profile; the flags and the size of the file are stated anew."""
    end = min(8 + struct.unpack("<I", _exactly(source, 4, 4))[0], source.size_bytes)
    kept: list[tuple[bytes, int, int]] = []
    head, at = b"", 12
    while end - at >= 8:
        kind, size = struct.unpack("<4sI", _exactly(source, at, 8))
        if kind == b"VP8X":
            head = _exactly(source, at, 18)
        elif kind in _WEBP_KEPT:
            kept.append((kind, at, at + 8 + size))
        at += 8 + size + (size & 1)
    exif = b"" if orientation == 1 else orientation_only(orientation)
    if head:
        kinds = {kind for kind, _, _ in kept}
        flags = (
            head[8] & _ALPHA_FLAG
            | (_ICC_FLAG if b"ICCP" in kinds else 0)
            | (_EXIF_FLAG if exif else 0)
        )
        head = head[:8] + bytes([flags]) + head[9:]
    size = (
        4
        + len(head)
        + sum(stop - start + (stop - start & 1) for _, start, stop in kept)
        + (8 + len(exif) if exif else 0)
    )
    yield b"RIFF" + struct.pack("<I", size) + b"WEBP" + head
    for _, start, stop in kept:
        yield start, stop
        if stop - start & 1:
            yield b"\0"
    if exif:
        yield b"EXIF" + struct.pack("<I", len(exif)) + exif


def _gif(source: Readable, orientation: int) -> Iterator[Piece]:
    """Blocks of GIF89a: all but comments and application extensions other than the loop's."""
    flags = _exactly(source, 10, 1)[0]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    yield 0, at
    while True:
        mark = source.read_at(at, 14)
        if not mark or mark[0] == 0x3B:
            yield b"\x3b"
            return
        if mark[0] == 0x2C and len(mark) >= 10:
            end = _past_blocks(source, at + 11 + (3 << (mark[9] & 7) + 1 if mark[9] & 0x80 else 0))
            yield at, end
        elif mark[0] == 0x21 and len(mark) >= 3:
            end = _past_blocks(source, at + 2)
            if (
                mark[1] == 0xF9
                or mark[1] == 0x01
                or (mark[1] == 0xFF and mark[3:14] in (b"NETSCAPE2.0", b"ANIMEXTS1.0"))
            ):
                yield at, end
        elif mark[0] == 0:
            end = at + 1
        else:
            raise struct.error(f"no block begins at byte {at}")
        at = end


def _past_blocks(source: Readable, at: int) -> int:
    data, start = b"", at
    while True:
        if not start <= at < start + len(data):
            data, start = source.read_at(at, 2**20), at
            if not data:
                raise struct.error("sub-blocks without an end")
        length = data[at - start]
        at += length + 1
        if not length:
            return at
