"""Walk the chunks of RIFF files; recognise AVI and WAV, check their sizes, list their metadata."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import id3, tagnames
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import InMemoryFile, Window
from mediaprep.probing.formats.xmp import xmp_items
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_CHUNKS = 200_000
MAX_METADATA_CHUNKS = 2000
MAX_ENTRIES = 200  # of one list
MAX_ITEMS = 1000
_BLOCK_BYTES = 2**22  # of one metadata block that are read
_FORM_END = 12  # bytes: RIFF, its size, the form
_UNFILLED_SIZES = (0, 2**32 - 5)  # 0 and all ones, less the form
_DEVICE_LISTS = (b"exif", b"ncdt", b"hydt", b"pntx")  # written by cameras


class RiffChunk(NamedTuple):
    """One chunk: its four characters, the start of its data, their declared size; a list's form."""

    kind: bytes
    body: int
    size: int
    form: bytes

    @property
    def end(self) -> int:
        """The offset after the data and its padding byte."""
        return self.body + self.size + (self.size & 1)


def identify(source: Readable, head: bytes) -> Sniffed | None:
    """Decide by the form of a RIFF file; RF64 is WAV."""
    if head.startswith(b"RF64"):
        return recognised("wav")
    form = head[8:12]
    if form[:3] == b"AVI" or form == b"AMV ":
        return recognised("avi")
    if form == b"WAVE":
        return recognised("wav")
    if form == b"CDXA":  # an MPEG program stream in the sectors of a Video CD
        return recognised("mpegps")
    return None


def completeness(source: Readable) -> Completeness:
    """Compare the RIFF sizes of an AVI or WAV with the file.

    An AVI may consist of several RIFF chunks (OpenDML). A size of 0 or all ones was never filled
    in: the recording was not finished, or it is a stream.
    """
    window = Window(source)
    end = 0
    for chunk in chunks(window, 0, window.size):
        if chunk.kind == b"RF64" and (not end or chunk.size in _UNFILLED_SIZES):
            return _rf64_completeness(window, chunk)
        if chunk.kind not in (b"RIFF", b"RF64"):
            break  # padding after the end
        if chunk.size in _UNFILLED_SIZES:
            return None, "its RIFF size was never filled in"
        end = chunk.body + chunk.size
        if end > window.size:
            return False, f"RIFF ends {end - window.size} bytes after the end of the file"
    return (True, None) if end else (None, "no RIFF size")


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the INFO list, broadcast extension, ID3, XMP and camera lists of an AVI or WAV."""
    window = Window(source)
    items: list[PrivateItem] = []
    for chunk in islice(chunks(window, _FORM_END, window.size), MAX_METADATA_CHUNKS):
        if len(items) > MAX_ITEMS:
            break
        items += _chunk_items(window, chunk)
    return items


def chunks(window: Window, start: int, end: int) -> Iterator[RiffChunk]:
    """Yield the chunks from ``start`` to ``end``, in order; the last may reach past it.

    The data of a list begins after its form. Zero bytes, as in padding, end the iteration.
    """
    for _ in range(MAX_CHUNKS):
        head = window.at(start, 12)
        if end - start < 8 or len(head) < 8:
            return
        kind, size = struct.unpack_from("<4sI", head)
        if kind == bytes(4):
            return
        if kind in (b"LIST", b"RIFF", b"RF64") and size >= 4:
            chunk = RiffChunk(kind, start + 12, size - 4, head[8:12])
        else:
            chunk = RiffChunk(kind, start + 8, size, b"")
        yield chunk
        start = chunk.end


def _rf64_completeness(window: Window, chunk: RiffChunk) -> Completeness:
    """Compare the 64-bit size of an RF64 file (EBU Tech 3306) with the file."""
    data = window.at(chunk.body, 16)
    if data[:4] != b"ds64" or len(data) < 16:
        return None, "its RF64 size was never filled in"
    end = 8 + struct.unpack_from("<Q", data, 8)[0]
    if end > window.size:
        return False, f"RF64 ends {end - window.size} bytes after the end of the file"
    return True, None


def _chunk_items(window: Window, chunk: RiffChunk) -> list[PrivateItem]:
    if chunk.kind == b"LIST":
        return _list_items(window, chunk)
    if chunk.kind in (b"IDIT", b"ISMP"):
        return [PrivateItem(kind="time", where=chunk.kind.decode("ascii"))]
    if chunk.kind in (b"_PMX", b"XMP "):
        return xmp_items(window.at(chunk.body, min(chunk.size, _BLOCK_BYTES)))
    if chunk.kind in (b"id3 ", b"ID3 "):
        tag = window.at(chunk.body, min(chunk.size, _BLOCK_BYTES))
        return id3.private_items(InMemoryFile(tag))
    if chunk.kind == b"bext" and window.at(chunk.body, 320).strip(b"\0 "):
        return [PrivateItem(kind="owner", where="bext")]
    return []


def _list_items(window: Window, chunk: RiffChunk) -> list[PrivateItem]:
    if chunk.form in _DEVICE_LISTS:
        return [PrivateItem(kind="device", where=f"LIST {chunk.form.decode('ascii')}")]
    if chunk.form not in (b"INFO", b"hdrl"):
        return []
    items: list[PrivateItem] = []
    entries = chunks(window, chunk.body, min(chunk.end, window.size))
    for entry in islice(entries, MAX_ENTRIES):
        if chunk.form == b"hdrl":
            if entry.kind == b"IDIT":
                items.append(PrivateItem(kind="time", where="hdrl/IDIT"))
        elif window.at(entry.body, min(entry.size, 256)).strip(b"\0 "):
            name = entry.kind.decode("latin-1")
            items += tagnames.named(name, f"INFO/{name}")
    return items
