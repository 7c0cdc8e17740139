"""An outcome as an uploader wants it."""

from __future__ import annotations

from mediaprep.model.media import Animation, Image, Media, Subtitle, Video
from mediaprep.pipeline.outcome import Upload

_UNKNOWN = "application/octet-stream"
_CONTAINERS = {
    "mp4": "video/mp4", "mov": "video/quicktime", "3gp": "video/3gpp", "webm": "video/webm", "matroska": "video/x-matroska",
    "mpegts": "video/mp2t", "mpegps": "video/mpeg", "ogg": "video/ogg",
    "avi": "video/x-msvideo", "flv": "video/x-flv", "asf": "video/x-ms-asf",
}  # fmt: skip
_PICTURES = {
    "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp", "apng": "image/apng", "avif": "image/avif",
    "heif": "image/heif", "tiff": "image/tiff", "bmp": "image/bmp", "jpeg2000": "image/jp2",
}  # fmt: skip
_BY_KIND = {
    "video": ".mp4",
    "animation": ".gif",
    "image": ".jpg",
    "subtitle": ".srt",
    "sound": ".m4a",
}
_SUFFIXES = {
    "jpeg": ".jpg",
    "png": ".png",
    "webp": ".webp",
    "gif": ".gif",
    "srt": ".srt",
    "webvtt": ".vtt",
}
_CAPTIONS = {"srt": "application/x-subrip", "webvtt": "text/vtt"}


def upload(path: str, media: Media, category: str) -> Upload:
    """The hand-off of one file. Videos and animations go by the chunked, asynchronous path, stills and captions by the simple one.

    Raises: ValueError where the size is not known: an upload begins with it.
    """
    if media.size_bytes is None:
        raise ValueError(f"{path}: the size in bytes is not known")
    return Upload(
        path=path,
        media_type=media_type(media),
        category=category,
        total_bytes=media.size_bytes,
        chunked=isinstance(media, (Video, Animation)),
    )


def suffix(media: Media) -> str:
    """The file name's suffix for what is written, ``.jpg``; by the format, else by the kind."""
    match media:
        case Image() | Subtitle():
            return _SUFFIXES.get(media.format or "", _BY_KIND[media.kind])
        case _:
            return _BY_KIND[media.kind]


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
