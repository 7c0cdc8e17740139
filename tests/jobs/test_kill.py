"""Killed at every crash point and at random times: no job is lost or repeated, no source changes.

No partial output is ever visible.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import mediaprep
from mediaprep.jobs.ledger.ledger import Ledger

Drop = Callable[..., Path]
MAX_CRASH_POINTS = 200
ROUNDS = 60


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def outputs(folder: Path) -> dict[str, str]:
    return {name: digest for name, digest in digests(folder).items() if ".mediaprep" not in name}


def start(
    command: str, tmp: Path, *options: str, crash_point: str | None = None
) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1") | (
        {"MEDIAPREP_CRASHPOINT": crash_point} if crash_point else {}
    )
    arguments = {
        "batch": ["batch", str(tmp / "in"), "-o", str(tmp / "out")],
        "watch": ["watch", str(tmp / "in"), str(tmp / "out"), "--once"],
    }
    argv = [sys.executable, "-m", "mediaprep", *arguments[command], *options, "--progress", "none"]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def wait_for(child: subprocess.Popen[bytes], codes: tuple[int, ...] = (0,)) -> int:
    output, _ = child.communicate(timeout=120)
    assert child.returncode in codes, output.decode()
    assert b"Traceback" not in output, output.decode()
    return child.returncode


def assert_complete(tmp: Path, before: dict[str, str], expected: dict[str, str]) -> None:
    """Assert that outputs are those of an undisturbed run, and that no source has changed."""
    assert {Path(name).name: digest for name, digest in outputs(tmp / "out").items()} == expected
    sources = {Path(name).name: digest for name, digest in digests(tmp / "in").items()}
    assert sources == {Path(name).name: digest for name, digest in before.items()}
    with Ledger(tmp / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert {count.state for count in ledger.counts()} == {"done"}
        assert sum(count.jobs for count in ledger.counts()) == len(before)
    assert not list((tmp / "out" / ".mediaprep" / "work").iterdir())


@pytest.fixture
def work(drop: Drop, tmp_path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """A remux, a copy and a duplicate: digests of the sources and of the expected outputs."""
    drop("r60.mkv", "in/a.mkv")
    drop("base.mp4", "in/b.mp4")
    drop("r60.mkv", "in/sub/c.mkv")
    (tmp_path / "expected").mkdir()
    outcome = mediaprep.prepare(tmp_path / "in" / "a.mkv", tmp_path / "expected" / "a.mp4")
    assert outcome.status == "fixed", outcome.problems
    remux = hashlib.sha256((tmp_path / "expected" / "a.mp4").read_bytes()).hexdigest()
    fine = hashlib.sha256((tmp_path / "in" / "b.mp4").read_bytes()).hexdigest()
    return digests(tmp_path / "in"), {"a.mp4": remux, "b.mp4": fine, "c.mp4": remux}


def killed_at(
    command: str,
    tmp: Path,
    work: tuple[dict[str, str], dict[str, str]],
    count: int,
    options: tuple[str, ...],
) -> bool:
    """Kill at crash point ``count``, restart and check; return False if there are fewer."""
    before, expected = work
    shutil.rmtree(tmp / "out", ignore_errors=True)
    code = wait_for(start(command, tmp, *options, crash_point=f"*:{count}"), (0, -signal.SIGKILL))
    assert (
        set(outputs(tmp / "out").values()) <= set(expected.values())
        if (tmp / "out").exists()
        else True
    )  # nothing partial is visible
    if code != -signal.SIGKILL:
        assert_complete(tmp, before, expected)
        return False
    wait_for(start(command, tmp, *options))
    assert_complete(tmp, before, expected)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("count", [9, 18])
def test_a_batch_killed_at_some_crash_points(tmp_path: Path, work, count: int) -> None:
    killed_at("batch", tmp_path, work, count, ("-j", "1"))


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("batch", ("-j", "1")),
        ("batch", ("-j", "2")),
        ("watch", ("-j", "1", "--settle", "0.2", "--rescan", "0.2")),
    ],
)
def test_killed_at_every_crash_point(
    tmp_path: Path, work, command: str, options: tuple[str, ...]
) -> None:
    """``count`` is raised until the process is not killed any more."""
    for count in range(1, MAX_CRASH_POINTS):
        if not killed_at(command, tmp_path, work, count, options):
            assert count > 15
            return
    raise AssertionError("more crash points than expected")


@pytest.mark.long
@pytest.mark.parametrize("command", ["batch", "watch"])
def test_killed_at_random_times(tmp_path: Path, work, command: str) -> None:
    """Killed up to three times in a row and restarted, at times from a fixed seed."""
    before, expected = work
    generator = random.Random(20260822)
    options = ("--settle", "0.2", "--rescan", "0.2") if command == "watch" else ()
    for _ in range(ROUNDS):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        for _ in range(generator.randint(1, 3)):
            child = start(command, tmp_path, *options)
            time.sleep(generator.uniform(0.2, 2.5))
            child.kill()
            child.communicate()
            if (tmp_path / "out").exists():
                assert set(outputs(tmp_path / "out").values()) <= set(expected.values())
        wait_for(start(command, tmp_path, *options))
        assert_complete(tmp_path, before, expected)


@pytest.mark.slow
def test_a_terminated_batch_stops_cleanly_and_leaves_no_child(drop: Drop, tmp_path: Path) -> None:
    drop("d140_2997.mp4", "in/long.mp4")
    child = start("batch", tmp_path, "--trim", "first", "--json")
    until = time.monotonic() + 60
    while not list(tmp_path.glob("out/.mediaprep/work/*/*/.*.part")) and time.monotonic() < until:
        time.sleep(0.05)
    children = [
        int(pid) for pid in Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    ]
    child.terminate()
    wait_for(child, (143,))
    assert outputs(tmp_path / "out") == {}
    assert not list((tmp_path / "out" / ".mediaprep" / "work").iterdir())
    assert not [
        pid
        for pid in children
        if Path(f"/proc/{pid}/stat").exists()
        and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    ]
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert [(row.state, row.attempts) for row in ledger.jobs()] == [("new", 0)]
