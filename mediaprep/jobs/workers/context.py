"""The context of one job in a worker: its deadline, its cancellation and where its events go."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from mediaprep.jobs.workers.records import JobTask
from mediaprep.model.events import Event, Listener
from mediaprep.runtime.context import Context, Limits

CANCELLATION_SECONDS = 0.25  # between two checks that the job's folder exists
WorkerListener: TypeAlias = Callable[[int, Event], None]  # job id, event

# Listeners of the runs in this process, by name. A run of another process has none here: its
# events go through the cluster's scheduler.
_LISTENERS: dict[str, WorkerListener] = {}


@contextlib.contextmanager
def channel(run: str, listener: WorkerListener) -> Iterator[None]:
    """Pass events of this run's jobs to ``listener``, for jobs that run in this process."""
    _LISTENERS[run] = listener
    try:
        yield
    finally:
        _LISTENERS.pop(run, None)


def job_context(task: JobTask, *, stages: bool = True) -> Context:
    """Return the context of a job. Without ``stages`` only its progress is sent over a cluster."""
    return Context(
        deadline=None if task.timeout is None else time.monotonic() + task.timeout,
        cancel=Cancellation(task.folder),
        listener=_listener(task, stages=stages),
        limits=Limits(threads=task.threads),
        ffmpeg=task.ffmpeg,
        sandbox=task.sandbox,
    )


def _listener(task: JobTask, *, stages: bool) -> Listener:
    listener = _LISTENERS.get(task.run)
    if listener is not None:
        return functools.partial(listener, task.job)
    # Jobs over threads start without Dask.
    from mediaprep.jobs.workers.dask_events import send_events

    return send_events(task.run, task.job, stages=stages)


class Cancellation(threading.Event):
    """Set as soon as the job's folder is deleted, on whatever host that happens."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self._next_check = 0.0

    def is_set(self) -> bool:
        """Return True if the folder is deleted, which is checked four times a second at most."""
        now = time.monotonic()
        if now >= self._next_check and not super().is_set():
            self._next_check = now + CANCELLATION_SECONDS
            if not Path(self._folder).is_dir():
                self.set()
        return super().is_set()
