"""An outcome as an uploader wants it."""

from __future__ import annotations

from mediaprep.media import Animation, Image, Media, Subtitle, Video
from mediaprep.outcome import Upload

_UNKNOWN = "application/octet-stream"
_CONTAINERS = {"mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "matroska": "video/x-matroska", "mpegts": "video/mp2t"}
_PICTURES = {"jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp", "apng": "image/apng", "avif": "image/avif"}
_CAPTIONS = {"srt": "application/x-subrip", "webvtt": "text/vtt"}


def upload(path: str, media: Media, category: str) -> Upload:
    """The hand-off of one file. Videos and animations go by the chunked, asynchronous path, stills and captions by the simple one."""
    return Upload(
        path=path,
        media_type=media_type(media),
        category=category,
        total_bytes=media.size_bytes or 0,
        chunked=isinstance(media, (Video, Animation)),
    )


def media_type(media: Media) -> str:
    """The exact media type; ``application/octet-stream`` only where none is known."""
    match media:
        case Video():
            return _CONTAINERS.get(media.container.format or "", _UNKNOWN)
        case Animation() | Image():
            return _PICTURES.get(media.format or "", _UNKNOWN)
        case Subtitle():
            return _CAPTIONS.get(media.format or "", _UNKNOWN)
        case _:
            return _UNKNOWN
