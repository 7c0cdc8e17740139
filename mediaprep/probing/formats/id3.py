"""Read ID3 tags of sound files (ID3v2.2 to 2.4 informal standards, ID3v1)."""

from __future__ import annotations

import struct

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_FRAMES = 2000
_HEADER = 10  # bytes
_EMPTY = b"\0\1\2\3 \xff\xfe"  # text encodings and byte order marks without a text


def identify(source: Readable, head: bytes) -> Sniffed:
    """Look behind the tag, which precedes MP3, ADTS or FLAC."""
    size = sum(
        (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False)
    )
    following = source.read_at(_HEADER + size, 16)
    if following.startswith(b"fLaC"):
        return recognised("flac")
    adts = len(following) > 1 and following[0] == 0xFF and following[1] & 0xF6 == 0xF0
    return recognised("aac" if adts else "mp3")


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the frames of a tag at the beginning, and an ID3v1 tag at the end."""
    window = Window(source)
    head = window.at(0, _HEADER)
    items: list[PrivateItem] = []
    if head.startswith(b"ID3") and len(head) == _HEADER:
        items += _frames(window, version=head[3], end=_HEADER + _synchsafe(head[6:10]))
    if window.at(window.size - 128, 3) == b"TAG":
        items.append(PrivateItem(kind="comment", where="ID3v1"))
    return items


def _frames(window: Window, *, version: int, end: int) -> list[PrivateItem]:
    items: list[PrivateItem] = []
    at, length = _HEADER, 6 if version == 2 else 10
    for _ in range(MAX_FRAMES):
        if at + length >= end:
            break
        frame = window.at(at, length)
        if len(frame) < length or not frame[0]:
            break
        if version == 2:
            name, size = frame[:3], int.from_bytes(frame[3:6], "big")
        elif version == 4:
            name, size = frame[:4], _synchsafe(frame[4:8])
        else:
            name, size = frame[:4], struct.unpack_from(">I", frame, 4)[0]
        text = name.decode("latin-1")
        if window.at(at + length, min(size, 64)).strip(_EMPTY):
            items += tagnames.named(text, f"ID3/{text}")
        at += length + size
    return items


def _synchsafe(data: bytes) -> int:
    """Return an integer stored with seven bits in each byte."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(data, (21, 14, 7, 0), strict=True))
