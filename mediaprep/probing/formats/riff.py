"""RIFF files (WebP, AVI, WAV) by their chunks: the iterator, what a WebP says, whether the stated sizes fit the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats.boxes import fourcc
from mediaprep.probing.formats.gif import browser_delay
from mediaprep.probing.formats.window import Readable, Window

MAX_CHUNKS = 200_000


class RiffChunk(NamedTuple):
    """One chunk: ``kind`` its four characters (of a LIST its type in ``form``), ``body`` the start of its data, ``size`` as stated."""

    kind: bytes
    body: int
    size: int
    form: bytes

    @property
    def end(self) -> int:
        """One past the data and its padding byte."""
        return self.body + self.size + (self.size & 1)


def chunks(window: Window, start: int, end: int) -> Iterator[RiffChunk]:
    """The chunks from ``start`` to ``end``, in order; the last may reach past it. The data of a LIST or RIFF begins after its
    form. Zero bytes, as in padding, end it."""
    for _ in range(MAX_CHUNKS):
        head = window.at(start, 12)
        if end - start < 8 or len(head) < 8:
            return
        kind, size = struct.unpack_from("<4sI", head)
        if kind == bytes(4):
            return
        nested = kind in (b"LIST", b"RIFF", b"RF64") and size >= 4
        chunk = (
            RiffChunk(kind, start + 12, size - 4, head[8:12])
            if nested
            else RiffChunk(kind, start + 8, size, b"")
        )
        yield chunk
        start = chunk.end


@dataclass(frozen=True, slots=True, kw_only=True)
class WebpFacts:
    """What the chunks of a WebP say (WebP Container Specification).

    width, height   of the canvas; frame_count ANMF chunks (0: a still); delays seconds each,
                    as browsers play them; loop plays, 0 = for ever (None: a still)
    alpha, lossless   flags; disposals none or background, sorted; icc, exif, xmp: such a chunk is there
    trailing_bytes  after what RIFF states; complete False: ``incomplete_because``
    """

    width: int | None = None
    height: int | None = None
    frame_count: int = 0
    delays: tuple[Fraction, ...] = ()
    disposals: tuple[str, ...] = ()
    loop: int | None = None
    alpha: bool = False
    lossless: bool = False
    icc: bool = False
    exif: bool = False
    xmp: bool = False
    trailing_bytes: int = 0
    complete: bool | None = None
    incomplete_because: str | None = None

    @property
    def animated(self) -> bool:
        """More than one frame."""
        return self.frame_count > 1


@dataclass(slots=True)
class _Webp:
    size: tuple[int, int] | None = None
    alpha: bool = False
    lossless: bool = False
    animation: bool = False
    loop: int | None = None


def walk_webp(source: Readable) -> WebpFacts:
    """Read the chunks. Raises: SourceUnreadable where the header is cut short."""
    window = Window(source)
    head = window.at(0, 20)
    if len(head) < 20 or head[8:12] != b"WEBP":
        raise SourceUnreadable(
            "a WebP whose header is cut short: copy it again", rule="file-complete"
        )
    stated_end = 8 + struct.unpack_from("<I", head, 4)[0]
    found = _Webp()
    kinds: set[bytes] = set()
    delays: list[Fraction] = []
    disposals: set[str] = set()
    because = None
    for chunk in chunks(window, 12, min(stated_end, window.size)):
        if chunk.body + chunk.size > window.size:
            missing = chunk.body + chunk.size - window.size
            because = f"the {fourcc(chunk.kind).strip()} chunk ends {missing} bytes after the end of the file"
            break
        kinds.add(chunk.kind)
        if chunk.kind == b"ANMF" and chunk.size >= 16:
            data = window.at(chunk.body + 12, 4)
            delays.append(browser_delay(Fraction(int.from_bytes(data[:3], "little"), 1000)))
            disposals.add("background" if data[-1:] and data[-1] & 1 else "none")
        else:
            _one_chunk(window, chunk, found)
    if stated_end > window.size:
        because = because or f"RIFF ends {stated_end - window.size} bytes after the end of the file"
    elif not kinds & {b"VP8 ", b"VP8L", b"ANMF"}:
        because = because or "no picture in it"
    width, height = found.size or (None, None)
    return WebpFacts(
        width=width,
        height=height,
        frame_count=len(delays),
        delays=tuple(delays),
        disposals=tuple(sorted(disposals)),
        loop=found.loop,
        alpha=found.alpha,
        lossless=found.lossless,
        icc=b"ICCP" in kinds,
        exif=b"EXIF" in kinds,
        xmp=b"XMP " in kinds,
        trailing_bytes=max(0, window.size - stated_end - (stated_end & 1)),
        complete=because is None,
        incomplete_because=because,
    )


def _one_chunk(window: Window, chunk: RiffChunk, found: _Webp) -> None:
    data = window.at(chunk.body, min(chunk.size, 10))
    if chunk.kind == b"VP8X" and len(data) == 10:
        found.alpha, found.animation = bool(data[0] & 0x10), bool(data[0] & 0x02)
        found.size = (
            1 + int.from_bytes(data[4:7], "little"),
            1 + int.from_bytes(data[7:10], "little"),
        )
    elif chunk.kind == b"ANIM" and len(data) >= 6:
        found.loop = struct.unpack_from("<H", data, 4)[0]
    elif chunk.kind == b"VP8L" and len(data) >= 5:
        bits = struct.unpack_from("<I", data, 1)[0]
        found.size = found.size or ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        found.alpha, found.lossless = found.alpha or bool(bits >> 28 & 1), True
    elif chunk.kind == b"VP8 " and len(data) == 10 and data[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 6)
        found.size = found.size or (width & 0x3FFF, height & 0x3FFF)


def completeness(source: Readable) -> tuple[bool | None, str | None]:
    """Whether the RIFF sizes of an AVI or WAV fit the file. An AVI may go on in further RIFF chunks (OpenDML); a size of 0 or all ones
    was never filled in: the recording was not finished, or it is a stream."""
    window = Window(source)
    whole = 0
    for chunk in chunks(window, 0, window.size):
        if chunk.kind not in (b"RIFF", b"RF64"):
            break  # padding after the end
        if chunk.size in (0, 2**32 - 5) or (chunk.kind == b"RF64" and not whole):
            return (
                _rf64(window, chunk)
                if chunk.kind == b"RF64"
                else (None, "its RIFF size was never filled in")
            )
        whole = chunk.body + chunk.size
        if whole > window.size:
            return False, f"RIFF ends {whole - window.size} bytes after the end of the file"
    return (True, None) if whole else (None, "no RIFF size")


def _rf64(window: Window, chunk: RiffChunk) -> tuple[bool | None, str | None]:
    data = window.at(chunk.body, 16)
    if data[:4] != b"ds64" or len(data) < 16:
        return None, "its RF64 size was never filled in"
    end = 8 + struct.unpack_from("<Q", data, 8)[0]
    return (
        (True, None)
        if end <= window.size
        else (False, f"RF64 ends {end - window.size} bytes after the end of the file")
    )
