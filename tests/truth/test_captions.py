"""Captions from the source to the published file, alone and with their video."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

import mediaprep
from mediaprep.errors import UsageProblem
from mediaprep.model.media import Subtitle, Video

Make = Callable[[str], Path]
Span = tuple[int, int, str]


def srt(folder: Path, *cues: Span) -> Path:
    """Write cues of whole seconds."""
    path = folder / "words.srt"
    path.write_text(
        "".join(
            f"{n}\n00:{a // 60:02d}:{a % 60:02d},000 --> 00:{b // 60:02d}:{b % 60:02d},000\n{text}\n\n"
            for n, (a, b, text) in enumerate(cues, 1)
        )
    )
    return path


def cues_of(path: str) -> list[tuple[float, float, str]]:
    media = mediaprep.probe(path)
    assert isinstance(media, Subtitle)
    return [(float(cue.start), float(cue.end), cue.text) for cue in media.cues or ()]


@pytest.mark.parametrize(
    "name",
    [
        "latin.srt",
        "russian.srt",
        "japanese.srt",
        "utf16.srt",
        "good.vtt",
        "good.ass",
        "backwards.srt",
        "negative.srt",
        "unordered.srt",
        "zero_length.srt",
    ],
)
def test_broken_captions_become_an_srt_in_utf8(name, make: Make, tmp_path):
    outcome = mediaprep.prepare(make(name), tmp_path)
    assert outcome.status == "fixed", outcome.problems
    assert [path.name for path in tmp_path.iterdir()] == [f"{Path(name).stem}.twitter.srt"]
    Path(outcome.outputs[0]).read_text(encoding="utf-8")
    assert mediaprep.check(outcome.outputs[0]).verdict == "pass"
    assert outcome.upload is not None
    assert (outcome.upload.media_type, outcome.upload.category, outcome.upload.chunked) == (
        "application/x-subrip",
        "subtitles",
        False,
    )


def test_captions_for_bluesky_become_webvtt(make: Make, tmp_path):
    outcome = mediaprep.prepare(make("good.srt"), tmp_path, "bluesky")
    assert outcome.status == "fixed"
    assert Path(outcome.outputs[0]).read_text(encoding="utf-8").startswith("WEBVTT\n")


def test_accepted_captions_are_uploaded_with_an_accepted_video(make: Make, tmp_path):
    outcome = mediaprep.prepare(make("base.mp4"), tmp_path, captions=make("good.srt"))
    assert (outcome.status, list(tmp_path.iterdir())) == ("already_ok", [])
    assert [(upload.path, upload.category) for upload in outcome.uploads] == [
        (str(make("base.mp4")), "tweet_video"),
        (str(make("good.srt")), "subtitles"),
    ]


def test_captions_alone_are_fixed_and_named_after_the_video(make: Make, tmp_path):
    outcome = mediaprep.prepare(make("base.mp4"), tmp_path, captions=make("good.vtt"))
    assert [path.name for path in tmp_path.iterdir()] == ["base.twitter.srt"]
    assert [upload.category for upload in outcome.uploads] == ["tweet_video", "subtitles"]


@pytest.mark.slow
def test_a_trim_cuts_captions_as_the_video(make: Make, tmp_path):
    words = srt(tmp_path, (0, 1, "before"), (1, 3, "across the end"), (3, 4, "after"))
    outcome = mediaprep.prepare(
        make("base.mp4"),
        tmp_path,
        captions=words,
        options=mediaprep.Options(trim=(Fraction(1, 2), Fraction(2))),
    )
    assert outcome.status == "fixed", outcome.problems
    assert [Path(path).name for path in outcome.outputs] == ["base.twitter.mp4", "base.twitter.srt"]
    cues = cues_of(outcome.outputs[1])
    assert [text for _, _, text in cues] == ["before", "across the end"]
    frame = 0.04  # 0.5 s lies between two frames of 25 fps
    assert [time for start, end, _ in cues for time in (start, end)] == pytest.approx(
        [0, 0.5, 0.5, 1.5], abs=frame
    )


@pytest.mark.slow
def test_each_part_of_a_split_has_its_own_captions(make: Make, tmp_path):
    """140.1 s in two parts: the captions of the second start where those of the first end."""
    words = srt(tmp_path, (5, 8, "early"), (130, 140, "across the cut"))
    outcome = mediaprep.prepare(
        make("d140_1.mp4"), tmp_path, captions=words, options=mediaprep.Options(split=True)
    )
    assert outcome.status == "fixed", outcome.problems
    assert [Path(path).name for path in outcome.outputs] == [
        f"d140_1.twitter.{n:02d}.{suffix}" for n in (1, 2) for suffix in ("mp4", "srt")
    ]
    assert [upload.category for upload in outcome.uploads] == ["tweet_video", "subtitles"] * 2
    assert outcome.plan is not None
    cut = float(outcome.plan.outputs[0].span[1]) if outcome.plan.outputs[0].span else 0
    first, second = cues_of(outcome.outputs[1]), cues_of(outcome.outputs[3])
    assert first == [
        (5, 8, "early"),
        (130, pytest.approx(min(cut, 140), abs=0.001), "across the cut"),
    ]
    assert second == [(0, pytest.approx(140 - cut, abs=0.001), "across the cut")]
    for video, captions in ((0, first), (2, second)):
        media = mediaprep.probe(outcome.outputs[video])
        assert isinstance(media, Video)
        assert media.duration is not None
        assert captions[-1][1] <= float(media.duration) + 0.04


def test_video_and_captions_are_published_together_or_not_at_all(make: Make, tmp_path):
    """If the captions cannot be fixed, the video is not written; an existing output is found before
    any work.
    """
    bad = tmp_path / "bad.srt"
    bad.write_text("1\n00:00:01,000 --> 00:00:0x\nwords\n2\n00:00:02,000 --> 00:00:03,000\nmore\n")
    outcome = mediaprep.prepare(make("base.mkv"), tmp_path, captions=bad)
    assert (outcome.status, [path.name for path in tmp_path.iterdir()]) == ("refused", ["bad.srt"])
    assert "line 2 is not a valid time line" in outcome.problems[0]
    (tmp_path / "base.twitter.srt").write_text("mine")
    with pytest.raises(UsageProblem, match=r"base\.twitter\.srt: already exists"):
        mediaprep.prepare(make("base.mkv"), tmp_path, captions=make("good.vtt"))
    assert (tmp_path / "base.twitter.srt").read_text() == "mine"


def test_captions_go_with_a_video_only(make: Make, tmp_path):
    with pytest.raises(UsageProblem, match="captions go with a video"):
        mediaprep.prepare(make("plain.jpg"), tmp_path, captions=make("good.srt"))
    with pytest.raises(UsageProblem, match="not a caption file \\(it is an image\\)"):
        mediaprep.prepare(make("base.mp4"), tmp_path, captions=make("plain.jpg"))
    outcome = mediaprep.prepare(make("base.mp4"), tmp_path, captions=make("garbage.srt"))
    assert (outcome.status, "captions" in outcome.problems[0]) == ("unreadable", True)


def test_on_an_event_loop(make: Make, tmp_path):
    outcome = asyncio.run(
        mediaprep.prepare_async(make("base.mp4"), tmp_path, captions=make("good.vtt"))
    )
    assert [upload.category for upload in outcome.uploads] == ["tweet_video", "subtitles"]
