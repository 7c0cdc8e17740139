"""Rules for files of every kind: the kind itself, completeness, private metadata."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaprep.model.media import (
    Animation,
    Image,
    Media,
    PrivateItem,
    Sound,
    Subtitle,
    UnknownFact,
    Video,
)
from mediaprep.model.report import Finding
from mediaprep.planning.check import check
from tests.facts import good, twitter


def findings(media: Media, rule_id: str, category: str = "tweet_video") -> list[Finding]:
    return [
        finding for finding in check(media, twitter(category)).findings if finding.rule == rule_id
    ]


@pytest.mark.parametrize(
    ("media", "category", "measured"),
    [
        (Video(), "tweet_video", None),
        (Animation(), "tweet_gif", None),
        (Image(), "tweet_image", None),
        (Animation(), "tweet_image", None),
        (Subtitle(), "subtitles", None),
        (Sound(), "tweet_video", "audio without video"),
        (Sound(), "subtitles", "audio without video"),
        (Image(), "tweet_video", "a still image"),
        (Animation(), "tweet_video", "an animation"),
        (Video(), "tweet_gif", "a video"),
        (Subtitle(), "dm_image", "a caption file"),
    ],
)
def test_kind(media: Media, category: str, measured: str | None) -> None:
    """Each category takes its kind; no category takes audio without video."""
    found = findings(media, "file-kind", category)
    assert [finding.measured for finding in found] == ([] if measured is None else [measured])
    assert all(finding.level == "must" and finding.fix for finding in found)


def test_a_format_without_an_end_marker_is_not_incomplete() -> None:
    """A transport stream has no end marker: ``complete`` None is not a finding."""
    media = replace(
        good(complete=None),
        unknown=(UnknownFact(fact="complete", reason="mpegts has no mark of its end"),),
    )
    assert findings(media, "file-complete") == []


def test_an_incomplete_file_is_reported_with_the_place() -> None:
    media = good(complete=False, incomplete_because="mdat ends 4096 bytes after the file")
    (finding,) = findings(media, "file-complete")
    assert "file is truncated or damaged (mdat ends 4096 bytes after the file); " in finding.message
    assert finding.fix == "copy or download the file again"


def test_private_metadata_never_fails_a_check() -> None:
    media = good(
        private=(
            PrivateItem(kind="location", where="moov/udta/©xyz"),
            PrivateItem(kind="owner", where="moov/meta/artist"),
        )
    )
    report = check(media, twitter())
    assert report.verdict == "pass"
    assert [(f.level, f.measured) for f in report.findings] == [("should", "location, owner")]
