"""PNG and APNG by their chunks (PNG specification, third edition): nothing is inflated."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats.gif import browser_delay
from mediaprep.probing.formats.window import Readable, Window

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 200_000
_DISPOSALS = ("none", "background", "previous")


class PngChunk(NamedTuple):
    """One chunk: ``kind`` its four characters, ``body`` the start of its data, ``size`` as stated; ``end`` past its checksum."""

    kind: bytes
    body: int
    size: int

    @property
    def end(self) -> int:
        """One past the checksum."""
        return self.body + self.size + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PngFacts:
    """What the chunks say.

    width, height, bit_depth, colour_type, interlaced   of IHDR; colour_type 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
    frame_count        fcTL chunks that are there (0: not animated); declared_frames, loop of acTL (plays; 0 = for ever; None: no acTL)
    delays             seconds, one a frame, as browsers play them; disposals as in GIF, sorted
    default_in_loop    the default image is the first frame
    chunks             the kinds that are there, sorted: iCCP cICP sRGB gAMA tRNS eXIf mDCV ...
    trailing_bytes     after IEND; complete False: ``incomplete_because``
    """

    width: int
    height: int
    bit_depth: int
    colour_type: int
    interlaced: bool
    frame_count: int = 0
    declared_frames: int | None = None
    loop: int | None = None
    delays: tuple[Fraction, ...] = ()
    disposals: tuple[str, ...] = ()
    default_in_loop: bool = False
    chunks: tuple[str, ...] = ()
    trailing_bytes: int = 0
    complete: bool | None = None
    incomplete_because: str | None = None

    @property
    def alpha(self) -> bool:
        """An alpha channel or a transparent colour."""
        return self.colour_type in (4, 6) or "tRNS" in self.chunks

    @property
    def animated(self) -> bool:
        """More than one frame: acTL only declares them, fcTL chunks count."""
        return self.declared_frames is not None and self.frame_count > 1


def chunks(window: Window) -> Iterator[PngChunk]:
    """The chunks in order, up to IEND or the end of the file; the last may reach past it."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        head = window.at(at, 8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        if not kind.isalpha():
            return
        chunk = PngChunk(kind, at + 8, size)
        yield chunk
        if kind == b"IEND":
            return
        at = chunk.end


def walk(source: Readable) -> PngFacts:
    """Read the chunks. Raises: SourceUnreadable where the header is cut short."""
    window = Window(source)
    head = window.at(0, 33)
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise SourceUnreadable("a PNG without a whole header: copy it again", rule="file-complete")
    width, height, depth, colour_type, _, _, interlace = struct.unpack_from(">IIBBBBB", head, 16)
    kinds: set[bytes] = set()
    delays: list[Fraction] = []
    disposals: set[str] = set()
    declared = loop = None
    default_in_loop = False
    last = None
    count = 0
    for count, chunk in enumerate(chunks(window), 1):  # noqa: B007 (the count is used after the loop)
        last = chunk
        if chunk.kind == b"fcTL":
            data = window.at(chunk.body, 26)
            if len(data) == 26:
                number, base, disposal, _ = struct.unpack_from(">HHBB", data, 20)
                delays.append(browser_delay(Fraction(number, base or 100)))
                disposals.add(_DISPOSALS[disposal] if disposal < 3 else "none")
                default_in_loop = default_in_loop or b"IDAT" not in kinds
        elif chunk.kind == b"acTL" and b"IDAT" not in kinds and chunk.size >= 8:
            data = window.at(chunk.body, 8)
            declared, loop = struct.unpack(">II", data) if len(data) == 8 else (None, None)
        if len(kinds) < 200:
            kinds.add(chunk.kind)
    because = _incomplete(window, last, kinds, declared, len(delays))
    capped = count == MAX_CHUNKS and last is not None and last.kind != b"IEND"
    return PngFacts(
        width=width,
        height=height,
        bit_depth=depth,
        colour_type=colour_type,
        interlaced=interlace == 1,
        frame_count=len(delays) if declared is not None else 0,
        declared_frames=declared,
        loop=loop,
        delays=tuple(delays) if declared is not None else (),
        disposals=tuple(sorted(disposals)) if declared is not None else (),
        default_in_loop=default_in_loop,
        chunks=tuple(sorted(kind.decode("latin-1") for kind in kinds)),
        trailing_bytes=max(0, window.size - last.end)
        if last is not None and last.kind == b"IEND"
        else 0,
        complete=None if capped else because is None,
        incomplete_because=f"more than {MAX_CHUNKS} chunks" if capped else because,
    )


def _incomplete(
    window: Window, last: PngChunk | None, kinds: set[bytes], declared: int | None, frames: int
) -> str | None:
    if last is None or last.kind != b"IEND":
        return "no IEND chunk: the file was cut short"
    if last.end > window.size:
        return "the IEND chunk is cut short"
    if b"IDAT" not in kinds:
        return "no image data (IDAT chunk)"
    if declared is not None and frames < declared:
        return f"{declared} frames are declared, {frames} are there"
    return None
