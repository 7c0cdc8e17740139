"""What an uploader needs to know about a file: media type, size, suffix."""

from __future__ import annotations

from mediaprep.model import containers
from mediaprep.model.media import Animation, Kind, Media, Sound, Video
from mediaprep.pipeline.outcome import Upload

_UNKNOWN_TYPE = "application/octet-stream"
_USUAL_SUFFIXES: dict[Kind, str] = {
    "video": ".mp4",
    "animation": ".gif",
    "image": ".jpg",
    "subtitle": ".srt",
    "sound": ".m4a",
}


def upload(path: str, media: Media, category: str) -> Upload:
    """Describe one file for its upload.

    Videos and animations take the chunked, asynchronous endpoint; stills and captions the simple
    one. Raises: ValueError for an unknown size, which an upload begins with.
    """
    if media.size_bytes is None:
        raise ValueError(f"{path}: the size in bytes is unknown")
    return Upload(
        path=path,
        media_type=media_type(media),
        category=category,
        total_bytes=media.size_bytes,
        chunked=isinstance(media, Video | Animation),
    )


def suffix(media: Media) -> str:
    """Return the suffix of a file name, such as ``.jpg``: by the format, else by the kind."""
    return containers.of(_format(media)).suffix or _USUAL_SUFFIXES[media.kind]


def media_type(media: Media) -> str:
    """Return the exact media type; ``application/octet-stream`` if none is known."""
    if isinstance(media, Sound):
        return _UNKNOWN_TYPE
    return containers.of(_format(media)).media_type or _UNKNOWN_TYPE


def _format(media: Media) -> str | None:
    match media:
        case Video() | Sound():
            return media.container.format
        case _:
            return media.format
