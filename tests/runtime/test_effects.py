"""Both drivers give a generator the same results, errors and clean-up."""

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
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import CallFunction, Steps, call, drive, drive_async, run_child

PYTHON = str(Path(sys.executable).resolve())
Driver = Callable[[Steps[Any], Context], Any]


def on_a_loop(steps: Steps[Any], context: Context) -> Any:
    return asyncio.run(drive_async(steps, context))


both = pytest.mark.parametrize("driver", [drive, on_a_loop])


def python(code: str) -> Command:
    return Command(argv=(PYTHON, "-I", "-S", "-c", code), what="child", seconds=30.0, capture=True)


@both
def test_results_reach_the_generator(driver: Driver) -> None:
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
def test_an_unhandled_error_cleans_up_and_is_raised(driver: Driver) -> None:
    calls = []

    def steps() -> Steps[None]:
        try:
            yield from call(int, "not a number")
        finally:
            yield from call(calls.append, "cleaned")

    with pytest.raises(ValueError, match="not a number"):
        driver(steps(), Context())
    assert calls == ["cleaned"]


@both
def test_cancelling_is_raised_in_the_generator_and_clean_up_still_works(driver: Driver) -> None:
    stop, calls = threading.Event(), []

    def steps() -> Steps[None]:
        try:
            yield from call(stop.set)
            yield from run_child(python("while True: pass"))
        finally:
            yield from call(calls.append, "cleaned")

    with pytest.raises(Cancelled):
        driver(steps(), Context(sandbox="basic", cancel=stop))
    assert calls == ["cleaned"]


def test_a_cancelled_task_lets_the_thread_finish_before_clean_up() -> None:
    calls: list[str] = []
    started, resume = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        resume.wait(10)
        calls.append("returned")

    def steps() -> Steps[None]:
        try:
            yield CallFunction(slow)
        finally:
            calls.append("cleaned")

    async def run() -> None:
        task = asyncio.create_task(drive_async(steps(), Context()))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.sleep(0.05)
        assert calls == []
        resume.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert calls == ["returned", "cleaned"]


def test_a_cancelled_task_ends_its_child_and_cleans_up() -> None:
    calls: list[str] = []

    def steps() -> Steps[None]:
        try:
            yield from run_child(python("import time; time.sleep(60)"))
        finally:
            calls.append("cleaned")

    async def run() -> float:
        task = asyncio.create_task(drive_async(steps(), Context(sandbox="basic")))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(run()) < 10
    assert calls == ["cleaned"]


def test_on_a_loop_a_twin_is_awaited_in_place_of_a_thread() -> None:
    async def twin(value: int) -> str:
        return f"awaited {value} in {threading.current_thread().name}"

    def steps() -> Steps[str]:
        assert (yield from call(threading.current_thread)) is not threading.main_thread()
        return (yield from call(str, 5, twin=twin))

    async def run() -> str:
        return await drive_async(steps(), Context())

    assert asyncio.run(run()) == "awaited 5 in MainThread"
    assert drive(call(str, 5, twin=twin), Context()) == "5"
