"""Who established a fact, and why another is None: said once the facts of a stream are complete."""

from __future__ import annotations

from typing import Any

from mediaprep.model.media import AudioStream, VideoStream, leaves
from mediaprep.probing.video.notes import ReaderLog

# facts that one reader establishes alone; the others have their witnesses where they are decided
_PICTURE = {
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
_SOUND = {
    "codec": "container",
    "channels": "frames",
    "sample_rate": "frames",
    "duration": "packets",
}
_NO_TIMES = "the time stamps do not tell"
_REASONS = {
    "profile": "neither the codec nor the container states one",
    "level": "the codec states none",
    "frame_rate": _NO_TIMES,
    "frame_rate_average": _NO_TIMES,
    "frame_rate_peak": _NO_TIMES,
    "frame_rate_burst": "there are too few time stamps for it",
    "jitter_frames": _NO_TIMES,
    "rate_mode": _NO_TIMES,
    "bit_rate": _NO_TIMES,
    "start": _NO_TIMES,
    "duration": _NO_TIMES,
    "scan_content": "the picture was not looked at",
    "chroma": "neither the bitstream nor the decoder tells",
    "bit_depth": "neither the bitstream nor the decoder tells",
    "layout": "the decoder does not tell",
    "channels": "the decoder does not tell",
    "sample_rate": "the decoder does not tell",
}
_NONE_THERE = frozenset(
    {"tag", "parity", "gop.first_open", "gop.keyframe_interval_max", "frame_rate_declared"}
)
_NOT_ASKED = frozenset(
    {"payload", "loudness", "loudness_range", "true_peak", "loudness_threshold"}
)  # read only where a wish needs them


def picture(notes: ReaderLog, video: VideoStream) -> None:
    """Origins and reasons of the picture's facts. Those of the GOPs share the reason of their structure."""
    _say(notes, "video", video, _PICTURE)
    gops = next(
        (item.reason for item in notes.unknown if item.fact == "video.gop.structure"),
        "no group of pictures was found",
    )
    _reasons(notes, "video", video, gops)


def sound(notes: ReaderLog, audio: AudioStream) -> None:
    """The same of the sound's."""
    _say(notes, "audio", audio, _SOUND)
    _reasons(notes, "audio", audio, "")


def _say(notes: ReaderLog, prefix: str, stream: Any, origins: dict[str, str]) -> None:
    facts = dict(leaves(stream))
    for path, source in origins.items():
        notes.say(f"{prefix}.{path}", source, facts[path])


def _reasons(notes: ReaderLog, prefix: str, stream: Any, gops: str) -> None:
    for path, value in leaves(stream):
        if value is None and path not in _NONE_THERE | _NOT_ASKED:
            reason = gops if path.startswith("gop.") else _REASONS.get(path, "no reader tells")
            notes.missing(f"{prefix}.{path}", reason)
