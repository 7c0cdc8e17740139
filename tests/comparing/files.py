"""Bytes as the sources that comparisons read, and pictures as bytes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from mediaprep.model.comparison import Comparison

Array = Any


class Held:
    """Bytes in memory as a source."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size_bytes = len(data)

    def read_at(self, offset: int, n: int) -> bytes:
        """Read as files do."""
        return self.data[offset : offset + n]


def coded(picture: Image.Image, form: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def animated(frames: list[Array], form: str, **options: Any) -> bytes:
    """Return frames (H×W×4) as an APNG, WebP or AVIF of whole frames."""
    pictures = [Image.fromarray(frame) for frame in frames]
    return coded(pictures[0], form, save_all=True, append_images=pictures[1:], **options)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values: Array, *, bits: int = 8, extra: bytes = b"") -> bytes:
    """Return H×W×3 samples as a PNG with further chunks before the picture data."""
    height, width, _ = values.shape
    rows = values.astype(">u2" if bits == 16 else np.uint8)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0))
    parts = (b"\x89PNG\r\n\x1a\n", head, extra, chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"".join(parts)


def photograph(seed: int, width: int, height: int) -> Image.Image:
    """Return noise of every size, with shades and moderate colours, as in a photograph."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), dtype=np.float32)
    for power in range(1, 9):
        size = height // 2 ** (9 - power) + 2, width // 2 ** (9 - power) + 2
        for channel in range(3):
            plane = Image.fromarray(rng.normal(size=size).astype(np.float32))
            total[..., channel] += np.asarray(
                plane.resize((width, height), Image.BICUBIC)
            ) * 2.0 ** (7 - power)
    total = (total - total.min()) / (total.max() - total.min())
    total = 0.7 * total + 0.3 * total.mean(axis=-1, keepdims=True)
    return Image.fromarray((total * 255).astype(np.uint8))


def messages(found: Comparison) -> list[str]:
    """Return the differences as people read them."""
    return [difference.message for difference in found.differences]


def figure(found: Comparison, name: str) -> float:
    """Return one figure of a comparison."""
    return next(item.value for item in found.figures if item.name == name)
