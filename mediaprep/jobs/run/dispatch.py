"""Submitting work to a pool, and collecting what has completed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.run.inflight import InFlightJob
from mediaprep.jobs.workers.pool import WorkerPool

STOP_SECONDS = 10.0
# After one job has completed, wait this long for others, which then share its transactions.
GATHER_SECONDS = 0.02

Completed: TypeAlias = list[tuple[InFlightJob, Future[Any]]]


class Dispatcher:
    """The work that was submitted to a pool and has not been collected."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._submitted: dict[Future[Any], InFlightJob] = {}
        self._completed: SimpleQueue[Future[Any]] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._submitted)

    @property
    def jobs(self) -> Iterable[InFlightJob]:
        """The jobs whose work was submitted."""
        return self._submitted.values()

    def submit(
        self, job: InFlightJob, threads: int, function: Callable[..., Any], *arguments: Any
    ) -> None:
        """Submit a call for a job. Raises: EnvironmentProblem if the pool accepts nothing."""
        job.last_event = None
        try:
            future = self._pool.executor(threads).submit(function, *arguments)
        except (RuntimeError, OSError) as problem:
            raise EnvironmentProblem(
                self._pool.lost() or f"work cannot be submitted: {problem}"
            ) from problem
        self._submitted[future] = job
        future.add_done_callback(self._completed.put)

    def collect(self, seconds: float) -> Completed:
        """Wait up to ``seconds`` for a call to complete; return it and those soon after it."""
        deadline = time.monotonic() + seconds
        completed: Completed = []
        while self._submitted:
            try:
                future = self._completed.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                break
            if not completed:
                deadline = time.monotonic() + GATHER_SECONDS
            job = self._submitted.pop(future, None)
            if job is not None:
                completed.append((job, future))
        return completed

    def cancel(self) -> None:
        """Cancel what has not started, and wait for what runs."""
        for future in self._submitted:
            future.cancel()
        running = [future for future in self._submitted if not future.cancelled()]
        wait(running, timeout=STOP_SECONDS)
        self._submitted.clear()
