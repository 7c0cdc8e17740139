"""Walk the blocks of a GIF (GIF89a specification): frames, delays, loop, disposal, trailer.

Nothing is decompressed: 10 MB take about 10 ms.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem, UnknownFact
from mediaprep.probing.formats.animations import AnimationFacts, browser_delay
from mediaprep.probing.formats.boxes import fourcc
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.formats.xmp import xmp_items
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_FRAMES = 100_000
MAX_COUNTED_FRAMES = 400_000  # of an animation: at least 23 bytes each, so 9 MB: about 2 s
MAX_EXTENSIONS = 1000  # in addition to four a frame
MAX_APPLICATIONS = 100
_BLOCK = 2**20
_HEADER = 13  # bytes: signature and logical screen descriptor
_XMP_BYTES = 2**18  # of an XMP packet that are read
_DISPOSALS = ("none", "keep", "background", "previous")  # clause 23; 4 to 7 are reserved
_IMAGE, _EXTENSION, _TRAILER, _PADDING = 0x2C, 0x21, 0x3B, 0x00
_GRAPHIC_CONTROL, _PLAIN_TEXT, _COMMENT, _APPLICATION = 0xF9, 0x01, 0xFE, 0xFF
_LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_DISPLAY_APPLICATIONS = ("NETSCAPE2.0", "ANIMEXTS1.0", "ICCRGBG1012")  # nothing about a person


@dataclass(frozen=True, slots=True, kw_only=True)
class GifFacts:
    """What the blocks state.

    width, height    of the logical screen
    frame_count      whole frames; capped: counting stopped at a limit, so there may be more
    delays_raw       1/100 s, one a frame, as written; delays as browsers play them
    disposals        names in use, sorted: background keep none previous
    loop             plays: 0 = for ever, 1 = once (no loop extension), n
    transparency     a frame names a transparent colour, or the first does not cover the screen
    trailing_bytes   after the trailer; complete False: ``incomplete_because``
    """

    width: int
    height: int
    frame_count: int = 0
    capped: bool = False
    delays_raw: tuple[int, ...] = ()
    disposals: tuple[str, ...] = ()
    loop: int = 1
    transparency: bool = False
    trailing_bytes: int = 0
    complete: bool | None = None
    incomplete_because: str | None = None

    @property
    def delays(self) -> tuple[Fraction, ...]:
        """Seconds that browsers show each frame."""
        known = {raw: browser_delay(Fraction(raw, 100)) for raw in set(self.delays_raw)}
        return tuple(known[raw] for raw in self.delays_raw)


class GifExtension(NamedTuple):
    """A comment or application extension: its bytes in the file, and where its sub-blocks begin."""

    name: str
    start: int
    body: int
    end: int


@dataclass(slots=True)
class _GifWalk:
    """The state of a walk: what was collected, and what applies to the next frame."""

    window: Window
    delays: list[int] = field(default_factory=list)
    disposals: set[str] = field(default_factory=set)
    delay: int = 0
    disposal: str = "none"
    transparency: bool = False
    loop: int | None = None
    end: int | None = None


def identify(source: Readable, head: bytes) -> Sniffed:
    """Distinguish stills from animations by a second frame."""
    facts = walk(source, max_frames=2)
    if facts.frame_count < 2:
        return recognised("gif", "image", width=facts.width, height=facts.height, frames=1)
    return recognised("gif", "animation", width=facts.width, height=facts.height)


def completeness(source: Readable) -> Completeness:
    """Check that whole blocks follow one another to the trailer."""
    facts = walk(source)
    return facts.complete, facts.incomplete_because


def animation(source: Readable) -> AnimationFacts:
    """Return the facts of an animated GIF."""
    facts = walk(source, max_frames=MAX_COUNTED_FRAMES)
    uncovers = {"background", "previous"} & set(facts.disposals)
    unknown: tuple[UnknownFact, ...] = ()
    if facts.capped:
        reason = f"more than {MAX_COUNTED_FRAMES} frames are not read"
        unknown = (UnknownFact(fact="complete", reason=reason),)
    return AnimationFacts(
        width=facts.width,
        height=facts.height,
        frame_count=facts.frame_count,
        delays=None if facts.capped else facts.delays,
        loop=facts.loop,
        may_be_transparent=("any" if uncovers else "first") if facts.transparency else "no",
        disposals=facts.disposals,
        trailing_bytes=facts.trailing_bytes,
        complete=facts.complete,
        incomplete_because=facts.incomplete_because,
        unknown=unknown,
    )


def private_items(source: Readable) -> list[PrivateItem]:
    """Return comments, XMP and unknown applications' data, and data after the trailer."""
    window = Window(source)
    items: list[PrivateItem] = []
    xmp_read = False
    for extension in islice(extensions(source), MAX_APPLICATIONS):
        if extension.name == "comment":
            items.append(PrivateItem(kind="comment", where="GIF comment"))
        elif extension.name.startswith("XMP Data"):
            if not xmp_read:
                items += xmp_items(window.at(extension.body, _XMP_BYTES))
            xmp_read = True
        elif extension.name not in _DISPLAY_APPLICATIONS:
            name = fourcc(extension.name.encode("latin-1")).strip()
            items.append(PrivateItem(kind="maker", where=f"application {name}"))
    trailing_bytes = walk(source).trailing_bytes
    if trailing_bytes and window.holds_data(window.size - trailing_bytes):
        items.append(PrivateItem(kind="maker", where="data behind the picture"))
    return items


def coded_picture(source: Readable) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of all but comments and application extensions.

    The version is left out: a GIF without extensions may declare either.
    """
    at = 6
    for extension in extensions(source):
        yield at, extension.start
        at = extension.end
    yield at, source.size_bytes - walk(source).trailing_bytes


def walk(source: Readable, *, max_frames: int = MAX_FRAMES) -> GifFacts:
    """Read the blocks, at most ``max_frames`` frames of them.

    Raises: SourceUnreadable if the header is cut short.
    """
    window = Window(source, _BLOCK)
    head = window.at(0, _HEADER)
    if len(head) < _HEADER or head[:4] != b"GIF8":
        raise SourceUnreadable(
            "a GIF whose header is cut short: copy it again", rule="file-complete"
        )
    width, height, flags = struct.unpack_from("<HHB", head, 6)
    state = _GifWalk(window)
    because = _blocks(state, _HEADER + _colour_table_bytes(flags), (width, height), max_frames)
    if not state.delays:
        because = because or "no picture in it"
    finished = state.end is not None or because is not None
    return GifFacts(
        width=width,
        height=height,
        frame_count=len(state.delays),
        capped=not finished,
        delays_raw=tuple(state.delays),
        disposals=tuple(sorted(state.disposals)),
        loop=1 if state.loop is None else state.loop,
        transparency=state.transparency,
        trailing_bytes=window.size - state.end if state.end is not None else 0,
        complete=because is None if finished else None,
        incomplete_because=because,
    )


def _blocks(state: _GifWalk, at: int, screen: tuple[int, int], max_frames: int) -> str | None:
    """Read blocks up to the trailer or a limit; return what is damaged, None if nothing is."""
    extensions_left = 4 * max_frames + MAX_EXTENSIONS
    while len(state.delays) < max_frames and extensions_left > 0:
        mark = state.window.at(at, 1)
        if not mark:
            return "no trailer (0x3B): the file was cut short"
        if mark[0] == _TRAILER:
            state.end = at + 1
            return None
        following: int | None
        if mark[0] == _IMAGE:
            following, cut_short = _image(state, at, screen), "the last frame is cut short"
        elif mark[0] == _EXTENSION:
            extensions_left -= 1
            following, cut_short = _extension(state, at), "an extension is cut short"
        elif mark[0] == _PADDING:
            following, cut_short = _past_zeros(state.window, at), ""
        else:
            return f"no block begins at byte {at} (0x{mark[0]:02x})"
        if following is None:
            return cut_short
        at = following
    return None


def _image(state: _GifWalk, at: int, screen: tuple[int, int]) -> int | None:
    """Return the offset after an image descriptor and its data; None if they are cut short."""
    head = state.window.at(at, 10)
    if len(head) < 10:
        return None
    left, top, width, height, flags = struct.unpack_from("<HHHHB", head, 1)
    following = _past_blocks(state.window, at + 11 + _colour_table_bytes(flags))
    if following is None:
        return None
    if not state.delays and (left or top or width < screen[0] or height < screen[1]):
        state.transparency = True
    state.delays.append(state.delay)
    state.disposals.add(state.disposal)
    state.delay, state.disposal = 0, "none"
    return following


def _extension(state: _GifWalk, at: int) -> int | None:
    """Return the offset after an extension; None if it is cut short."""
    head = state.window.at(at, 19)
    if len(head) < 3:
        return None
    following = _past_blocks(state.window, at + 2)
    if following is None:
        return None
    kind, size = head[1], head[2]
    if kind == _GRAPHIC_CONTROL and size >= 4:
        flags, state.delay = struct.unpack_from("<BH", head, 3)
        method = flags >> 2 & 7
        state.disposal = _DISPOSALS[method] if method < len(_DISPOSALS) else "none"
        state.transparency = state.transparency or bool(flags & 1)
    elif kind == _PLAIN_TEXT:
        state.delay, state.disposal = 0, "none"
    elif kind == _APPLICATION and size == 11 and state.loop is None:
        state.loop = _plays(head)
    return following


def _plays(extension: bytes) -> int | None:
    """Return the plays that an application extension states; None if it is not about looping."""
    if extension[3:14] not in _LOOPING or extension[14] < 3 or extension[15] & 7 != 1:
        return None
    repeats: int = struct.unpack_from("<H", extension, 16)[0]
    return repeats + 1 if repeats else 0


def _colour_table_bytes(flags: int) -> int:
    """Return the bytes of the colour table that follows a descriptor with these flags."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _past_blocks(window: Window, at: int) -> int | None:
    """Return the offset after a chain of sub-blocks; None if the file ends first.

    Each begins with its length in a byte; a length of 0 ends the chain.
    """
    while True:
        data, index = window.block(at)
        if not data:
            return None
        start, size = at - index, len(data)
        while index < size:
            length = data[index]
            index += length + 1
            if not length:
                return start + index
        at = start + index


def _past_zeros(window: Window, at: int) -> int:
    """Return the offset after a run of zero bytes, at most the end of the cached block."""
    data, index = window.block(at)
    return at + len(data) - index - len(data[index:].lstrip(b"\0"))


def extensions(source: Readable) -> Iterator[GifExtension]:
    """Yield the comments (named ``comment``) and application extensions, in order."""
    window = Window(source, _BLOCK)
    head = window.at(0, _HEADER)
    if len(head) < _HEADER:
        return
    at = _HEADER + _colour_table_bytes(head[10])
    for _ in range(4 * MAX_FRAMES):
        mark, following = window.at(at, 14), None
        if not mark or mark[0] == _TRAILER:
            return
        if mark[0] == _IMAGE and len(mark) > 9:
            following = _past_blocks(window, at + 11 + _colour_table_bytes(mark[9]))
        elif mark[0] == _EXTENSION and len(mark) > 2:
            following = _past_blocks(window, at + 2)
            if following is None:
                return
            if mark[1] == _COMMENT:
                yield GifExtension("comment", at, at + 2, following)
            elif mark[1] == _APPLICATION and mark[2] == 11:
                yield GifExtension(mark[3:14].decode("latin-1"), at, at + 14, following)
        elif mark[0] == _PADDING:
            following = _past_zeros(window, at)
        if following is None:
            return
        at = following
