"""Private metadata of any format: location, device, owner, and what else may say something of a person.

Encoder tags, handler names and times of 0 are none. A time alone is an item of kind ``time``, a title one of kind ``comment``.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from itertools import islice

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import (
    asf,
    boxes,
    flv,
    gif,
    isobmff,
    jpeg,
    matroska,
    mpegts,
    ogg,
    png,
    riff,
    tagnames,
)
from mediaprep.probing.formats.exif import Tiff, exif_items, iptc_items, xmp_items
from mediaprep.probing.formats.window import InMemoryFile, Readable, Window
from mediaprep.probing.identify.sniff import Sniffed

MAX_ITEMS = 200
MAX_BLOCKS = 10  # EXIF, XMP, text blocks of one sort that are read in one file
_MOST = 2**22  # bytes of one metadata block that are read
_INFLATED = 2**20
_SHOWN_IN_APP = {  # profile, index of pictures, gain map; Adobe's transform
    0xE2: (b"ICC_PROFILE\0", b"MPF\0", b"urn:iso:std:iso:ts:21496:-1"),
    0xEE: (b"Adobe",),
}
_PNG_SHOWN = frozenset(  # what tells how a picture is shown, or nothing: PNG third edition, 11.3; iDOT is Apple's, for reading in parts
    b"IHDR PLTE IDAT IEND acTL fcTL fdAT cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST tRNS pHYs sPLT sTER oFFs pCAL sCAL iDOT".split()
)
_WEBP_SHOWN = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_GIF_SHOWN = ("NETSCAPE2.0", "ANIMEXTS1.0", "ICCRGBG1012")
_BEHIND = PrivateItem(kind="maker", where="data behind the picture")
_PNG_TEXT_KINDS = {b"tEXt", b"zTXt", b"iTXt"}
_RAW_PROFILE = re.compile(rb"Raw profile type (\w+)")


def private_items(source: Readable, sniffed: Sniffed) -> tuple[PrivateItem, ...] | None:
    """The private items, each once; () where none is there; None for formats whose metadata is not read."""
    reader = _READERS.get(sniffed.format)
    if reader is None:
        return None
    try:
        items = reader(source)
    except SourceUnreadable:
        return None  # too damaged to tell
    return tuple(dict.fromkeys(items))[:MAX_ITEMS]


def _iso(source: Readable) -> list[PrivateItem]:
    return list(isobmff.walk(source).private)


def _matroska(source: Readable) -> list[PrivateItem]:
    return list(matroska.walk(source).private)


def _mpegts(source: Readable) -> list[PrivateItem]:
    facts = mpegts.walk(source)
    streams = facts.streams if facts is not None else ()
    return [
        PrivateItem(kind="comment", where=f"ID3 stream 0x{stream.pid:x}")
        for stream in streams
        if stream.kind == "metadata"
    ]


def _jpeg(source: Readable) -> list[PrivateItem]:
    items: list[PrivateItem] = []
    window = Window(source)
    facts = jpeg.walk(source)
    met: Counter[int] = Counter()
    for marker, body, size in facts.segments:
        met[marker] += 1
        if met[marker] > MAX_BLOCKS:
            continue
        data = window.at(body, size)
        if marker == 0xE1 and data.startswith(b"Exif\0"):
            items += exif_items(data)
        elif marker == 0xE1 and data.startswith(b"http://ns.adobe.com/"):
            items += xmp_items(data)
        elif marker == 0xED:
            items += iptc_items(data)
        elif marker == 0xFE and data.strip(b"\0 "):
            items.append(PrivateItem(kind="comment", where="JPEG comment"))
        elif marker == 0xE0:
            items += (
                [PrivateItem(kind="thumbnail", where="JFIF")]
                if data[:4] == b"JFXX" or size > 14
                else []
            )
        elif not (
            marker in _SHOWN_IN_APP and data.startswith(_SHOWN_IN_APP[marker])
        ) and data.strip(b"\0"):
            items.append(PrivateItem(kind="maker", where=f"APP{marker - 0xE0}"))
    if facts.end is not None and facts.trailing_bytes:
        items += _after_jpeg(window, facts.end) or (
            [_BEHIND] if facts.pictures < 2 and _anything(window, facts.end) else []
        )
    return items


def _anything(window: Window, start: int) -> bool:
    """Whether what follows is more than zero bytes, as far as it is looked at."""
    return bool(window.at(start, 2**16).strip(b"\0"))


def _after_jpeg(window: Window, end: int) -> list[PrivateItem]:
    """What phones append: a whole video (motion photo), Samsung's trailer."""
    head, tail = window.at(end, 64), window.at(window.size - 4, 4)
    items = []
    if head[4:8] == b"ftyp" or b"MotionPhoto_Data" in head:
        items.append(PrivateItem(kind="location", where="video after the picture"))
    if tail == b"SEFT":
        items.append(PrivateItem(kind="device", where="Samsung trailer"))
    return items


def _png(source: Readable) -> list[PrivateItem]:
    window = Window(source)
    items: list[PrivateItem] = []
    met: Counter[bytes] = Counter()
    for chunk in png.chunks(window):
        met[chunk.kind] += 1
        if (met[chunk.kind] > MAX_BLOCKS and chunk.kind != b"tEXt") or len(items) > MAX_ITEMS:
            continue
        if chunk.kind == b"eXIf":
            items += exif_items(window.at(chunk.body, min(chunk.size, _MOST)), "eXIf")
        elif chunk.kind in _PNG_TEXT_KINDS:
            items += _png_text(chunk.kind, window.at(chunk.body, min(chunk.size, _MOST)))
        elif chunk.kind == b"tIME":
            items.append(PrivateItem(kind="time", where="tIME"))
        elif chunk.kind not in _PNG_SHOWN and window.at(chunk.body, min(chunk.size, 256)).strip(
            b"\0"
        ):
            items.append(PrivateItem(kind="maker", where=f"{chunk.kind.decode('latin-1')} chunk"))
        elif chunk.kind == b"IEND" and _anything(window, chunk.end):
            items.append(_BEHIND)
    return items


def _png_text(kind: bytes, data: bytes) -> list[PrivateItem]:
    """A text chunk by its keyword; XMP and ImageMagick's raw profiles are opened."""
    keyword, _, rest = data.partition(b"\0")
    where = f"{kind.decode('ascii')}/{keyword[:80].decode('latin-1')}"
    if kind == b"zTXt":
        text = _inflated(rest[1:])
    elif kind == b"iTXt":
        packed, body = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
        text = (_inflated(body[2]) if packed else body[2]) if len(body) == 3 else b""
    else:
        text = rest
    if keyword == b"XML:com.adobe.xmp":
        return xmp_items(text, where)
    if profile := _RAW_PROFILE.match(keyword):
        block = _unhexed(text)
        if profile[1] in (b"exif", b"APP1", b"app1"):
            return (
                xmp_items(block, where) if block.startswith(b"http:") else exif_items(block, where)
            )
        return {b"iptc": iptc_items, b"8bim": iptc_items, b"xmp": xmp_items}.get(
            profile[1], lambda data, where: []
        )(block, where)
    name = keyword.decode("latin-1")
    if name == "Software" or not text.strip():
        return []
    return list(tagnames.named(name, where))


def _inflated(data: bytes) -> bytes:
    """At most ``_INFLATED`` bytes of a zlib stream, whatever it claims."""
    try:
        return zlib.decompressobj().decompress(data, _INFLATED)
    except zlib.error:
        return b""


def _unhexed(text: bytes) -> bytes:
    """A raw profile: name and length on lines of their own, then hexadecimal."""
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", b"".join(text.strip().split(b"\n")[2:]))
    return bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))


def _webp(source: Readable) -> list[PrivateItem]:
    window = Window(source)
    items: list[PrivateItem] = []
    end = min(8 + int.from_bytes(window.at(4, 4), "little"), window.size)
    for chunk in islice(
        (chunk for chunk in riff.chunks(window, 12, end) if chunk.kind not in _WEBP_SHOWN),
        MAX_BLOCKS,
    ):
        data = window.at(chunk.body, min(chunk.size, _MOST))
        if chunk.kind == b"EXIF":
            items += exif_items(data)
        elif chunk.kind == b"XMP ":
            items += xmp_items(data)
        elif data.strip(b"\0"):
            items.append(
                PrivateItem(kind="maker", where=f"{boxes.fourcc(chunk.kind).strip()} chunk")
            )
    return items + ([_BEHIND] if _anything(window, end + (end & 1)) else [])


def _gif(source: Readable) -> list[PrivateItem]:
    window = Window(source)
    items: list[PrivateItem] = []
    met: set[str] = set()
    for name, start in gif.applications_and_comments(source):
        if name == "comment":
            items.append(PrivateItem(kind="comment", where="GIF comment"))
        elif name.startswith("XMP Data"):
            items += xmp_items(window.at(start, 2**18)) if "XMP Data" not in met else []
            met.add("XMP Data")
        elif name not in _GIF_SHOWN:
            items.append(
                PrivateItem(
                    kind="maker",
                    where=f"application {boxes.fourcc(name.encode('latin-1')).strip()}",
                )
            )
    facts = gif.walk(source)
    return items + (
        [_BEHIND]
        if facts.trailing_bytes and _anything(window, window.size - facts.trailing_bytes)
        else []
    )


def _tiff(source: Readable) -> list[PrivateItem]:
    return Tiff(Window(source, 4096), "TIFF").items


def _riff_info(source: Readable) -> list[PrivateItem]:
    """The INFO list of an AVI or WAV, and what else carries names in them: broadcast extension, ID3, XMP, EXIF."""
    window = Window(source)
    items: list[PrivateItem] = []
    for chunk in islice(riff.chunks(window, 12, window.size), MAX_ITEMS * 10):
        if len(items) > 5 * MAX_ITEMS:
            break
        if chunk.kind == b"LIST" and chunk.form == b"INFO":
            for entry in islice(
                riff.chunks(window, chunk.body, min(chunk.end, window.size)), MAX_ITEMS
            ):
                if window.at(entry.body, min(entry.size, 256)).strip(b"\0 "):
                    name = entry.kind.decode("latin-1")
                    items += tagnames.named(name, f"INFO/{name}")
        elif chunk.kind == b"LIST" and chunk.form in (b"exif", b"ncdt", b"hydt", b"pntx"):
            items.append(PrivateItem(kind="device", where=f"LIST {chunk.form.decode('ascii')}"))
        elif chunk.kind in (b"IDIT", b"ISMP"):
            items.append(PrivateItem(kind="time", where=chunk.kind.decode("ascii")))
        elif chunk.kind in (b"_PMX", b"XMP "):
            items += xmp_items(window.at(chunk.body, min(chunk.size, _MOST)))
        elif chunk.kind in (b"id3 ", b"ID3 "):
            items += _id3(InMemoryFile(window.at(chunk.body, min(chunk.size, _MOST))))
        elif chunk.kind == b"bext" and window.at(chunk.body, 320).strip(b"\0 "):
            items.append(PrivateItem(kind="owner", where="bext"))
        elif chunk.kind == b"LIST" and chunk.form == b"hdrl":
            for entry in islice(
                riff.chunks(window, chunk.body, min(chunk.end, window.size)), MAX_ITEMS
            ):
                if entry.kind == b"IDIT":
                    items.append(PrivateItem(kind="time", where="hdrl/IDIT"))
    return items


def _id3(source: Readable) -> list[PrivateItem]:
    """Frames of an ID3v2 tag (2.2 to 2.4) at the beginning, an ID3v1 tag at the end."""
    window = Window(source)
    head = window.at(0, 10)
    items: list[PrivateItem] = []
    if head.startswith(b"ID3") and len(head) == 10:
        version, end, at = head[3], 10 + _synchsafe(head[6:10]), 10
        length = 6 if version == 2 else 10
        for _ in range(MAX_ITEMS * 10):
            if at + length >= end:
                break
            frame = window.at(at, length)
            if len(frame) < length or not frame[0]:
                break
            if version == 2:
                name, size = frame[:3], int.from_bytes(frame[3:6], "big")
            else:
                name, size = (
                    frame[:4],
                    _synchsafe(frame[4:8])
                    if version == 4
                    else struct.unpack_from(">I", frame, 4)[0],
                )
            text = name.decode("latin-1")
            if window.at(at + length, min(size, 64)).strip(b"\0\1\2\3 \xff\xfe"):
                items += tagnames.named(text, f"ID3/{text}")
            at += length + size
    if window.at(window.size - 128, 3) == b"TAG":
        items.append(PrivateItem(kind="comment", where="ID3v1"))
    return items


def _synchsafe(data: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(data, (21, 14, 7, 0), strict=True))


def _none(source: Readable) -> list[PrivateItem]:
    """Formats that have no place for such facts (bitstream user data aside)."""
    return []


_READERS: dict[str, Callable[[Readable], list[PrivateItem]]] = {
    **dict.fromkeys(("mp4", "mov", "3gp", "heif", "avif"), _iso),
    **dict.fromkeys(("matroska", "webm"), _matroska),
    **dict.fromkeys(("avi", "wav"), _riff_info),
    **dict.fromkeys(("png", "apng"), _png),
    **dict.fromkeys(("mp3", "aac"), _id3),
    **dict.fromkeys(
        ("bmp", "ico", "qoi", "pnm", "pcx", "mpegps", "y4m", "ivf", "srt", "webvtt"), _none
    ),
    **dict.fromkeys(
        ("raw-h264", "raw-hevc", "raw-mpeg4", "raw-av1", "raw-vc1", "raw-vvc", "mpegvideo", "flic"),
        _none,
    ),
    "mpegts": _mpegts,
    "jpeg": _jpeg,
    "webp": _webp,
    "gif": _gif,
    "tiff": _tiff,
    "flv": flv.private_items,
    "asf": asf.private_items,
    "ogg": ogg.private_items,
}
