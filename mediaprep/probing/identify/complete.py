"""Whether a file is whole, by its structure: an exit code of 0 proves nothing. Some formats cannot tell: then the word is None."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats import asf, flv, gif, isobmff, jpeg, matroska, ogg, png, riff
from mediaprep.probing.formats.exif import Tiff
from mediaprep.probing.formats.window import Readable, Window
from mediaprep.probing.identify.sniff import Sniffed

Verdict = tuple[bool | None, str | None]
MAX_FRAMES = 500_000
_NO_EOC = "no end of codestream (EOC) where its tile parts end"
_BETWEEN = "its frames follow one another without a mark of their end"
_MXF_PACK, _MXF_FOOTER, _MXF_INDEX = (
    bytes.fromhex("0d01020101"),
    4,
    0x11,
)  # a partition's kind follows the first


def completeness(source: Readable, sniffed: Sniffed) -> Verdict:
    """(True, None): the structure ends where it says. (False, why): truncated or damaged. (None, why or None): the format cannot tell."""
    judge = _JUDGES.get(sniffed.format)
    if judge is None:
        return None, f"{sniffed.format} has no mark of its end"
    try:
        return judge(source)
    except SourceUnreadable as problem:
        return False, problem.reason
    except struct.error:
        return False, "its header is cut short"


def _iso(source: Readable) -> Verdict:
    facts = isobmff.walk(source)
    return facts.complete, facts.incomplete_because


def _matroska(source: Readable) -> Verdict:
    facts = matroska.walk(source)
    return facts.complete, facts.incomplete_because


def _png(source: Readable) -> Verdict:
    facts = png.walk(source)
    return facts.complete, facts.incomplete_because


def _gif(source: Readable) -> Verdict:
    facts = gif.walk(source)
    return facts.complete, facts.incomplete_because


def _webp(source: Readable) -> Verdict:
    facts = riff.walk_webp(source)
    return facts.complete, facts.incomplete_because


def _jpeg(source: Readable) -> Verdict:
    facts = jpeg.walk(source)
    return facts.complete, facts.incomplete_because


def _bmp(source: Readable) -> Verdict:
    """The header's size, or where that is 0 (some writers) what the picture needs without compression."""
    window = Window(source)
    stated, start, header = struct.unpack_from("<I4xII", window.at(0, 18), 2)
    if stated <= start and header >= 40:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", window.at(18, 16))
        if compression not in (0, 3):
            return None, "its header states no size"
        stated = start + (abs(width) * bits + 31) // 32 * 4 * abs(height)
    missing = stated - window.size
    return (
        (True, None)
        if missing <= 0
        else (False, f"the picture ends {missing} bytes after the end of the file")
    )


def _tiff(source: Readable) -> Verdict:
    """Directories, the values that they point at, and the first picture's strips or tiles."""
    window = Window(source, 4096)
    tiff = Tiff(window, "TIFF")
    missing = tiff.end - window.size
    return (
        (True, None)
        if missing <= 0
        else (False, f"its data end {missing} bytes after the end of the file")
    )


def _ico(source: Readable) -> Verdict:
    window = Window(source)
    count = struct.unpack_from("<H", window.at(0, 6), 4)[0]
    table = window.at(6, 16 * count)
    ends = [
        offset + size
        for size, offset in struct.iter_unpack("<8xII", table[: len(table) // 16 * 16])
    ]
    whole = len(table) == 16 * count and ends and max(ends) <= window.size
    return (True, None) if whole else (False, "a picture ends after the end of the file")


def _jpeg2000(source: Readable) -> Verdict:
    """Marker segments, then tile parts of stated length (Psot), then the end marker (ISO/IEC 15444-1, annex A)."""
    window = Window(source)
    at = window.at(0, 65536).find(b"\xff\x4f\xff\x51") + 2
    for _ in range(MAX_FRAMES if at >= 2 else 0):
        marker = window.at(at, 12)
        if marker[:2] == b"\xff\xd9":
            return True, None
        if len(marker) < 12:
            break
        length, stated = struct.unpack_from(">H2xI", marker, 2)
        if marker[:2] == b"\xff\x90" and not stated:  # the last tile part, up to the end marker
            return (
                (True, None)
                if b"\xff\xd9" in window.at(max(at, window.size - 65536), 65536)
                else (False, _NO_EOC)
            )
        at += max(stated, 14) if marker[:2] == b"\xff\x90" else 2 + length
    return False, _NO_EOC


def _ivf(source: Readable) -> Verdict:
    """Frames of a 12-byte header and their data; the header states how many there are, or (ffmpeg) how long they last together."""
    window = Window(source)
    head = window.at(0, 32)
    at, stated = struct.unpack_from("<H", head, 6)[0], struct.unpack_from("<I", head, 24)[0]
    times: list[int] = []
    while at < window.size and len(times) < MAX_FRAMES:
        frame = window.at(at, 12)
        if len(frame) < 12:
            return False, "the last frame is cut short"
        size, time = struct.unpack("<IQ", frame)
        times.append(time)
        at += 12 + size
    if at < window.size:
        return None, "more frames than are read"
    if at > window.size:
        return False, "the last frame is cut short"
    if stated in (0, 2**32 - 1):
        return None, "its header states no length"
    lasts = max(len(times), 2 * times[-1] - times[-2] - times[0]) if len(times) > 1 else len(times)
    return (
        (True, None)
        if lasts >= stated
        else (False, f"its header states a length of {stated}, its frames end at {lasts}")
    )


def _y4m(source: Readable) -> Verdict:
    """Frames of one size: the file must hold a whole number of them."""
    window = Window(source)
    line, _, rest = window.at(0, 1024).partition(b"\n")
    fields = {field[:1]: field[1:] for field in line.split(b" ")[1:]}
    chroma = fields.get(b"C", b"420")
    layout = re.match(rb"(420|422|444|mono)(?:p(\d+))?", chroma)
    if (
        layout is None
        or not fields.get(b"W", b"").isdigit()
        or not fields.get(b"H", b"").isdigit()
        or not rest.startswith(b"FRAME\n")
    ):
        return None, "its frame size is not known"
    width, height = int(fields[b"W"]), int(fields[b"H"])
    wide, high = (width + 1) // 2, (height + 1) // 2
    samples = (
        width * height
        + 2
        * {b"420": wide * high, b"422": wide * height, b"444": width * height, b"mono": 0}[
            layout[1]
        ]
    )
    size = 6 + samples * (2 if layout[2] and layout[2] != b"8" else 1)
    left = (window.size - len(line) - 1) % size
    return (
        (None, _BETWEEN)
        if left == 0
        else (False, f"the last frame is cut short ({left} of {size} bytes)")
    )


def _dv(source: Readable) -> Verdict:
    """Frames of 10 (525 lines) or 12 (625 lines) sequences of 12000 bytes; 4 channels at most double them."""
    window = Window(source)
    frame = 12000 * (12 if window.at(3, 1)[0] & 0x80 else 10)
    left = window.size % frame
    return (
        (None, _BETWEEN)
        if left == 0
        else (False, f"the last frame is cut short ({left} of {frame} bytes)")
    )


def _mxf(source: Readable) -> Verdict:
    """Key, length, value triplets (SMPTE ST 377-1, 6.1) up to the end, the random index (12) or a footer partition (7.4) last."""
    window = Window(source)
    at = window.at(0, 65536).find(bytes.fromhex("060e2b34"))
    partitions = set[int]()
    for _ in range(MAX_FRAMES):
        if at >= window.size:
            break
        head = window.at(at, 25)
        if len(head) < 17 or head[:4] != b"\x06\x0e\x2b\x34":
            return False, f"no element begins at byte {at}"
        partitions |= {head[13]} if head[8:13] == _MXF_PACK else set()
        more = head[16] & 0x7F if head[16] & 0x80 else 0
        at += (
            17
            + more
            + (int.from_bytes(head[17 : 17 + more], "big") if head[16] & 0x80 else head[16])
        )
    else:
        return None, "more elements than are read"
    if at > window.size:
        return False, f"the last element ends {at - window.size} bytes after the end of the file"
    if _MXF_INDEX in partitions:
        return True, None
    return (
        (None, "no random index at its end")
        if _MXF_FOOTER in partitions
        else (False, "no footer partition, with which it ends")
    )


_JUDGES: dict[str, Callable[[Readable], Verdict]] = {
    **dict.fromkeys(("mp4", "mov", "3gp", "heif", "avif"), _iso),
    **dict.fromkeys(("matroska", "webm"), _matroska),
    **dict.fromkeys(("avi", "wav"), riff.completeness),
    **dict.fromkeys(("png", "apng"), _png),
    "gif": _gif,
    "webp": _webp,
    "jpeg": _jpeg,
    "bmp": _bmp,
    "tiff": _tiff,
    "ico": _ico,
    "jpeg2000": _jpeg2000,
    "flv": flv.completeness,
    "asf": asf.completeness,
    "ogg": ogg.completeness,
    "ivf": _ivf,
    "y4m": _y4m,
    "dv": _dv,
    "mxf": _mxf,
}
