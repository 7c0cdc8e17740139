"""One generator, two drivers: the same answers, the same errors, the same clean-up."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediaprep.errors import Cancelled, ToolError
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import CallFunction, Steps, call, drive, drive_async, run_child
from mediaprep.runtime.process import Command

PYTHON = str(Path(sys.executable).resolve())
Driver = Callable[[Steps[Any], Context], Any]


def on_a_loop(steps: Steps[Any], context: Context) -> Any:
    return asyncio.run(drive_async(steps, context))


both = pytest.mark.parametrize("driver", [drive, on_a_loop])


def python(code: str) -> Command:
    return Command(argv=(PYTHON, "-I", "-S", "-c", code), what="child", seconds=30.0, capture=True)


@both
def test_answers_reach_the_steps(driver: Driver) -> None:
    def steps() -> Steps[str]:
        done = yield from run_child(python("print(6 * 7)"))
        return (yield from call(str.strip, done.stdout.decode()))

    assert driver(steps(), Context(sandbox="basic")) == "42"


@both
def test_an_error_is_raised_at_the_yield_and_can_be_handled(driver: Driver) -> None:
    def steps() -> Steps[str]:
        try:
            yield from run_child(python("raise SystemExit(3)"))
        except ToolError as problem:
            return f"code {problem.exit_code}"
        return "no error"

    assert driver(steps(), Context(sandbox="basic")) == "code 3"


@both
def test_an_unhandled_error_cleans_up_and_comes_out(driver: Driver) -> None:
    seen = []

    def steps() -> Steps[None]:
        try:
            yield from call(int, "no number")
        finally:
            yield from call(seen.append, "cleaned")

    with pytest.raises(ValueError, match="no number"):
        driver(steps(), Context())
    assert seen == ["cleaned"]


@both
def test_cancel_is_raised_in_the_steps_and_clean_up_still_works(driver: Driver) -> None:
    stop, seen = threading.Event(), []

    def steps() -> Steps[None]:
        try:
            yield from call(stop.set)
            yield from run_child(python("while True: pass"))
        finally:
            yield from call(seen.append, "cleaned")

    with pytest.raises(Cancelled):
        driver(steps(), Context(sandbox="basic", cancel=stop))
    assert seen == ["cleaned"]


def test_a_cancelled_task_lets_the_thread_finish_before_clean_up() -> None:
    seen: list[str] = []
    started, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        go_on.wait(10)
        seen.append("returned")

    def steps() -> Steps[None]:
        try:
            yield CallFunction(slow)
        finally:
            seen.append("cleaned")

    async def scene() -> None:
        task = asyncio.create_task(drive_async(steps(), Context()))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.sleep(0.05)
        assert seen == []
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert seen == ["returned", "cleaned"]


def test_a_cancelled_task_ends_its_child_and_cleans_up() -> None:
    seen: list[str] = []

    def steps() -> Steps[None]:
        try:
            yield from run_child(python("import time; time.sleep(60)"))
        finally:
            seen.append("cleaned")

    async def scene() -> float:
        task = asyncio.create_task(drive_async(steps(), Context(sandbox="basic")))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(scene()) < 10
    assert seen == ["cleaned"]


def test_the_loop_runs_on_and_a_twin_is_preferred() -> None:
    async def twin(value: int) -> str:
        return f"awaited {value} in {threading.current_thread().name}"

    def steps() -> Steps[str]:
        assert (yield from call(threading.current_thread)) is not threading.main_thread()
        return (yield from call(str, 5, twin=twin))

    async def scene() -> str:
        return await drive_async(steps(), Context())

    assert asyncio.run(scene()) == "awaited 5 in MainThread"
    assert drive(call(str, 5, twin=twin), Context()) == "5"
