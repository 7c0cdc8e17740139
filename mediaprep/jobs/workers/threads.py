"""Jobs on this machine: a pool of threads, because the work itself is done in child processes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import ParamSpec, TypeVar

from mediaprep.jobs.workers import context
from mediaprep.jobs.workers.context import WorkerListener
from mediaprep.runtime.cores import available_cores

P = ParamSpec("P")
T = TypeVar("T")
MAX_ENCODER_THREADS = 16  # x264 gains little from more


class WeightedSemaphore:
    """Counts cores. First come, first served, so that small jobs do not starve a large one."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = capacity
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def acquired(self, count: int) -> Iterator[None]:
        """Hold ``count`` cores; all of them if there are fewer."""
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
    """A view of the thread pool whose tasks hold so many cores each."""

    def __init__(self, pool: Executor, semaphore: WeightedSemaphore, threads: int) -> None:
        self._pool, self._semaphore, self._threads = pool, semaphore, threads

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit a task, which waits for its cores before it starts."""

        def run() -> T:
            with self._semaphore.acquired(self._threads):
                return fn(*args, **kwargs)

        return self._pool.submit(run)


class ThreadPool:
    """The worker pool of this machine. ``jobs`` is by default the number of cores."""

    def __init__(self, jobs: int | None = None) -> None:
        cores = available_cores()
        self.jobs = jobs or cores
        self._cores = max(cores, self.jobs)
        self._semaphore = WeightedSemaphore(self._cores)
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="mediaprep-job")

    def executor(self, threads: int) -> Executor:
        """Return a view of the thread pool."""
        return _WeightedExecutor(self._pool, self._semaphore, threads)

    def threads(self, wanted: int, pending: int) -> int:
        """Return at least ``wanted``, and more if there are fewer jobs than cores."""
        share = self._cores // max(1, min(self.jobs, pending))
        return max(1, min(max(wanted, share), self._cores, MAX_ENCODER_THREADS))

    def channel(self, run: str, listener: WorkerListener) -> AbstractContextManager[None]:
        """Call the listener directly, in the thread of the job."""
        return context.channel(run, listener)

    def lost(self) -> str | None:
        """Return None: threads are never lost."""
        return None

    def close(self) -> None:
        """Wait for running jobs, and drop the ones that have not started."""
        self._pool.shutdown(wait=True, cancel_futures=True)
