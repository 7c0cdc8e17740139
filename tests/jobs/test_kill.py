"""kill -9 at every named step and at random times: after a restart 0 jobs lost, 0 doubled, 0 partial outputs visible, 0 sources changed."""

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
MOST_STEPS = 200
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
    command: str, tmp: Path, *options: str, fault: str | None = None
) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1") | (
        {"MEDIAPREP_FAULT": fault} if fault else {}
    )
    words = {
        "batch": ["batch", str(tmp / "in"), "-o", str(tmp / "out")],
        "watch": ["watch", str(tmp / "in"), str(tmp / "out"), "--once"],
    }
    argv = [sys.executable, "-m", "mediaprep", *words[command], *options, "--progress", "none"]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ended(child: subprocess.Popen[bytes], wanted: tuple[int, ...] = (0,)) -> int:
    said, _ = child.communicate(timeout=120)
    assert child.returncode in wanted, said.decode()
    assert b"Traceback" not in said, said.decode()
    return child.returncode


def judge(tmp: Path, before: dict[str, str], wanted: dict[str, str]) -> None:
    """All that was promised: the outputs byte for byte those of an undisturbed run, nothing beside them, no source touched."""
    assert {Path(name).name: digest for name, digest in outputs(tmp / "out").items()} == wanted
    sources = {Path(name).name: digest for name, digest in digests(tmp / "in").items()}
    assert sources == {Path(name).name: digest for name, digest in before.items()}
    with Ledger(tmp / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert {count.state for count in ledger.counts()} == {"done"}
        assert sum(count.jobs for count in ledger.counts()) == len(before)
    assert not list((tmp / "out" / ".mediaprep" / "work").iterdir())


@pytest.fixture
def work(drop: Drop, tmp_path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Three jobs: a remux, a copy, a twin; digests of the sources, and of the outputs of an undisturbed run."""
    drop("r60.mkv", "in/a.mkv")
    drop("base.mp4", "in/b.mp4")
    drop("r60.mkv", "in/sub/c.mkv")
    (tmp_path / "calm").mkdir()
    made = mediaprep.prepare(tmp_path / "in" / "a.mkv", tmp_path / "calm" / "a.mp4")
    assert made.status == "fixed", made.problems
    remux = hashlib.sha256((tmp_path / "calm" / "a.mp4").read_bytes()).hexdigest()
    fine = hashlib.sha256((tmp_path / "in" / "b.mp4").read_bytes()).hexdigest()
    return digests(tmp_path / "in"), {"a.mp4": remux, "b.mp4": fine, "c.mp4": remux}


def killed_at(
    command: str,
    tmp: Path,
    work: tuple[dict[str, str], dict[str, str]],
    count: int,
    options: tuple[str, ...],
) -> bool:
    """Kill at the so-manyth step, look, start again, judge; False where there are fewer steps."""
    before, wanted = work
    shutil.rmtree(tmp / "out", ignore_errors=True)
    code = ended(start(command, tmp, *options, fault=f"*:{count}"), (0, -signal.SIGKILL))
    assert (
        set(outputs(tmp / "out").values()) <= set(wanted.values())
        if (tmp / "out").exists()
        else True
    )  # nothing partial is visible
    if code != -signal.SIGKILL:
        judge(tmp, before, wanted)
        return False
    ended(start(command, tmp, *options))
    judge(tmp, before, wanted)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("count", [9, 18])
def test_a_batch_killed_at_some_steps(tmp_path: Path, work, count: int) -> None:
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
def test_killed_at_every_named_step(
    tmp_path: Path, work, command: str, options: tuple[str, ...]
) -> None:
    """The count is raised until no fault fires."""
    for count in range(1, MOST_STEPS):
        if not killed_at(command, tmp_path, work, count, options):
            assert count > 15
            return
    raise AssertionError("it never came to an end")


@pytest.mark.long
@pytest.mark.parametrize("command", ["batch", "watch"])
def test_killed_at_random_times(tmp_path: Path, work, command: str) -> None:
    """Killed up to three times in a row, restarted each time; by a fixed seed."""
    before, wanted = work
    chance = random.Random(20260822)
    options = ("--settle", "0.2", "--rescan", "0.2") if command == "watch" else ()
    for _ in range(ROUNDS):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        for _ in range(chance.randint(1, 3)):
            child = start(command, tmp_path, *options)
            time.sleep(chance.uniform(0.2, 2.5))
            child.kill()
            child.communicate()
            if (tmp_path / "out").exists():
                assert set(outputs(tmp_path / "out").values()) <= set(wanted.values())
        ended(start(command, tmp_path, *options))
        judge(tmp_path, before, wanted)


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
    ended(child, (143,))
    assert outputs(tmp_path / "out") == {}
    assert not list((tmp_path / "out" / ".mediaprep" / "work").iterdir())
    assert not [
        pid
        for pid in children
        if Path(f"/proc/{pid}/stat").exists()
        and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    ]
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert [(row.state, row.tries) for row in ledger.rows()] == [("new", 0)]
