"""Jobs on many hosts: a worker pool over a Dask cluster.

Workers read and write shared storage, and the ledger stays with the coordinator. The scheduler
holds no state that matters: if it or a worker is lost, the ledger knows which jobs are left.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.workers import context, dask_events
from mediaprep.jobs.workers.context import WorkerListener

P = ParamSpec("P")
T = TypeVar("T")
RESOURCE = "CPU"
REFRESH_SECONDS = 5.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 2


class DaskPool:
    """The worker pool behind a Dask scheduler such as ``tcp://host:8786``."""

    def __init__(self, address: str) -> None:
        """Raises: EnvironmentProblem if Dask is not installed or the scheduler does not answer."""
        self._client = _connect(address)
        self._address = address
        self._executors: dict[int, Executor] = {}
        self._refresh_at = 0.0
        self._cores = self._largest_worker = 1
        self._has_resources = False

    @property
    def jobs(self) -> int:
        """Cores of all workers: their resource ``CPU`` if any declares it, else their threads."""
        self._refresh()
        return self._cores

    def _refresh(self) -> None:
        if time.monotonic() < self._refresh_at:
            return
        self._refresh_at = time.monotonic() + REFRESH_SECONDS
        workers = list(self._client.scheduler_info(n_workers=-1)["workers"].values())
        cores = [int(worker["resources"].get(RESOURCE, 0)) for worker in workers]
        self._has_resources = any(cores)
        if not self._has_resources:
            cores = [1] * sum(worker["nthreads"] for worker in workers)
        self._cores, self._largest_worker = max(1, sum(cores)), max([1, *cores])

    def executor(self, threads: int) -> Executor:
        """Return an executor that asks for so many ``CPU``, if workers declare this resource."""
        self._refresh()
        cpus = min(threads, self._largest_worker) if self._has_resources else 0
        if cpus not in self._executors:
            resources = {RESOURCE: cpus} if cpus else None
            self._executors[cpus] = _PickledExecutor(self._client, resources)
        return self._executors[cpus]

    def threads(self, wanted: int, pending: int) -> int:
        """Return ``wanted``, up to the cores of the largest worker."""
        return min(wanted, self._largest_worker)

    @contextmanager
    def channel(self, run: str, listener: WorkerListener) -> Iterator[None]:
        """Pass events through the scheduler; those of workers in this process directly."""

        def handle(item: tuple[float, Any]) -> None:
            facts = item[1]
            event = dask_events.event_from(facts)
            if event is not None:
                listener(int(facts["job"]), event)

        topic = dask_events.topic(run)
        self._client.subscribe_topic(topic, handle)
        try:
            with context.channel(run, listener):
                yield
        finally:
            if self.lost() is None:
                self._client.unsubscribe_topic(topic)

    def lost(self) -> str | None:
        """Return a message if the connection to the scheduler is lost."""
        if self._client.status == "running":
            return None
        return (
            f"{self._address}: lost connection to the scheduler ({self._client.status});"
            " start it again and run the same command again: finished files are not repeated"
        )

    def close(self) -> None:
        """Disconnect; scheduler and workers go on."""
        self._client.close(timeout=CLOSE_SECONDS)


def _connect(address: str) -> Any:
    try:
        import distributed  # optional dependency: mediaprep[cluster]
    except ImportError as problem:
        raise EnvironmentProblem(
            "--cluster needs Dask: pip install 'mediaprep[cluster]'"
        ) from problem
    # It logs tracebacks if the scheduler is lost, which `lost` reports in one line.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client: Any = distributed.Client
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as problem:
        raise EnvironmentProblem(
            f"{address}: cannot connect to a Dask scheduler ({problem})"
        ) from problem


class _PickledExecutor(Executor):
    """Like the executor of ``Client.get_executor``, with two differences.

    Each call is sent as one piece of bytes, because Dask would visit every record inside of it,
    which costs ten times as much as the rest. And a future ends even if its result is lost with its
    worker: distributed 2026.8 drops that future (``cfexecutor._cascade_future``).
    """

    def __init__(self, client: Any, resources: dict[str, int] | None) -> None:
        self._client, self._resources = client, resources
        self._remote: dict[Future[Any], Any] = {}

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit a call to the cluster."""
        future: Future[T] = Future()
        remote = self._client.submit(
            _call, pickle.dumps((fn, args, kwargs)), pure=False, resources=self._resources
        )
        self._remote[future] = remote  # Dask drops a task that nothing refers to
        future.add_done_callback(self._forget)
        remote.add_done_callback(functools.partial(_transfer_result, future))
        return future

    def _forget(self, future: Future[Any]) -> None:
        remote = self._remote.pop(future, None)
        if remote is not None and future.cancelled():
            remote.cancel()


def _transfer_result(future: Future[Any], remote: Any) -> None:
    """Copy the result of a Dask future; Dask calls this in a thread of its own."""
    try:
        result = remote.result()
    except (CancelledError, asyncio.CancelledError):
        future.cancel()
        future.set_running_or_notify_cancel()
    except Exception as problem:  # of the worker or of Dask: the driver decides what it means
        with contextlib.suppress(InvalidStateError):
            future.set_exception(problem)
    else:
        with contextlib.suppress(InvalidStateError):
            future.set_result(result)


def _call(packed: bytes) -> Any:
    # Like every message of Dask, the call comes from our own coordinator.
    function, args, kwargs = pickle.loads(packed)  # noqa: S301
    return function(*args, **kwargs)
