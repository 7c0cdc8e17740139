"""Walk the chunks of a WebP (WebP Container Specification)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.animations import AnimationFacts, browser_delay
from mediaprep.probing.formats.boxes import fourcc
from mediaprep.probing.formats.exif import exif_items
from mediaprep.probing.formats.riff import RiffChunk, chunks
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.formats.xmp import xmp_items
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_BLOCKS = 10  # chunks of metadata that are read
_BLOCK_BYTES = 2**22  # of one metadata block that are read
_FORM_END = 12  # bytes: RIFF, its size, WEBP
_PICTURES = {b"VP8 ", b"VP8L", b"ANMF"}
_CODED_PICTURE = (b"VP8 ", b"VP8L", b"ALPH")
_DISPLAY_CHUNKS = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebpFacts:
    """What the chunks state.

    width, height    of the canvas
    frame_count      ANMF chunks (0: a still)
    delays           seconds, one a frame, as browsers play them
    loop             plays, 0 = for ever (None: a still)
    alpha            the flag of VP8X or VP8L
    disposals        none or background, sorted
    trailing_bytes   after what RIFF declares; complete False: ``incomplete_because``
    """

    width: int | None = None
    height: int | None = None
    frame_count: int = 0
    delays: tuple[Fraction, ...] = ()
    disposals: tuple[str, ...] = ()
    loop: int | None = None
    alpha: bool = False
    trailing_bytes: int = 0
    complete: bool | None = None
    incomplete_because: str | None = None

    @property
    def animated(self) -> bool:
        """True with more than one frame."""
        return self.frame_count > 1


@dataclass(slots=True)
class _WebpWalk:
    """What a walk collects."""

    size: tuple[int, int] | None = None
    alpha: bool = False
    loop: int | None = None
    kinds: set[bytes] = field(default_factory=set)
    delays: list[Fraction] = field(default_factory=list)
    disposals: set[str] = field(default_factory=set)


def identify(source: Readable, head: bytes) -> Sniffed | None:
    """Distinguish stills from animations; return None for another RIFF form."""
    if head[8:12] != b"WEBP":
        return None
    facts = walk(source)
    width, height = facts.width, facts.height
    if not facts.animated:
        return recognised("webp", "image", width=width, height=height, frames=1)
    return recognised(
        "webp",
        "animation",
        demuxer="webp_anim",
        width=width,
        height=height,
        frames=facts.frame_count,
    )


def completeness(source: Readable) -> Completeness:
    """Check that RIFF and its chunks end within the file, with a picture among them."""
    facts = walk(source)
    return facts.complete, facts.incomplete_because


def animation(source: Readable) -> AnimationFacts:
    """Return the facts of an animated WebP."""
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
    """Return EXIF, XMP, unknown chunks, and data after the RIFF form."""
    window = Window(source)
    items: list[PrivateItem] = []
    end = min(_declared_end(window), window.size)
    metadata = (c for c in chunks(window, _FORM_END, end) if c.kind not in _DISPLAY_CHUNKS)
    for chunk in islice(metadata, MAX_BLOCKS):
        data = window.at(chunk.body, min(chunk.size, _BLOCK_BYTES))
        if chunk.kind == b"EXIF":
            items += exif_items(data)
        elif chunk.kind == b"XMP ":
            items += xmp_items(data)
        elif data.strip(b"\0"):
            name = fourcc(chunk.kind).strip()
            items.append(PrivateItem(kind="maker", where=f"{name} chunk"))
    if window.holds_data(end + (end & 1)):
        items.append(PrivateItem(kind="maker", where="data behind the picture"))
    return items


def coded_picture(source: Readable) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the coded picture and its alpha, with their headers."""
    window = Window(source)
    for chunk in chunks(window, _FORM_END, min(_declared_end(window), window.size)):
        if chunk.kind in _CODED_PICTURE:
            yield chunk.body - 8, chunk.body + chunk.size


def walk(source: Readable) -> WebpFacts:
    """Read the chunks. Raises: SourceUnreadable if the header is cut short."""
    window = Window(source)
    head = window.at(0, 20)
    if len(head) < 20 or head[8:12] != b"WEBP":
        raise SourceUnreadable(
            "a WebP whose header is cut short: copy it again", rule="file-complete"
        )
    declared_end = _declared_end(window)
    found = _WebpWalk()
    because = _chunks(window, min(declared_end, window.size), found)
    if because is None and declared_end > window.size:
        because = f"RIFF ends {declared_end - window.size} bytes after the end of the file"
    elif because is None and not found.kinds & _PICTURES:
        because = "no picture in it"
    width, height = found.size or (None, None)
    return WebpFacts(
        width=width,
        height=height,
        frame_count=len(found.delays),
        delays=tuple(found.delays),
        disposals=tuple(sorted(found.disposals)),
        loop=found.loop,
        alpha=found.alpha,
        trailing_bytes=max(0, window.size - declared_end - (declared_end & 1)),
        complete=because is None,
        incomplete_because=because,
    )


def _declared_end(window: Window) -> int:
    return 8 + int.from_bytes(window.at(4, 4), "little")


def _chunks(window: Window, end: int, found: _WebpWalk) -> str | None:
    """Read the chunks; return what is cut short, None if nothing is."""
    for chunk in chunks(window, _FORM_END, end):
        missing = chunk.body + chunk.size - window.size
        if missing > 0:
            name = fourcc(chunk.kind).strip()
            return f"the {name} chunk ends {missing} bytes after the end of the file"
        found.kinds.add(chunk.kind)
        if chunk.kind == b"ANMF" and chunk.size >= 16:
            data = window.at(chunk.body + 12, 4)
            duration = Fraction(int.from_bytes(data[:3], "little"), 1000)
            found.delays.append(browser_delay(duration))
            found.disposals.add("background" if data[-1:] and data[-1] & 1 else "none")
        else:
            _one_chunk(window, chunk, found)
    return None


def _one_chunk(window: Window, chunk: RiffChunk, found: _WebpWalk) -> None:
    data = window.at(chunk.body, min(chunk.size, 10))
    if chunk.kind == b"VP8X" and len(data) == 10:
        width = 1 + int.from_bytes(data[4:7], "little")
        height = 1 + int.from_bytes(data[7:10], "little")
        found.alpha, found.size = bool(data[0] & 0x10), (width, height)
    elif chunk.kind == b"ANIM" and len(data) >= 6:
        found.loop = struct.unpack_from("<H", data, 4)[0]
    elif chunk.kind == b"VP8L" and len(data) >= 5:
        bits = struct.unpack_from("<I", data, 1)[0]
        found.size = found.size or ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        found.alpha = found.alpha or bool(bits >> 28 & 1)
    elif chunk.kind == b"VP8 " and len(data) == 10 and data[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 6)
        found.size = found.size or (width & 0x3FFF, height & 0x3FFF)
