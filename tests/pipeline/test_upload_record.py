"""Upload records: exact media type, suffix, category, bytes, and the endpoint of an upload."""

from __future__ import annotations

import pytest

from mediaprep.model.media import Animation, Container, Image, Media, Sound, Subtitle, Video
from mediaprep.pipeline.upload_record import media_type, suffix, upload


@pytest.mark.parametrize(
    ("media", "media_type_expected", "suffix_expected"),
    [
        (Video(container=Container(format="mp4")), "video/mp4", ".mp4"),
        (Video(container=Container(format="mov")), "video/quicktime", ".mov"),
        (Video(container=Container(format="webm")), "video/webm", ".webm"),
        (Video(), "application/octet-stream", ".mp4"),
        (Animation(format="gif"), "image/gif", ".gif"),
        (Image(format="jpeg"), "image/jpeg", ".jpg"),
        (Image(format="png"), "image/png", ".png"),
        (Image(format="webp"), "image/webp", ".webp"),
        (Image(format="psd"), "application/octet-stream", ".jpg"),
        (Subtitle(format="webvtt"), "text/vtt", ".vtt"),
        (Sound(), "application/octet-stream", ".m4a"),
    ],
)
def test_media_type_and_suffix(
    media: Media, media_type_expected: str, suffix_expected: str
) -> None:
    """The registered type (IANA), octet-stream if none is known; the suffix falls back on the kind."""
    assert (media_type(media), suffix(media)) == (media_type_expected, suffix_expected)


@pytest.mark.parametrize(
    ("media", "chunked"),
    [
        (Video(size_bytes=1), True),
        (Animation(size_bytes=1), True),
        (Image(size_bytes=1), False),
        (Subtitle(size_bytes=1), False),
    ],
)
def test_videos_and_animations_are_uploaded_in_chunks(media: Media, chunked: bool) -> None:
    assert upload("x", media, "tweet_video").chunked is chunked


def test_an_upload_begins_with_the_number_of_bytes() -> None:
    made = upload(
        "/a/b.mp4", Video(size_bytes=5_242_880, container=Container(format="mp4")), "dm_video"
    )
    assert (made.path, made.total_bytes, made.category) == ("/a/b.mp4", 5_242_880, "dm_video")
    with pytest.raises(ValueError, match="size in bytes is unknown"):
        upload("x", Video(), "tweet_video")
