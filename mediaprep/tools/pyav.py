"""PyAV, the first reader: opens a container, hands every packet to a scanner, decodes a few frames. The only importer of ``av``.

Never calls ``av.logging.set_level``: with frame threading it hangs the process when a decode is left early (PyAV-Org/PyAV#751, #2276);
for the same reason every decoder runs without threads. A damaged file ends in SourceUnreadable at opening, and in a fault text later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Any, TypeAlias

from mediaprep.errors import SourceUnreadable
from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools import pixel_grid

BUFFER_BYTES = (
    2**16
)  # every packet of a 121 MB MP4: 32 kB 85 ms, 64 kB 52 ms, 256 kB 69 ms, 4 MB 86 ms
_GRID_PIXELS = 640 * 360  # in smaller pictures pixel art is not looked for: they are not scaled
HEAD_BYTES = 2**26  # packets kept for the first decodes: at most this many bytes
Feed: TypeAlias = Callable[[memoryview, int | None, bool, bool], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """One stream as the demuxer describes it. Times in seconds; colour values are ITU-T H.273 codes; None = not stated."""

    index: int
    id: int
    kind: str
    codec: str | None = None
    tag: str | None = None
    profile: str | None = None
    language: str | None = None
    default: bool = False
    cover: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    time_base: Fraction | None = None
    start: Fraction | None = None
    duration: Fraction | None = None
    extradata: bytes = b""
    width: int = 0
    height: int = 0
    pixel_format: str | None = None
    average_rate: Fraction | None = None
    declared_rate: Fraction | None = None
    container_sar: Fraction | None = None
    bitstream_sar: Fraction | None = None
    field_order: int = 0
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    range: int = 0
    channels: int | None = None
    layout: str | None = None
    sample_rate: int | None = None


@dataclass(slots=True)
class PacketSpan:
    """What the packets of one stream add up to. ``first`` and ``end`` are ticks over the packets that are not discarded;
    ``last_without_duration``: the packet that ends last states none, so ``end`` is when it begins. ``untimed``: packets without pts;
    ``corrupt``: damaged ones, the last of them the ``last_corrupt``-th of all."""

    first: int | None = None
    end: int | None = None
    packets: int = 0
    discarded: int = 0
    corrupt: int = 0
    last_corrupt: int = 0
    bytes: int = 0
    untimed: int = 0
    last_without_duration: bool = False
    head: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """``chroma`` as in media.VideoStream, None for what has no such name; ``bits`` of a luma sample."""

    chroma: str | None
    bits: int
    alpha: bool


class VideoFrame:
    """One decoded frame."""

    __slots__ = ("frame",)

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    @property
    def size(self) -> tuple[int, int]:
        """Width and height after the bitstream's crop."""
        return self.frame.width, self.frame.height

    @property
    def pts(self) -> int | None:
        """When it is shown, in ticks of the stream."""
        value = self.frame.pts
        return None if value is None else int(value)

    @property
    def pixel_format(self) -> str:
        """ffmpeg's name."""
        return str(self.frame.format.name)

    @property
    def interlaced(self) -> bool:
        """Flagged as interlaced."""
        return bool(self.frame.interlaced_frame)

    @property
    def side_data(self) -> frozenset[str]:
        """Names of the side data that the decoder attached."""
        return frozenset(item.type.name for item in self.frame.side_data.keys())  # noqa: SIM118 (not a dict)

    @property
    def matrix(self) -> tuple[int, ...] | None:
        """The display matrix: nine integers, 16.16 (the third column 2.30); None where there is none."""
        data = self.frame.side_data.get("DISPLAYMATRIX")
        if data is None or len(raw := bytes(data)) != 36:
            return None
        return tuple(memoryview(raw).cast("i"))

    def luma(self) -> tuple[memoryview, int, int]:
        """The first plane: its bytes, bytes a line, bits a sample (more than 8: two bytes each)."""
        plane = self.frame.planes[0]
        return memoryview(plane), plane.line_size, self.frame.format.components[0].bits

    def pixel_grid(self) -> int | None:
        """The whole factor by which pixel art was enlarged, 1: none; None where it is not looked for (small, packed or deep)."""
        plane, line_bytes, bits = self.luma()
        if (
            bits != 8
            or not self.pixel_format.startswith(("yuv", "gray", "gbr", "nv12"))
            or math.prod(self.size) < _GRID_PIXELS
        ):
            return None
        return pixel_grid.factor(plane, line_bytes, self.size)


class ContainerReader:
    """An open container. Not thread-safe; a context manager."""

    def __init__(self, container: Any, max_pixels: int, *, presentation_times: bool) -> None:
        self._container = container
        self.presentation_times = presentation_times
        self._max_pixels = max_pixels
        self.streams = tuple(_stream_info(stream) for stream in container.streams)
        self.duration = (
            Fraction(container.duration, 10**6)
            if container.duration is not None and container.duration > 0
            else None
        )
        self.metadata = dict(container.metadata)
        self.chapters = len(container.chapters())

    def __enter__(self) -> ContainerReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def scan(
        self,
        video: int | None,
        audio: int | None,
        feed: Feed | None,
        *,
        keep_video: int = 0,
        keep_audio: int = 0,
        hear: Callable[[memoryview], None] | None = None,
    ) -> tuple[PacketSpan, PacketSpan, str | None]:
        """Every packet of the chosen streams in file order, once: video packets to ``feed`` (data, pts, key, discard; the view is good
        for the call only), the data of audio packets to ``hear``. Keeps the first packets of each in ``Span.head``. The third value says
        what ended the pass early."""
        import av

        spans = PacketSpan(), PacketSpan()
        chosen = [self._container.streams[index] for index in (video, audio) if index is not None]
        keeps = keep_video, keep_audio
        try:
            for packet in self._container.demux(chosen):
                size = packet.size
                if not size:
                    continue
                is_audio = packet.stream_index != video
                span, discard = spans[is_audio], packet.is_discard
                pts = packet.pts if self.presentation_times or is_audio else packet.dts
                if not is_audio and feed is not None:
                    feed(memoryview(packet), packet.pts, packet.is_keyframe, discard)
                elif is_audio and hear is not None:
                    hear(memoryview(packet))
                silent = is_audio and discard  # a decoder gives no frame of it
                if len(span.head) < keeps[is_audio] and span.bytes < HEAD_BYTES and not silent:
                    span.head.append(packet)
                span.packets += 1
                span.bytes += size
                if packet.is_corrupt:
                    span.corrupt += 1
                    span.last_corrupt = span.packets
                if pts is None:
                    span.untimed += 1
                elif discard:
                    span.discarded += 1
                else:
                    if span.first is None or pts < span.first:
                        span.first = pts
                    duration = packet.duration or 0
                    end = pts + duration
                    if span.end is None or end > span.end:
                        span.end = end
                        span.last_without_duration = not duration
        except IndexError:  # all was read: PyAV stumbles over streams that appeared on the way (FLV, transport streams)
            return *spans, None
        except (av.FFmpegError, ValueError, OverflowError, MemoryError) as problem:
            return *spans, _reason(problem)
        return *spans, None

    def pictures(self, index: int, packets: Iterable[Any]) -> Iterator[VideoFrame]:
        """The frames of the packets given, flushed at their end. Packets that do not decode are passed over. Raises: SourceUnreadable
        where there is no decoder or the picture is larger than allowed."""
        for frame in self._decode(index, packets):
            yield VideoFrame(frame)

    def pictures_from(self, index: int, start: Fraction) -> Iterator[VideoFrame]:
        """Frames from the key frame at or before ``start`` (seconds) on; none where the file cannot seek."""
        import av

        stream = self._container.streams[index]
        try:
            self._container.seek(int(start / stream.time_base), stream=stream)
        except (av.FFmpegError, ValueError, OverflowError):
            return
        yield from self.pictures(index, self._packets(index))

    def sound_frames(
        self, index: int, packets: Iterable[Any]
    ) -> Iterator[tuple[int, int, str, int]]:
        """Of each decoded frame: samples, channels, layout ("" where unknown), sample rate."""
        for frame in self._decode(index, packets):
            layout = str(frame.layout.name)
            yield (
                frame.samples,
                frame.layout.nb_channels,
                "" if "channels" in layout else layout,
                frame.sample_rate,
            )

    def _packets(self, index: int) -> Iterator[Any]:
        import av

        with suppress(av.FFmpegError, ValueError, OverflowError, MemoryError, IndexError):
            yield from (
                packet
                for packet in self._container.demux(self._container.streams[index])
                if packet.size
            )

    def _decode(self, index: int, packets: Iterable[Any]) -> Iterator[Any]:
        import av

        context = self._container.streams[index].codec_context
        if context is None:
            raise SourceUnreadable("no decoder for this codec")
        if not context.is_open:
            context.thread_count = 1
            with suppress(AttributeError):
                context.thread_type = "NONE"
            if context.type == "video":
                # unaligned: else a crop at the left is cut to what suits the memory, 320 cropped to 288 is shown 304 wide
                context.options = {"max_pixels": str(self._max_pixels), "flags": "+unaligned"}
        else:
            context.flush_buffers()
        for packet in _then_flush(packets):
            try:
                frames = context.decode(packet)
            except av.DecoderNotFoundError as problem:
                raise SourceUnreadable("no decoder for this codec") from problem
            except (av.FFmpegError, ValueError, OverflowError, MemoryError):
                continue
            yield from frames


def open_container(
    source: Readable,
    *,
    demuxer: str | None,
    whitelist: str | None,
    max_pixels: int,
    presentation_times: bool = True,
) -> ContainerReader:
    """Open with the demuxer that the bytes call for. ``max_pixels`` guards the decodes that opening itself makes; of them only key frames
    are decoded (19 frames of 3840x2160: 57 ms for 250). Raises: SourceUnreadable."""
    import av

    with _unreadable():
        container = av.open(
            SourceFile(source),
            mode="r",
            format=demuxer,
            options={"max_pixels": str(max_pixels), "skip_frame": "nokey"},
            container_options={} if whitelist is None else {"format_whitelist": whitelist},
            metadata_errors="replace",
            buffer_size=min(BUFFER_BYTES, max(4096, source.size_bytes)),
        )
        try:
            return ContainerReader(container, max_pixels, presentation_times=presentation_times)
        except BaseException:
            container.close()
            raise


def pixel_format(name: str) -> PixelFormat | None:
    """What a pixel format's name means; None for a name that is not one."""
    from av.video.format import VideoFormat

    try:
        known = VideoFormat(name)
    except ValueError:
        return None
    components = known.components
    bits = components[0].bits
    alpha = any(part.is_alpha for part in components)
    if known.is_rgb or known.has_palette:
        return PixelFormat(chroma="rgb", bits=bits, alpha=alpha)
    if len(components) - alpha < 3:
        return PixelFormat(chroma="4:0:0", bits=bits, alpha=alpha)
    ratio = 256 // max(1, known.chroma_width(256)), 256 // max(1, known.chroma_height(256))
    chroma = {
        (1, 1): "4:4:4",
        (2, 1): "4:2:2",
        (2, 2): "4:2:0",
        (4, 1): "4:1:1",
        (4, 4): "4:1:0",
        (1, 2): "4:4:0",
    }.get(ratio)
    return PixelFormat(chroma=chroma, bits=bits, alpha=alpha)


def _stream_info(stream: Any) -> StreamInfo:
    context, base = stream.codec_context, stream.time_base
    cover = bool(int(stream.disposition) & 0x400)
    facts: dict[str, Any] = {
        "index": stream.index,
        "id": stream.id,
        "kind": str(stream.type),
        "language": stream.language if stream.language not in (None, "", "und") else None,
        "default": bool(int(stream.disposition) & 1),
        "cover": cover,
        "metadata": dict(stream.metadata),
        "time_base": base,
        "start": stream.start_time * base if stream.start_time is not None and base else None,
        "duration": stream.duration * base if stream.duration is not None and base else None,
    }
    if context is not None:
        facts |= {
            "codec": context.codec.canonical_name or None,
            "tag": _tag(context),
            "profile": _profile(stream, context),
            "extradata": context.extradata or b"",
        }
        if stream.type == "video":
            facts |= _video_info(stream, context)
        elif stream.type == "audio":
            layout = str(context.layout.name)
            facts |= {
                "channels": context.channels or None,
                "layout": "" if "channels" in layout else layout,
                "sample_rate": context.sample_rate or None,
            }
    return StreamInfo(**facts)


def _tag(context: Any) -> str | None:
    """The container's four characters; None where they are a number (AVI: 0x00ff is AAC)."""
    try:
        tag = str(context.codec_tag)
    except UnicodeDecodeError:
        return None
    return tag.strip() if tag.strip() and tag.isprintable() else None


def _profile(stream: Any, context: Any) -> str | None:
    profile = getattr(stream, "profile", None) or context.profile
    return None if profile is None else str(profile)


def _video_info(stream: Any, context: Any) -> dict[str, Any]:
    return {
        "width": context.width,
        "height": context.height,
        "pixel_format": context.pix_fmt,
        "average_rate": stream.average_rate,
        "declared_rate": stream.base_rate,
        "container_sar": stream.sample_aspect_ratio,
        "bitstream_sar": context.sample_aspect_ratio,
        "field_order": int(context.field_order),
        "primaries": int(context.color_primaries),
        "transfer": int(context.color_trc),
        "matrix": int(context.colorspace),
        "range": int(context.color_range),
    }


def _then_flush(packets: Iterable[Any]) -> Iterator[Any]:
    yield from packets
    yield None


@contextmanager
def _unreadable() -> Iterator[None]:
    """Turn what PyAV raises on a bad file into SourceUnreadable (seen: FFmpegError and its heirs, UnicodeDecodeError, MemoryError at a
    malformed size, OverflowError, IndexError)."""
    import av

    try:
        yield
    except SourceUnreadable:
        raise
    except (
        av.FFmpegError,
        ValueError,
        MemoryError,
        OverflowError,
        IndexError,
        AssertionError,
    ) as problem:
        raise SourceUnreadable(
            f"not a readable media file ({_reason(problem)}): make or copy it again",
            rule="file-kind",
        ) from problem


def _reason(problem: BaseException) -> str:
    """One clause. FFmpeg says "cannot allocate memory" where a size in the file is malformed."""
    if isinstance(problem, MemoryError | OverflowError):
        return "its sizes are malformed"
    if isinstance(problem, UnicodeDecodeError):
        return "its texts are malformed"
    text = str(getattr(problem, "strerror", None) or type(problem).__name__)
    return text[:1].lower() + text[1:]
