"""Digest of a still's coded picture, without its metadata: equal digests prove a copy.

The walker of each format decides which bytes belong to the picture (``coded_picture``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mediaprep.model import containers
from mediaprep.probing.formats import walkers
from mediaprep.runtime.source import Readable

_BLOCK_BYTES = 2**20
_CHUNK_OVERHEAD = 12  # length, name and checksum
_FILE_OVERHEAD = 1024  # signature, screen, colour tags, an orientation


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedPicture:
    """The coded picture of a still.

    digest       sha256 in hexadecimal; None if it was not requested
    least_bytes  size at most of a file with nothing but this picture, its colour profile and an
                 orientation
    """

    digest: str | None
    least_bytes: int


def coded_picture(
    source: Readable, name: str, *, profile_bytes: int, digest: bool
) -> CodedPicture | None:
    """Return the coded picture of a still; None for formats that are never copied.

    ``name``: the format; ``profile_bytes``: size of the colour profile.
    Raises: SourceUnreadable.
    """
    reference = containers.of(name).coded_picture
    if not reference:
        return None
    total, size, count = hashlib.sha256(), 0, 0
    for start, end in walkers.function(reference)(source):
        size, count = size + end - start, count + 1
        if digest:
            for at in range(start, end, _BLOCK_BYTES):
                total.update(source.read_at(at, min(_BLOCK_BYTES, end - at)))
    # JPEG stores a profile in segments of 65,535 bytes with 17 bytes of overhead each.
    profile = profile_bytes * 65_552 // 65_535
    least_bytes = size + _CHUNK_OVERHEAD * count + profile + _FILE_OVERHEAD
    return CodedPicture(digest=total.hexdigest() if digest else None, least_bytes=least_bytes)
