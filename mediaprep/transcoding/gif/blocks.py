"""Edits of a GIF on its blocks (GIF89a specification): times, loop, comments. No picture data are touched or decompressed. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "control", "loop", "other", "telling", "trailer"]
_LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_SILENT = (
    *_LOOPING,
    b"ICCRGBG1012",
)  # applications that say nothing of anybody: loop and colour profile


@dataclass(frozen=True, slots=True)
class GifBlock:
    """One block: ``telling`` are comments and application data, ``other`` what is kept as it is."""

    kind: Kind
    start: int
    end: int


def head_end(data: bytes) -> int:
    """One past header, logical screen and global colour table. Raises: ValueError where it is no GIF."""
    if len(data) < 13 or data[:4] != b"GIF8":
        raise ValueError("no GIF")
    return 13 + _table(data[10])


def blocks(data: bytes) -> Iterator[GifBlock]:
    """The blocks up to the trailer. Raises: ValueError where a block is cut short or unknown."""
    at = head_end(data)
    while True:
        mark = data[at : at + 1]
        if mark == b"\x3b":
            yield GifBlock("trailer", at, at + 1)
            return
        if mark == b"\x00":
            at += 1
            continue
        if mark == b"\x2c" and len(data) >= at + 11:
            end, kind = _past(data, at + 11 + _table(data[at + 9])), "image"
        elif mark == b"\x21" and len(data) >= at + 3:
            end, kind = _past(data, at + 2), _extension(data, at)
        else:
            raise ValueError(f"no whole block at byte {at}")
        yield GifBlock(kind, at, end)  # type: ignore[arg-type]
        at = end


def retimed(data: bytes, hundredths: Sequence[int], plays: int) -> bytes:
    """The same GIF with these delays (1/100 s, one a frame) and plays (0 = for ever), without comments and junk behind the trailer.
    Raises: ValueError where the number of frames differs."""
    parts = [data[: head_end(data)], b"" if plays == 1 else _loop(plays)]
    control, frame = b"\x21\xf9\x04\0\0\0\0\0", 0
    for block in blocks(data):
        if block.kind == "control":
            control = data[block.start : block.end]
        elif block.kind == "image":
            if frame == len(hundredths):
                raise ValueError(f"more than {frame} frames")
            parts += [
                control[:4],
                struct.pack("<H", hundredths[frame]),
                control[6:],
                data[block.start : block.end],
            ]
            control, frame = b"\x21\xf9\x04\0\0\0\0\0", frame + 1
        elif block.kind in ("other", "trailer"):
            parts.append(data[block.start : block.end])
    if frame != len(hundredths):
        raise ValueError(f"{frame} frames, {len(hundredths)} delays")
    return b"".join(parts)


def silenced(data: bytes) -> bytes:
    """The same GIF without comments, application data that tell something, and junk behind the trailer."""
    kept = [data[block.start : block.end] for block in blocks(data) if block.kind != "telling"]
    return data[: head_end(data)] + b"".join(kept)


def frame_bytes(data: bytes) -> list[int]:
    """Bytes of each frame, its control extension included."""
    sizes, pending = [], 0
    for block in blocks(data):
        if block.kind == "control":
            pending = block.end - block.start
        elif block.kind == "image":
            sizes.append(pending + block.end - block.start)
            pending = 0
    return sizes


def _table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _loop(plays: int) -> bytes:
    return b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", plays - 1 if plays else 0) + b"\0"


def _extension(data: bytes, at: int) -> Kind:
    label = data[at + 1]
    if label == 0xF9 and data[at + 2] == 4:
        return "control"
    if label == 0xFE:
        return "telling"
    if label != 0xFF:
        return "other"
    name = data[at + 3 : at + 14]
    return "loop" if name in _LOOPING else "other" if name in _SILENT else "telling"


def _past(data: bytes, at: int) -> int:
    """Past a chain of sub-blocks."""
    size = len(data)
    while at < size:
        length = data[at]
        at += length + 1
        if not length:
            return at
    raise ValueError("the last block is cut short")
