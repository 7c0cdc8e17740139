"""Follow the frames of an IVF file (the container of libvpx)."""

from __future__ import annotations

import struct

from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.runtime.source import Readable

MAX_FRAMES = 500_000
_FRAME_HEADER = 12  # bytes: size and timestamp
_UNKNOWN_LENGTHS = (0, 2**32 - 1)


def completeness(source: Readable) -> Completeness:
    """Compare the frames with the header's count, or with the duration that ffmpeg writes there."""
    window = Window(source)
    head = window.at(0, 32)
    at, declared = struct.unpack_from("<H", head, 6)[0], struct.unpack_from("<I", head, 24)[0]
    times: list[int] = []
    while at < window.size and len(times) < MAX_FRAMES:
        frame = window.at(at, _FRAME_HEADER)
        if len(frame) < _FRAME_HEADER:
            return False, "the last frame is cut short"
        size, time = struct.unpack("<IQ", frame)
        times.append(time)
        at += _FRAME_HEADER + size
    if at < window.size:
        return None, "more frames than are read"
    if at > window.size:
        return False, "the last frame is cut short"
    if declared in _UNKNOWN_LENGTHS:
        return None, "its header states no length"
    length = _length(times)
    if length >= declared:
        return True, None
    return False, f"its header states a length of {declared}, its frames end at {length}"


def _length(times: list[int]) -> int:
    """Return the number of frames or their duration in ticks, whichever is more."""
    if len(times) < 2:
        return len(times)
    return max(len(times), 2 * times[-1] - times[-2] - times[0])
