"""Jobs and threads of one machine: a pool of threads (each job's work is in child processes) behind a semaphore that counts cores."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, Protocol, TypeVar

from mediaprep.jobs.workers import worker as work
from mediaprep.model.events import Event

P = ParamSpec("P")
T = TypeVar("T")
MOST_THREADS = 16  # of one encode; x264 gains little from more
WINDOW = 4  # jobs handed over for each that can run at once


class WorkerPool(Protocol):
    """Those who do the work: any ``concurrent.futures.Executor`` behind it."""

    @property
    def jobs(self) -> int:
        """Jobs that can run at once."""

    def executor(self, slots: int) -> Executor:
        """Where to submit what is worth so many cores."""

    def threads(self, slots: int, in_sight: int) -> int:
        """Cores of a job that is worth ``slots`` while ``in_sight`` jobs are to be done: few jobs get more threads each."""

    def channel(self, run: str, heard: Callable[[int, Event], None]) -> Any:
        """A context manager: events of this run's jobs go to ``heard``."""

    def lost(self) -> str | None:
        """Why nothing can be done any more; None: all is well."""

    def close(self) -> None:
        """Give back what is held."""


class WeightedSemaphore:
    """Counts cores. First come, first served: a large job is not starved by small ones."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = capacity
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """Hold ``count`` of them; more than there are means all."""
        count = min(count, self.capacity)
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            self._changed.wait_for(lambda: self._queue[0] is ticket and self._free >= count)
            self._queue.popleft()
            self._free -= count
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += count
                self._changed.notify_all()


class _WeightedExecutor(Executor):
    """A view of the pool whose tasks take so many cores each."""

    def __init__(self, pool: Executor, semaphore: WeightedSemaphore, slots: int) -> None:
        self._pool, self._semaphore, self._slots = pool, semaphore, slots

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As ``Executor.submit``; the task waits for its cores."""

        def run() -> T:
            with self._semaphore.taken(self._slots):
                return fn(*args, **kwargs)

        return self._pool.submit(run)


class ThreadPool:
    """The crew of this machine. ``jobs``: at once, by default one for each core."""

    def __init__(self, jobs: int | None = None) -> None:
        cores = cores_here()
        self.jobs = jobs or cores
        self._capacity = max(cores, self.jobs)
        self._semaphore = WeightedSemaphore(self._capacity)
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="mediaprep-job")

    def executor(self, slots: int) -> Executor:
        """A view of the one pool."""
        return _WeightedExecutor(self._pool, self._semaphore, slots)

    def threads(self, slots: int, in_sight: int) -> int:
        """At least what the job is worth, else a fair share of the cores."""
        share = self._capacity // max(1, min(self.jobs, in_sight))
        return max(1, min(max(slots, share), self._capacity, MOST_THREADS))

    def channel(self, run: str, heard: Callable[[int, Event], None]) -> Any:
        """Directly, in the thread of the job."""
        return work.channel(run, heard)

    def lost(self) -> str | None:
        """Threads are never lost."""
        return None

    def close(self) -> None:
        """Wait for what runs; drop what does not yet."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def cores_here() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
