"""The fast path: it accepts simple command lines only, and behaves as typer does."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from dataclasses import dataclass

import pytest

from mediaprep import cli
from mediaprep.cli import _fast_path
from mediaprep.cli._console import Console, GlobalOptions
from mediaprep.cli._for_each import for_each
from mediaprep.cli.check import CheckArguments
from mediaprep.cli.fix import FixArguments


@pytest.fixture(autouse=True)
def _own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@dataclass
class Received:
    """The arguments that the function of a command was called with."""

    arguments: list[object]

    def __call__(self, console: Console, arguments: object) -> int:
        self.arguments.append(arguments)
        return 0


@pytest.fixture
def received(monkeypatch) -> Received:
    """Replace the functions of check and fix, where the fast path finds them."""
    received = Received([])
    for name in ("check", "fix"):
        monkeypatch.setattr(importlib.import_module(f"mediaprep.cli.{name}"), name, received)
    return received


def simple_arguments(words: list[str], received: Received) -> object:
    """Return the arguments that the fast path takes from a command line; None: it declines."""
    command = _fast_path.simple_command(words)
    if command is None:
        return None
    command(Console.start(GlobalOptions(isolated=True)))
    return received.arguments.pop()


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["check", "a.mp4"], CheckArguments(inputs=["a.mp4"])),
        (["check", "a", "--json", "b"], CheckArguments(inputs=["a", "b"], as_json=True)),
        (["check", "-p", "bluesky", "a"], CheckArguments(inputs=["a"], profile="bluesky")),
        (["check", "a", "--fail-on", "should"], CheckArguments(inputs=["a"], fail_on="should")),
        (["check", "a", "--timeout", "1.5"], CheckArguments(inputs=["a"], timeout=1.5)),
        (
            ["check", "a", "--category", "dm_video", "--deep", "--post", "--exit-zero"],
            CheckArguments(
                inputs=["a"], category="dm_video", options={"deep": True}, post=True, exit_zero=True
            ),
        ),
        (
            ["fix", "a", "--no-keep-metadata", "--trim", "0:10-1:20", "-j", "2"],
            FixArguments(
                inputs=["a"], options={"keep_metadata": False, "trim": "0:10-1:20"}, jobs=2
            ),
        ),
    ],
)
def test_simple_lines_are_accepted(words, arguments, received):
    assert simple_arguments(words, received) == arguments


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["check"],
        ["check", "--help"],
        ["check", "-"],
        ["check", "a", "--profile"],
        ["check", "a", "-p", "--json"],
        ["check", "--", "a"],
        ["check", "a", "--profile=x"],
        ["check", "a", "--jsn"],
        ["check", "-px", "a"],
        ["check", ""],
        ["-q", "check", "a"],
        ["probe", "a"],
        ["fix"],
        ["fix", "a", "-o"],
        ["fix", "a", "--trim", "-1"],
    ],
)
def test_all_other_lines_are_left_to_typer(words):
    assert _fast_path.simple_command(words) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fix", "a", "-j", "two"], "--jobs: 'two' is not a whole number"),
        (["fix", "a", "-j", "0"], "--jobs: 0 is too small; the minimum is 1"),
        (["fix", "a", "--to", "gfi"], "--to: 'gfi' is not one of auto, video, gif, image"),
        (["check", "a", "--fail-on", "x"], "--fail-on: 'x' is not one of must, observed, should"),
        (["check", "a", "--timeout", "nan"], "--timeout: nan is too small; the minimum is 0.001"),
    ],
)
def test_an_invalid_value_is_reported_as_typer_would(words, message, capsys, monkeypatch):
    assert cli.run(words) == 2
    fast = capsys.readouterr().err
    monkeypatch.setattr(_fast_path, "simple_command", lambda words: None)
    assert cli.run(words) == 2
    assert capsys.readouterr().err == fast == f"mediaprep: {message}\n"


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
def test_both_paths_write_the_same(capsys, monkeypatch, options, make):
    words = ["check", str(make("sar43.mp4")), "absent.mp4", *options]
    fast = cli.run(words), capsys.readouterr()
    monkeypatch.setattr(_fast_path, "simple_command", lambda words: None)
    assert (cli.run(words), capsys.readouterr()) == fast
    assert fast[0] == 3


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["b.mov", "-o", "out/", "--force"],
        ["-f", "--json", "-p", "bluesky", "--category", "x"],
        ["--output", "o.mp4", "--split", "--measure", "-n", "--report", "reports"],
        ["--trim", "0:10-1:20", "--snap", "0.5", "--rung", "640x360", "--max-size", "15MB"],
        ["--keep-metadata", "--encoder", "auto", "--min-vmaf", "90", "--captions", "c.srt"],
    ],
)
def test_both_paths_pass_the_same_arguments(monkeypatch, options, received):
    words = ["fix", "a.mp4", *options]
    app = importlib.import_module("mediaprep.cli.app")
    typer_command = importlib.import_module("mediaprep.cli._typer_command").typer_command
    fast = simple_arguments(words, received)
    typed = app.typer.Typer()
    typed.command()(typer_command(received_as_fix(received), FixArguments))
    typed.command("other")(lambda: None)
    typed(args=words, standalone_mode=False)
    assert received.arguments == [fast]


def received_as_fix(received: Received):
    def fix(console: Console, arguments: FixArguments) -> int:
        """Record the arguments."""
        return received(console, arguments)

    return fix


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_results_come_in_order_and_only_a_window_of_inputs_is_begun(count):
    begun: set[str] = set()
    lock = threading.Lock()

    def work(name: str) -> str:
        with lock:
            begun.add(name)
        return name

    names = [str(number) for number in range(count)]
    seen = []
    for done in for_each(Console.start(GlobalOptions(isolated=True)), names, work, jobs=3):
        seen.append(done.value)
        assert len(begun) <= len(seen) + 6
    assert seen == names


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["check", "a"], 1),
        (["check", "a", "b", "c"], 2),
        (["fix", "a", "b"], 1),
        (["check", "--help"], 0),
        (["doctor"], 0),
        ([], 0),
        (["probe", "--files-from", "x"], 2),
        (["-q", "batch", "in", "-o", "out"], 2),
        (["batch", "in", "--cluster", "tcp://x"], 0),
    ],
)
def test_readers_are_started_for_commands_that_read_files(words, count):
    assert cli.reader_count(words, 2) == count


def test_a_simple_check_loads_no_typer_pydantic_or_native_reader(make, tmp_path):
    """Hold for the second run, when the profile is in the user's cache."""
    heavy = ("typer", "pydantic", "numpy", "av", "PIL", "pymediainfo", "rich", "asyncio")
    code = (
        f"import sys; from mediaprep import cli; cli.run(['check', {str(make('base.mp4'))!r}]);"
        f"print([name for name in {heavy!r} if name in sys.modules])"
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
