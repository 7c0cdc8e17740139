"""List the private facts of a PNG's text chunks (PNG specification, 11.3.3)."""

from __future__ import annotations

import re
import zlib

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.exif import exif_items
from mediaprep.probing.formats.iptc import iptc_items
from mediaprep.probing.formats.xmp import xmp_items

_INFLATED_BYTES = 2**20
_RAW_PROFILE = re.compile(rb"Raw profile type (\w+)")  # written by ImageMagick


def text_items(kind: bytes, data: bytes) -> list[PrivateItem]:
    """Return the private facts of a text chunk, by its keyword; read XMP and raw profiles in it."""
    keyword, _, rest = data.partition(b"\0")
    where = f"{kind.decode('ascii')}/{keyword[:80].decode('latin-1')}"
    text = _text(kind, rest)
    if keyword == b"XML:com.adobe.xmp":
        return xmp_items(text, where)
    if profile := _RAW_PROFILE.match(keyword):
        return _profile_items(profile[1], _unhexed(text), where)
    name = keyword.decode("latin-1")
    if name == "Software" or not text.strip():
        return []
    return list(tagnames.named(name, where))


def _text(kind: bytes, data: bytes) -> bytes:
    """Return the text of a text chunk, from what follows its keyword."""
    if kind == b"tEXt":
        return data
    if kind == b"zTXt":
        return _inflated(data[1:])
    fields = data[2:].split(b"\0", 2)  # language tag, translated keyword, text
    if len(fields) < 3:
        return b""
    return _inflated(fields[2]) if data[:1] == b"\1" else fields[2]


def _profile_items(name: bytes, block: bytes, where: str) -> list[PrivateItem]:
    if name in (b"exif", b"APP1", b"app1"):
        is_xmp = block.startswith(b"http:")
        return xmp_items(block, where) if is_xmp else exif_items(block, where)
    if name in (b"iptc", b"8bim"):
        return iptc_items(block, where)
    return xmp_items(block, where) if name == b"xmp" else []


def _inflated(data: bytes) -> bytes:
    """Inflate a zlib stream, at most ``_INFLATED_BYTES`` of it."""
    try:
        return zlib.decompressobj().decompress(data, _INFLATED_BYTES)
    except zlib.error:
        return b""


def _unhexed(text: bytes) -> bytes:
    """Decode a raw profile: name and length on lines of their own, then hexadecimal digits."""
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", b"".join(text.strip().split(b"\n")[2:]))
    return bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
