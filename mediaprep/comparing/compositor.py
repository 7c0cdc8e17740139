"""Frames of GIF, APNG, animated WebP and AVIF sequences as browsers show them.

The containers are read and the frames composited here; only the compressed pixels of single frames
are decoded by ``tools.reference_decoders``. Rules: GIF89a (1990); PNG, third edition (W3C, 2025),
11.3.6 and 12.1; the WebP container specification (RFC 9649, 2.7.1); and where those leave a choice,
what Chromium does (``third_party/blink/renderer/platform/image-decoders``): the background is
transparent, a frame of 10 ms or less is shown for 100 ms.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from mediaprep.errors import SourceUnreadable
from mediaprep.tools import reference_decoders
from mediaprep.tools.reference_decoders import ReferenceUndecodable

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

Disposal: TypeAlias = Literal["keep", "clear", "restore"]
Blend: TypeAlias = Literal["over", "replace"]
MAX_BYTES = 2**29
MAX_CANVAS = 2**26  # pixels
MAX_FRAMES = 100_000
_SHORTEST = Fraction(1, 100)  # seconds; what is not longer is shown for ``_INSTEAD``
_INSTEAD = Fraction(1, 10)


class ByteSource(Protocol):
    """Random access to the bytes of a file."""

    @property
    def size_bytes(self) -> int:
        """Size of the file."""

    def read_at(self, offset: int, n: int) -> bytes:
        """Read up to ``n`` bytes from ``offset``; fewer only at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedFrame:
    """One frame as the file holds it: where it is drawn, how long it stays, and what happens to it
    then.

    delay    seconds as browsers show it
    opaque   the header rules out transparent pixels
    draw     decodes the frame and draws it on its part of the canvas: one uint32 a pixel, RGBA in
             memory order, cropped at the right and bottom. Raises: ReferenceUndecodable
    """

    x: int
    y: int
    width: int
    height: int
    delay: Fraction
    disposal: Disposal
    blend: Blend
    opaque: bool
    draw: Callable[[Array], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFrame:
    """One frame as a browser shows it.

    time     seconds from the start of the first play; delay: how long it is shown
    rgba     height×width×4 uint8, alpha not premultiplied; valid until the next frame is yielded
    """

    index: int
    time: Fraction
    delay: Fraction
    rgba: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSequence:
    """An animation: canvas, frames in order, and how often it plays.

    form     gif, apng, webp, avif; ``png`` or another still counts as one frame
    plays    0 = for ever; None: unknown, readers disagree
    """

    form: str
    width: int
    height: int
    plays: int | None
    frames: tuple[CodedFrame, ...]

    def starts(self) -> tuple[Fraction, ...]:
        """Return the seconds at which each frame begins; the last entry is the end."""
        return tuple(accumulate((frame.delay for frame in self.frames), initial=Fraction(0)))

    def drawn(self, wanted: Collection[int]) -> frozenset[int]:
        """Return the frames that have to be decoded to show those of ``wanted``."""
        steps = _steps(self, wanted)
        return frozenset(index for index, step in enumerate(steps) if step in ("draw", "show"))

    def shown(self, wanted: Collection[int] | None = None) -> Iterator[ShownFrame]:
        """Yield composited frames in order: all, or only those of ``wanted`` at less cost.

        Raises: ReferenceUndecodable.
        """
        steps = _steps(self, range(len(self.frames)) if wanted is None else wanted)
        canvas: Array = np.zeros((self.height, self.width), dtype=np.uint32)
        view = canvas.view(np.uint8).reshape(self.height, self.width, 4)
        view.flags.writeable = False
        time = Fraction(0)
        for index, frame in enumerate(self.frames):
            step = steps[index]
            if step in ("draw", "show"):
                part = canvas[_rows(frame, self), _columns(frame, self)]
                saved = part.copy() if frame.disposal == "restore" and step == "show" else None
                if not (frame.disposal == "restore" and step == "draw"):
                    frame.draw(part)
                if step == "show":
                    yield ShownFrame(index=index, time=time, delay=frame.delay, rgba=view)
                if saved is not None:
                    part[...] = saved
            if frame.disposal == "clear" and step != "skip":
                canvas[_rows(frame, self), _columns(frame, self)] = 0
            time += frame.delay


def open_frames(source: ByteSource) -> FrameSequence:
    """Read the frames of an animation. Raises: SourceUnreadable."""
    if source.size_bytes > MAX_BYTES:
        raise SourceUnreadable(f"an animation of {source.size_bytes} bytes is not compared")
    head = source.read_at(0, 16)
    try:
        if head[:6] in (b"GIF87a", b"GIF89a"):
            found = _gif(_whole(source))
        elif head[:8] == _PNG_MAGIC:
            found = _apng(_whole(source))
        elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            found = _webp(_whole(source))
        elif head[4:8] == b"ftyp":
            found = _avif(source)
        else:
            raise SourceUnreadable("not a GIF, PNG, WebP or AVIF file")
    except (struct.error, LookupError, ValueError) as problem:
        raise SourceUnreadable(f"its blocks are damaged: {problem}") from problem
    except ReferenceUndecodable as problem:
        raise SourceUnreadable(str(problem)) from problem
    if not found.frames:
        raise SourceUnreadable("it has no whole frame")
    if not 0 < found.width * found.height <= MAX_CANVAS:
        raise SourceUnreadable(f"a canvas of {found.width}x{found.height} is not compared")
    return found


def browser_delay(seconds: Fraction) -> Fraction:
    """Return how long browsers show a frame: 100 ms where the file states 10 ms or less."""
    return _INSTEAD if seconds <= _SHORTEST else seconds


def _whole(source: ByteSource) -> bytes:
    return source.read_at(0, source.size_bytes)


# -- compositing -----------------------------------------------------------------------------------


def _rows(frame: CodedFrame, sequence: FrameSequence) -> slice:
    return slice(min(frame.y, sequence.height), min(frame.y + frame.height, sequence.height))


def _columns(frame: CodedFrame, sequence: FrameSequence) -> slice:
    return slice(min(frame.x, sequence.width), min(frame.x + frame.width, sequence.width))


def _covers(frame: CodedFrame, sequence: FrameSequence) -> bool:
    """Whether a frame covers the whole canvas."""
    wide = frame.x == 0 and frame.width >= sequence.width
    return wide and frame.y == 0 and frame.height >= sequence.height


def _steps(sequence: FrameSequence, wanted: Iterable[int]) -> list[str]:
    """Return what each frame needs: show, draw (decoded, not shown), clear (only its disposal),
    skip.

    A frame needs those before it back to the last one that leaves nothing of what was there.
    """
    frames = sequence.frames
    steps = ["skip"] * len(frames)
    for index in sorted(set(wanted) & set(range(len(frames)))):
        known = steps[index] != "skip"
        steps[index] = "show"
        frame = frames[index]
        alone = _covers(frame, sequence) and (frame.opaque or frame.blend == "replace")
        if known or (alone and frame.disposal != "restore"):
            continue
        for before in range(index - 1, -1, -1):
            if steps[before] != "skip":
                break
            earlier = frames[before]
            if earlier.disposal == "restore":
                continue
            steps[before] = "draw" if earlier.disposal == "keep" else "clear"
            if _covers(earlier, sequence) and (
                earlier.disposal == "clear" or earlier.opaque or earlier.blend == "replace"
            ):
                break
    return steps


def _drawn(part: Array, pixels: Array, blend: Blend) -> None:
    """Draw height×width×4 RGBA pixels on a part of the canvas."""
    height, width = part.shape
    patch = np.ascontiguousarray(pixels[:height, :width])
    whole = patch.view(np.uint32)[..., 0]
    if blend == "replace":
        part[...] = whole
        return
    alpha = patch[..., 3]
    np.copyto(part, whole, where=alpha == 255)
    mixed = (alpha > 0) & (alpha < 255)
    if mixed.any():
        part[mixed] = _over(patch[mixed], part[mixed])


def _over(above: Array, below: Array) -> Array:
    """Blend N×4 RGBA over N uint32; alpha is not premultiplied (RFC 9649, 2.7.1.1; PNG 13.16)."""
    under = below.view(np.uint8).reshape(-1, 4).astype(np.float32)
    over = above.astype(np.float32)
    share = over[:, 3:] / 255
    rest = under[:, 3:] / 255 * (1 - share)
    total = share + rest
    colours = (over[:, :3] * share + under[:, :3] * rest) / np.maximum(total, 1e-6)
    both = np.concatenate((colours, total * 255), axis=1)
    packed: Array = np.rint(both).astype(np.uint8)
    return np.ascontiguousarray(packed).view(np.uint32)[:, 0]


# -- GIF -------------------------------------------------------------------------------------------

_LOOP_EXTENSIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_GIF_DISPOSALS: dict[int, Disposal] = {2: "clear", 3: "restore", 4: "restore"}


def _gif(data: bytes) -> FrameSequence:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13
    table: bytes | None = None
    if flags & 0x80:
        size = 3 << ((flags & 7) + 1)
        table, at = data[at : at + size], at + size
    frames: list[CodedFrame] = []
    plays: int | None = None
    control: tuple[int, int, int | None] = (0, 0, None)
    while at < len(data) and data[at] != 0x3B and len(frames) < MAX_FRAMES:
        if data[at] == 0x21:
            label = data[at + 1]
            end = _after_blocks(data, at + 2)
            if end is None:
                break
            if label == 0xF9:
                control = _control(data, at + 3)
            elif label == 0xFF and plays is None and data[at + 3 : at + 14] in _LOOP_EXTENSIONS:
                plays = _gif_plays(data, at + 14)
            at = end
        elif data[at] == 0x2C:
            made = _gif_frame(data, at, table, control)
            if made is None:
                break
            frame, at = made
            frames.append(frame)
            control = (0, 0, None)
        elif data[at] == 0:
            at += 1  # an empty block between others: readers pass over it
        else:
            break
    if frames and not (width and height):
        width, height = frames[0].width, frames[0].height
    if frames:  # a first frame beyond the screen enlarges it
        width = max(width, frames[0].x + frames[0].width)
        height = max(height, frames[0].y + frames[0].height)
    return FrameSequence(
        form="gif",
        width=width,
        height=height,
        plays=1 if plays is None else plays,
        frames=tuple(frames),
    )


def _after_blocks(data: bytes, at: int) -> int | None:
    """Return the offset after a chain of sub-blocks; None if the file ends within it."""
    end = len(data)
    while at < end:
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
    return None


def _control(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Return (disposal method, delay in 1/100 s, transparent index) of a control extension."""
    flags, delay, clear = struct.unpack_from("<BHB", data, at)
    return flags >> 2 & 7, delay, clear if flags & 1 else None


def _gif_plays(data: bytes, at: int) -> int | None:
    """Return the plays that a loop extension asks for: n repeats are n + 1 plays, 0 is for ever."""
    if data[at] < 3 or data[at + 1] & 7 != 1:
        return None
    repeats = int(struct.unpack_from("<H", data, at + 2)[0])
    return repeats + 1 if repeats else 0


def _gif_frame(
    data: bytes, at: int, table: bytes | None, control: tuple[int, int, int | None]
) -> tuple[CodedFrame, int] | None:
    """Return the frame whose image descriptor is at ``at`` and the offset after it.

    None if it is cut off.
    """
    x, y, width, height, flags = struct.unpack_from("<HHHHB", data, at + 1)
    start = at + 10
    if flags & 0x80:
        size = 3 << ((flags & 7) + 1)
        table, start = data[start : start + size], start + size
    end = _after_blocks(data, start + 1)
    if end is None or not (width and height):
        return None
    method, delay, clear = control
    colours = (len(table) // 3) if table else 0

    def draw(part: Array) -> None:
        indices = reference_decoders.gif_indices(
            data[start:end], width, height, interlaced=bool(flags & 0x40)
        )
        _draw_indices(part, indices, table or b"", clear)

    frame = CodedFrame(
        x=x,
        y=y,
        width=width,
        height=height,
        delay=browser_delay(Fraction(delay, 100)),
        disposal=_GIF_DISPOSALS.get(method, "keep"),
        blend="over",
        opaque=clear is None and colours == 256,
        draw=draw,
    )
    return frame, end


def _draw_indices(part: Array, indices: Array, table: bytes, clear: int | None) -> None:
    """Draw colour indices.

    The transparent one and those beyond the colour table leave what is there.
    """
    height, width = part.shape
    indices = indices[:height, :width]
    count = len(table) // 3
    palette = np.zeros((256, 4), dtype=np.uint8)
    palette[:count, :3] = np.frombuffer(table, dtype=np.uint8).reshape(count, 3)
    palette[:count, 3] = 255
    packed = palette.view(np.uint32)[:, 0].take(indices, mode="clip")
    drawn = np.ones(256, dtype=np.bool_)
    drawn[count:] = False
    if clear is not None:
        drawn[clear] = False
    if drawn.all():
        part[...] = packed
    else:
        np.copyto(part, packed, where=drawn.take(indices, mode="clip"))


# -- APNG ------------------------------------------------------------------------------------------

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_DISPOSALS: tuple[Disposal, ...] = ("keep", "clear", "restore")


@dataclass(slots=True)
class _PngFrame:
    """A frame control chunk and the compressed data that follow it."""

    width: int
    height: int
    x: int
    y: int
    delay: Fraction
    disposal: int
    blend: int
    data: list[bytes]


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the data, end of the data) of each whole chunk of a PNG."""
    at = len(_PNG_MAGIC)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            return
        yield data[at + 4 : at + 8], at + 8, at + 8 + size
        at += 12 + size


def _apng(data: bytes) -> FrameSequence:
    head = data[16:29]
    width, height = struct.unpack_from(">II", head)
    shared: list[bytes] = []
    plays: int | None = None
    found: list[_PngFrame] = []
    still: list[bytes] = []
    for kind, start, end in png_chunks(data):
        if kind == b"acTL":
            plays = int(struct.unpack_from(">I", data, start + 4)[0])
        elif kind == b"fcTL" and plays is not None:
            found.append(_png_control(data[start:end]))
        elif kind == b"IDAT":
            (found[0].data if len(found) == 1 else still).append(data[start:end])
        elif kind == b"fdAT" and found:
            found[-1].data.append(data[start + 4 : end])
        elif kind in (b"PLTE", b"tRNS"):
            shared.append(_chunk(kind, data[start:end]))
    if not found:
        found = [_PngFrame(width, height, 0, 0, Fraction(0), 0, 0, still)]
    opaque = head[9] in (0, 2, 3) and not any(chunk[4:8] == b"tRNS" for chunk in shared)
    frames = tuple(_png_coded(frame, head, shared, opaque=opaque) for frame in found if frame.data)
    return FrameSequence(
        form="png" if plays is None else "apng",
        width=width,
        height=height,
        plays=1 if plays is None else plays,
        frames=frames,
    )


def _png_control(data: bytes) -> _PngFrame:
    width, height, x, y, number, base, disposal, blend = struct.unpack_from(">IIIIHHBB", data, 4)
    return _PngFrame(width, height, x, y, Fraction(number, base or 100), disposal, blend, [])


def _png_coded(frame: _PngFrame, head: bytes, shared: list[bytes], *, opaque: bool) -> CodedFrame:
    blend: Blend = "over" if frame.blend and not opaque else "replace"

    def draw(part: Array) -> None:
        size = struct.pack(">II", frame.width, frame.height)
        parts = (
            _PNG_MAGIC,
            _chunk(b"IHDR", size + head[8:]),
            *shared,
            _chunk(b"IDAT", b"".join(frame.data)),
            _chunk(b"IEND", b""),
        )
        _drawn(part, reference_decoders.frame_pixels(b"".join(parts), "png"), blend)

    return CodedFrame(
        x=frame.x,
        y=frame.y,
        width=frame.width,
        height=frame.height,
        delay=browser_delay(frame.delay),
        disposal=_PNG_DISPOSALS[frame.disposal],
        blend=blend,
        opaque=opaque,
        draw=draw,
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# -- WebP ------------------------------------------------------------------------------------------


def riff_chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the data, end of the data) of each whole RIFF chunk between two
    offsets.
    """
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > end:
            return
        yield data[at : at + 4], at + 8, at + 8 + size
        at += 8 + size + size % 2


def _webp(data: bytes) -> FrameSequence:
    width = height = 0
    plays: int | None = None
    frames: list[CodedFrame] = []
    for kind, start, end in riff_chunks(data, 12, len(data)):
        if kind == b"VP8X":
            width = 1 + int.from_bytes(data[start + 4 : start + 7], "little")
            height = 1 + int.from_bytes(data[start + 7 : start + 10], "little")
        elif kind == b"ANIM":
            plays = int(struct.unpack_from("<H", data, start + 4)[0])
        elif kind == b"ANMF":
            frames.append(_webp_frame(data, start, end))
    if not frames:
        pixels = reference_decoders.frame_pixels(data, "webp")
        height, width = pixels.shape[:2]
        frames = [
            CodedFrame(
                x=0, y=0, width=width, height=height, delay=_INSTEAD, disposal="keep",
                blend="replace", opaque=False, draw=lambda part: _drawn(part, pixels, "replace"),
            )
        ]  # fmt: skip
    return FrameSequence(
        form="webp",
        width=width,
        height=height,
        plays=1 if plays is None else plays,
        frames=tuple(frames),
    )


def _webp_frame(data: bytes, start: int, end: int) -> CodedFrame:
    x, y, width, height, duration = (
        int.from_bytes(data[at : at + 3], "little") for at in range(start, start + 15, 3)
    )
    flags = data[start + 15]
    parts = list(riff_chunks(data, start + 16, end))
    lossless = any(kind == b"VP8L" for kind, _, _ in parts)
    alpha = any(kind == b"ALPH" for kind, _, _ in parts)
    if lossless:  # bit 28 after the signature byte: alpha is used (RFC 9649, 3.4)
        alpha = any(kind == b"VP8L" and data[at + 4] & 0x10 for kind, at, _ in parts)

    blend: Blend = "replace" if flags & 2 or not alpha else "over"

    def draw(part: Array) -> None:
        inner = b"".join(
            data[at - 8 : stop] + bytes((stop - at) % 2)
            for kind, at, stop in parts
            if kind in (b"ALPH", b"VP8 ", b"VP8L")
        )
        if alpha and not lossless:
            size = width.to_bytes(3, "little") + height.to_bytes(3, "little")
            inner = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + size + inner
        whole = b"RIFF" + struct.pack("<I", 4 + len(inner)) + b"WEBP" + inner
        _drawn(part, reference_decoders.frame_pixels(whole, "webp"), blend)

    return CodedFrame(
        x=2 * x,
        y=2 * y,
        width=width + 1,
        height=height + 1,
        delay=browser_delay(Fraction(duration, 1000)),
        disposal="clear" if flags & 1 else "keep",
        blend=blend,
        opaque=not alpha,
        draw=draw,
    )


# -- AVIF ------------------------------------------------------------------------------------------

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts")


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the content, end) of each whole box (ISO/IEC 14496-12, 4.2)."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif size == 0:
            size = end - at
        if size < head or at + size > end:
            return
        yield kind, at + head, at + size
        at += size


def _avif(source: ByteSource) -> FrameSequence:
    """Read an image sequence (ISO/IEC 23008-12, 7): delays from the first picture track, frames by
    libavif.
    """
    data = _top_boxes(source)
    track = next((found for found in _tracks(data) if found[0] == b"pict"), None)
    if track is None:
        raise SourceUnreadable("it holds no image sequence")
    _, width, height, delays, plays = track
    pending = _InOrder(reference_decoders.sequence_pixels(source, len(delays)))
    frames = tuple(
        CodedFrame(
            x=0,
            y=0,
            width=width,
            height=height,
            delay=browser_delay(delay),
            disposal="keep",
            blend="replace",
            opaque=False,
            draw=pending.drawer(index),
        )
        for index, delay in enumerate(delays)
    )
    return FrameSequence(form="avif", width=width, height=height, plays=plays, frames=frames)


class _InOrder:
    """Random requests to an iterator, in ascending order only."""

    def __init__(self, arrays: Iterator[Array]) -> None:
        self._arrays, self._next = arrays, 0

    def drawer(self, index: int) -> Callable[[Array], None]:
        """Return a function that draws frame ``index``; it decodes those before."""

        def draw(part: Array) -> None:
            pixels = None
            while self._next <= index:
                pixels = next(self._arrays, None)
                self._next += 1
            if pixels is None:
                raise ReferenceUndecodable(f"frame {index + 1} of the sequence is missing")
            _drawn(part, pixels, "replace")

        return draw


def _top_boxes(source: ByteSource) -> bytes:
    """Return the boxes of the file without media data, one after another."""
    at, parts = 0, []
    while at + 8 <= source.size_bytes:
        head = source.read_at(at, 16)
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1:
            size = struct.unpack_from(">Q", head, 8)[0]
        size = size or source.size_bytes - at
        if size < 8:
            break
        if kind in (b"ftyp", b"moov", b"meta"):
            parts.append(source.read_at(at, size))
        at += size
    return b"".join(parts)


def _tracks(data: bytes) -> Iterator[tuple[bytes, int, int, tuple[Fraction, ...], int | None]]:
    """Yield (handler, width, height, delays, plays) of each track."""
    for kind, start, end in boxes(data, 0, len(data)):
        if kind != b"moov":
            continue
        for inner, at, stop in boxes(data, start, end):
            if inner == b"trak":
                yield _track(data, at, stop)


def _track(
    data: bytes, start: int, end: int
) -> tuple[bytes, int, int, tuple[Fraction, ...], int | None]:
    found = {kind: at for kind, at, _ in _nested(data, start, end)}
    handler = data[found[b"hdlr"] + 8 : found[b"hdlr"] + 12]
    wide = 8 if data[found[b"mdhd"]] == 1 else 4
    scale = int(struct.unpack_from(">I", data, found[b"mdhd"] + 4 + 2 * wide)[0])
    entries = int(struct.unpack_from(">I", data, found[b"stts"] + 4)[0])
    ticks: list[int] = []
    for entry in range(min(entries, MAX_FRAMES)):
        count, delta = struct.unpack_from(">II", data, found[b"stts"] + 8 + 8 * entry)
        ticks += [delta] * min(count, MAX_FRAMES - len(ticks))
    head = found[b"tkhd"]
    size_at = head + (88 if data[head] == 1 else 76)
    width, height = (value >> 16 for value in struct.unpack_from(">II", data, size_at))
    plays = _sequence_plays(data, found)
    return handler, width, height, tuple(Fraction(tick, scale) for tick in ticks), plays


def _nested(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for kind, at, stop in boxes(data, start, end):
        yield kind, at, stop
        if kind in _CONTAINERS:
            yield from _nested(data, at, stop)


def _sequence_plays(data: bytes, found: dict[bytes, int]) -> int | None:
    """Return 0 for an edit list that repeats without end or a missing one.

    None: readers disagree.
    """
    at = found.get(b"elst")
    if at is None:
        return 0
    repeats = bool(data[at + 3] & 1)
    head = found[b"tkhd"]
    duration = data[head + 28 : head + 36] if data[head] == 1 else data[head + 20 : head + 24]
    return 0 if repeats and set(duration) == {0xFF} else None
