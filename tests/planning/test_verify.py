"""verify: an output that breaks a rule, a planned fact or a tolerance is not published."""

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


def planned_output(media: Video, options: Options | None = None) -> Output:
    (output,) = plan((media,), twitter(), options).outputs
    return output


def result_of(output: Output, **changes: Any) -> Video:
    """The facts of a correct output: planned facts, tolerated values, defaults for open facts."""
    filled = fill_in(output.target, output.tolerances)
    assert isinstance(filled, Video)
    start = filled.video.start or Fraction(0)
    complete = replace(
        filled,
        video=replace(filled.video, edit_list="plain", start=start),
        private=filled.private or (),
    )
    return changed(complete, **changes)


REMUX = planned_output(good(container__format="matroska"))
ENCODE = planned_output(good(video__gop__structure="open"))
SOUND_ONLY = planned_output(good(audio__profile="HE-AAC"))
COPIES = VerificationRecord(copied=(PICTURE, SOUND))
DECODED = VerificationRecord(copied=(SOUND,), frames_decoded=300)


def problems(output: Output, record: VerificationRecord, **changes: Any) -> tuple[str, ...]:
    return verify(output, result_of(output, **changes), record)[1]


@pytest.mark.parametrize(
    ("output", "record"),
    [
        (REMUX, COPIES),
        (ENCODE, replace(DECODED, frames_decoded=300)),
        (SOUND_ONLY, VerificationRecord(copied=(PICTURE,))),
    ],
)
def test_a_correct_output_may_be_published(output: Output, record: VerificationRecord) -> None:
    assert isinstance(output.target, Video)
    changes = {"video__frame_count": 300} if output.target.video.reencode else {}
    report, found = verify(output, result_of(output, **changes), record)
    assert found == ()
    assert report.verdict == "pass"


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({"container__format": "mov"}, "container.format is mov, planned mp4"),
        ({"container__faststart": False}, "container.faststart is False, planned True"),
        ({"video__codec": "hevc"}, "video codec is hevc; twitter/tweet_video takes h264"),
        ({"video__frame_count": 299}, "video.frame_count is 299, planned 300"),
        ({"video__gop__structure": None}, "GOP structure is unknown ("),
        ({"size_bytes": 513_000_000}, "size_bytes is 513000000, planned at most 512000000"),
        ({"duration": Fraction(9)}, "duration is 9, planned 10 within 0.0833"),
        ({"audio__channels": 1}, "audio.channels is 1, planned 2"),
        (
            {"private": (PrivateItem(kind="location", where="moov/udta/©xyz"),)},
            "private metadata is left: moov/udta/©xyz",
        ),
        ({"private": None}, "private metadata could not be searched for"),
    ],
)
def test_a_remux_that_is_not_what_was_planned(changes: dict[str, Any], clause: str) -> None:
    assert any(clause in problem for problem in problems(REMUX, COPIES, **changes)), problems(
        REMUX, COPIES, **changes
    )


def test_an_encode_satisfies_observed_limits_too() -> None:
    """A GOP of 600 frames is a warning in a source; an encoded output must not have it."""
    found = problems(ENCODE, DECODED, video__frame_count=300, video__gop__length_max=600)
    assert any("GOP length is 600 frames" in problem for problem in found)
    assert any("planned at most 60" in problem for problem in found)
    copied = planned_output(
        good(private=(PrivateItem(kind="owner", where="x"),), video__gop__length_max=600)
    )
    assert problems(copied, COPIES) == (), "a copy keeps the warning of its source"


@pytest.mark.parametrize(
    ("record", "clause"),
    [
        (replace(COPIES, source_unchanged=False), "the source changed while it was read"),
        (
            VerificationRecord(copied=(PICTURE,)),
            "the audio stream was planned to be copied, but was not compared",
        ),
        (VerificationRecord(), "the video stream was planned to be copied, but was not compared"),
        (
            VerificationRecord(copied=(replace(PICTURE, output_digest="xx"), SOUND)),
            "the video stream was planned to be copied, but its payload differs",
        ),
        (
            VerificationRecord(
                copied=(
                    PICTURE,
                    CopiedStream(track="audio", source_digest=None, output_digest=None),
                )
            ),
            "the audio stream was planned to be copied",
        ),
        (
            replace(COPIES, decode_errors=("bad NAL",)),
            "the output does not decode cleanly: bad NAL",
        ),
    ],
)
def test_the_record_of_a_copy(record: VerificationRecord, clause: str) -> None:
    assert any(problem.startswith(clause) for problem in problems(REMUX, record)), problems(
        REMUX, record
    )


@pytest.mark.parametrize(
    ("frames", "clause"),
    [(None, "the output was not decoded"), (299, "299 frames decode, 300 are in the file")],
)
def test_the_record_of_an_encode(frames: int | None, clause: str) -> None:
    assert clause in problems(
        ENCODE, replace(DECODED, frames_decoded=frames), video__frame_count=300
    )


def test_a_container_may_declare_facts_of_a_copied_stream_differently() -> None:
    """MP4 declares level and field order in its own way; the digest proves the stream itself."""
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
        "audio.layout is downmix, planned stereo",
    )


def test_a_declared_default_is_not_a_difference() -> None:
    """1:1 declared once, twice or not at all is the same; 4:3 is not."""
    source = good(container__format="matroska", video__sars=())
    both = (
        DeclaredSar(where="container", value=Fraction(1)),
        DeclaredSar(where="bitstream", value=Fraction(1)),
    )
    assert problems(planned_output(source), COPIES, video__sars=both) == ()
    wide = (DeclaredSar(where="container", value=Fraction(4, 3)),)
    assert any(
        problem.startswith("video.sars is ")
        for problem in problems(planned_output(source), COPIES, video__sars=wide)
    )


def test_a_retagged_picture_is_compared_like_any_copy() -> None:
    """The pixel aspect ratio is in the parameter sets, which the digest excludes."""
    declared = (
        DeclaredSar(where="container", value=Fraction(4, 3)),
        DeclaredSar(where="bitstream", value=Fraction(1)),
    )
    assert problems(planned_output(good(video__sars=declared)), COPIES) == ()
    assert problems(
        planned_output(good(video__sars=declared)), VerificationRecord(copied=(SOUND,))
    ) == ("the video stream was planned to be copied, but was not compared",)


def test_metadata_that_the_user_keeps_is_not_a_problem() -> None:
    private = (PrivateItem(kind="location", where="moov/udta/©xyz"),)
    output = planned_output(
        good(container__format="matroska", private=private), Options(keep_metadata=True)
    )
    assert (
        problems(
            output, COPIES, private=(PrivateItem(kind="location", where="moov/meta/location"),)
        )
        == ()
    )


def test_missing_or_additional_sound_is_reported() -> None:
    lost = verify(REMUX, silent(result_of(REMUX)), COPIES)[1]
    assert any(problem.startswith("audio.codec is None") for problem in lost)
    output = planned_output(silent(good(container__format="matroska")))
    result = replace(result_of(output), audio=good().audio, audio_present=True)
    assert (
        "audio_present is True, planned False"
        in verify(output, result, VerificationRecord(copied=(PICTURE,)))[1]
    )


def test_another_kind_than_planned_is_reported_without_further_comparison() -> None:
    sound = Sound(name="x.mp4", audio=good().audio or AudioStream(), duration=Fraction(1))
    for output in (REMUX, ENCODE, SOUND_ONLY):
        assert "kind is sound, planned video" in verify(output, sound, DECODED)[1]
