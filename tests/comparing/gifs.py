"""A GIF writer under full control, random animations whose frames are known, and a naive GIF reader."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any
KEEP, CLEAR, RESTORE = 1, 2, 3


@dataclass(kw_only=True)
class Patch:
    """One image of a GIF: colour indices, where it is drawn, its colour table if it has its own."""

    indices: Array
    x: int = 0
    y: int = 0
    delay: int = 10
    disposal: int = 0
    clear: int | None = None
    table: list[tuple[int, int, int]] | None = None
    interlaced: bool = False


@dataclass(kw_only=True)
class Gif:
    """A GIF to be written; ``repeats`` None: no loop extension."""

    width: int
    height: int
    table: list[tuple[int, int, int]]
    patches: list[Patch]
    repeats: int | None = 0
    background: int = 0
    extra: bytes = field(default=b"")

    def written(self) -> bytes:
        """Return the file."""
        parts = [
            b"GIF89a",
            struct.pack("<HHBBB", self.width, self.height, 0xF7, self.background, 0),
        ]
        parts.append(_padded(self.table))
        if self.repeats is not None:
            parts.append(
                b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", self.repeats) + b"\0"
            )
        parts.append(self.extra)
        for patch in self.patches:
            flags = patch.disposal << 2 | (patch.clear is not None)
            parts.append(
                b"\x21\xf9\x04" + struct.pack("<BHB", flags, patch.delay, patch.clear or 0) + b"\0"
            )
            height, width = patch.indices.shape
            local = 0 if patch.table is None else 0x87
            shape = local | (0x40 if patch.interlaced else 0)
            parts.append(b"," + struct.pack("<HHHHB", patch.x, patch.y, width, height, shape))
            if patch.table is not None:
                parts.append(_padded(patch.table))
            rows = patch.indices
            if patch.interlaced:
                order = [
                    *range(0, height, 8),
                    *range(4, height, 8),
                    *range(2, height, 4),
                    *range(1, height, 2),
                ]
                rows = rows[order]
            parts.append(_coded(rows))
        return b"".join([*parts, b";"])

    def shown(self) -> list[Array]:
        """Return the frames as H×W×4, by the rules of browsers, pixel by pixel from the patches."""
        canvas = np.zeros((self.height, self.width, 4), dtype=np.uint8)
        frames = []
        for patch in self.patches:
            before = canvas.copy()
            table = self.table if patch.table is None else patch.table
            height, width = patch.indices.shape
            for row in range(min(height, self.height - patch.y)):
                for column in range(min(width, self.width - patch.x)):
                    index = int(patch.indices[row, column])
                    if index != patch.clear and index < 256:
                        colour = (*table[index], 255) if index < len(table) else (0, 0, 0, 255)
                        canvas[patch.y + row, patch.x + column] = colour
            frames.append(canvas.copy())
            if patch.disposal == CLEAR:
                canvas[patch.y : patch.y + height, patch.x : patch.x + width] = 0
            elif patch.disposal == RESTORE:
                canvas = before
        return frames


def of_frames(
    frames: list[Array], *, delays: list[int] | int = 10, repeats: int | None = 0
) -> bytes:
    """Return a GIF that shows these H×W×4 frames (alpha 0 or 255, at most 255 colours in all), each whole."""
    colours = sorted(
        {tuple(int(v) for v in c[:3]) for f in frames for c in np.unique(f[f[..., 3] > 0], axis=0)}
    )
    number = {colour: index for index, colour in enumerate(colours)}
    patches = []
    for at, frame in enumerate(frames):
        indices = np.full(frame.shape[:2], 255, dtype=np.uint8)
        for colour in np.unique(frame[frame[..., 3] > 0][:, :3], axis=0):
            where = (frame[..., :3] == colour).all(axis=-1) & (frame[..., 3] > 0)
            indices[where] = number[tuple(int(v) for v in colour)]
        delay = delays if isinstance(delays, int) else delays[at]
        patches.append(Patch(indices=indices, disposal=CLEAR, clear=255, delay=delay))
    height, width = frames[0].shape[:2]
    return Gif(
        width=width, height=height, table=list(colours), patches=patches, repeats=repeats
    ).written()


def random_gif(seed: int, *, longest: int = 96) -> Gif:
    """Return an animation of sprites, holes, offsets, disposals and local colour tables."""
    rng = random.Random(seed)
    width, height = rng.randint(24, longest), rng.randint(24, longest)
    table = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(16)]
    patches = []
    for _ in range(rng.randint(3, 9)):
        whole = rng.random() < 0.3
        w = width if whole else rng.randint(4, width)
        h = height if whole else rng.randint(4, height)
        x = 0 if whole else rng.randint(0, width - w)
        y = 0 if whole else rng.randint(0, height - h)
        ys, xs = np.mgrid[:h, :w]
        stripes = (xs // rng.randint(2, 12) + ys // rng.randint(2, 12)) % rng.randint(1, 5)
        indices = (stripes + rng.randrange(8)).astype(np.uint8)
        clear = None
        if rng.random() < 0.8:
            clear = 15
            radius = rng.uniform(0.1, 0.6)
            hole = ((xs / w - rng.random()) ** 2 + (ys / h - rng.random()) ** 2) < radius**2
            indices[hole if rng.random() < 0.6 else ~hole] = clear
        local = None
        if rng.random() < 0.3:
            local = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(16)]
        patches.append(
            Patch(
                indices=indices,
                x=x,
                y=y,
                delay=rng.choice((0, 1, 2, 3, 5, 10, 20)),
                disposal=rng.choice((0, 1, 1, 2, 2, 3)),
                clear=clear,
                table=local,
                interlaced=rng.random() < 0.2,
            )
        )
    repeats = rng.choice((None, 0, 0, 0, 1, 5))
    return Gif(width=width, height=height, table=table, patches=patches, repeats=repeats)


def _padded(table: list[tuple[int, int, int]]) -> bytes:
    return b"".join(bytes(colour) for colour in table).ljust(768, b"\0")


def _coded(indices: Array) -> bytes:
    """Return image data of 9-bit codes: a clear code before every 250 pixels keeps the code size."""
    flat = indices.ravel().astype(np.uint16)
    pieces = [np.append(np.uint16(256), flat[at : at + 250]) for at in range(0, flat.size, 250)]
    codes = np.concatenate([*pieces, [np.uint16(257)]]).astype("<u2")
    bits = np.unpackbits(codes.view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")[:, :9]
    data = np.packbits(bits.ravel(), bitorder="little").tobytes()
    blocks = b"".join(
        bytes((len(part),)) + part
        for at in range(0, len(data), 255)
        if (part := data[at : at + 255])
    )
    return b"\x08" + blocks + b"\0"
