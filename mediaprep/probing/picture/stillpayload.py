"""A digest of a still's coded picture that its metadata has no part in: equal digests prove that the picture was copied.

JPEG: all but application data (Adobe's transform flag stays in) and comments. PNG: header, palette, transparency, image data. WebP: the
coded picture and its alpha. GIF: all but comments and application data. What follows the picture's end counts for nothing.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mediaprep.probing.formats import gif, jpeg, png, riff
from mediaprep.probing.formats.window import Readable, Window

_PIECE = 2**20
_PER_SPAN, _AROUND = (
    12,
    1024,
)  # length, name and checksum of a chunk; signature, screen, colour tags, an orientation
_PNG_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
_WEBP_PICTURE = (b"VP8 ", b"VP8L", b"ALPH")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedPicture:
    """The coded picture of a still: ``digest`` its sha256 in hexadecimal (None: not asked for), ``least_bytes`` what the file has at most
    when it holds that, the colour profile and an orientation and nothing else."""

    digest: str | None
    least_bytes: int


def coded(source: Readable, form: str, *, profile_bytes: int, digest: bool) -> CodedPicture | None:
    """None for formats that are never copied. Raises: SourceUnreadable as the walkers."""
    if form not in _SPANS:
        return None
    total, size, count = hashlib.sha256(), 0, 0
    for start, end in _SPANS[form](source):
        size, count = size + end - start, count + 1
        for at in range(start, end, _PIECE) if digest else ():
            total.update(source.read_at(at, min(_PIECE, end - at)))
    least = size + _PER_SPAN * count + profile_bytes * 65_552 // 65_535 + _AROUND
    return CodedPicture(digest=total.hexdigest() if digest else None, least_bytes=least)


def _jpeg(source: Readable) -> Iterator[tuple[int, int]]:
    facts = jpeg.walk(source)
    at = 0
    for marker, body, size in facts.segments:
        if marker == 0xEE:
            continue
        yield at, body - 4
        at = body + size
    yield at, facts.end or source.size_bytes


def _png(source: Readable) -> Iterator[tuple[int, int]]:
    for chunk in png.chunks(Window(source)):
        if chunk.kind in _PNG_PICTURE:
            yield chunk.body - 4, chunk.body + chunk.size


def _webp(source: Readable) -> Iterator[tuple[int, int]]:
    window = Window(source)
    end = 8 + struct.unpack("<I", window.at(4, 4))[0]
    for chunk in riff.chunks(window, 12, min(end, window.size)):
        if chunk.kind in _WEBP_PICTURE:
            yield chunk.body - 8, chunk.body + chunk.size


def _gif(source: Readable) -> Iterator[tuple[int, int]]:
    at = 6  # past the version: a GIF without extensions may be named either way
    for start, end in gif.said_beside(source):
        yield at, start
        at = end
    yield at, source.size_bytes - gif.walk(source).trailing_bytes


_SPANS: dict[str, Callable[[Readable], Iterator[tuple[int, int]]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "gif": _gif,
}
