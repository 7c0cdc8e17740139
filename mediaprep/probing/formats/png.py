"""Walk the chunks of a PNG or APNG (PNG specification, third edition); image data stays packed."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.animations import AnimationFacts, browser_delay
from mediaprep.probing.formats.exif import exif_items
from mediaprep.probing.formats.pngtext import text_items
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 200_000
MAX_KINDS = 200
MAX_BLOCKS = 10  # metadata blocks of one kind that are read
MAX_ITEMS = 200
_BLOCK_BYTES = 2**22  # of one metadata block that are read
_DISPOSALS = ("none", "background", "previous")
_TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt"}
# Chunks that decide how a picture is displayed, or nothing (PNG, 11.3; iDOT is Apple's, for
# decoding in parallel).
_DISPLAY_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND acTL fcTL fdAT cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST tRNS "
    b"pHYs sPLT sTER oFFs pCAL sCAL iDOT".split()
)
_CODED_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")


class PngChunk(NamedTuple):
    """One chunk: its type, the start of its data, the data's declared size."""

    kind: bytes
    body: int
    size: int

    @property
    def end(self) -> int:
        """The offset after the checksum."""
        return self.body + self.size + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PngFacts:
    """What the chunks state.

    width, height, bit_depth, colour_type   of IHDR; colour_type 0 grey, 2 RGB, 3 palette,
                       4 grey + alpha, 6 RGBA
    frame_count        fcTL chunks that are present (0: not animated)
    declared_frames    of acTL; loop likewise (plays; 0 = for ever); None: no acTL
    delays             seconds, one a frame, as browsers play them; disposals as in GIF, sorted
    transparency       a tRNS chunk is present
    trailing_bytes     after IEND; complete False: ``incomplete_because``
    """

    width: int
    height: int
    bit_depth: int
    colour_type: int
    frame_count: int = 0
    declared_frames: int | None = None
    loop: int | None = None
    delays: tuple[Fraction, ...] = ()
    disposals: tuple[str, ...] = ()
    transparency: bool = False
    trailing_bytes: int = 0
    complete: bool | None = None
    incomplete_because: str | None = None

    @property
    def alpha(self) -> bool:
        """True with an alpha channel or a transparent colour."""
        return self.colour_type in (4, 6) or self.transparency

    @property
    def animated(self) -> bool:
        """True with more than one frame: acTL only declares them, fcTL chunks count."""
        return self.declared_frames is not None and self.frame_count > 1


@dataclass(slots=True)
class _PngWalk:
    """What a walk collects."""

    kinds: set[bytes] = field(default_factory=set)
    delays: list[Fraction] = field(default_factory=list)
    disposals: set[str] = field(default_factory=set)
    declared_frames: int | None = None
    loop: int | None = None
    last: PngChunk | None = None
    count: int = 0

    @property
    def finished(self) -> bool:
        """True if the last chunk is IEND."""
        return self.last is not None and self.last.kind == b"IEND"


def identify(source: Readable, head: bytes) -> Sniffed:
    """Distinguish stills from animations by the frames that are present."""
    facts = walk(source)
    if not facts.animated:
        return recognised("png", width=facts.width, height=facts.height, frames=1)
    return recognised("apng", width=facts.width, height=facts.height, frames=facts.frame_count)


def completeness(source: Readable) -> Completeness:
    """Check that chunks follow one another to IEND, with as many frames as acTL declares."""
    facts = walk(source)
    return facts.complete, facts.incomplete_because


def animation(source: Readable) -> AnimationFacts:
    """Return the facts of an APNG."""
    facts = walk(source)
    return AnimationFacts(
        width=facts.width,
        height=facts.height,
        frame_count=facts.frame_count,
        delays=facts.delays,
        loop=facts.loop,
        may_be_transparent="any" if facts.alpha else "no",
        disposals=facts.disposals,
        trailing_bytes=facts.trailing_bytes,
        complete=facts.complete,
        incomplete_because=facts.incomplete_because,
    )


def private_items(source: Readable) -> list[PrivateItem]:
    """Return EXIF, texts, the modification time, unknown chunks, and data after IEND."""
    window = Window(source)
    items: list[PrivateItem] = []
    count: Counter[bytes] = Counter()
    for chunk in chunks(window):
        count[chunk.kind] += 1
        if (count[chunk.kind] > MAX_BLOCKS and chunk.kind != b"tEXt") or len(items) > MAX_ITEMS:
            continue
        if chunk.kind == b"eXIf":
            items += exif_items(window.at(chunk.body, min(chunk.size, _BLOCK_BYTES)), "eXIf")
        elif chunk.kind in _TEXT_CHUNKS:
            items += text_items(chunk.kind, window.at(chunk.body, min(chunk.size, _BLOCK_BYTES)))
        elif chunk.kind == b"tIME":
            items.append(PrivateItem(kind="time", where="tIME"))
        elif chunk.kind not in _DISPLAY_CHUNKS:
            if window.at(chunk.body, min(chunk.size, 256)).strip(b"\0"):
                name = chunk.kind.decode("latin-1")
                items.append(PrivateItem(kind="maker", where=f"{name} chunk"))
        elif chunk.kind == b"IEND" and window.holds_data(chunk.end):
            items.append(PrivateItem(kind="maker", where="data behind the picture"))
    return items


def coded_picture(source: Readable) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of type and data of the header, palette, transparency and image data."""
    for chunk in chunks(Window(source)):
        if chunk.kind in _CODED_PICTURE:
            yield chunk.body - 4, chunk.body + chunk.size


def chunks(window: Window) -> Iterator[PngChunk]:
    """Yield the chunks in order, up to IEND or the end of the file; the last may reach past it."""
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
    """Read the chunks. Raises: SourceUnreadable if the header is cut short."""
    window = Window(source)
    head = window.at(0, 33)
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise SourceUnreadable("a PNG without a whole header: copy it again", rule="file-complete")
    width, height, depth, colour_type = struct.unpack_from(">IIBB", head, 16)
    found = _PngWalk()
    for chunk in chunks(window):
        _one_chunk(window, chunk, found)
    because = _damage(window.size, found)
    complete: bool | None = because is None
    if found.count == MAX_CHUNKS and not found.finished:
        complete, because = None, f"more than {MAX_CHUNKS} chunks"
    animated = found.declared_frames is not None
    after = window.size - found.last.end if found.last is not None and found.finished else 0
    return PngFacts(
        width=width,
        height=height,
        bit_depth=depth,
        colour_type=colour_type,
        frame_count=len(found.delays) if animated else 0,
        declared_frames=found.declared_frames,
        loop=found.loop,
        delays=tuple(found.delays) if animated else (),
        disposals=tuple(sorted(found.disposals)) if animated else (),
        transparency=b"tRNS" in found.kinds,
        trailing_bytes=max(0, after),
        complete=complete,
        incomplete_because=because,
    )


def _one_chunk(window: Window, chunk: PngChunk, found: _PngWalk) -> None:
    found.last = chunk
    found.count += 1
    before_data = b"IDAT" not in found.kinds
    if chunk.kind == b"fcTL":
        data = window.at(chunk.body, 26)
        if len(data) == 26:
            number, base, disposal, _ = struct.unpack_from(">HHBB", data, 20)
            found.delays.append(browser_delay(Fraction(number, base or 100)))
            found.disposals.add(_DISPOSALS[disposal] if disposal < len(_DISPOSALS) else "none")
    elif chunk.kind == b"acTL" and before_data and chunk.size >= 8:
        data = window.at(chunk.body, 8)
        if len(data) == 8:
            found.declared_frames, found.loop = struct.unpack(">II", data)
        else:
            found.declared_frames = found.loop = None
    if len(found.kinds) < MAX_KINDS:
        found.kinds.add(chunk.kind)


def _damage(size: int, found: _PngWalk) -> str | None:
    if found.last is None or not found.finished:
        return "no IEND chunk: the file was cut short"
    if found.last.end > size:
        return "the IEND chunk is cut short"
    if b"IDAT" not in found.kinds:
        return "no image data (IDAT chunk)"
    declared = found.declared_frames
    if declared is not None and len(found.delays) < declared:
        return f"{declared} frames are declared, {len(found.delays)} are there"
    return None
