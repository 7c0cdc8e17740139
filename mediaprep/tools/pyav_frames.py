"""Decoded frames of PyAV, and its names of pixel formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MATRIX_BYTES = 36
_SUBSAMPLINGS = {  # luma samples for one chroma sample, across and down
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): "4:2:0",
    (4, 1): "4:1:1",
    (4, 4): "4:1:0",
    (1, 2): "4:4:0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """A pixel format.

    chroma   as in ``media.VideoStream``; None for a subsampling without a name there
    bits     of a luma sample
    """

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
        """Presentation time in ticks of the stream."""
        value = self.frame.pts
        return None if value is None else int(value)

    @property
    def pixel_format(self) -> str:
        """ffmpeg's name of the pixel format."""
        return str(self.frame.format.name)

    @property
    def interlaced(self) -> bool:
        """True if the frame is flagged as interlaced."""
        return bool(self.frame.interlaced_frame)

    @property
    def side_data(self) -> frozenset[str]:
        """Names of the side data that the decoder attached."""
        items = self.frame.side_data.keys()  # the items: side_data is not a dict
        return frozenset(item.type.name for item in items)

    @property
    def matrix(self) -> tuple[int, ...] | None:
        """The display matrix: nine integers, 16.16 (the third column 2.30); None without one."""
        data = self.frame.side_data.get("DISPLAYMATRIX")
        if data is None or len(raw := bytes(data)) != _MATRIX_BYTES:
            return None
        return tuple(memoryview(raw).cast("i"))

    def luma(self) -> tuple[memoryview, int, int]:
        """Return (first plane, bytes a line, bits a sample); more than 8 bits take two bytes."""
        plane = self.frame.planes[0]
        return memoryview(plane), plane.line_size, self.frame.format.components[0].bits


def pixel_format(name: str) -> PixelFormat | None:
    """Return what ffmpeg's name of a pixel format stands for; None for an unknown name."""
    from av.video.format import VideoFormat

    try:
        known = VideoFormat(name)
    except ValueError:
        return None
    bits = known.components[0].bits
    alpha = any(component.is_alpha for component in known.components)
    if known.is_rgb or known.has_palette:
        return PixelFormat(chroma="rgb", bits=bits, alpha=alpha)
    if len(known.components) - alpha < 3:
        return PixelFormat(chroma="4:0:0", bits=bits, alpha=alpha)
    ratio = 256 // max(1, known.chroma_width(256)), 256 // max(1, known.chroma_height(256))
    return PixelFormat(chroma=_SUBSAMPLINGS.get(ratio), bits=bits, alpha=alpha)
