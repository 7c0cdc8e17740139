"""Remove the metadata of a still image without touching its pixels: segments, chunks and blocks
with metadata are left out, everything else is copied.

What stays: the coded picture, the colour profile, and an orientation other than 1, in an EXIF block
that holds nothing else. Every read is bounded; the probe has found the file complete.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator

from mediaprep.errors import ToolError
from mediaprep.runtime.source import Readable

Piece = bytes | tuple[int, int]  # bytes to write, or (start, end) of the source to copy
_COPY_BYTES = 2**20
_SEARCH_BYTES = 2**16
# Ancillary PNG chunks that affect how the picture is shown.
_PNG_DISPLAY_CHUNKS = {
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
_WEBP_PICTURE_CHUNKS = {b"VP8 ", b"VP8L", b"ALPH", b"ICCP"}
# Flags of VP8X (WebP Container Specification, "Extended File Format").
_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG = 0x20, 0x10, 0x08
# A JPEG marker: neither a stuffed byte, a fill byte, a restart marker nor a second SOI.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]", re.DOTALL)
_JPEG_EOI, _JPEG_APP0, _JPEG_APP2, _JPEG_APP14 = 0xD9, 0xE0, 0xE2, 0xEE
_GIF_LOOP_EXTENSIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
FORMATS = ("jpeg", "png", "webp", "gif")


def write_stripped(
    source: Readable,
    form: str,
    orientation: int,
    write: Callable[[bytes], object],
    check: Callable[[], None],
) -> None:
    """Write the image without its metadata. ``check`` is called between pieces and may raise.

    Raises: ToolError if the structure is not what the probe found.
    """
    walkers = {"jpeg": _jpeg_pieces, "png": _png_pieces, "webp": _webp_pieces, "gif": _gif_pieces}
    try:
        for piece in walkers[form](source, orientation):
            if isinstance(piece, bytes):
                write(piece)
                continue
            start, end = piece
            for offset in range(start, end, _COPY_BYTES):
                check()
                write(_read_exactly(source, offset, min(_COPY_BYTES, end - offset)))
    except struct.error as problem:
        raise ToolError(
            (), None, f"the {form} structure is truncated: {problem}", what="remove metadata"
        ) from problem


def orientation_only(orientation: int) -> bytes:
    """Return a TIFF structure with one entry, the orientation (Exif 2.32, 4.6.4). It is big-endian,
    as cameras write it.
    """
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _read_exactly(source: Readable, offset: int, n: int) -> bytes:
    data = source.read_at(offset, n)
    if len(data) < n:
        raise struct.error(f"{len(data)} of {n} bytes at offset {offset}")
    return data


def _jpeg_pieces(source: Readable, orientation: int) -> Iterator[Piece]:
    """Yield the segments to keep (ITU-T T.81, annex B). Of the application segments these are a
    JFIF header without thumbnail, the ICC profile and Adobe's transform flag.
    """
    yield b"\xff\xd8"
    offset, oriented = 2, orientation == 1
    while True:
        entropy_coded, marker, start = offset, *_next_jpeg_marker(source, offset)
        if start > entropy_coded:
            yield entropy_coded, start
        if marker == _JPEG_EOI:
            yield b"\xff\xd9"
            return
        body = start + 2
        size = struct.unpack(">H", _read_exactly(source, body, 2))[0]
        if size < 2:
            raise struct.error(f"a segment of {size} bytes at offset {body}")
        name = source.read_at(body + 2, min(size - 2, 16))
        profile = marker == _JPEG_APP2 and name.startswith(b"ICC_PROFILE\0")
        if marker == _JPEG_APP0 and name.startswith(b"JFIF\0") and size >= 16:
            header = source.read_at(body + 2, 12)
            yield b"\xff\xe0" + struct.pack(">H", 16) + header + b"\0\0"
        elif marker < _JPEG_APP0 or marker == _JPEG_APP14 or profile:
            if not oriented:
                yield _exif_segment(orientation)
                oriented = True
            yield start, body + size
        offset = body + size


def _exif_segment(orientation: int) -> bytes:
    block = b"Exif\0\0" + orientation_only(orientation)
    return b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block


def _next_jpeg_marker(source: Readable, offset: int) -> tuple[int, int]:
    """Return the marker byte and the offset of the next marker."""
    while True:
        data = source.read_at(offset, _SEARCH_BYTES)
        if len(data) < 2:
            raise struct.error("no end marker")
        found = _JPEG_MARKER.search(data)
        if found:
            return found[0][1], offset + found.start()
        offset += len(data) - (data[-1] == 0xFF)


def _png_pieces(source: Readable, orientation: int) -> Iterator[Piece]:
    """Yield the chunks to keep: critical ones, and those that affect how the picture is shown."""
    yield 0, 8
    offset, oriented = 8, orientation == 1
    while True:
        size, kind = struct.unpack(">I4s", _read_exactly(source, offset, 8))
        end = offset + 12 + size
        if kind == b"IDAT" and not oriented:
            yield _png_chunk(b"eXIf", orientation_only(orientation))
            oriented = True
        if kind[:1].isupper() or kind in _PNG_DISPLAY_CHUNKS:
            yield offset, end
        if kind == b"IEND":
            return
        offset = end


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _webp_pieces(source: Readable, orientation: int) -> Iterator[Piece]:
    """Yield the chunks to keep: picture, alpha and profile. The header gets new flags and a new
    file size.
    """
    end = min(8 + struct.unpack("<I", _read_exactly(source, 4, 4))[0], source.size_bytes)
    chunks: list[tuple[bytes, int, int]] = []
    extended_header, offset = b"", 12
    while end - offset >= 8:
        kind, size = struct.unpack("<4sI", _read_exactly(source, offset, 8))
        if kind == b"VP8X":
            extended_header = _read_exactly(source, offset, 18)
        elif kind in _WEBP_PICTURE_CHUNKS:
            chunks.append((kind, offset, offset + 8 + size))
        offset += 8 + size + (size & 1)
    exif = b"" if orientation == 1 else orientation_only(orientation)
    if extended_header:
        flags = extended_header[8] & _ALPHA_FLAG
        if any(kind == b"ICCP" for kind, _, _ in chunks):
            flags |= _ICC_FLAG
        if exif:
            flags |= _EXIF_FLAG
        extended_header = extended_header[:8] + bytes([flags]) + extended_header[9:]
    size = 4 + len(extended_header)
    for _, start, stop in chunks:
        size += stop - start + (stop - start & 1)
    if exif:
        size += 8 + len(exif)
    yield b"RIFF" + struct.pack("<I", size) + b"WEBP" + extended_header
    for _, start, stop in chunks:
        yield start, stop
        if stop - start & 1:
            yield b"\0"
    if exif:
        yield b"EXIF" + struct.pack("<I", len(exif)) + exif


def _gif_pieces(source: Readable, orientation: int) -> Iterator[Piece]:
    """Yield the blocks to keep (GIF89a): all but comments and application extensions other than
    the one with the loop count.
    """
    flags = _read_exactly(source, 10, 1)[0]
    offset = 13 + _gif_colour_table_bytes(flags)
    yield 0, offset
    while True:
        head = source.read_at(offset, 14)
        if not head or head[0] == 0x3B:  # trailer
            yield b"\x3b"
            return
        if head[0] == 0x2C and len(head) >= 10:  # image
            end = _end_of_sub_blocks(source, offset + 11 + _gif_colour_table_bytes(head[9]))
            yield offset, end
        elif head[0] == 0x21 and len(head) >= 3:  # extension
            end = _end_of_sub_blocks(source, offset + 2)
            control_or_text = head[1] in (0xF9, 0x01)
            if control_or_text or (head[1] == 0xFF and head[3:14] in _GIF_LOOP_EXTENSIONS):
                yield offset, end
        elif head[0] == 0:  # a stray block terminator
            end = offset + 1
        else:
            raise struct.error(f"no block starts at offset {offset}")
        offset = end


def _gif_colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_sub_blocks(source: Readable, offset: int) -> int:
    data, start = b"", offset
    while True:
        if not start <= offset < start + len(data):
            data, start = source.read_at(offset, _COPY_BYTES), offset
            if not data:
                raise struct.error("sub-blocks without an end")
        length = data[offset - start]
        offset += length + 1
        if not length:
            return offset
