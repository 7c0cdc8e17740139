"""Work written once as generators that yield what they need done; two drivers do it, one blocking, one on an event loop.

    def steps() -> Steps[int]:
        done = yield from run_child(command)
        return (yield from call(count, done.stdout))

    drive(steps(), context)              # or: await drive_async(steps(), context)

An exception of an effect is thrown in at its ``yield``, cancellation too, so ``try``/``finally`` cleans up as in ordinary code; the
driver never leaves a generator unfinished. Clean-up may yield ``CallFunction`` effects: they are carried out after a cancellation as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from mediaprep.errors import Cancelled, DeadlineExceeded
from mediaprep.runtime import process
from mediaprep.runtime.context import Context
from mediaprep.runtime.crashpoints import step
from mediaprep.runtime.process import Command, Completed

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Run this program; answered with its Completed."""

    command: Command


@dataclass(frozen=True, slots=True)
class CallFunction:
    """Call this function, which may block; answered with its result.

    On an event loop ``twin`` is awaited with the same arguments where there is one, else the function runs in a thread, and a cancellation
    waits for it to return (clean-up must not race with it).
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    twin: Callable[..., Awaitable[Any]] | None = None


Effect: TypeAlias = RunCommand | CallFunction
Steps: TypeAlias = Generator[Effect, Any, T]


def run_child(command: Command) -> Steps[Completed]:
    """``yield from`` it: runs the program. Raises: as process.run."""
    completed: Completed = yield RunCommand(command)
    return completed


def call(
    function: Callable[..., R], *args: Any, twin: Callable[..., Awaitable[R]] | None = None
) -> Steps[R]:
    """``yield from`` it: calls the function, in a thread (or its twin, awaited) where the driver is on a loop. Raises: what it raises."""
    result: R = yield CallFunction(function, args, twin)
    return result


def drive(steps: Steps[T], context: Context) -> T:
    """Carry out the effects one after the other, blocking. Raises: what the steps raise; Cancelled, DeadlineExceeded."""
    answer: Any = None
    problem: BaseException | None = None
    stopped = False
    try:
        while True:
            try:
                effect = steps.send(answer) if problem is None else steps.throw(problem)
            except StopIteration as end:
                result: T = end.value
                return result
            answer, problem = None, None
            try:
                if not stopped:
                    context.check()
                answer = (
                    process.run(effect.command, context)
                    if isinstance(effect, RunCommand)
                    else effect.function(*effect.args)
                )
                step("effect")
            except (
                BaseException
            ) as raised:  # handed to the generator, which raises it again unless it knows better
                problem, stopped = (
                    raised,
                    stopped or isinstance(raised, (Cancelled, DeadlineExceeded)),
                )
    finally:
        steps.close()


async def drive_async(steps: Steps[T], context: Context) -> T:
    """As ``drive``, on the running loop. Raises: as ``drive``; asyncio.CancelledError after the steps have cleaned up."""
    import asyncio

    answer: Any = None
    problem: BaseException | None = None
    stopped = False
    try:
        while True:
            try:
                effect = steps.send(answer) if problem is None else steps.throw(problem)
            except StopIteration as end:
                result: T = end.value
                return result
            answer, problem = None, None
            try:
                if not stopped:
                    context.check()
                answer = await _carry_out(effect, context)
            except (
                BaseException
            ) as raised:  # handed to the generator, which raises it again unless it knows better
                problem = raised
                stopped = stopped or isinstance(
                    raised, (Cancelled, DeadlineExceeded, asyncio.CancelledError)
                )
    finally:
        steps.close()


async def _carry_out(effect: Effect, context: Context) -> Any:
    if isinstance(effect, RunCommand):
        return await process.run_async(effect.command, context)
    if effect.twin is not None:
        return await effect.twin(*effect.args)
    return await _in_thread(effect)


async def _in_thread(effect: CallFunction) -> Any:
    """The function's result from a thread. A cancellation is raised once the function has returned, not before."""
    import asyncio

    work = asyncio.ensure_future(asyncio.to_thread(effect.function, *effect.args))
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as again:
            cancelled = again
    if cancelled is not None:
        if not work.cancelled():
            work.exception()  # seen: the cancellation matters more
        raise cancelled
    return work.result()
