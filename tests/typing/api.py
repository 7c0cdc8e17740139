"""The public functions as a type checker sees them. ``mypy --strict`` reads this file; nothing runs
it.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import assert_type

import mediaprep
from mediaprep import (
    Event,
    Media,
    Options,
    Outcome,
    Plan,
    PostOutcome,
    PostReport,
    Report,
    Upload,
)


def calls() -> None:
    media = mediaprep.probe("in.mov")
    assert_type(media, Media)
    assert_type(mediaprep.check(media, "twitter/tweet_video"), Report)
    assert_type(mediaprep.check("in.mov"), Report)
    assert_type(
        mediaprep.plan(media, "twitter", Options(trim=(Fraction(1), Fraction(2)), fit="pad")), Plan
    )
    outcome = mediaprep.prepare(
        "in.mov", "out.mp4", "twitter", options=Options(quality="best"), timeout=600.0
    )
    assert_type(outcome, Outcome)
    assert_type(outcome.upload, Upload | None)
    assert_type(mediaprep.check_post(["a.jpg", Path("b.jpg")]), PostReport)
    assert_type(mediaprep.prepare_post(["a.jpg"], "out/", force=True), PostOutcome)
    for item in mediaprep.events("in.mov", force=True, options=Options(), timeout=1.0):
        assert_type(item, Event | Outcome)
        if isinstance(item, mediaprep.Progress):
            assert_type(item.fraction, float)
    mediaprep.events("in.mov", forced=True)  # type: ignore[call-arg]


async def twins() -> None:
    assert_type(await mediaprep.probe_async("in.mov"), Media)
    assert_type(await mediaprep.check_async("in.mov"), Report)
    assert_type(await mediaprep.plan_async("in.mov"), Plan)
    assert_type(await mediaprep.prepare_async("in.mov"), Outcome)
    assert_type(await mediaprep.check_post_async(["a.jpg"]), PostReport)
    assert_type(await mediaprep.prepare_post_async(["a.jpg"]), PostOutcome)
    async for item in mediaprep.events_async("in.mov", captions="words.srt"):
        assert_type(item, Event | Outcome)


def kinds(media: Media) -> str:
    match media:
        case mediaprep.Video():
            return str(media.video.codec)
        case mediaprep.Animation() | mediaprep.Image():
            return str(media.format)
        case mediaprep.Subtitle():
            return str(media.encoding)
        case mediaprep.Sound():
            return str(media.audio.codec)
