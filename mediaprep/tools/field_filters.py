"""ffmpeg's filters that tell fields apart, through PyAV: which field of a flagged frame comes first, and whether both are of one moment."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from mediaprep.tools.pyav import VideoFrame

Field: TypeAlias = Literal["progressive", "tff", "bff", "undetermined"]


class FieldOrder:
    """Which field of a frame flagged as interlaced is shown first. PyAV hides that flag; ffmpeg's ``select`` filter reads it."""

    def __init__(self, picture: VideoFrame) -> None:
        self._graph, self._shape = _graph(picture, "select", "eq(interlace_type,BOTTOMFIRST)")

    def of(self, picture: VideoFrame) -> Literal["tff", "bff"] | None:
        """None for a frame that is not flagged, or of another shape than the first."""
        import av

        if not picture.interlaced or _shape(picture) != self._shape:
            return None
        try:
            self._graph.vpush(picture.frame)
            self._graph.vpull()
        except av.FFmpegError:
            return "tff"
        return "bff"


class FieldDetector:
    """ffmpeg's ``idet`` filter, frame by frame: whether two fields of a frame belong to one moment."""

    def __init__(self, picture: VideoFrame) -> None:
        self._graph, self._shape = _graph(picture, "idet")

    def push(self, picture: VideoFrame) -> tuple[Field, ...]:
        """Feed one frame; the verdicts that are ready (idet lags one frame). A frame of another shape says nothing."""
        import av

        verdicts: list[Field] = []
        if _shape(picture) == self._shape:
            with suppress(av.FFmpegError):
                self._graph.vpush(picture.frame)
                while True:
                    verdicts.append(self._graph.vpull().metadata["lavfi.idet.single.current_frame"])
        return tuple(verdicts)


def _shape(picture: VideoFrame) -> tuple[int, int, str]:
    return *picture.size, picture.pixel_format


def _graph(
    picture: VideoFrame, name: str, arguments: str | None = None
) -> tuple[Any, tuple[int, int, str]]:
    """A graph of one filter for frames of this shape."""
    import av.filter

    frame = picture.frame
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
    )
    source.link_to(node := graph.add(name, arguments))
    node.link_to(graph.add("buffersink"))
    graph.configure()
    return graph, _shape(picture)
