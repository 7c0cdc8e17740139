"""The choice of the encoder: hardware only after a test encode, with a note on each fallback. Child
processes are replaced by doubles at the effects.
"""

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
from mediaprep.runtime.effects import CallFunction, RunCommand, Steps
from mediaprep.tools.ffmpeg_program import Capabilities
from mediaprep.transcoding.video.bit_rate import RateTarget
from mediaprep.transcoding.video.choose_encoder import EncoderChoice, choose_encoder_steps
from mediaprep.transcoding.video.command import video_command
from mediaprep.transcoding.video.encoders import HARDWARE, encoder_options, upload_filters
from mediaprep.transcoding.video.presets import PRESETS
from tests.encode_jobs import encode_job
from tests.facts import good, twitter


def capable(*encoders: str, filters: tuple[str, ...] = ("zscale",)) -> Capabilities:
    return Capabilities(
        version="9", encoders=frozenset({"libx264", *encoders}), filters=frozenset(filters)
    )


def drive(
    steps: Steps[EncoderChoice],
    capabilities: Capabilities,
    works: Callable[[str], bool],
    tried: list[str],
) -> EncoderChoice:
    """Drive the steps: calls return the capabilities, a run succeeds if ``works`` is true of its
    encoder.
    """
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
            answer = capabilities
            continue
        assert isinstance(effect, RunCommand)
        encoder = effect.command.argv[effect.command.argv.index("-c:v") + 1]
        tried.append(encoder)
        if works(encoder):
            answer = Completed(
                stdout=b"",
                stderr="",
                seconds=0.1,
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
    encoder: str, capabilities: Capabilities, *works: str, **facts: Any
) -> tuple[EncoderChoice, list[str]]:
    tried: list[str] = []
    choice = drive(
        choose_encoder_steps(encode_job(output(encoder, **facts))),
        capabilities,
        lambda name: name in works,
        tried,
    )
    return choice, tried


def test_x264_needs_no_test_encode() -> None:
    choice, tried = choose("libx264", capable())
    assert (choice.job.encoder, choice.notes, tried) == ("libx264", (), [])


@pytest.mark.parametrize("encoder", HARDWARE)
def test_a_hardware_encoder_that_works_is_used(encoder: str) -> None:
    choice, tried = choose(encoder, capable(encoder), encoder)
    assert (choice.job.encoder, choice.notes, tried) == (encoder, (), [encoder])


def test_auto_uses_the_first_that_works() -> None:
    choice, tried = choose("auto", capable("h264_nvenc", "h264_qsv"), "h264_qsv")
    assert (choice.job.encoder, tried) == ("h264_qsv", ["h264_nvenc", "h264_qsv"])


@pytest.mark.parametrize(
    ("encoder", "capabilities", "note"),
    [
        (
            "auto",
            capable("h264_nvenc"),
            "no hardware encoder encoded the test clip: libx264 is used",
        ),
        (
            "h264_nvenc",
            capable("h264_nvenc"),
            "h264_nvenc did not encode the test clip: libx264 is used",
        ),
        ("h264_qsv", capable(), "this ffmpeg lacks h264_qsv: libx264 is used"),
    ],
)
def test_the_fallback_is_noted(encoder: str, capabilities: Capabilities, note: str) -> None:
    choice, _ = choose(encoder, capabilities)
    assert (choice.job.encoder, choice.notes) == ("libx264", (note,))


def test_an_unknown_encoder_is_a_usage_problem() -> None:
    with pytest.raises(UsageProblem, match="--encoder: 'libx265' is not one of libx264"):
        choose("libx265", capable())


def test_a_missing_zscale_is_noted_if_it_would_be_used() -> None:
    hlg = Colour(
        primaries="bt2020", transfer="arib-std-b67", matrix="bt2020nc", range="limited", hdr=()
    )
    choice, _ = choose("libx264", capable(filters=()), video__colour=hlg)
    assert not choice.job.zscale
    assert "darker" in choice.notes[0]
    assert choose("libx264", capable(filters=()))[0].notes == ()


@pytest.mark.parametrize("encoder", ["libx264", *HARDWARE])
@pytest.mark.parametrize("way", ["quality", "average"])
def test_every_encoder_gets_high_profile_closed_gops_and_a_cap(encoder: str, way: Any) -> None:
    options = encoder_options(
        encoder, PRESETS["default"], RateTarget(way=way, bit_rate=2_000_000), 60
    )
    assert (options["c:v"], options["profile:v"], options["g"]) == (encoder, "high", 60)
    assert "+cgop" in str(options["flags:v"])
    assert options["maxrate"] in (2_000_000, 4_000_000)


def test_vaapi_frames_are_uploaded() -> None:
    made = output("h264_vaapi")
    assert isinstance(made.source, Video)
    filters = video_command(encode_job(made, encoder="h264_vaapi")).tracks[0].filters
    assert [step.name for step in filters[-2:]] == ["format", "hwupload"]
    assert upload_filters("libx264") == []
    assert made.source.video.frame_rate == Fraction(30)
