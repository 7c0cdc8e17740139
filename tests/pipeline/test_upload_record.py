"""The hand-off: exact media type, category, bytes, and which path an upload goes by."""

from __future__ import annotations

import pytest

from mediaprep.model.media import Animation, Container, Image, Media, Sound, Subtitle, Video
from mediaprep.pipeline.upload_record import media_type, upload


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (Video(container=Container(format="mp4")), "video/mp4"),
        (Video(container=Container(format="mov")), "video/quicktime"),
        (Video(container=Container(format="webm")), "video/webm"),
        (Video(), "application/octet-stream"),
        (Animation(format="gif"), "image/gif"),
        (Image(format="jpeg"), "image/jpeg"),
        (Image(format="png"), "image/png"),
        (Image(format="webp"), "image/webp"),
        (Image(format="psd"), "application/octet-stream"),
        (Subtitle(format="webvtt"), "text/vtt"),
        (Sound(), "application/octet-stream"),
    ],
)
def test_media_type(media: Media, expected: str) -> None:
    """The registered type (IANA); octet-stream only where none is known."""
    assert media_type(media) == expected


@pytest.mark.parametrize(
    ("media", "chunked"),
    [
        (Video(size_bytes=1), True),
        (Animation(size_bytes=1), True),
        (Image(size_bytes=1), False),
        (Subtitle(size_bytes=1), False),
    ],
)
def test_videos_and_animations_go_by_chunks(media: Media, chunked: bool) -> None:
    assert upload("x", media, "tweet_video").chunked is chunked


def test_the_upload_begins_with_the_bytes() -> None:
    made = upload(
        "/a/b.mp4", Video(size_bytes=5_242_880, container=Container(format="mp4")), "dm_video"
    )
    assert (made.path, made.total_bytes, made.category) == ("/a/b.mp4", 5_242_880, "dm_video")
    with pytest.raises(ValueError, match="size in bytes is not known"):
        upload("x", Video(), "tweet_video")
