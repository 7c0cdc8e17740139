"""Edit a GIF by its blocks (GIF89a): delays, loop count, comments. No picture data is decompressed
or changed. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["image", "control", "loop", "metadata", "other", "trailer"]
_LOOP_EXTENSIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_COLOUR_PROFILE = b"ICCRGBG1012"
_DEFAULT_CONTROL = b"\x21\xf9\x04\0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class GifBlock:
    """One block. ``metadata`` are comments and application data, except the loop count and the
    colour profile.
    """

    kind: BlockKind
    start: int
    end: int


def end_of_header(data: bytes) -> int:
    """Return the offset after header, logical screen and global colour table.

    Raises: ValueError if it is not a GIF.
    """
    if len(data) < 13 or data[:4] != b"GIF8":
        raise ValueError("not a GIF")
    return 13 + _colour_table_bytes(data[10])


def blocks(data: bytes) -> Iterator[GifBlock]:
    """Yield the blocks up to the trailer. Raises: ValueError if a block is truncated or unknown."""
    offset = end_of_header(data)
    while True:
        introducer = data[offset : offset + 1]
        if introducer == b"\x3b":
            yield GifBlock("trailer", offset, offset + 1)
            return
        if introducer == b"\x00":  # a stray block terminator
            offset += 1
            continue
        kind: BlockKind = "image"
        if introducer == b"\x2c" and len(data) >= offset + 11:
            end = _end_of_sub_blocks(data, offset + 11 + _colour_table_bytes(data[offset + 9]))
        elif introducer == b"\x21" and len(data) >= offset + 3:
            end, kind = _end_of_sub_blocks(data, offset + 2), _extension_kind(data, offset)
        else:
            raise ValueError(f"no complete block at byte {offset}")
        yield GifBlock(kind, offset, end)
        offset = end


def with_delays(data: bytes, hundredths: Sequence[int], plays: int) -> bytes:
    """Return the GIF with these delays, one for each frame in 1/100 s, and this number of plays
    (0: endless), without metadata and without bytes after the trailer.

    Raises: ValueError if the number of frames differs.
    """
    parts = [data[: end_of_header(data)]]
    if plays != 1:
        parts.append(_loop_extension(plays))
    control, frame = _DEFAULT_CONTROL, 0
    for block in blocks(data):
        content = data[block.start : block.end]
        if block.kind == "control":
            control = content
        elif block.kind == "image":
            if frame == len(hundredths):
                raise ValueError(f"more than {frame} frames")
            parts += [control[:4], struct.pack("<H", hundredths[frame]), control[6:], content]
            control, frame = _DEFAULT_CONTROL, frame + 1
        elif block.kind in ("other", "trailer"):
            parts.append(content)
    if frame != len(hundredths):
        raise ValueError(f"{frame} frames, {len(hundredths)} delays")
    return b"".join(parts)


def without_metadata(data: bytes) -> bytes:
    """Return the GIF without metadata and without bytes after the trailer."""
    retained = [data[block.start : block.end] for block in blocks(data) if block.kind != "metadata"]
    return data[: end_of_header(data)] + b"".join(retained)


def frame_bytes(data: bytes) -> list[int]:
    """Return the bytes of each frame, including its control extension."""
    sizes, control_bytes = [], 0
    for block in blocks(data):
        if block.kind == "control":
            control_bytes = block.end - block.start
        elif block.kind == "image":
            sizes.append(control_bytes + block.end - block.start)
            control_bytes = 0
    return sizes


def _colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _loop_extension(plays: int) -> bytes:
    repeats = plays - 1 if plays else 0
    return b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", repeats) + b"\0"


def _extension_kind(data: bytes, offset: int) -> BlockKind:
    label = data[offset + 1]
    if label == 0xF9 and data[offset + 2] == 4:
        return "control"
    if label == 0xFE:  # comment
        return "metadata"
    if label != 0xFF:
        return "other"
    application = data[offset + 3 : offset + 14]
    if application in _LOOP_EXTENSIONS:
        return "loop"
    return "other" if application == _COLOUR_PROFILE else "metadata"


def _end_of_sub_blocks(data: bytes, offset: int) -> int:
    while offset < len(data):
        length = data[offset]
        offset += length + 1
        if not length:
            return offset
    raise ValueError("the last block is truncated")
