"""One piece of work for each input: answers come in the order of the inputs, and one that fails does not stop the others."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from mediaprep.cli._console import Console
from mediaprep.cli._exit import ExitCode, of_error
from mediaprep.errors import Cancelled
from mediaprep.runtime.source import display_name

if TYPE_CHECKING:
    from mediaprep.model.media import Media
    from mediaprep.model.report import Report
    from mediaprep.profile import Profile

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputResult(Generic[T]):
    """What came of one input: a value, or the ``error`` that we failed with, in one line, and its exit code."""

    name: str
    value: T | None = None
    error: str | None = None
    code: ExitCode = ExitCode.OK


def each(
    console: Console, names: Sequence[str], work: Callable[[str], T], *, jobs: int = 1
) -> Iterator[InputResult[T]]:
    """The answers as they come, in order. Raises: Stopped after a signal, once all work has ended."""
    with console.stoppable():
        if jobs <= 1 or len(names) <= 1:
            for name in names:
                yield _one(console, name, work)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(jobs) as pool, contextlib.ExitStack() as leaving:
            leaving.callback(pool.shutdown, cancel_futures=True)
            leaving.push(lambda kind, problem, trace: console.cancel.set() if kind else None)
            left, going = (
                iter(names),
                deque(pool.submit(_one, console, name, work) for name in names[: 2 * jobs]),
            )
            for name in islice(
                left, len(going), None
            ):  # no more than a window of them, so that no answer is kept
                yield going.popleft().result()
                going.append(pool.submit(_one, console, name, work))
            while going:
                yield going.popleft().result()


def _one(console: Console, name: str, work: Callable[[str], T]) -> InputResult[T]:
    try:
        return InputResult(name=name, value=work(name))
    except Cancelled:
        raise
    except (
        Exception
    ) as problem:  # the edge: whatever happened to one file is told, and the others go on
        return InputResult(name=name, error=console.failed(problem), code=of_error(problem))


def cores() -> int:
    """How many files may be looked at at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def attachment(report: Report | None) -> Media | None:
    """What a post has to know of a file: its kind and name."""
    return (
        None
        if report is None or report.media is None
        else type(report.media)(name=report.media.name)
    )


def as_post(
    media: Sequence[Media | None], profile: Profile, *, asked: bool = False
) -> Report | None:
    """The judgement of several files (or, where ``asked``, of one) as the attachments of one post; None where the profile says nothing."""
    from mediaprep.planning.check import check_post

    if profile.post is None or not (asked or len(media) > 1):
        return None
    return check_post(tuple(media), profile.post, profile.name)


def complaint(done: InputResult[T]) -> str:
    """The line for stderr: the input's name, where the message does not begin with it."""
    name, error = display_name(done.name), done.error or ""
    return error if error.startswith(f"{name}:") else f"{name}: {error}"
