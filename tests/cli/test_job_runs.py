"""``mediaprep batch``, ``watch`` and ``jobs``: exit codes, streams, errors of one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaprep.cli import run

Make = Callable[[str], Path]


@pytest.fixture
def folder(make: Make, tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    shutil.copyfile(make("base.mp4"), tmp_path / "in" / "fine.mp4")
    return tmp_path


@pytest.mark.slow
def test_batch_and_jobs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["batch", str(folder / "in"), "-o", str(folder / "out")]
    assert run(words) == 0
    assert "already accepted, copied" in capsys.readouterr().out
    (folder / "in" / "bad.mp4").write_bytes(b"no media at all" * 99)
    assert run([*words, "--json"]) == 6
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == [
        "batch.start",
        "job.start",
        "job.look",
        "job.done",
        "batch.end",
    ]
    assert events[-1]["counts"] == {"unreadable": 1}
    assert run(words) == 6  # nothing to do, but one file is still without a result
    capsys.readouterr()
    assert run(["jobs", "list", str(folder / "out"), "--json"]) == 0
    assert [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()] == [
        "already_ok",
        "unreadable",
    ]
    assert run(["jobs", "retry", str(folder / "out")]) == 0
    assert "1 job will be retried" in capsys.readouterr().out
    assert run(["jobs", "stats", str(folder / "out"), "--json"]) == 0
    (settings,) = json.loads(capsys.readouterr().out)["recipes"]
    assert {(count["state"], count["jobs"]) for count in settings["jobs"]} == {
        ("done", 1),
        ("new", 1),
    }
    assert run(["jobs", "show", str(folder / "out"), "1"]) == 0
    shown = capsys.readouterr().out
    assert "output" in shown
    assert "fine.mp4" in shown


@pytest.mark.slow
def test_a_refused_file_that_is_copied_on_request_is_not_a_failure(
    folder: Path, make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(make("d140_2997.mp4"), folder / "in" / "long.mp4")
    assert run(["batch", str(folder / "in"), "-o", str(folder / "out")]) == 6
    assert (
        run(["batch", str(folder / "in"), "-o", str(folder / "copies"), "--on-refused", "copy"])
        == 0
    )
    assert (folder / "copies" / "long.mp4").read_bytes() == (
        folder / "in" / "long.mp4"
    ).read_bytes()
    assert "refused, copied unchanged" in capsys.readouterr().out


@pytest.mark.slow
def test_watch_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(
            [
                "watch",
                str(folder / "in"),
                str(folder / "out"),
                "--once",
                "--settle",
                "0.2",
                "--rescan",
                "0.2",
                "--min-free",
                "1MB",
            ]
        )
        == 0
    )
    answer = capsys.readouterr()
    assert "fine.mp4  already accepted, copied" in answer.out
    assert "watching" in answer.err


@pytest.mark.slow
def test_a_dry_run_shows_the_totals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["batch", str(folder / "in"), "-n"]) == 0
    assert "1 file: output about" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["in"]


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["batch", "in"], 2, "no output folder"),
        (["batch", "-o", "out"], 2, "no input"),
        (["batch", "in", "-o", "in/out"], 2, "would become inputs"),
        (["watch", "nothing", "out"], 2, "no such folder"),
        (["watch", "in", "in/out"], 2, "would become inputs"),
        (["watch", "in", "out", "--min-free", "much"], 2, "--min-free"),
        (["jobs", "list", "nothing"], 2, "no ledger"),
        (
            ["jobs", "list", "nothing", "--state", "bogus"],
            2,
            "--state: 'bogus' is not one of new, run, publish, done",
        ),
        (
            ["jobs", "list", "nothing", "--status", "bogus"],
            2,
            "--status: 'bogus' is not one of fixed",
        ),
        (["batch", "in", "-o", "taken"], 4, "not writable"),
    ],
)
def test_an_error_is_one_line(
    folder: Path,
    words: list[str],
    code: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    (folder / "taken").write_text("a file")
    assert run(words) == code
    errors = capsys.readouterr().err.strip()
    assert line in errors
    assert len(errors.splitlines()) == 1
