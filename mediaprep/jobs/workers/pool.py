"""The interface of worker pools: any ``concurrent.futures.Executor`` that a driver can use."""

from __future__ import annotations

from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import Protocol

from mediaprep.jobs.workers.context import WorkerListener


class WorkerPool(Protocol):
    """Where jobs run."""

    @property
    def jobs(self) -> int:
        """Jobs that can run at once."""

    def executor(self, threads: int) -> Executor:
        """Return the executor for work that uses so many threads."""

    def threads(self, wanted: int, pending: int) -> int:
        """Return the threads of a job that can use ``wanted``, while ``pending`` jobs are left."""

    def channel(self, run: str, listener: WorkerListener) -> AbstractContextManager[None]:
        """Pass the events of this run's jobs to ``listener`` while the context is entered."""

    def lost(self) -> str | None:
        """Return why no work is possible any more; None if it is."""

    def close(self) -> None:
        """Release the pool."""
