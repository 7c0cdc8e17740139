"""Decoded pictures and sound as numpy arrays, through PyAV: for the comparison of content.

Separate from ``tools.pyav``, which reads facts: a comparison decodes wherever it likes, and looks
at
samples. Decoders run without threads, for the reason given there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from mediaprep.errors import SourceUnreadable
from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray

_PLANAR = ("yuv", "yuva", "yuvj", "gray", "gbrp", "gbrap")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPicture:
    """One decoded picture.

    time       seconds of presentation, as the container states them after its edit list
    planes     H×W arrays of sample codes (uint8 or uint16): Y, Cb, Cr, or Y alone, or R, G, B
    rgb        whether the planes are R, G, B
    bits       of a sample
    primaries, transfer, matrix, full_range   ITU-T H.273; 2 = unspecified, None = unspecified range
    turn       display matrix: nine integers in 16.16, None where there is none
    """

    time: Fraction
    planes: tuple[Array, ...]
    alpha: Array | None
    rgb: bool
    bits: int
    primaries: int
    transfer: int
    matrix: int
    full_range: bool | None
    turn: tuple[int, ...] | None
    interlaced: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in samples of the first plane."""
        height, width = self.planes[0].shape
        return width, height


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketTime:
    """One packet of the video: seconds of presentation, bytes, whether decoding can start at it."""

    time: Fraction
    size: int
    key: bool


class ContentReader:
    """An open container of which pictures and sound are decoded at chosen times. A context
    manager.
    """

    def __init__(self, container: Any, max_pixels: int) -> None:
        self._container = container
        self._max_pixels = max_pixels

    def __enter__(self) -> ContentReader:
        return self

    def __exit__(self, *problem: object) -> None:
        self._container.close()

    def first(self, kind: str) -> int | None:
        """Return the index of the first stream of a kind (video, audio) that is no cover; None
        without one.
        """
        for stream in self._container.streams:
            if stream.type == kind and not int(stream.disposition) & 0x400:
                return int(stream.index)
        return None

    def pixel_aspect(self, index: int) -> Fraction:
        """Return the sample aspect ratio: the container's, else the bitstream's, else 1."""
        stream = self._container.streams[index]
        stated = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
        return Fraction(stated) if stated else Fraction(1)

    def packets(self, index: int) -> list[PacketTime]:
        """Return the packets of a stream in order of presentation, without those that are
        discarded.
        """
        import av

        stream = self._container.streams[index]
        base = stream.time_base
        found = []
        self._seek(index, Fraction(0))
        with suppress(av.FFmpegError, ValueError, OverflowError, MemoryError, IndexError):
            for packet in self._container.demux(stream):
                if packet.size and packet.pts is not None and not packet.is_discard:
                    time = packet.pts * base
                    found.append(PacketTime(time=time, size=packet.size, key=packet.is_keyframe))
        return sorted(found, key=lambda packet: packet.time)

    def sound_span(self, index: int) -> tuple[Fraction, Fraction] | None:
        """Return when a stream's sound begins and ends, in seconds of presentation; None without
        packets.
        """
        import av

        stream = self._container.streams[index]
        base = stream.time_base
        begin = end = None
        self._seek(index, Fraction(0))
        with suppress(av.FFmpegError, ValueError, OverflowError, MemoryError, IndexError):
            for packet in self._container.demux(stream):
                if packet.size and packet.pts is not None and not packet.is_discard:
                    begin = packet.pts if begin is None else min(begin, packet.pts)
                    last = packet.pts + (packet.duration or 0)
                    end = last if end is None else max(end, last)
        return None if begin is None or end is None else (begin * base, end * base)

    def pictures(self, index: int, start: Fraction) -> Iterator[DecodedPicture]:
        """Yield pictures from the key frame at or before ``start`` (seconds) on, in order."""
        stream = self._container.streams[index]
        self._seek(index, start)
        for frame in self._decoded(index):
            if frame.pts is not None:
                yield _picture(frame, frame.pts * stream.time_base)

    def sound(self, index: int, start: Fraction, seconds: float) -> tuple[Fraction, int, Array]:
        """Return (time of the first sample, sample rate, channels×N float32) of a stretch of sound.

        Starts at the packet that holds ``start`` or at most a second before; N = 0 where nothing
        decodes.
        """
        import numpy as np

        stream = self._container.streams[index]
        early = max(Fraction(0), start - 1)
        self._seek(index, early)
        pieces: list[Array] = []
        first: Fraction | None = None
        rate = 0
        for frame in self._decoded(index):
            if frame.pts is None:
                continue
            time = frame.pts * stream.time_base
            if time + Fraction(frame.samples, frame.sample_rate) <= start:
                continue
            if rate and frame.sample_rate != rate:
                break
            rate = frame.sample_rate
            first = time if first is None else first
            pieces.append(_samples(frame))
            if time > start + Fraction(seconds):
                break
        if first is None:
            return start, rate or 48000, np.zeros((1, 0), dtype=np.float32)
        channels = min(piece.shape[0] for piece in pieces)
        whole = np.concatenate([piece[:channels] for piece in pieces], axis=1)
        return first, rate, whole

    def _seek(self, index: int, start: Fraction) -> None:
        import av

        stream = self._container.streams[index]
        ticks = math.floor(start / stream.time_base)
        with suppress(av.FFmpegError, ValueError, OverflowError):
            self._container.seek(ticks, stream=stream)

    def _decoded(self, index: int) -> Iterator[Any]:
        import av

        stream = self._container.streams[index]
        context = stream.codec_context
        if context is None:
            raise SourceUnreadable("no decoder for this codec")
        if not context.is_open:
            context.thread_count = 1
            with suppress(AttributeError):
                context.thread_type = "NONE"
            if context.type == "video":
                context.options = {"max_pixels": str(self._max_pixels), "flags": "+unaligned"}
        else:
            context.flush_buffers()
        for packet in self._demuxed(stream):
            try:
                frames = context.decode(packet)
            except av.DecoderNotFoundError as problem:
                raise SourceUnreadable("no decoder for this codec") from problem
            except (av.FFmpegError, ValueError, OverflowError, MemoryError):
                continue
            yield from frames

    def _demuxed(self, stream: Any) -> Iterator[Any]:
        import av

        with suppress(av.FFmpegError, ValueError, OverflowError, MemoryError, IndexError):
            for packet in self._container.demux(stream):
                if packet.size:
                    yield packet
        yield None


def open_content(
    source: Readable, *, demuxer: str | None, whitelist: str | None, max_pixels: int
) -> ContentReader:
    """Open a container for the comparison. Raises: SourceUnreadable."""
    import av

    try:
        container = av.open(
            SourceFile(source),
            mode="r",
            format=demuxer,
            options={"max_pixels": str(max_pixels)},
            container_options={} if whitelist is None else {"format_whitelist": whitelist},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError, OverflowError, MemoryError) as problem:
        raise SourceUnreadable(f"cannot be opened for comparison: {problem}") from problem
    return ContentReader(container, max_pixels)


def _picture(frame: Any, time: Fraction) -> DecodedPicture:
    name = str(frame.format.name)
    planar = (name.startswith(_PLANAR) and not name.startswith(("gray", "yuva"))) or name == "gray"
    matrix = int(frame.colorspace)
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    levels = int(frame.color_range)
    rgb = bool(frame.format.is_rgb or frame.format.has_palette)
    alpha = None
    if rgb:
        whole = frame.to_ndarray(format="rgba64le" if _bits(frame) > 8 else "rgba")
        planes = tuple(whole[..., channel] for channel in range(3))
        alpha = whole[..., 3]
        bits = 16 if _bits(frame) > 8 else 8
    else:
        wanted = name if planar or name.startswith(("yuv", "gray")) else _planar_name(frame)
        shown = frame if wanted == name else frame.reformat(format=wanted)
        planes, alpha = _planes(shown)
        bits = int(shown.format.components[0].bits)
    return DecodedPicture(
        time=time,
        planes=planes,
        alpha=alpha,
        rgb=rgb,
        bits=bits,
        primaries=primaries,
        transfer=transfer,
        matrix=matrix,
        full_range=True
        if levels == 2 or name.startswith("yuvj")
        else None
        if levels == 0
        else False,
        turn=_turn(frame),
        interlaced=bool(frame.interlaced_frame),
    )


def _bits(frame: Any) -> int:
    return max(int(component.bits) for component in frame.format.components)


def _planar_name(frame: Any) -> str:
    """Return the planar format that holds a packed or semi-planar one without conversion of
    samples.
    """
    ratio = (
        max(1, 256 // frame.format.chroma_width(256)),
        max(1, 256 // frame.format.chroma_height(256)),
    )
    shape = {(1, 1): "yuv444p", (2, 1): "yuv422p", (2, 2): "yuv420p", (4, 1): "yuv411p"}
    bits = _bits(frame)
    return shape.get(ratio, "yuv444p") + ("" if bits == 8 else "10le" if bits == 10 else "16le")


def _planes(frame: Any) -> tuple[tuple[Array, ...], Array | None]:
    """Return Y, Cb, Cr (or Y) as views of the frame's memory, and alpha."""
    import numpy as np

    deep = _bits(frame) > 8
    arrays = []
    for plane in frame.planes:
        step = plane.line_size // (2 if deep else 1)
        flat = np.frombuffer(plane, dtype="<u2" if deep else np.uint8)
        arrays.append(flat[: step * plane.height].reshape(plane.height, step)[:, : plane.width])
    if len(arrays) in (2, 4):
        return tuple(arrays[:-1]), arrays[-1]
    return tuple(arrays), None


def _turn(frame: Any) -> tuple[int, ...] | None:
    with suppress(ValueError, KeyError):
        data = frame.side_data.get("DISPLAYMATRIX")
        if data is not None and len(raw := bytes(data)) == 36:
            return tuple(memoryview(raw).cast("i"))
    return None


def _samples(frame: Any) -> Array:
    """Return a sound frame as channels×N float32, full scale 1."""
    import numpy as np

    data = frame.to_ndarray()
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        data = data.reshape(-1, channels).T
    if data.dtype.kind == "f":
        return data.astype(np.float32, copy=False)
    if data.dtype == np.uint8:
        return (data.astype(np.float32) - 128.0) / 128.0
    return data.astype(np.float32) / float(np.iinfo(data.dtype).max)
