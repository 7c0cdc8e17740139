"""Recognise a file by its bytes and structure, never by its name, and choose the only demuxer.

This runs before any native parser: a playlist under the name of a video would make ffmpeg open
other files. A format without a record in ``model.containers`` is refused; none of the demuxers that
the records name opens other files.
"""

from __future__ import annotations

import re
import struct

from mediaprep.errors import SourceUnreadable
from mediaprep.model.containers import FORMATS
from mediaprep.probing.formats import walkers
from mediaprep.probing.formats.boxes import fourcc
from mediaprep.probing.formats.refused import EXPECTED, REFUSED
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_HEAD = 2**16


def sniff(source: Readable) -> Sniffed:
    """Return the format of a file.

    Raises: SourceUnreadable for any other file; it names what was found, what is expected and the
    remedy.
    """
    head = source.read_at(0, min(_HEAD, source.size_bytes))
    try:
        found = _by_magic(source, head) or _by_structure(source, head)
    except struct.error as problem:
        raise SourceUnreadable(
            f"a {fourcc(head[:4])!r} file whose header is cut short: copy it again",
            rule="file-complete",
        ) from problem
    if found is None:
        raise refusal(head, source.size_bytes)
    return found


def _by_magic(source: Readable, head: bytes) -> Sniffed | None:
    for record in FORMATS:
        if record.magic and head.startswith(record.magic):
            if not record.identify:
                return recognised(record.name)
            found: Sniffed | None = walkers.function(record.identify)(source, head)
            if found is not None:
                return found
    return None


def _by_structure(source: Readable, head: bytes) -> Sniffed | None:
    for reference in dict.fromkeys(record.detect for record in FORMATS if record.detect):
        found: Sniffed | None = walkers.function(reference)(source, head)
        if found is not None:
            return found
    return None


def refusal(head: bytes, size: int) -> SourceUnreadable:
    """Return the reason why a file that begins with ``head`` is not read."""
    from mediaprep.probing.formats import textual

    if not any(head):
        return SourceUnreadable(
            f"only zero bytes at its beginning ({size} bytes): the copy was not finished; "
            "copy it again",
            rule="file-complete",
        )
    for pattern, what in REFUSED:
        if re.match(pattern, head, re.DOTALL):
            return SourceUnreadable(f"{what}; {EXPECTED}: pass the media file itself")
    if text := textual.name_of(head):
        return SourceUnreadable(f"{text}; {EXPECTED}: pass the media file itself")
    if size < 16:
        return SourceUnreadable(
            f"{size} bytes, too few for any media file: copy it again", rule="file-complete"
        )
    return SourceUnreadable(
        f"no known format (begins with 0x{head[:8].hex()}); {EXPECTED}: "
        "export it as MP4, GIF, JPEG, PNG or SRT"
    )
