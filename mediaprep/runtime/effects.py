"""Work written once as generators of effects, with a blocking and an asynchronous driver.

A generator yields what it needs done and is sent the result::

    def work() -> Steps[int]:
        completed = yield from run_child(command)
        return (yield from call(count, completed.stdout))

    drive(work(), context)              # or: await drive_async(work(), context)

An exception of an effect is raised at its ``yield``, a cancellation too, so ``try``/``finally``
cleans up as in ordinary code; no driver leaves a generator unfinished. Clean-up may yield
``CallFunction`` effects: they are carried out after a cancellation as well.

Functions that return ``Steps`` end in ``_steps``, except ``run_child`` and ``call`` below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from mediaprep.errors import Cancelled, DeadlineExceeded
from mediaprep.runtime import process
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.context import Context
from mediaprep.runtime.crashpoints import crashpoint

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Run this program; the result is its Completed."""

    command: Command


@dataclass(frozen=True, slots=True)
class CallFunction:
    """Call this function, which may block; the result is its return value.

    The asynchronous driver awaits ``twin`` with the same arguments if there is one. Otherwise it
    runs the function in a thread, and a cancellation waits for it to return, so that clean-up does
    not race with it.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    twin: Callable[..., Awaitable[Any]] | None = None


Effect: TypeAlias = RunCommand | CallFunction
Steps: TypeAlias = Generator[Effect, Any, T]


def run_child(command: Command) -> Steps[Completed]:
    """Run a program; to be used with ``yield from``. Raises: as ``process.run``."""
    completed: Completed = yield RunCommand(command)
    return completed


def call(
    function: Callable[..., R], *args: Any, twin: Callable[..., Awaitable[R]] | None = None
) -> Steps[R]:
    """Call a function; to be used with ``yield from``.

    See ``CallFunction``. Raises: what it raises.
    """
    result: R = yield CallFunction(function, args, twin)
    return result


class _Stepper(Generic[T]):
    """Advances a generator: sends it results and raises problems in it.

    ``stopping``: exceptions after which the context is no longer checked, so that clean-up can run.
    """

    returned: T

    def __init__(
        self, steps: Steps[T], context: Context, stopping: tuple[type[BaseException], ...]
    ) -> None:
        self._steps, self._context, self._stopping = steps, context, stopping
        self._stopped = False
        self._result: Any = None
        self._problem: BaseException | None = None

    def next_effect(self) -> Effect | None:
        """Advance to the next effect; None: the generator returned, see ``returned``."""
        result, problem = self._result, self._problem
        self._result = self._problem = None
        try:
            return self._steps.send(result) if problem is None else self._steps.throw(problem)
        except StopIteration as end:
            self.returned = end.value
            return None

    def check(self) -> None:
        """Raise Cancelled or DeadlineExceeded, unless the generator is already cleaning up."""
        if not self._stopped:
            self._context.check()

    def succeeded(self, result: Any) -> None:
        """Take the result of the current effect."""
        self._result = result

    def failed(self, problem: BaseException) -> None:
        """Take the exception of the current effect, to be raised in the generator."""
        self._problem = problem
        self._stopped = self._stopped or isinstance(problem, self._stopping)


def drive(steps: Steps[T], context: Context) -> T:
    """Carry out the effects one after the other, blocking, and return the generator's result.

    Raises: what the generator raises; Cancelled, DeadlineExceeded.
    """
    stepper = _Stepper(steps, context, (Cancelled, DeadlineExceeded))
    try:
        while (effect := stepper.next_effect()) is not None:
            try:
                stepper.check()
                stepper.succeeded(_carry_out(effect, context))
                crashpoint("effect")
            except BaseException as problem:
                stepper.failed(problem)
        return stepper.returned
    finally:
        steps.close()


async def drive_async(steps: Steps[T], context: Context) -> T:
    """Do the same as ``drive`` on the running loop.

    Raises: as ``drive``; asyncio.CancelledError after the generator has cleaned up.
    """
    import asyncio

    stepper = _Stepper(steps, context, (Cancelled, DeadlineExceeded, asyncio.CancelledError))
    try:
        while (effect := stepper.next_effect()) is not None:
            try:
                stepper.check()
                stepper.succeeded(await _carry_out_async(effect, context))
            except BaseException as problem:
                stepper.failed(problem)
        return stepper.returned
    finally:
        steps.close()


def _carry_out(effect: Effect, context: Context) -> Any:
    if isinstance(effect, RunCommand):
        return process.run(effect.command, context)
    return effect.function(*effect.args)


async def _carry_out_async(effect: Effect, context: Context) -> Any:
    if isinstance(effect, RunCommand):
        return await process.run_async(effect.command, context)
    if effect.twin is not None:
        return await effect.twin(*effect.args)
    return await _run_in_thread(effect)


async def _run_in_thread(effect: CallFunction) -> Any:
    """Return the function's result. A cancellation is raised after the function has returned."""
    import asyncio

    future = asyncio.ensure_future(asyncio.to_thread(effect.function, *effect.args))
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as again:
            cancelled = again
    if cancelled is not None:
        if not future.cancelled():
            future.exception()  # retrieve it: the cancellation matters more
        raise cancelled
    return future.result()
