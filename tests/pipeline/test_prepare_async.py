"""The functions for event loops: same outcomes, the loop is not blocked, and a cancellation leaves
nothing.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import mediaprep
from mediaprep import Options

Make = Callable[[str], Path]


def descendants() -> set[int]:
    """Return the living descendants of this process by /proc, without zombies."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found: set[int] = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def ffmpegs() -> set[int]:
    names = {}
    for pid in descendants():
        try:
            names[pid] = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
    return {pid for pid, words in names.items() if b"ffmpeg" in words.split(b"\0")[0]}


def test_twins_return_the_same(make: Make, tmp_path: Path) -> None:
    source = make("r60.mkv")

    async def work() -> tuple[mediaprep.Report, mediaprep.Plan, mediaprep.Outcome]:
        report = await mediaprep.check_async(source)
        plan = await mediaprep.plan_async(source)
        return report, plan, await mediaprep.prepare_async(source, tmp_path / "a.mp4")

    report, plan, outcome = asyncio.run(work())
    assert report.verdict == mediaprep.check(source).verdict == "fail"
    assert plan.status == mediaprep.plan(source).status == "planned"
    assert outcome.status == mediaprep.prepare(source, tmp_path / "b.mp4").status == "fixed"
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.slow
def test_cancelling_ends_the_child_within_a_second(make: Make, tmp_path: Path) -> None:
    source = make("d140_2997.mp4")

    async def work() -> float:
        started = asyncio.Event()
        task = asyncio.create_task(
            mediaprep.prepare_async(
                source,
                tmp_path / "out.mp4",
                options=Options(trim="first", quality="best"),
                on_event=lambda event: (
                    started.set() if isinstance(event, mediaprep.Progress) else None
                ),
            )
        )
        await asyncio.wait_for(started.wait(), 60)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(work()) < 1.0
    assert ffmpegs() == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_loop_is_not_blocked(make: Make, tmp_path: Path) -> None:
    """Other tasks run all the time."""
    gaps: list[float] = []

    async def ticking() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    async def work() -> mediaprep.Outcome:
        ticker = asyncio.create_task(ticking())
        try:
            return await mediaprep.prepare_async(make("open.mp4"), tmp_path / "out.mp4")
        finally:
            ticker.cancel()

    assert asyncio.run(work()).status == "fixed"
    assert len(gaps) > 10


@pytest.mark.slow
def test_a_cancel_event_and_a_deadline_stop_the_blocking_call(make: Make, tmp_path: Path) -> None:
    cancel = threading.Event()

    def on_event(event: mediaprep.Event) -> None:
        if isinstance(event, mediaprep.Progress):
            cancel.set()

    options = Options(trim="first", quality="best")
    with pytest.raises(mediaprep.Cancelled):
        mediaprep.prepare(
            make("d140_2997.mp4"),
            tmp_path / "out.mp4",
            options=options,
            on_event=on_event,
            cancel=cancel,
        )
    with pytest.raises(mediaprep.DeadlineExceeded):
        mediaprep.prepare(make("d140_2997.mp4"), tmp_path / "out.mp4", options=options, timeout=0.5)
    assert ffmpegs() == set()
    assert list(tmp_path.iterdir()) == []


def test_events_come_as_an_asynchronous_iterator(make: Make, tmp_path: Path) -> None:
    async def work() -> list[object]:
        return [
            item async for item in mediaprep.events_async(make("r60.mkv"), tmp_path / "out.mp4")
        ]

    items = asyncio.run(work())
    assert isinstance(items[-1], mediaprep.Outcome)
    assert [item.stage for item in items if isinstance(item, mediaprep.StageDone)] == [
        "probe",
        "encode",
        "verify",
        "publish",
    ]
