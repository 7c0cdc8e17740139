"""The way around typer: it takes plain lines only, and says what typer would."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from mediaprep import cli
from mediaprep.cli import _fast_path, _fix
from mediaprep.cli._check import CheckArguments
from mediaprep.cli._console import Console, GlobalOptions
from mediaprep.cli._for_each import each


@pytest.fixture(autouse=True)
def _own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["check", "a.mp4"], CheckArguments(inputs=["a.mp4"])),
        (["check", "a", "--json", "b"], CheckArguments(inputs=["a", "b"], as_json=True)),
        (["check", "-p", "bluesky", "a"], CheckArguments(inputs=["a"], profile="bluesky")),
        (["check", "a", "--category", "dm_video", "--deep", "--post", "--exit-zero"],
         CheckArguments(inputs=["a"], category="dm_video", deep=True, post=True, exit_zero=True)),
    ],
)  # fmt: skip
def test_plain_lines_are_understood(words, asked):
    assert _fast_path.plain_check(words) == asked


@pytest.mark.parametrize(
    "words",
    [[], ["check"], ["check", "--help"], ["check", "-"], ["check", "a", "--profile"], ["check", "a", "-p", "--json"], ["check", "--", "a"],
     ["check", "a", "--profile=x"], ["check", "a", "--jsn"], ["check", "-px", "a"], ["check", ""], ["-q", "check", "a"], ["probe", "a"]],
)  # fmt: skip
def test_the_rest_is_typers(words):
    assert _fast_path.plain_check(words) is None


@pytest.mark.parametrize(
    "options",
    [
        ["--json"],
        [],
        ["--json", "--post"],
        ["-p", "twitter/dm_video"],
        ["--category", "tweet_gif", "--exit-zero"],
    ],
)
def test_both_ways_say_the_same(capsys, monkeypatch, options, make):
    words = ["check", str(make("sar43.mp4")), "absent.mp4", *options]
    plain = cli.run(words), capsys.readouterr()
    monkeypatch.setattr(_fast_path, "plain_check", lambda words: None)
    assert (cli.run(words), capsys.readouterr()) == plain
    assert plain[0] == 3


@pytest.mark.parametrize(
    "options",
    [[], ["b.mov", "-o", "out/", "--force"], ["-f", "--json", "-p", "bluesky", "--category", "x"], ["--output", "o.mp4", "--split",
      "--measure"], ["--trim", "0:10-1:20", "--snap", "0.5", "--rung", "640x360", "--max-size", "15MB", "--profile",
      "twitter"]],
)  # fmt: skip
def test_a_plain_fix_is_understood_as_typer_does(monkeypatch, options):
    words, given = ["fix", "a.mp4", *options], []
    monkeypatch.setattr(_fix, "run", lambda console, options: given.append(options) or 0)
    cli.run(words)
    assert given == [_fast_path.plain_fix(words)]
    monkeypatch.setattr(_fast_path, "plain_fix", lambda words: None)
    cli.run(words)
    assert {**given[1], "inputs": list(given[1]["inputs"])} == given[0]


@pytest.mark.parametrize(
    "words",
    [["fix"], ["fix", "a", "-o"], ["fix", "a", "--trim", "-1"], ["fix", "a", "-n"], ["check", "a"]],
)
def test_the_rest_of_fix_is_typers(words):
    assert _fast_path.plain_fix(words) is None


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_answers_come_in_order_and_only_a_window_is_begun(count):
    begun: set[str] = set()
    lock = threading.Lock()

    def work(name: str) -> str:
        with lock:
            begun.add(name)
        return name

    names = [str(number) for number in range(count)]
    seen = []
    for done in each(Console.start(GlobalOptions(isolated=True)), names, work, jobs=3):
        seen.append(done.value)
        assert len(begun) <= len(seen) + 6
    assert seen == names


@pytest.mark.parametrize(
    ("words", "count"),
    [(["check", "a"], 1), (["check", "a", "b", "c"], 2), (["fix", "a", "b"], 1), (["check", "--help"], 0), (["doctor"], 0), ([], 0),
     (["probe", "--files-from", "x"], 2), (["-q", "batch", "in", "-o", "out"], 2), (["batch", "in", "--cluster", "tcp://x"], 0)],
)  # fmt: skip
def test_children_are_started_for_what_reads_files(words, count):
    assert _fast_path.children_wanted(words, 2) == count


def test_a_plain_check_loads_no_typer_pydantic_or_native_reader(make, tmp_path):
    """The second time, when the profile is in the user's cache."""
    code = (
        f"import sys; from mediaprep import cli; cli.run(['check', {str(make('base.mp4'))!r}]);"
        "print([name for name in ('typer', 'pydantic', 'numpy', 'av', 'PIL', 'pymediainfo', 'rich', 'asyncio') if name in sys.modules])"
    )
    environment = {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        for _ in range(2)
    ]
    assert runs[1].stdout.splitlines()[-1] == "[]", runs[1].stderr
