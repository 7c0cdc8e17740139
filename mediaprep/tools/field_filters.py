"""ffmpeg's filters that examine fields, through PyAV: field order and interlace detection."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from mediaprep.tools.pyav_frames import VideoFrame

IdetVerdict: TypeAlias = Literal["progressive", "tff", "bff", "undetermined"]
_Shape: TypeAlias = tuple[int, int, str]


class FieldOrder:
    """Which field of a frame that is flagged as interlaced is shown first.

    PyAV does not expose that flag; ffmpeg's ``select`` filter reads it.
    """

    def __init__(self, frame: VideoFrame) -> None:
        self._graph = _graph(frame, "select", "eq(interlace_type,BOTTOMFIRST)")
        self._shape = _shape(frame)

    def of(self, frame: VideoFrame) -> Literal["tff", "bff"] | None:
        """Return None for a frame that is not flagged, or of another shape than the first."""
        import av

        if not frame.interlaced or _shape(frame) != self._shape:
            return None
        try:
            self._graph.vpush(frame.frame)
            self._graph.vpull()
        except av.FFmpegError:
            return "tff"
        return "bff"


class FieldDetector:
    """ffmpeg's ``idet`` filter: whether the two fields of a frame show one moment."""

    def __init__(self, frame: VideoFrame) -> None:
        self._graph = _graph(frame, "idet")
        self._shape = _shape(frame)

    def push(self, frame: VideoFrame) -> tuple[IdetVerdict, ...]:
        """Feed one frame and return the verdicts that are ready; idet lags by one frame.

        A frame of another shape than the first is ignored.
        """
        import av

        verdicts: list[IdetVerdict] = []
        if _shape(frame) == self._shape:
            with suppress(av.FFmpegError):
                self._graph.vpush(frame.frame)
                while True:
                    metadata = self._graph.vpull().metadata
                    verdicts.append(metadata["lavfi.idet.single.current_frame"])
        return tuple(verdicts)


def _shape(frame: VideoFrame) -> _Shape:
    return *frame.size, frame.pixel_format


def _graph(frame: VideoFrame, name: str, arguments: str | None = None) -> Any:
    """Return a graph of one filter for frames of this shape."""
    import av.filter

    raw = frame.frame
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=raw.width, height=raw.height, format=raw.format, time_base=Fraction(1, 1000)
    )
    source.link_to(node := graph.add(name, arguments))
    node.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
