"""verify: nothing is published that breaks a rule, a wanted fact, a promise, or lacks the evidence."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from mediaprep.model.media import AudioStream, DeclaredSar, PrivateItem, Sound, Video
from mediaprep.model.options import Options
from mediaprep.model.record import CopiedStream, VerificationRecord
from mediaprep.model.tolerance import fill_in
from mediaprep.planning.plan import Output, plan
from mediaprep.planning.verify import verify
from tests.facts import changed, good, silent, twitter

PICTURE = CopiedStream(track="video", source_digest="ab", output_digest="ab")
SOUND = CopiedStream(track="audio", source_digest="cd", output_digest="cd")


def output(media: Video, options: Options | None = None) -> Output:
    (made,) = plan((media,), twitter(), options).outputs
    return made


def made_of(job: Output, **changes: Any) -> Video:
    """What a faithful tool writes: the wanted facts, the promises kept, what nobody claimed as in any good file."""
    filled = fill_in(job.target, job.tolerances)
    assert isinstance(filled, Video)
    start = filled.video.start or Fraction(0)
    tidy = replace(
        filled,
        video=replace(filled.video, edit_list="plain", start=start),
        private=filled.private or (),
    )
    return changed(tidy, **changes)


REMUX = output(good(container__format="matroska"))
ENCODE = output(good(video__gop__structure="open"))
SOUND_ONLY = output(good(audio__profile="HE-AAC"))
COPIES = VerificationRecord(copied=(PICTURE, SOUND))
DECODED = VerificationRecord(copied=(SOUND,), frames_decoded=300)


def problems(job: Output, evidence: VerificationRecord, **changes: Any) -> tuple[str, ...]:
    return verify(job, made_of(job, **changes), evidence)[1]


@pytest.mark.parametrize(
    ("job", "evidence"),
    [
        (REMUX, COPIES),
        (ENCODE, replace(DECODED, frames_decoded=300)),
        (SOUND_ONLY, VerificationRecord(copied=(PICTURE,))),
    ],
)
def test_what_keeps_everything_may_be_published(job: Output, evidence: VerificationRecord) -> None:
    made = made_of(job) if not job.target.video.reencode else made_of(job, video__frame_count=300)  # type: ignore[union-attr]
    report, doubts = verify(job, made, evidence)
    assert doubts == ()
    assert report.verdict == "pass"


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({"container__format": "mov"}, "container.format is mov, wanted mp4"),
        ({"container__faststart": False}, "container.faststart is False, wanted True"),
        ({"video__codec": "hevc"}, "video codec is hevc; twitter/tweet_video takes h264"),
        ({"video__frame_count": 299}, "video.frame_count is 299, wanted 300"),
        ({"video__gop__structure": None}, "GOP structure is unknown ("),
        ({"size_bytes": 513_000_000}, "size_bytes is 513000000, planned at most 512000000"),
        ({"duration": Fraction(9)}, "duration is 9, planned 10 within 0.0833"),
        ({"audio__channels": 1}, "audio.channels is 1, wanted 2"),
        (
            {"private": (PrivateItem(kind="location", where="moov/udta/©xyz"),)},
            "private metadata is left: moov/udta/©xyz",
        ),
        ({"private": None}, "private metadata is left: it could not be looked for"),
    ],
)
def test_a_remux_that_is_not_what_was_planned(changes: dict[str, Any], clause: str) -> None:
    assert any(clause in problem for problem in problems(REMUX, COPIES, **changes)), problems(
        REMUX, COPIES, **changes
    )


def test_an_encode_keeps_what_is_only_observed_too() -> None:
    """A GOP of 600 frames is a warning in a source; what we write has none."""
    found = problems(ENCODE, DECODED, video__frame_count=300, video__gop__length_max=600)
    assert any("GOP length is 600 frames" in problem for problem in found)
    assert any("planned at most 60" in problem for problem in found)
    copied = output(
        good(private=(PrivateItem(kind="owner", where="x"),), video__gop__length_max=600)
    )
    assert problems(copied, COPIES) == (), "a copy keeps the source's warning"


@pytest.mark.parametrize(
    ("evidence", "clause"),
    [
        (replace(COPIES, source_unchanged=False), "the source changed while it was read"),
        (
            VerificationRecord(copied=(PICTURE,)),
            "the audio stream was to be copied, and was not compared",
        ),
        (VerificationRecord(), "the video stream was to be copied, and was not compared"),
        (
            VerificationRecord(copied=(replace(PICTURE, output_digest="xx"), SOUND)),
            "the video stream was to be copied, and its payload differs",
        ),
        (
            VerificationRecord(
                copied=(
                    PICTURE,
                    CopiedStream(track="audio", source_digest=None, output_digest=None),
                )
            ),
            "the audio stream was to be copied",
        ),
        (
            replace(COPIES, decode_errors=("bad NAL",)),
            "the output does not decode cleanly: bad NAL",
        ),
    ],
)
def test_the_evidence_of_a_copy(evidence: VerificationRecord, clause: str) -> None:
    assert any(problem.startswith(clause) for problem in problems(REMUX, evidence)), problems(
        REMUX, evidence
    )


@pytest.mark.parametrize(
    ("frames", "clause"),
    [(None, "the output was not decoded"), (299, "299 frames decode, 300 are in the file")],
)
def test_the_evidence_of_an_encode(frames: int | None, clause: str) -> None:
    assert clause in problems(
        ENCODE, replace(DECODED, frames_decoded=frames), video__frame_count=300
    )


def test_what_a_container_says_otherwise_of_a_copied_stream_is_the_same() -> None:
    """MP4 has its own words for level and field order; the payload's digest holds the stream itself."""
    assert (
        problems(
            REMUX,
            COPIES,
            video__level="4.0",
            video__scan_flags="unspecified",
            audio__layout="downmix",
        )
        == ()
    )
    assert problems(SOUND_ONLY, VerificationRecord(copied=(PICTURE,)), audio__layout="downmix") == (
        "audio.layout is downmix, wanted stereo",
    )


def test_a_stated_default_is_no_difference() -> None:
    """1:1 stated once, twice or not at all is the same; 4:3 is not."""
    wanted = good(container__format="matroska", video__sars=())
    both = (
        DeclaredSar(where="container", value=Fraction(1)),
        DeclaredSar(where="bitstream", value=Fraction(1)),
    )
    assert problems(output(wanted), COPIES, video__sars=both) == ()
    wide = (DeclaredSar(where="container", value=Fraction(4, 3)),)
    assert any(
        problem.startswith("video.sars is ")
        for problem in problems(output(wanted), COPIES, video__sars=wide)
    )


def test_a_retagged_picture_is_proved_as_any_copy() -> None:
    """The shape of pixels stands in the parameter sets, which the digest leaves out."""
    stated = (
        DeclaredSar(where="container", value=Fraction(4, 3)),
        DeclaredSar(where="bitstream", value=Fraction(1)),
    )
    assert problems(output(good(video__sars=stated)), COPIES) == ()
    assert problems(output(good(video__sars=stated)), VerificationRecord(copied=(SOUND,))) == (
        "the video stream was to be copied, and was not compared",
    )


def test_kept_metadata_is_not_complained_of() -> None:
    private = (PrivateItem(kind="location", where="moov/udta/©xyz"),)
    job = output(good(container__format="matroska", private=private), Options(keep_metadata=True))
    assert (
        problems(job, COPIES, private=(PrivateItem(kind="location", where="moov/meta/location"),))
        == ()
    )


def test_sound_that_was_lost_or_appeared_is_seen() -> None:
    lost = verify(REMUX, silent(made_of(REMUX)), COPIES)[1]
    assert any(problem.startswith("audio.codec is None") for problem in lost)
    job = output(silent(good(container__format="matroska")))
    made = replace(made_of(job), audio=good().audio, audio_present=True)
    assert (
        "audio_present is True, wanted False"
        in verify(job, made, VerificationRecord(copied=(PICTURE,)))[1]
    )


def test_another_kind_than_was_wanted_is_told_and_nothing_else_is_asked_of_it() -> None:
    sound = Sound(name="x.mp4", audio=good().audio or AudioStream(), duration=Fraction(1))
    for job in (REMUX, ENCODE, SOUND_ONLY):
        assert "kind is sound, wanted video" in verify(job, sound, DECODED)[1]
