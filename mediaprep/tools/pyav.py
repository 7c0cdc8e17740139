"""PyAV, the first reader: open a container, scan every packet, decode a few frames.

It never calls ``av.logging.set_level``: with frame threading that hangs the process if a decode is
left early (https://github.com/PyAV-Org/PyAV/issues/751); for the same reason every decoder runs
without threads. A damaged file raises SourceUnreadable when it is opened; later damage ends a scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Any, TypeAlias

from mediaprep.errors import SourceUnreadable
from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools.pyav_frames import VideoFrame
from mediaprep.tools.pyav_streams import StreamInfo, layout_name, stream_info

# Every packet of a 121 MB MP4: 32 kB 85 ms, 64 kB 52 ms, 256 kB 69 ms, 4 MB 86 ms.
BUFFER_BYTES = 2**16
HEAD_BYTES = 2**26  # of the first packets that are kept for decoding
FeedVideo: TypeAlias = Callable[[memoryview, int | None, bool, bool], object]


@dataclass(slots=True)
class PacketSpan:
    """The sums over the packets of one stream.

    first, end              ticks, over the packets that are not discarded
    last_without_duration   the packet that ends last states no duration: ``end`` is its start
    discarded               packets that are decoded and not presented
    corrupt, last_corrupt   damaged packets; the place of the last of them among all, from 1
    untimed                 packets without a presentation time
    head                    the first packets
    """

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

    def add(self, packet: Any, pts: int | None, *, discard: bool) -> None:
        """Count a packet."""
        self.packets += 1
        self.bytes += packet.size
        if packet.is_corrupt:
            self.corrupt += 1
            self.last_corrupt = self.packets
        if pts is None:
            self.untimed += 1
            return
        if discard:
            self.discarded += 1
            return
        if self.first is None or pts < self.first:
            self.first = pts
        duration = packet.duration or 0
        if self.end is None or pts + duration > self.end:
            self.end = pts + duration
            self.last_without_duration = not duration


class ContainerReader:
    """An open container; a context manager, not thread-safe.

    duration             of the container in seconds; None: not stated
    presentation_times   False: the demuxer invents presentation times of video
    """

    def __init__(self, container: Any, max_pixels: int, *, presentation_times: bool) -> None:
        self._container = container
        self._max_pixels = max_pixels
        self.presentation_times = presentation_times
        self.streams: tuple[StreamInfo, ...] = tuple(map(stream_info, container.streams))
        stated = container.duration is not None and container.duration > 0
        self.duration = Fraction(container.duration, 10**6) if stated else None
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
        *,
        feed_video: FeedVideo | None = None,
        feed_audio: Callable[[memoryview], None] | None = None,
        keep_video: int = 0,
        keep_audio: int = 0,
    ) -> tuple[PacketSpan, PacketSpan, str | None]:
        """Read every packet of the chosen streams once, in the order of the file.

        ``feed_video`` is called with (data, pts, key, discard) and ``feed_audio`` with the data of
        each packet; the views are valid during the call only. The first ``keep_video`` and
        ``keep_audio`` packets are kept in ``head``.

        Return the sums of video and audio, and what ended the scan early, None if nothing did.
        """
        import av

        video_span, audio_span = PacketSpan(), PacketSpan()
        chosen = [self._container.streams[index] for index in (video, audio) if index is not None]
        try:
            for packet in self._container.demux(chosen):
                if not packet.size:
                    continue
                discard = packet.is_discard
                if packet.stream_index == video:
                    span, keep = video_span, keep_video
                    pts = packet.pts if self.presentation_times else packet.dts
                    if feed_video is not None:
                        feed_video(memoryview(packet), packet.pts, packet.is_keyframe, discard)
                else:
                    span, pts = audio_span, packet.pts
                    keep = 0 if discard else keep_audio  # a discarded packet gives no frame
                    if feed_audio is not None:
                        feed_audio(memoryview(packet))
                if len(span.head) < keep and span.bytes < HEAD_BYTES:
                    span.head.append(packet)
                span.add(packet, pts, discard=discard)
        except IndexError:
            # At the end of the file: PyAV fails on streams that appeared on the way (FLV, MPEG-TS).
            return video_span, audio_span, None
        except (av.FFmpegError, ValueError, OverflowError, MemoryError) as problem:
            return video_span, audio_span, _reason(problem)
        return video_span, audio_span, None

    def frames(self, index: int, packets: Iterable[Any]) -> Iterator[VideoFrame]:
        """Decode packets and flush the decoder; skip packets that cannot be decoded.

        Raises: SourceUnreadable without a decoder.
        """
        for frame in self._decode(index, packets):
            yield VideoFrame(frame)

    def frames_from(self, index: int, start: Fraction) -> Iterator[VideoFrame]:
        """Decode from the key frame at or before ``start`` (seconds); nothing if seeking fails."""
        import av

        stream = self._container.streams[index]
        try:
            self._container.seek(int(start / stream.time_base), stream=stream)
        except (av.FFmpegError, ValueError, OverflowError):
            return
        yield from self.frames(index, self._packets(index))

    def audio_frames(
        self, index: int, packets: Iterable[Any]
    ) -> Iterator[tuple[int, int, str, int]]:
        """Yield (samples, channels, layout or "", sample rate) of each decoded frame."""
        for frame in self._decode(index, packets):
            channels, layout = frame.layout.nb_channels, layout_name(frame.layout)
            yield frame.samples, channels, layout, frame.sample_rate

    def _packets(self, index: int) -> Iterator[Any]:
        import av

        with suppress(av.FFmpegError, ValueError, OverflowError, MemoryError, IndexError):
            for packet in self._container.demux(self._container.streams[index]):
                if packet.size:
                    yield packet

    def _decode(self, index: int, packets: Iterable[Any]) -> Iterator[Any]:
        import av

        context = self._container.streams[index].codec_context
        if context is None:
            raise SourceUnreadable("no decoder for this codec")
        if context.is_open:
            context.flush_buffers()
        else:
            self._configure(context)
        for packet in _then_flush(packets):
            try:
                frames = context.decode(packet)
            except av.DecoderNotFoundError as problem:
                raise SourceUnreadable("no decoder for this codec") from problem
            except (av.FFmpegError, ValueError, OverflowError, MemoryError):
                continue
            yield from frames

    def _configure(self, context: Any) -> None:
        context.thread_count = 1
        with suppress(AttributeError):
            context.thread_type = "NONE"
        if context.type == "video":
            # unaligned: otherwise a crop at the left is rounded for alignment in memory, so that
            # 320 cropped to 288 is shown 304 wide
            context.options = {"max_pixels": str(self._max_pixels), "flags": "+unaligned"}


def open_container(
    source: Readable,
    *,
    demuxer: str | None,
    whitelist: str | None,
    max_pixels: int,
    presentation_times: bool = True,
) -> ContainerReader:
    """Open a file with the one demuxer named.

    ``max_pixels`` limits the pictures that are decoded while opening; only key frames are (19
    frames of 3840x2160 take 57 ms instead of 250). Raises: SourceUnreadable.
    """
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


def _then_flush(packets: Iterable[Any]) -> Iterator[Any]:
    yield from packets
    yield None


@contextmanager
def _unreadable() -> Iterator[None]:
    """Turn the errors that PyAV raises for a damaged file into SourceUnreadable.

    Observed: FFmpegError and its subclasses, UnicodeDecodeError, MemoryError for a malformed size,
    OverflowError, IndexError.
    """
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
            f"not a readable media file ({_reason(problem)}): export or copy it again",
            rule="file-kind",
        ) from problem


def _reason(problem: BaseException) -> str:
    """Return one clause. FFmpeg's "cannot allocate memory" means a malformed size in the file."""
    if isinstance(problem, MemoryError | OverflowError):
        return "its sizes are malformed"
    if isinstance(problem, UnicodeDecodeError):
        return "its texts are malformed"
    text = str(getattr(problem, "strerror", None) or type(problem).__name__)
    return text[:1].lower() + text[1:]
