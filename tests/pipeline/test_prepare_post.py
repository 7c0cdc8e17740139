"""Posts with several attachments, by the library and on the command line."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mediaprep
from mediaprep.cli.app import app
from mediaprep.errors import UsageProblem

Make = Callable[[str], Path]


@pytest.fixture
def folder(make: Make, tmp_path: Path) -> Path:
    for name in (
        "plain.jpg",
        "gray.jpg",
        "cmyk.jpg",
        "p3.jpg",
        "adobe.jpg",
        "anim.gif",
        "plain.tiff",
        "good.srt",
    ):
        shutil.copy(make(name), tmp_path / name)
    return tmp_path


def run(*words: str | Path):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_up_to_four_photos_pass(folder: Path):
    report = mediaprep.check_post(
        [folder / name for name in ("plain.jpg", "gray.jpg", "cmyk.jpg", "p3.jpg")]
    )
    assert (report.verdict, report.whole.verdict, [r.verdict for r in report.attachments]) == (
        "pass",
        "pass",
        ["pass"] * 4,
    )


def test_a_mix_names_the_attachment_that_does_not_fit(folder: Path):
    report = mediaprep.check_post([folder / name for name in ("plain.jpg", "anim.gif", "gray.jpg")])
    assert (report.verdict, [r.verdict for r in report.attachments]) == ("fail", ["pass"] * 3)
    (finding,) = report.whole.findings
    assert (finding.rule, finding.level, finding.measured) == (
        "post-attachments",
        "must",
        "2 photos and 1 animated GIF",
    )
    assert "a mix: anim.gif beside plain.jpg" in finding.message
    assert finding.fix == "make 2 posts (plain.jpg + gray.jpg; anim.gif), or leave out anim.gif"


def test_too_many_attachments_are_named(folder: Path):
    report = mediaprep.check_post(
        [folder / name for name in ("plain.jpg", "gray.jpg", "cmyk.jpg", "p3.jpg", "adobe.jpg")]
    )
    assert (
        report.whole.findings[0].fix
        == "make 2 posts (plain.jpg + gray.jpg + cmyk.jpg + p3.jpg; adobe.jpg), or leave out adobe.jpg"
    )


def test_a_post_has_the_worst_verdict_of_its_attachments(folder: Path):
    (folder / "junk.jpg").write_bytes(b"junk" * 10)
    report = mediaprep.check_post([folder / "plain.tiff", folder / "plain.jpg"])
    assert (report.verdict, report.whole.verdict) == ("fail", "pass")
    report = mediaprep.check_post([folder / "plain.jpg", folder / "junk.jpg"])
    assert (report.verdict, report.whole.verdict) == ("unreadable", "undecided")


def test_a_valid_post_is_prepared(folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    post = mediaprep.prepare_post([folder / "plain.jpg", folder / "plain.tiff"], out)
    assert post.ready
    assert [outcome.status for outcome in post.outcomes] == ["already_ok", "fixed"]
    assert [Path(upload.path).name for upload in post.uploads] == [
        "plain.jpg",
        "plain.tiff.twitter.png",
    ]
    assert {upload.category for upload in post.uploads} == {"tweet_image"}


def test_an_invalid_post_writes_nothing(folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    post = mediaprep.prepare_post([folder / "plain.tiff", folder / "anim.gif"], out)
    assert (post.ready, [outcome.status for outcome in post.outcomes], list(out.iterdir())) == (
        False,
        ["refused"] * 2,
        [],
    )
    assert "post-attachments" in {finding.rule for finding in post.report.findings}


def test_no_attachments_are_a_usage_error():
    with pytest.raises(UsageProblem, match="without attachments"):
        mediaprep.check_post([])


def test_attachments_of_one_stem_are_all_published(folder: Path, tmp_path: Path):
    """The output names carry the extensions, whatever the order of the sources."""
    shutil.copy(folder / "plain.tiff", folder / "same.tiff")
    shutil.copy(folder / "plain.tiff", folder / "same.tif")
    sources = [folder / "same.tiff", folder / "same.tif"]
    for number, order in enumerate((sources, sources[::-1])):
        post = mediaprep.prepare_post(order, tmp_path / f"out{number}")
        assert post.ready
        published = {path.name for path in (tmp_path / f"out{number}").iterdir()}
        assert published == {"same.tiff.twitter.png", "same.tif.twitter.png"}


def test_one_attachment_passed_twice_is_a_usage_error_before_any_work(folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    with pytest.raises(UsageProblem, match="passed twice"):
        mediaprep.prepare_post([folder / "plain.tiff", folder / "plain.tiff"], out)
    assert not out.exists()


def test_the_folder_of_a_post_is_created_with_its_first_output(folder: Path, tmp_path: Path):
    out = tmp_path / "new" / "folder"
    mediaprep.prepare_post([folder / "plain.jpg"], out)
    assert not out.parent.exists(), "nothing has to be written"
    mediaprep.prepare_post([folder / "plain.tiff"], out)
    assert [path.name for path in out.iterdir()] == ["plain.twitter.png"]
    with pytest.raises(UsageProblem, match="is not a folder"):
        mediaprep.prepare_post([folder / "plain.tiff"], folder / "plain.jpg" / "sub")


def test_on_an_event_loop(folder: Path):
    assert asyncio.run(mediaprep.check_post_async([folder / "plain.jpg"])).verdict == "pass"
    post = asyncio.run(mediaprep.prepare_post_async([folder / "plain.jpg"]))
    assert post.ready


def test_check_post_at_the_command_line(folder: Path):
    assert run("check", "--post", folder / "plain.jpg", folder / "gray.jpg").exit_code == 0
    done = run("check", "--post", "--json", folder / "plain.jpg", folder / "anim.gif")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["post"]["verdict"] == "fail"
    assert [item["rule"] for item in document["post"]["findings"]] == ["post-attachments"]
    assert [entry["verdict"] for entry in document["files"]] == ["pass", "pass"]


def test_fix_post_refuses_before_any_work(folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    done = run(
        "fix", "--post", "--json", "-o", f"{out}/", folder / "plain.tiff", folder / "anim.gif"
    )
    assert (done.exit_code, list(out.iterdir())) == (1, [])
    document = json.loads(done.stdout)
    assert [entry["status"] for entry in document["files"]] == ["refused", "refused"]
    assert document["post"]["verdict"] == "fail"
    done = run("fix", "--post", "-o", f"{out}/", folder / "plain.tiff", folder / "gray.jpg")
    assert (done.exit_code, [path.name for path in out.iterdir()]) == (0, ["plain.twitter.png"])


def test_captions_at_the_command_line(make: Make, folder: Path):
    video = folder / "clip.mp4"
    shutil.copy(make("base.mp4"), video)
    shutil.copy(make("backwards.srt"), folder / "words.srt")
    checked = run("check", "--json", video, "--captions", folder / "words.srt")
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["files"][0]["captions"]["verdict"] == "fail"
    planned = json.loads(run("plan", "--json", video, "--captions", folder / "words.srt").stdout)
    assert [output["kind"] for output in planned["files"][0]["outputs"]] == ["subtitle"]
    fixed = run("fix", "--json", video, "--captions", folder / "words.srt")
    assert fixed.exit_code == 0
    entry = json.loads(fixed.stdout)["files"][0]
    assert [Path(path).name for path in entry["outputs"]] == ["clip.twitter.srt"]
    assert [upload["category"] for upload in entry["uploads"]] == ["tweet_video", "subtitles"]
    assert entry["captions"]["verdict"] == "fail"


def test_captions_need_one_video(folder: Path):
    for words in (
        ("check", folder / "plain.jpg", folder / "gray.jpg"),
        ("fix", folder / "plain.jpg", folder / "gray.jpg"),
    ):
        assert isinstance(run(*words, "--captions", folder / "good.srt").exception, UsageProblem)
