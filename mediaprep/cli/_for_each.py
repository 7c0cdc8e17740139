"""Process each input of a command: results in order, and no failure stops the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from mediaprep.cli._console import Console
from mediaprep.cli._exit import ExitCode, of_error
from mediaprep.errors import Cancelled
from mediaprep.runtime.paths import display_name

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputResult(Generic[T]):
    """The result of one input: a value, or an ``error`` of one line with its exit code."""

    name: str
    value: T | None = None
    error: str | None = None
    code: ExitCode = ExitCode.OK

    @property
    def error_line(self) -> str:
        """The error as it is shown on stderr."""
        return f"{display_name(self.name)}: {self.error}"


def for_each(
    console: Console, names: Sequence[str], work: Callable[[str], T], *, jobs: int = 1
) -> Iterator[InputResult[T]]:
    """Yield the result of each input in order, with at most ``jobs`` at work.

    Raises: StoppedBySignal, once all work has ended.
    """
    with console.stoppable():
        if jobs <= 1 or len(names) <= 1:
            for name in names:
                yield _result(console, name, work)
            return
        yield from _concurrent_results(console, names, work, jobs)


def _concurrent_results(
    console: Console, names: Sequence[str], work: Callable[[str], T], jobs: int
) -> Iterator[InputResult[T]]:
    """Work on a window of inputs, so that few results wait in memory for an earlier one."""
    # Commands with one input do without it.
    from concurrent.futures import ThreadPoolExecutor

    window: deque[Future[InputResult[T]]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for name in names:
                if len(window) == 2 * jobs:
                    yield window.popleft().result()
                window.append(pool.submit(_result, console, name, work))
            while window:
                yield window.popleft().result()
        except BaseException:
            console.cancel.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(console: Console, name: str, work: Callable[[str], T]) -> InputResult[T]:
    try:
        return InputResult(name=name, value=work(name))
    except Cancelled:
        raise
    except Exception as problem:  # reported as the result of this input; the others go on
        error = console.describe_error(problem)
        return InputResult(name=name, error=error, code=of_error(problem))
