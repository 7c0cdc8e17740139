"""The commands on real files: output, written files, exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from mediaprep import cli
from mediaprep.model.media import Video
from mediaprep.model.serialize import decode
from mediaprep.rules import REGISTRY


@pytest.fixture(autouse=True)
def _own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in [name for name in os.environ if name.startswith("MEDIAPREP_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path, make, monkeypatch):
    """A folder to work in, with a function that brings fixtures there."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)

    def bring(fixture, name=None):
        target = os.path.join(place, name or fixture)
        shutil.copy(make(fixture), target)
        return target

    return bring


def run(capsys, *words):
    code = cli.run([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def document(capsys, *words):
    code, out, _ = run(capsys, words[0], "--json", *words[1:])
    return code, json.loads(out)


def test_check_accepts_a_conforming_file(capsys, folder):
    folder("base.mp4")
    code, out, err = run(capsys, "check", "base.mp4")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("base.mp4  320x240 h264 25p yuv420p 0:04 aac-lc mono")
    assert out.splitlines()[-1].startswith("  accepted")


def test_check_reports_a_broken_must(capsys, folder):
    folder("open.mp4")
    code, found = document(capsys, "check", "open.mp4")
    assert code == 1
    entry = found["files"][0]
    assert (found["version"], found["profile"], found["post"]) == (1, "twitter", None)
    assert (entry["path"], entry["kind"], entry["category"], entry["verdict"]) == (
        "open.mp4",
        "video",
        "tweet_video",
        "fail",
    )
    assert [item["rule"] for item in entry["findings"] if item["level"] == "must"] == [
        "video-open-gop"
    ]
    assert decode(Video, entry["media"]).video.gop.structure == "open"


def test_fail_on_and_exit_zero_change_the_code_only(capsys, folder):
    folder("base.mp4")
    folder("open.mp4")
    assert run(capsys, "check", "base.mp4", "--fail-on", "observed")[0] == 0
    assert run(capsys, "check", "base.mp4", "--fail-on", "should")[0] == 1
    assert run(capsys, "check", "open.mp4", "--exit-zero")[0] == 0


def test_check_of_an_unreadable_file_is_3_and_one_line(capsys, folder):
    folder("empty.mp4")
    for name, words in (("empty.mp4", "empty"), ("gone.mp4", "no such file"), (".", "a folder")):
        code, out, _ = run(capsys, "check", name)
        assert code == 3
        assert out.startswith(f"{name}: unreadable: ")
        assert words in out
        assert len(out.splitlines()) == 1


def test_each_input_is_reported_and_the_worst_code_is_returned(capsys, folder):
    for name in ("base.mp4", "open.mp4", "empty.mp4"):
        folder(name)
    code, found = document(capsys, "check", "base.mp4", "open.mp4", "empty.mp4")
    assert code == 3
    assert [entry["verdict"] for entry in found["files"]] == ["pass", "fail", "unreadable"]
    assert found["files"][2]["kind"] is None


def test_several_videos_cannot_be_one_post(capsys, folder):
    folder("base.mp4")
    folder("base.mp4", "b.mp4")
    code, found = document(capsys, "check", "base.mp4", "b.mp4")
    assert code == 0
    assert found["post"]["verdict"] == "fail"
    assert [item["rule"] for item in found["post"]["findings"]] == ["post-attachments"]
    code, out, _ = run(capsys, "check", "--post", "base.mp4", "b.mp4")
    assert code == 1
    assert out.splitlines()[-1].startswith("one post: not accepted: ")
    assert run(capsys, "check", "--post", "base.mp4")[0] == 0


def test_any_name_is_an_input(capsys, folder):
    names = ["-x.mp4", "a\nb\x1b[31m.mp4", "[red]m.mp4", os.fsdecode(b"n\xff.mp4"), "ünï cöde.mp4"]
    for name in names:
        folder("base.mp4", name)
    code, found = document(capsys, "check", "--", *names)
    assert code == 0
    assert [entry["path"] for entry in found["files"]] == names
    _, out, _ = run(capsys, "check", "--", *names)
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert [head.split("  ")[0] for head in heads] == [
        "-x.mp4",
        "a\\nb\\x1b[31m.mp4",
        "[red]m.mp4",
        "n\\xff.mp4",
        "ünï cöde.mp4",
    ]


def test_names_are_read_from_a_file(capsys, folder, tmp_path):
    folder("base.mp4", "a b.mp4")
    folder("base.mp4", "c\nd.mp4")
    (tmp_path / "lines").write_text("a b.mp4\r\n\n")
    (tmp_path / "nul").write_bytes(b"a b.mp4\0c\nd.mp4\0")
    assert [
        entry["path"]
        for entry in document(capsys, "check", "--files-from", tmp_path / "lines")[1]["files"]
    ] == ["a b.mp4"]
    assert [
        entry["path"]
        for entry in document(capsys, "check", "--files-from", tmp_path / "nul")[1]["files"]
    ] == ["a b.mp4", "c\nd.mp4"]


def test_stdin_is_an_input(make):
    with make("base.mp4").open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "mediaprep", "check", "-", "--json"],
            stdin=stream,
            capture_output=True,
            check=False,
        )
    entry = json.loads(done.stdout)["files"][0]
    assert (done.returncode, entry["path"], entry["verdict"]) == (0, "-", "pass")


def test_plan_shows_the_steps_and_writes_nothing(capsys, folder):
    folder("base.mkv")
    code, out, _ = run(capsys, "plan", "base.mkv")
    assert code == 0
    assert out.splitlines()[1].split()[:3] == ["1", "container", "MP4"]
    assert "because video-container" in out
    assert os.listdir() == ["base.mkv"]


def test_plan_of_an_accepted_file_is_empty(capsys, folder):
    folder("base.mp4")
    code, found = document(capsys, "plan", "base.mp4")
    assert (code, found["files"][0]["status"], found["files"][0]["outputs"]) == (
        0,
        "already_ok",
        [],
    )


def test_the_command_line_of_a_plan_can_be_run(capsys, folder):
    folder("base.mkv")
    code, out, _ = run(capsys, "plan", "--argv", "base.mkv")
    assert code == 0
    subprocess.run(["sh", "-c", out], check=True, stdout=subprocess.DEVNULL, timeout=60)
    assert run(capsys, "check", "base.twitter.mp4")[0] == 0
    argv = document(capsys, "plan", "base.mkv")[1]["files"][0]["outputs"][0]["argv"]
    assert argv[-1] == "file:base.twitter.mp4"
    assert "SOURCE_FD" not in argv


def test_fix_repairs_keeps_and_refuses(capsys, folder):
    for name, own in (("base.mkv", None), ("base.mp4", "fine.mp4"), ("d300.mp4", None)):
        folder(name, own)
    code, found = document(capsys, "fix", "base.mkv", "fine.mp4", "d300.mp4", "-j", "2", "-o", ".")
    assert code == 1
    fixed, fine, refused = found["files"]
    assert [entry["status"] for entry in found["files"]] == ["fixed", "already_ok", "refused"]
    assert [os.path.basename(path) for path in fixed["outputs"]] == ["base.twitter.mp4"]
    assert fixed["after"][0]["verdict"] == "pass"
    assert fixed["uploads"][0]["total_bytes"] == os.path.getsize("base.twitter.mp4")
    assert (fine["outputs"], fine["uploads"][0]["path"]) == ([], "fine.mp4")
    assert refused["refusals"][0]["ways_out"][0] == "--trim first"
    assert sorted(os.listdir()) == ["base.mkv", "base.twitter.mp4", "d300.mp4", "fine.mp4"]


def test_fix_overwrites_only_with_force(capsys, folder):
    folder("base.mkv")
    folder("base.mp4", "out.mp4")
    before = os.stat("out.mp4")
    code, out, err = run(capsys, "fix", "base.mkv", "-o", "out.mp4")
    assert (code, out) == (2, "")
    assert (
        err == "mediaprep: out.mp4: already exists;"
        " choose another name with -o, or replace it with --force\n"
    )
    assert os.stat("out.mp4").st_ino == before.st_ino
    code, out, _ = run(capsys, "fix", "base.mkv", "-o", "out.mp4", "-f")
    assert code == 0
    assert "out.mp4  320x240 h264 High 25p" in out
    assert "verified" in out
    assert os.stat("out.mp4").st_ino != before.st_ino


def test_fix_never_writes_to_the_input(capsys, folder):
    folder("aac_51.mp4", "x.mp4")
    os.link("x.mp4", "same.mp4")
    for target in ("x.mp4", "same.mp4"):
        code, _, err = run(capsys, "fix", "x.mp4", "-o", target, "-f")
        assert code == 2
        assert "is the input, which is never written to" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.mkv", "b.mkv", "-o", "one.mp4"], "several inputs need a folder"),
        (["a.mkv", "-o", "a.mkv/new/"], "is not a folder"),
        (["a.mkv", "-o", "gone/x.mp4"], "does not exist"),
        (["a.mkv", "a.mkv"], "a.mkv: passed twice; pass it once"),
        (["a.mkv", "./a.mkv"], "./a.mkv: passed twice (also as a.mkv); pass it once"),
        (["a.mkv", "--trim", "5-1"], "the end must be later than the start"),
        (["a.mkv", "--trim", "first", "--split"], "--trim first and --split"),
        (["a.mkv", "--max-size", "big"], "--max-size: invalid size 'big'"),
        (["a.mkv", "--loudness", "3"], "--loudness: invalid loudness '3'; expected -70 to -5 LUFS"),
        (["a.mkv", "--rung", "720"], "--rung: invalid picture size '720'"),
        (["a.mkv", "--rung", "0x0"], "--rung: invalid picture size '0x0'; expected at least 1x1"),
        (
            ["a.mkv", "--frame-rate", "0"],
            "--frame-rate: invalid frame rate '0'; expected 1 to 1000",
        ),
        (
            ["a.mkv", "--frame-rate", "1000000"],
            "--frame-rate: invalid frame rate '1000000'; expected 1 to 1000",
        ),
        (["a.mkv", "--encoder", "h265"], "--encoder: 'h265' is not one of libx264, h264_nvenc"),
        (["a.mkv", "--snap", "1"], "--snap needs --trim"),
        (["a.mkv", "--report", "a.mkv/x"], "--report a.mkv/x: cannot be created"),
    ],
)
def test_invalid_requests_are_refused_before_any_work(capsys, folder, words, message):
    folder("base.mkv", "a.mkv")
    folder("base.mp4", "a.mp4")
    folder("base.mkv", "b.mkv")
    code, out, err = run(capsys, "fix", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(os.listdir()) == ["a.mkv", "a.mp4", "b.mkv"]


def test_a_dry_run_is_the_plan(capsys, folder):
    folder("base.mkv")
    assert run(capsys, "fix", "-n", "base.mkv") == run(capsys, "plan", "base.mkv")
    assert os.listdir() == ["base.mkv"]


def test_plan_shows_the_names_that_fix_uses(capsys, folder):
    """Inputs of one stem keep their extension, in any order, and -o may name a new folder."""
    folder("base.mkv", "a.mkv")
    folder("r60.ts", "a.ts")
    folder("base.mkv", "b.mkv")
    inputs = ("a.mkv", "a.ts", "b.mkv")
    _, planned, _ = run(capsys, "plan", *inputs)
    names = ["a.mkv.twitter.mp4", "a.ts.twitter.mp4", "b.twitter.mp4"]
    assert [line.split()[1] for line in planned.splitlines() if " output " in line] == names
    _, content = document(capsys, "plan", *inputs)
    paths = [output["path"] for file in content["files"] for output in file["outputs"]]
    assert paths == [os.path.abspath(name) for name in names]
    assert f"file:{names[0]}" in run(capsys, "plan", "--argv", *inputs)[1]
    _, dry, _ = run(capsys, "fix", "-n", "-o", "new/folder/", *inputs)
    assert [line.split()[1] for line in dry.splitlines() if " output " in line] == [
        f"new/folder/{name}" for name in names
    ]
    assert not os.path.exists("new")
    code, _, err = run(capsys, "fix", "-o", "new/folder/", *reversed(inputs))
    assert (code, err) == (0, "")
    assert sorted(os.listdir("new/folder")) == sorted(names)


def test_the_output_name_of_one_input_does_not_depend_on_the_result_of_another(capsys, folder):
    folder("base.mkv", "a.mkv")
    with open("a.ts", "wb") as file:
        file.write(b"not a video" * 100)
    code, _, _ = run(capsys, "fix", "a.ts", "a.mkv")
    assert code == 3
    assert sorted(os.listdir()) == ["a.mkv", "a.mkv.twitter.mp4", "a.ts"]


def test_fix_json_streams_its_files(capsys, folder, monkeypatch):
    """The first entry is written before the second file is opened."""
    from mediaprep.pipeline import prepare

    folder("base.mp4", "a.mp4")
    folder("base.mp4", "b.mp4")
    written = []
    real = prepare.prepare_steps

    def observed(request, context):
        written.append(capsys.readouterr().out)
        return real(request, context)

    monkeypatch.setattr(prepare, "prepare_steps", observed)
    code, rest, _ = run(capsys, "fix", "--json", "a.mp4", "b.mp4")
    assert code == 0
    assert ('"path": "a.mp4"' in written[1], '"path": "b.mp4"' in written[1]) == (True, False)
    content = json.loads("".join(written) + rest)
    assert [file["status"] for file in content["files"]] == ["already_ok", "already_ok"]


def test_json_is_built_only_on_request(capsys, folder, monkeypatch, tmp_path):
    from mediaprep.report import json as report

    def unexpected(*_):
        raise AssertionError("built")

    folder("base.mp4")
    monkeypatch.setattr(report, "fix_file", unexpected)
    assert run(capsys, "fix", "base.mp4")[0] == 0
    assert run(capsys, "fix", "--report", tmp_path / "reports", "base.mp4")[0] == 70


def test_reports_have_the_entries_of_the_json_document(capsys, folder, tmp_path):
    folder("base.mkv")
    _, found = document(capsys, "fix", "base.mkv", "--report", tmp_path / "rep")
    kept = json.loads((tmp_path / "rep" / "base.mkv.json").read_text())
    assert kept == {
        "version": 1,
        "sandbox": found["sandbox"],
        "profile": "twitter",
        **found["files"][0],
    }


def test_the_time_limit_is_5_and_leaves_nothing(capsys, folder):
    folder("base.mkv")
    code, out, err = run(capsys, "fix", "base.mkv", "--timeout", "0.01")
    assert (code, out) == (5, "")
    assert err.startswith("base.mkv: ")
    assert os.listdir() == ["base.mkv"]


def test_no_ffmpeg_is_4(capsys, folder):
    folder("base.mkv")
    code, _, err = run(capsys, "fix", "base.mkv", "--ffmpeg", "/nonexistent/ffmpeg")
    assert code == 4
    assert "is not an executable" in err
    assert len(err.splitlines()) == 1


def test_progress_as_json_goes_to_stderr_alone(capsys, folder):
    folder("base.mkv")
    _, out, err = run(capsys, "fix", "base.mkv", "--progress", "json", "--json")
    assert json.loads(out)["files"][0]["status"] == "fixed"
    events = [json.loads(line) for line in err.splitlines()]
    assert {"stage.start", "stage.done"} <= {event["event"] for event in events}
    assert [event["stage"] for event in events if event["event"] == "stage.done"] == [
        "probe",
        "encode",
        "verify",
        "publish",
    ]


def test_the_log_is_json_lines(capsys, folder, tmp_path):
    folder("base.mkv")
    run(capsys, "fix", "base.mkv", "--log-file", tmp_path / "log")
    records = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert records[-1]["message"] == "done"
    assert (records[-1]["path"], records[-1]["status"]) == ("base.mkv", "fixed")


def test_probe_shows_facts_and_json_is_the_record(capsys, folder):
    folder("base.mp4")
    code, out, _ = run(capsys, "probe", "base.mp4")
    assert code == 0
    assert "  pattern  " in out
    _, found = document(capsys, "probe", "base.mp4")
    assert decode(Video, found["files"][0]["media"]).video.codec == "h264"
    code, found = document(capsys, "probe", "gone.mp4")
    assert (code, found["files"][0]["kind"]) == (3, None)
    assert "no such file" in found["files"][0]["error"]


def test_explain_lists_all_rules_and_explains_each(capsys):
    code, out, _ = run(capsys, "explain")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(REGISTRY)
    code, out, _ = run(capsys, "explain", "video-open-gop")
    assert "twitter/tweet_video" in out
    _, found = document(capsys, "explain", "video-open-gop", "-p", "x-2026")
    assert {limit["placement"].split("/")[0] for limit in found["limits"]} == {"x-2026"}


def test_settings_are_used_and_options_override_them(capsys, folder, tmp_path):
    folder("open.mp4")
    (tmp_path / "work" / "mediaprep.toml").write_text(
        'profile = "twitter/dm_video"\nfail-on = "should"\n'
    )
    assert document(capsys, "check", "open.mp4")[1]["files"][0]["category"] == "dm_video"
    assert (
        document(capsys, "check", "open.mp4", "-p", "twitter")[1]["files"][0]["category"]
        == "tweet_video"
    )
    assert (
        document(capsys, "check", "open.mp4", "--isolated")[1]["files"][0]["category"]
        == "tweet_video"
    )
    (tmp_path / "work" / "mediaprep.toml").write_text("profil = 'x'\n")
    code, _, err = run(capsys, "check", "open.mp4")
    assert code == 2
    assert err.endswith("mediaprep.toml: profil: unknown setting; did you mean 'profile'?\n")


def test_colour_is_for_terminals_unless_requested(capsys, folder, monkeypatch):
    folder("open.mp4")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b" not in run(capsys, "check", "open.mp4")[1]
    assert "\x1b[31mmust\x1b[0m" in run(capsys, "check", "open.mp4", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in run(capsys, "check", "open.mp4")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(capsys, "check", "open.mp4")[1]
