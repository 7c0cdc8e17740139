"""Report which reader established each fact, and why the others are unknown.

Called when the facts of a stream are complete.
"""

from __future__ import annotations

from typing import Any

from mediaprep.model.media import AudioStream, VideoStream, leaves
from mediaprep.probing.reader_log import ReaderLog

# Facts that one reader alone establishes; the others are reported where they are decided.
_VIDEO_SOURCES = {
    "codec": "container",
    "level": "bitstream",
    "pixel_format": "frames",
    "rotation": "frames",
    "frame_rate": "packets",
    "rate_mode": "packets",
    "frame_count": "packets",
    "duration": "packets",
    "gop.length_max": "packets",
    "colour.transfer": "pyav",
}
_AUDIO_SOURCES = {
    "codec": "container",
    "channels": "frames",
    "sample_rate": "frames",
    "duration": "packets",
}
_NO_TIMESTAMPS = "the timestamps do not determine it"
_BITSTREAM_OR_DECODER = "neither the bitstream nor the decoder reports it"
_DECODER = "the decoder does not report it"
_REASONS = {
    "profile": "neither the codec nor the container states one",
    "level": "the codec states none",
    "frame_rate": _NO_TIMESTAMPS,
    "frame_rate_average": _NO_TIMESTAMPS,
    "frame_rate_peak": _NO_TIMESTAMPS,
    "frame_rate_burst": "there are too few timestamps",
    "jitter_frames": _NO_TIMESTAMPS,
    "rate_mode": _NO_TIMESTAMPS,
    "bit_rate": _NO_TIMESTAMPS,
    "start": _NO_TIMESTAMPS,
    "duration": _NO_TIMESTAMPS,
    "scan_content": "the frames were not analysed",
    "chroma": _BITSTREAM_OR_DECODER,
    "bit_depth": _BITSTREAM_OR_DECODER,
    "layout": _DECODER,
    "channels": _DECODER,
    "sample_rate": _DECODER,
}
# None means that the file has no such thing.
_ABSENT = frozenset(
    {"tag", "parity", "gop.first_open", "gop.keyframe_interval_max", "frame_rate_declared"}
)
# Read only if an option requires them
_ON_REQUEST = frozenset(
    {"payload", "loudness", "loudness_range", "true_peak", "loudness_threshold"}
)


def report_video(log: ReaderLog, video: VideoStream) -> None:
    """Report the sources of the video facts, and why facts are unknown.

    Facts about GOPs share the reason of their structure.
    """
    reason = next(
        (item.reason for item in log.unknown if item.fact == "video.gop.structure"),
        "the stream has no group of pictures",
    )
    _report(log, "video", video, _VIDEO_SOURCES, gop_reason=reason)


def report_audio(log: ReaderLog, audio: AudioStream) -> None:
    """Report the sources of the audio facts, and why facts are unknown."""
    _report(log, "audio", audio, _AUDIO_SOURCES)


def _report(
    log: ReaderLog, prefix: str, stream: Any, sources: dict[str, str], gop_reason: str = ""
) -> None:
    facts = dict(leaves(stream))
    for path, source in sources.items():
        log.report(f"{prefix}.{path}", source, facts[path])
    for path, value in facts.items():
        if value is None and path not in _ABSENT | _ON_REQUEST:
            reason = _REASONS.get(path, "no reader reports it")
            if path.startswith("gop."):
                reason = gop_reason
            log.unknown_because(f"{prefix}.{path}", reason)
