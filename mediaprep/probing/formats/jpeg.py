"""Walk the segments of a JPEG (ITU-T T.81, annex B; CIPA DC-007 for several pictures)."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.exif import exif_items
from mediaprep.probing.formats.iptc import iptc_items
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.formats.xmp import xmp_items
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_SEGMENTS = 20_000
MAX_BLOCKS = 10  # segments of one kind whose metadata is read
MAX_PICTURES = 100
MAX_INDEX_ENTRIES = 20
# After 0xFF: stuffing, fill and restart markers do not end the coded data.
_NO_MARKER = frozenset((0x00, 0xFF, *range(0xD0, 0xD8)))
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOI, _EOI, _SOS, _TEM, _COMMENT = 0xD8, 0xD9, 0xDA, 0x01, 0xFE
_APP0, _APP1, _APP2, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
_PICTURE_INDEX = 0xB002  # tag of the MP entries
_XMP = b"http://ns.adobe.com/"
_GAIN_MAP = (b"hdrgm:", b"urn:iso:std:iso:ts:21496:-1", b"HDRGainMap")
_DISPLAY_SEGMENTS = {  # colour profile, picture index, gain map; Adobe's colour transform
    _APP2: (b"ICC_PROFILE\0", b"MPF\0", b"urn:iso:std:iso:ts:21496:-1"),
    _APP14: (b"Adobe",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegFacts:
    """What the segments of the first picture state.

    width, height, bit_depth, components   of the frame header; None without one
    segments         (marker byte, start of the data, size of the data) of each APPn and COM segment
    pictures         of a multi-picture file, else 1
    gain_map         a second picture holds one (Ultra HDR)
    end              the offset after the end marker; None without one
    trailing_bytes   after it, those of further pictures included
    complete         None: not determined; False: ``incomplete_because``
    """

    width: int | None = None
    height: int | None = None
    bit_depth: int | None = None
    components: int | None = None
    segments: tuple[tuple[int, int, int], ...] = ()
    pictures: int = 1
    gain_map: bool = False
    end: int | None = None
    trailing_bytes: int = 0
    complete: bool | None = None
    incomplete_because: str | None = None


@dataclass(slots=True)
class _JpegWalk:
    """What a walk collects."""

    frame: tuple[int, int, int, int] | None = None
    gain_map: bool = False
    segments: list[tuple[int, int, int]] = field(default_factory=list)
    pictures: tuple[tuple[int, int], ...] = ()
    scans: int = 0
    end: int | None = None


def identify(source: Readable, head: bytes) -> Sniffed:
    """Read the size from the frame header."""
    facts = walk(source, head_only=True)
    return recognised("jpeg", width=facts.width, height=facts.height, frames=1)


def completeness(source: Readable) -> Completeness:
    """Check that segments and scans follow one another to the end marker."""
    facts = walk(source)
    return facts.complete, facts.incomplete_because


def private_items(source: Readable) -> list[PrivateItem]:
    """Return EXIF, XMP, IPTC, comments, unknown segments, and data after the end marker."""
    window = Window(source)
    facts = walk(source)
    items: list[PrivateItem] = []
    count: Counter[int] = Counter()
    for marker, body, size in facts.segments:
        count[marker] += 1
        if count[marker] <= MAX_BLOCKS:
            items += _segment_items(marker, window.at(body, size))
    if facts.end is not None and facts.trailing_bytes:
        appended = _appended_items(window, facts.end)
        if not appended and facts.pictures < 2 and window.holds_data(facts.end):
            appended = [PrivateItem(kind="maker", where="data behind the picture")]
        items += appended
    return items


def coded_picture(source: Readable) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of all but application data and comments; Adobe's transform flag stays."""
    facts = walk(source)
    at = 0
    for marker, body, size in facts.segments:
        if marker == _APP14:
            continue
        yield at, body - 4
        at = body + size
    yield at, facts.end or source.size_bytes


def walk(source: Readable, *, head_only: bool = False) -> JpegFacts:
    """Read the segments of the first picture.

    With ``head_only``, stop at its first scan; ``complete`` is None then.
    Raises: SourceUnreadable without a single whole segment.
    """
    window = Window(source)
    found = _JpegWalk()
    because = _segments(window, found, head_only=head_only)
    if not found.segments and found.frame is None:
        raise SourceUnreadable(
            "a JPEG of which only the first bytes are there: copy it again", rule="file-complete"
        )
    finished = found.end is not None or because is not None
    if because is None and found.end is not None:
        because = _damage(window, found)
    width, height, depth, components = found.frame or (None, None, None, None)
    return JpegFacts(
        width=width,
        height=height,
        bit_depth=depth,
        components=components,
        segments=tuple(found.segments),
        pictures=max(1, len(found.pictures)),
        gain_map=found.gain_map,
        end=found.end,
        trailing_bytes=window.size - found.end if found.end is not None else 0,
        complete=because is None if finished else None,
        incomplete_because=because,
    )


def _segments(window: Window, found: _JpegWalk, *, head_only: bool) -> str | None:
    """Read segments up to the end marker; return what is cut short, None if nothing is."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        marker, at = _next_marker(window, at)
        if marker is None:
            return "no end marker (EOI): the file was cut short"
        if marker == _EOI:
            found.end = at
            return None
        if marker in (_SOI, _TEM):
            continue
        head = window.at(at, 2)
        size = struct.unpack(">H", head)[0] if len(head) == 2 else 0
        if size < 2 or at + size > window.size:
            return "a segment is cut short"
        if marker >= _APP0:
            found.segments.append((marker, at + 2, size - 2))
        _one_segment(window, marker, at + 2, size - 2, found)
        at += size
        if head_only and marker == _SOS:
            return None
    return f"more than {MAX_SEGMENTS} segments"


def _next_marker(window: Window, at: int) -> tuple[int | None, int]:
    """Return (marker byte, offset after it) of the next marker, (None, offset) at the end."""
    while True:
        data, index = window.block(at)
        if not data:
            return None, at
        start = at - index
        if hit := _MARKER.search(data, index):
            return hit[0][1], start + hit.end()
        at = start + len(data)
        if data[-1] == 0xFF:
            after = window.at(at, 1)
            if not after:
                return None, window.size
            if after[0] not in _NO_MARKER:
                return after[0], at + 1


def _one_segment(window: Window, marker: int, body: int, size: int, found: _JpegWalk) -> None:
    if marker in _FRAMES and found.frame is None and size >= 6:
        depth, height, width, components = struct.unpack(">BHHB", window.at(body, 6))
        found.frame = width, height, depth, components
    elif marker == _SOS:
        found.scans += 1
    elif marker == _APP2:
        name = window.at(body, 28)
        found.gain_map = found.gain_map or name.startswith(_GAIN_MAP)
        if name.startswith(b"MPF\0"):
            found.pictures = _pictures(window.at(body + 4, size - 4), body + 4)
    elif marker == _APP1 and not found.gain_map:
        data = window.at(body, size)
        is_xmp = data.startswith(b"http://ns.adobe.com/xap/")
        found.gain_map = is_xmp and any(name in data for name in _GAIN_MAP)


def _pictures(data: bytes, base: int) -> tuple[tuple[int, int], ...]:
    """Return (start, size) of each picture of the MP index (CIPA DC-007, 5.2.3).

    Offsets count from the index itself; the first picture's is 0.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    try:
        if order is None:
            return ()
        at = struct.unpack_from(order + "I", data, 4)[0]
        count = struct.unpack_from(order + "H", data, at)[0]
        for entry in range(min(count, MAX_INDEX_ENTRIES)):
            tag, _, size, offset = struct.unpack_from(order + "HHII", data, at + 2 + 12 * entry)
            if tag == _PICTURE_INDEX:
                entries = [
                    struct.unpack_from(order + "III", data, offset + 16 * number)
                    for number in range(min(size // 16, MAX_PICTURES))
                ]
                return tuple((base + start if start else 0, length) for _, length, start in entries)
    except struct.error:
        return ()
    return ()


def _damage(window: Window, found: _JpegWalk) -> str | None:
    if found.frame is None or not found.scans:
        return "no picture in it (no frame header or no scan)"
    for number, (start, size) in enumerate(found.pictures, 1):
        missing = start + size - window.size
        if missing > 0:
            return (
                f"picture {number} of {len(found.pictures)} ends {missing} bytes after the end "
                "of the file"
            )
    return None


def _segment_items(marker: int, data: bytes) -> list[PrivateItem]:
    if marker == _APP1 and data.startswith(b"Exif\0"):
        return exif_items(data)
    if marker == _APP1 and data.startswith(_XMP):
        return xmp_items(data)
    if marker == _APP13:
        return iptc_items(data)
    if marker == _COMMENT:
        has_text = bool(data.strip(b"\0 "))
        return [PrivateItem(kind="comment", where="JPEG comment")] if has_text else []
    if marker == _APP0:
        has_thumbnail = data[:4] == b"JFXX" or len(data) > 14
        return [PrivateItem(kind="thumbnail", where="JFIF")] if has_thumbnail else []
    if data.startswith(_DISPLAY_SEGMENTS.get(marker, ())) or not data.strip(b"\0"):
        return []
    return [PrivateItem(kind="maker", where=f"APP{marker - _APP0}")]


def _appended_items(window: Window, end: int) -> list[PrivateItem]:
    """Return what phones append: a video (motion photo), Samsung's trailer."""
    head, tail = window.at(end, 64), window.at(window.size - 4, 4)
    items = []
    if head[4:8] == b"ftyp" or b"MotionPhoto_Data" in head:
        items.append(PrivateItem(kind="location", where="video after the picture"))
    if tail == b"SEFT":
        items.append(PrivateItem(kind="device", where="Samsung trailer"))
    return items
