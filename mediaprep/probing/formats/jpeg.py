"""JPEG by its segments (ITU-T T.81, annex B; CIPA DC-007 for several pictures): nothing is decoded."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats.window import Readable, Window

MAX_SEGMENTS = 20_000
_NO_MARKER = frozenset(
    (0x00, 0xFF, *range(0xD0, 0xD8))
)  # after 0xFF: stuffing, fill, restart markers
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_GAIN_MAP = (b"hdrgm:", b"urn:iso:std:iso:ts:21496:-1", b"HDRGainMap")


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegFacts:
    """What the segments of the first picture say.

    width, height, bit_depth, components   of the frame header; None where none came
    progressive    spectral selection; adobe_transform of an Adobe segment (None: none): CMYK and YCCK files have one
    segments       (marker byte, start of the data, size of the data) of each APPn and COM segment
    pictures       of a multi-picture file, else 1; gain_map: a second picture holds one (Ultra HDR)
    icc            an ICC profile is there
    end            one past the end marker; None where there is none
    trailing_bytes after it, those of further pictures included; complete False: ``incomplete_because``
    """

    width: int | None = None
    height: int | None = None
    bit_depth: int | None = None
    components: int | None = None
    progressive: bool = False
    adobe_transform: int | None = None
    segments: tuple[tuple[int, int, int], ...] = ()
    pictures: int = 1
    gain_map: bool = False
    icc: bool = False
    end: int | None = None
    trailing_bytes: int = 0
    complete: bool | None = None
    incomplete_because: str | None = None


@dataclass(slots=True)
class _JpegSegments:
    frame: tuple[int, int, int, int, bool] | None = None
    adobe: int | None = None
    icc: bool = False
    gain_map: bool = False
    pictures: tuple[tuple[int, int], ...] = ()
    scans: int = 0


def walk(source: Readable, *, head_only: bool = False) -> JpegFacts:
    """Read the segments of the first picture; with ``head_only`` as far as its first scan, where ``complete`` stays None.
    Raises: SourceUnreadable where not even a segment is there."""
    window = Window(source)
    found, segments = _JpegSegments(), []
    at, end, because = 2, None, None
    for _ in range(MAX_SEGMENTS):
        marker, at = _next_marker(window, at)
        if marker is None:
            because = "no end marker (EOI): the file was cut short"
            break
        if marker == _EOI:
            end = at
            break
        if marker in (_SOI, 0x01):
            continue
        head = window.at(at, 2)
        size = struct.unpack(">H", head)[0] if len(head) == 2 else 0
        if size < 2 or at + size > window.size:
            because = "a segment is cut short"
            break
        if marker >= 0xE0:
            segments.append((marker, at + 2, size - 2))
        _one_segment(window, marker, at + 2, size - 2, found)
        at += size
        if head_only and marker == _SOS:
            break
    else:
        because = f"more than {MAX_SEGMENTS} segments"
    if not segments and found.frame is None:
        raise SourceUnreadable(
            "a JPEG of which only the first bytes are there: copy it again", rule="file-complete"
        )
    if because is None and end is not None:
        because = _incomplete(window, found)
    width, height, depth, components, progressive = found.frame or (None, None, None, None, False)
    return JpegFacts(
        width=width,
        height=height,
        bit_depth=depth,
        components=components,
        progressive=progressive,
        adobe_transform=found.adobe,
        segments=tuple(segments),
        pictures=max(1, len(found.pictures)),
        gain_map=found.gain_map,
        icc=found.icc,
        end=end,
        trailing_bytes=window.size - end if end is not None else 0,
        complete=None if end is None and because is None else because is None,
        incomplete_because=because,
    )


def _next_marker(window: Window, at: int) -> tuple[int | None, int]:
    """(marker byte, offset after it) of the next marker: stuffed bytes, restart markers and fill bytes are passed over."""
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


def _one_segment(window: Window, marker: int, body: int, size: int, found: _JpegSegments) -> None:
    if marker in _FRAMES and found.frame is None and size >= 6:
        depth, height, width, components = struct.unpack(">BHHB", window.at(body, 6))
        found.frame = width, height, depth, components, marker in (0xC2, 0xC6, 0xCA, 0xCE)
    elif marker == _SOS:
        found.scans += 1
    elif marker == 0xEE and size >= 12 and window.at(body, 5) == b"Adobe":
        found.adobe = window.at(body + 11, 1)[0]
    elif marker == 0xE2:
        name = window.at(body, 28)
        found.icc = found.icc or name.startswith(b"ICC_PROFILE")
        found.gain_map = found.gain_map or name.startswith(_GAIN_MAP)
        if name.startswith(b"MPF\0"):
            found.pictures = _pictures(window.at(body + 4, size - 4), body + 4)
    elif marker == 0xE1 and not found.gain_map:
        data = window.at(body, size)
        found.gain_map = data.startswith(b"http://ns.adobe.com/xap/") and any(
            name in data for name in _GAIN_MAP
        )


def _pictures(data: bytes, base: int) -> tuple[tuple[int, int], ...]:
    """(start, size) of each picture of the MP index (CIPA DC-007, 5.2.3); offsets count from the index itself, the first picture's is 0."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    try:
        if order is None:
            return ()
        at = struct.unpack_from(order + "I", data, 4)[0]
        for entry in range(min(struct.unpack_from(order + "H", data, at)[0], 20)):
            tag, _, size, offset = struct.unpack_from(order + "HHII", data, at + 2 + 12 * entry)
            if tag == 0xB002:
                entries = [
                    struct.unpack_from(order + "III", data, offset + 16 * i)
                    for i in range(min(size // 16, 100))
                ]
                return tuple(
                    (0 if place == 0 else base + place, length) for _, length, place in entries
                )
    except struct.error:
        return ()
    return ()


def _incomplete(window: Window, found: _JpegSegments) -> str | None:
    if found.frame is None or not found.scans:
        return "no picture in it (no frame header or no scan)"
    for number, (start, size) in enumerate(found.pictures, 1):
        if start + size > window.size:
            return f"picture {number} of {len(found.pictures)} ends {start + size - window.size} bytes after the end of the file"
    return None
