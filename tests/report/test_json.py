"""The documents that programs read: docs/json.md is the contract, and its examples hold."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import ReportedFact
from mediaprep.model.options import Options
from mediaprep.model.record import VerificationRecord
from mediaprep.pipeline.outcome import Outcome, Upload
from mediaprep.planning.check import check, unreadable
from mediaprep.planning.plan import plan
from mediaprep.report import VERSION
from mediaprep.report.json import (
    JsonStream,
    check_file,
    document,
    dumps,
    fix_file,
    plan_file,
    plan_output,
    report_name,
)
from mediaprep.report.predict import predict
from tests.report.made import GOOD, PLACEMENT, video

CONTRACT = Path(__file__).parents[2] / "docs" / "json.md"


def documented(heading: str) -> dict:
    """The example under a heading of docs/json.md."""
    section = CONTRACT.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return json.loads(section.split("```json\n")[1].split("```")[0])


def keys(record) -> set[str]:
    return set(record)


def through(content):
    return json.loads(dumps(content))


def test_check_has_the_keys_of_the_contract():
    example = documented("check")
    made = through(
        document(
            sandbox="strict",
            profile="twitter",
            files=[check_file("x.mp4", check(video(audio={"channels": 6}), PLACEMENT))],
            post=None,
        )
    )
    assert made["version"] == VERSION == example["version"]
    assert keys(made) == keys(example)
    assert keys(made["files"][0]) == keys(example["files"][0])
    assert keys(made["files"][0]["findings"][0]) == keys(example["files"][0]["findings"][0])


def test_a_finding_has_value_limit_and_readers():
    media = replace(
        video(audio={"channels": 6}),
        reported_facts=(ReportedFact(fact="audio.channels", source="pyav", value="6"),),
    )
    found = next(
        f
        for f in check_file("x.mp4", check(media, PLACEMENT))["findings"]
        if f["rule"] == "audio-channels"
    )
    assert (found["level"], found["state"], found["measured"], found["limit"]) == (
        "must",
        "broken",
        "6",
        "1 to 2",
    )
    assert found["evidence"] == [
        {"source": "pyav", "value": "6", "fact": "audio.channels", "agrees": True}
    ]


def test_an_unknown_fact_has_no_measured_value():
    entry = check_file(
        "x.mp4", check(video(gop={"structure": None, "open_count": None}), PLACEMENT)
    )
    assert entry["verdict"] == "undecided"
    found = next(f for f in entry["findings"] if f["rule"] == "video-open-gop")
    assert (found["state"], found["measured"]) == ("unknown", None)


def test_an_unreadable_file_has_no_kind():
    entry = check_file("x.mp4", unreadable("x.mp4", SourceUnreadable("it is empty"), "twitter"))
    assert (entry["verdict"], entry["kind"], entry["category"], entry["media"]) == (
        "unreadable",
        None,
        None,
        None,
    )
    named = check_file(
        "x.mp4", unreadable("x.mp4", SourceUnreadable("it is empty"), "twitter/dm_video")
    )
    assert named["category"] == "dm_video"


def test_a_failed_check_is_undecided_and_has_the_error():
    entry = check_file("x.mp4", None, "no ffmpeg")
    assert (entry["verdict"], entry["error"]) == ("undecided", "no ffmpeg")


def test_facts_are_exact():
    media = through(check_file("x.mp4", check(GOOD, PLACEMENT)))["media"]
    assert media["video"]["frame_rate"] == "30000/1001"
    assert media["duration"] == "10/1"
    assert media["video"]["sars"] == []


def test_plan_has_the_keys_of_the_contract():
    example = documented("plan")
    made = plan((video(container={"format": "matroska"}),), PLACEMENT, Options())
    outputs = [
        plan_output(output, "/a/x.twitter.mp4", predict(output).body(), ("ffmpeg",))
        for output in made.outputs
    ]
    entry = through(plan_file("x.mkv", made.report, made, outputs))
    assert keys(entry) == keys(example["files"][0])
    assert keys(entry["outputs"][0]) == keys(example["files"][0]["outputs"][0])
    assert keys(entry["outputs"][0]["predicted"]) == {"bytes", "seconds"}
    assert entry["status"] == "planned"
    change = next(change for change in entry["changes"] if change["fact"] == "container.format")
    assert (change["before"], change["after"], change["because"], change["safety"]) == (
        "matroska",
        "mp4",
        ["video-container"],
        "lossless",
    )


def test_a_refused_plan_names_the_remedies():
    made = plan((video(duration=Fraction(200), picture={"duration": Fraction(200)}),), PLACEMENT)
    entry = plan_file("x.mp4", made.report, made)
    assert entry["status"] == "refused"
    assert entry["refusals"][0]["ways_out"] == ["--trim first", "--trim START-END", "--split"]
    assert entry["problems"] == [entry["refusals"][0]["reason"]]


def test_fix_has_the_keys_of_the_contract():
    example = documented("fix")
    report = check(video("out.mp4"), PLACEMENT)
    upload = Upload(
        path="out.mp4", media_type="video/mp4", category="tweet_video", total_bytes=10, chunked=True
    )
    outcome = Outcome(
        path="x.mkv",
        status="fixed",
        profile="twitter",
        outputs=("out.mp4",),
        uploads=(upload,),
        before=report,
        after=(report,),
        records=(VerificationRecord(argv=(("ffmpeg", "-i"),)),),
        seconds=1.23456,
    )
    entry = through(fix_file("x.mkv", outcome))
    assert keys(entry) == keys(example["files"][0])
    assert (
        keys(entry["uploads"][0])
        == keys(example["files"][0]["uploads"][0])
        == {"path", "media_type", "category", "total_bytes", "chunked"}
    )
    assert keys(entry["after"][0]) == keys(example["files"][0]["after"][0])
    assert entry["seconds"] == 1.235


def test_a_failed_run_has_status_failed_and_the_error():
    entry = fix_file("x.mkv", None, "out of time")
    assert (entry["status"], entry["outputs"], entry["problems"], entry["error"]) == (
        "failed",
        [],
        ["out of time"],
        "out of time",
    )


def test_any_name_survives():
    entry = check_file("n\udcff\n\x1b.mp4", check(GOOD, PLACEMENT))
    text = dumps(entry)
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["path"] == "n\udcff\n\x1b.mp4"


def test_reports_of_one_name_do_not_overwrite_each_other():
    assert report_name("a/x.mov", []) == "x.mov.json"
    assert report_name("b/x.mov", ["x.mov.json"]) == "x.mov.2.json"
    assert report_name("c/x.mov", ["x.mov.json", "x.mov.2.json"]) == "x.mov.3.json"


@pytest.mark.parametrize(
    "entries", [[], [{"a": 1}], [{"path": "x\ny", "list": [1, {"b": []}]}, {}]]
)
@pytest.mark.parametrize(
    "tail", [{}, {"post": None}, {"post": {"verdict": "pass", "findings": []}}]
)
def test_a_streamed_document_is_the_text_of_the_whole(entries, tail):
    said = []
    growing = JsonStream(said.append, profile="twitter")
    for entry in entries:
        growing.add(entry)
    growing.end(**tail)
    assert "".join(said) == dumps(document(profile="twitter", files=entries, **tail)) + "\n"
