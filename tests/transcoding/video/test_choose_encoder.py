"""Which encoder is used: hardware only after a test encode, the fallback told. Programs are doubles at the seam."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from mediaprep.errors import ToolError, UsageProblem
from mediaprep.model.media import Colour, Video
from mediaprep.model.options import Options
from mediaprep.planning.plan import Output, plan
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import CallFunction, RunCommand, Steps
from mediaprep.tools.ffmpeg import Capabilities
from mediaprep.transcoding.video.bit_rate import QUALITY, RateTarget
from mediaprep.transcoding.video.choose_encoder import EncoderChoice, choose_encoder_steps
from mediaprep.transcoding.video.command import EncodeJob, job
from mediaprep.transcoding.video.encoders import HARDWARE, options, upload_filters
from tests.facts import good, twitter

MEANS = EncodeJob(demuxer="mov", whitelist="mov")


def capable(*encoders: str, filters: tuple[str, ...] = ("zscale",)) -> Capabilities:
    return Capabilities(
        version="9", encoders=frozenset({"libx264", *encoders}), filters=frozenset(filters)
    )


def driven(
    steps: Steps[EncoderChoice], can: Capabilities, answers: Callable[[str], bool], tried: list[str]
) -> EncoderChoice:
    """A driver that asks no ffmpeg: calls give the capabilities, runs succeed where ``answers`` says so."""
    answer: Any = None
    problem: Exception | None = None
    while True:
        try:
            effect = steps.send(answer) if problem is None else steps.throw(problem)
        except StopIteration as end:
            choice: EncoderChoice = end.value
            return choice
        answer, problem = None, None
        if isinstance(effect, CallFunction):
            answer = can
            continue
        assert isinstance(effect, RunCommand)
        encoder = effect.command.argv[effect.command.argv.index("-c:v") + 1]
        tried.append(encoder)
        if answers(encoder):
            answer = Completed(
                exit_code=0,
                stdout=b"",
                stderr="",
                seconds=0.1,
                peak_memory_bytes=None,
                sandbox="basic",
            )
        else:
            problem = _failed(effect.command)


def _failed(command: Command) -> ToolError:
    return ToolError(command.argv, 1, "no device", what=command.what)


def output(encoder: str, **facts: Any) -> Output:
    (made,) = plan(
        (good(video__gop__structure="open", **facts),), twitter(), Options(encoder=encoder)
    ).outputs
    return made


def choose(
    encoder: str, can: Capabilities, *works: str, **facts: Any
) -> tuple[EncoderChoice, list[str]]:
    tried: list[str] = []
    choice = driven(
        choose_encoder_steps(output(encoder, **facts), MEANS, "/ffmpeg", Context()),
        can,
        lambda name: name in works,
        tried,
    )
    return choice, tried


def test_software_is_not_tested() -> None:
    assert choose("libx264", capable()) == (EncoderChoice(means=MEANS), [])


@pytest.mark.parametrize("encoder", HARDWARE)
def test_hardware_that_answers_is_used(encoder: str) -> None:
    choice, tried = choose(encoder, capable(encoder), encoder)
    assert (choice.means.encoder, choice.notes, tried) == (encoder, (), [encoder])


def test_auto_takes_the_first_that_answers() -> None:
    choice, tried = choose("auto", capable("h264_nvenc", "h264_qsv"), "h264_qsv")
    assert (choice.means.encoder, tried) == ("h264_qsv", ["h264_nvenc", "h264_qsv"])


@pytest.mark.parametrize(
    ("encoder", "can", "note"),
    [
        (
            "auto",
            capable("h264_nvenc"),
            "no hardware encoder answered a test encode: libx264 is used",
        ),
        (
            "h264_nvenc",
            capable("h264_nvenc"),
            "h264_nvenc did not answer a test encode: libx264 is used",
        ),
        ("h264_qsv", capable(), "this ffmpeg lacks h264_qsv: libx264 is used"),
    ],
)
def test_the_fallback_is_told(encoder: str, can: Capabilities, note: str) -> None:
    choice, _ = choose(encoder, can)
    assert (choice.means.encoder, choice.notes) == ("libx264", (note,))


def test_an_unknown_encoder_is_a_usage_problem() -> None:
    with pytest.raises(UsageProblem, match="--encoder libx265: want one of libx264"):
        choose("libx265", capable())


def test_a_missing_zscale_is_told_where_it_would_be_used() -> None:
    hlg = Colour(
        primaries="bt2020", transfer="arib-std-b67", matrix="bt2020nc", range="limited", hdr=()
    )
    choice, _ = choose("libx264", capable(filters=()), video__colour=hlg)
    assert not choice.means.zscale
    assert "darker" in choice.notes[0]
    assert choose("libx264", capable(filters=()))[0].notes == ()


@pytest.mark.parametrize("encoder", ["libx264", *HARDWARE])
@pytest.mark.parametrize("way", ["quality", "average"])
def test_every_encoder_is_told_high_closed_gops_and_a_ceiling(encoder: str, way: Any) -> None:
    words = options(encoder, QUALITY["default"], RateTarget(way=way, bit_rate=2_000_000), 60)
    assert (words["c:v"], words["profile:v"], words["g"]) == (encoder, "high", 60)
    assert "+cgop" in str(words["flags:v"])
    assert words["maxrate"] in (2_000_000, 4_000_000)


def test_vaapi_gets_its_frames_uploaded() -> None:
    made = output("h264_vaapi")
    assert isinstance(made.source, Video)
    filters = (
        job(made, EncodeJob(demuxer="mov", whitelist="mov", encoder="h264_vaapi")).tracks[0].filters
    )
    assert [step.name for step in filters[-2:]] == ["format", "hwupload"]
    assert upload_filters("libx264") == []
    assert made.source.video.frame_rate == Fraction(30)
