"""Digest a still's coded picture without its metadata: equal digests prove that it was copied.

The walker of each format decides which bytes belong to the picture (``coded_picture``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mediaprep.model import containers
from mediaprep.probing.formats import walkers
from mediaprep.runtime.source import Readable

_PIECE = 2**20
_PER_SPAN, _AROUND = (
    12,
    1024,
)  # length, name and checksum of a chunk; signature, screen, colour tags, an orientation


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedPicture:
    """The coded picture of a still: ``digest`` its sha256 in hexadecimal (None: not asked for), ``least_bytes`` what the file has at most
    when it holds that, the colour profile and an orientation and nothing else."""

    digest: str | None
    least_bytes: int


def coded(source: Readable, form: str, *, profile_bytes: int, digest: bool) -> CodedPicture | None:
    """None for formats that are never copied. Raises: SourceUnreadable as the walkers."""
    reference = containers.of(form).coded_picture
    if not reference:
        return None
    total, size, count = hashlib.sha256(), 0, 0
    for start, end in walkers.function(reference)(source):
        size, count = size + end - start, count + 1
        for at in range(start, end, _PIECE) if digest else ():
            total.update(source.read_at(at, min(_PIECE, end - at)))
    least = size + _PER_SPAN * count + profile_bytes * 65_552 // 65_535 + _AROUND
    return CodedPicture(digest=total.hexdigest() if digest else None, least_bytes=least)
