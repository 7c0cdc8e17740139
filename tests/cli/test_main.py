"""The program as a whole: start, help, options that may stand anywhere, exit codes, signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docs import cli_tables
from mediaprep import cli
from mediaprep.cli._exit import ExitCode, of_error, worst
from mediaprep.errors import (
    Cancelled,
    DeadlineExceeded,
    EnvironmentProblem,
    ProfileError,
    SourceUnreadable,
    ToolError,
    UsageProblem,
    VerifyError,
)
from mediaprep.pipeline import inspect

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "av", "PIL", "rich", "pydantic", "jinja2", "pymediainfo", "click", "asyncio")


@pytest.fixture(autouse=True)
def _own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(capsys, *words):
    code = cli.run([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--version"], ()),
        (["--help"], ()),
        (["check", "--help"], ("pydantic",)),
        (["fix", "-h"], ("pydantic",)),
    ],  # typer converts by pydantic
)
def test_help_and_version_load_nothing_heavy(words, allowed):
    heavy = tuple(name for name in HEAVY if name not in allowed)
    code = (
        f"import sys; from mediaprep import cli; code = cli.run({words!r});"
        f"print(code, [m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_the_module_runs_as_the_script_does():
    done = subprocess.run(
        [sys.executable, "-m", "mediaprep", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"mediaprep \d+\.\d+\.\d+\n", done.stdout)


def test_without_arguments_it_shows_the_help_on_stdout_and_exits_2(capsys):
    code, out, err = run(capsys)
    assert (code, err) == (2, "")
    assert "Usage: mediaprep" in out
    code, out, err = run(capsys, "profiles")
    assert (code, err) == (2, "")
    assert "Usage: mediaprep profiles" in out


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["check"],
        ["plan"],
        ["fix"],
        ["explain"],
        ["probe"],
        ["doctor"],
        ["profiles"],
        ["profiles", "show"],
    ],
)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_has_help(capsys, command, option):
    code, out, _ = run(capsys, *command, option)
    assert code == 0
    assert "Usage: mediaprep" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek", "x"], "mediaprep: No such command 'chek'. Did you mean 'check'?"),
        (["check", "--foo", "x"], "mediaprep check: No such option: --foo"),
        (
            ["fix", "x", "--quality", "good"],
            "mediaprep: --quality: 'good' is not one of fast, default, best, hq",
        ),
        (["check"], "mediaprep: no input: pass a file, or --files-from"),
        (["check", "-", "-"], "mediaprep: standard input ('-') can be read only once"),
        (["check", "x", "-p", "twiter"], "mediaprep: no profile 'twiter'; did you mean 'twitter'?"),
        (["check", "x", "--category", "tweet"], "mediaprep: twitter: no category 'tweet'"),
        (
            ["check", "x", "-p", "twitter/dm_video", "--category", "tweet_gif"],
            "mediaprep: two categories",
        ),
        (
            ["check", "x", "--config", "/nonexistent.toml"],
            "mediaprep: /nonexistent.toml: cannot be read",
        ),
        (
            ["check", "--files-from", "/nonexistent"],
            "mediaprep: --files-from /nonexistent: cannot be read",
        ),
        (
            ["explain", "video-open-go"],
            "mediaprep: no rule 'video-open-go'; did you mean 'video-open-gop'?",
        ),
        (["check", "x", "--foo\x1b[31m"], "mediaprep check: No such option: --foo\\x1b[31m"),
    ],
)
def test_an_invalid_command_line_is_one_line_and_exit_2(capsys, words, message):
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith(message)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "front"),
    [
        (
            ["fix", "a", "--ffmpeg", "/x", "-v", "-o", "b"],
            ["--ffmpeg", "/x", "-v", "fix", "a", "-o", "b"],
        ),
        (["fix", "--color=never", "a"], ["--color=never", "fix", "a"]),
        (["fix", "--", "-v", "--ffmpeg"], ["fix", "--", "-v", "--ffmpeg"]),
        (["-q", "check", "a"], ["-q", "check", "a"]),
    ],
)
def test_global_options_may_stand_anywhere_before_a_double_dash(words, front):
    assert cli.global_options_first(words) == front


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (UsageProblem("x"), 2),
        (ProfileError(["x"]), 2),
        (SourceUnreadable("x"), 3),
        (EnvironmentProblem("x"), 4),
        (ToolError(["x"], 1, "x"), 5),
        (VerifyError(["x"]), 5),
        (DeadlineExceeded("x"), 5),
        (Cancelled("x"), 130),
        (KeyError("x"), 70),
        (OSError("x"), 70),
    ],
)
def test_every_error_has_its_code(problem, code):
    assert of_error(problem) == code


def test_the_worst_code_of_several_files_is_returned():
    order = [70, 5, 4, 3, 2, 1, 0]
    for position, code in enumerate(order):
        assert worst(ExitCode(later) for later in order[position:]) == code
    assert worst([]) == 0


def _broken(request, *others):
    raise KeyError("a bug")
    yield


def test_a_bug_is_one_line_exit_70_and_does_not_stop_the_others(capsys, monkeypatch, input_mov):
    real = inspect.inspect_steps
    monkeypatch.setattr(
        inspect,
        "inspect_steps",
        lambda request, *others: (_broken if request.source == "bad" else real)(request, *others),
    )
    code, out, err = run(capsys, "check", "bad", input_mov)
    assert code == 70
    assert err == "bad: internal error: KeyError: 'a bug'; run again with -v for the traceback\n"
    assert out.startswith(str(input_mov))


def test_with_v_a_bug_shows_its_traceback(capsys, monkeypatch):
    monkeypatch.setattr(inspect, "inspect_steps", _broken)
    code, _, err = run(capsys, "check", "bad", "-v")
    assert code == 70
    assert "Traceback" in err
    assert err.rstrip().endswith("bad: internal error: KeyError: 'a bug'")


def test_a_bug_outside_any_file_is_70_too(capsys, monkeypatch):
    monkeypatch.setattr("mediaprep.cli.check.find_placement", lambda *_: {}["x"])
    code, out, err = run(capsys, "check", "x")
    assert (code, out) == (70, "")
    assert err == "mediaprep: internal error: KeyError: 'x'; run again with -v for the traceback\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_child_and_leaves_nothing(tmp_path, input_mov, number):
    source = tmp_path / "clip.mov"
    source.write_bytes(input_mov.read_bytes())
    words = [
        sys.executable,
        "-m",
        "mediaprep",
        "fix",
        str(source),
        "--quality",
        "best",
        "--progress",
        "json",
    ]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:  # until ffmpeg is at work
            if '"stage": "encode"' in line:
                break
        running.send_signal(number)
        tail = running.stderr.read()
        code = running.wait(30)
    assert code == 128 + number
    assert tail.splitlines()[-1] == f"mediaprep: stopped by {number.name}; nothing was left behind"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mov"]
    assert _children_of(running.pid) == []


def _children_of(pid: int) -> list[str]:
    """Return processes whose command line names the dead parent; the launcher gets its number."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"parent={pid}\0".encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def test_a_closed_pipe_is_not_an_error(input_mov):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "mediaprep", "explain", "video-open-gop"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["p"], {"plan", "probe", "profiles"}),
        (["fix", "x", "--quality", "b"], {"best"}),
        (["check", "-p", "twi"], {"twitter"}),
    ],
)
def test_completion_offers_commands_and_values(words, offered):
    line = " ".join(["mediaprep", *words])
    environment = os.environ | {
        "_MEDIAPREP_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": line,
    }
    done = subprocess.run(
        [sys.executable, "-m", "mediaprep"], capture_output=True, text=True, env=environment
    )
    assert set(done.stdout.split()) == offered


def test_the_tables_of_the_page_on_the_command_line_are_current():
    """Hold after ``python docs/generate.py``."""
    assert cli_tables.PAGE.read_text() == cli_tables.cli_page()


def test_every_option_is_documented():
    from typer.main import get_command

    from mediaprep.cli.app import app

    page = (ROOT / "docs" / "cli.md").read_text()
    tree = get_command(app)
    commands = [
        tree,
        *(
            tree.commands[name]
            for name in ("check", "plan", "fix", "batch", "watch", "explain", "probe", "doctor")
        ),
    ]
    commands += [
        tree.commands[group].commands[name]
        for group in ("jobs", "profiles")
        for name in tree.commands[group].commands
    ]
    options = {
        name
        for command in commands
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    }
    missing = [
        name
        for name in sorted(options)
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", page)
    ]
    assert missing == []
