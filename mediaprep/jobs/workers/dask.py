"""Many hosts: the same jobs over Dask. Workers read and write shared storage; the ledger stays with the coordinator.

The scheduler remembers nothing that matters: when it or a worker is lost, the ledger knows what is left.
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
from mediaprep.jobs.workers import dask_events as homing
from mediaprep.jobs.workers import worker as work
from mediaprep.model.events import Event

P = ParamSpec("P")
T = TypeVar("T")
RESOURCE = "CPU"
REFRESH_SECONDS = 5.0
CONNECT_SECONDS = 10.0


class Cluster:
    """The crew behind a scheduler such as ``tcp://host:8786``."""

    def __init__(self, address: str) -> None:
        """Raises: EnvironmentProblem where ``distributed`` is not installed or the scheduler does not answer."""
        try:
            import distributed
        except ImportError as problem:
            raise EnvironmentProblem(
                "--cluster needs Dask: pip install 'mediaprep[cluster]'"
            ) from problem
        logging.getLogger("distributed.client").setLevel(
            logging.CRITICAL
        )  # its tracebacks of a lost scheduler: ``lost`` says it in a line
        try:
            client: Any = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as problem:
            raise EnvironmentProblem(
                f"{address}: no scheduler answers there ({problem})"
            ) from problem
        self._use(client, address)

    def _use(self, client: Any, address: str) -> None:
        self._client, self._address = client, address
        self._executors: dict[int, Executor] = {}
        self._due, self._slots, self._most, self._counted = 0.0, 1, 1, False

    @property
    def jobs(self) -> int:
        """Cores of all workers: the resource ``CPU`` where workers state it, else their threads."""
        self._look()
        return self._slots

    def _look(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + REFRESH_SECONDS
        workers = list(self._client.scheduler_info(n_workers=-1)["workers"].values())
        stated = [int(worker["resources"].get(RESOURCE, 0)) for worker in workers]
        self._counted = any(stated)
        slots = stated if self._counted else [1] * sum(worker["nthreads"] for worker in workers)
        self._slots, self._most = max(1, sum(slots)), max([1, *slots])

    def executor(self, slots: int) -> Executor:
        """An executor over the scheduler, with the resources of the job where workers state theirs."""
        self._look()
        slots = min(slots, self._most) if self._counted else 0
        if slots not in self._executors:
            self._executors[slots] = _PickledExecutor(
                self._client, {RESOURCE: slots} if slots else None
            )
        return self._executors[slots]

    def threads(self, slots: int, in_sight: int) -> int:
        """What the job is worth: the hosts have others to do."""
        return min(slots, self._most)

    @contextmanager
    def channel(self, run: str, heard: Callable[[int, Event], None]) -> Iterator[None]:
        """Events come back through the scheduler; those of workers in this very process directly."""

        def handler(item: tuple[float, Any]) -> None:
            facts = item[1]
            event = homing.event_of(facts)
            if event is not None:
                heard(int(facts["job"]), event)

        topic = homing.topic(run)
        self._client.subscribe_topic(topic, handler)
        try:
            with work.channel(run, heard):
                yield
        finally:
            if self.lost() is None:
                self._client.unsubscribe_topic(topic)

    def lost(self) -> str | None:
        """Whether the scheduler is gone."""
        if self._client.status == "running":
            return None
        return f"{self._address}: the scheduler is gone ({self._client.status}); start it again and repeat the command: nothing is done twice"

    def close(self) -> None:
        """Leave the scheduler and its workers to others."""
        self._client.close(timeout=2)


class _PickledExecutor(Executor):
    """What ``Client.get_executor`` gives, but for two things. Each call is sent as one piece of bytes: Dask would walk through every record
    of it, which costs ten times the rest. And a future ends even if its result is lost with its worker: that of distributed 2026.8 is then
    forgotten (``cfexecutor._cascade_future``)."""

    def __init__(self, client: Any, resources: dict[str, int] | None) -> None:
        self._client, self._resources = client, resources
        self._remote: dict[Future[Any], Any] = {}

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As ``Executor.submit``."""
        future: Future[T] = Future()
        remote = self._client.submit(
            _called, pickle.dumps((fn, args, kwargs)), pure=False, resources=self._resources
        )
        self._remote[future] = remote  # Dask drops a task that nobody refers to
        future.add_done_callback(self._over)
        remote.add_done_callback(functools.partial(_landed, future))
        return future

    def _over(self, future: Future[Any]) -> None:
        remote = self._remote.pop(future, None)
        if remote is not None and future.cancelled():
            remote.cancel()


def _landed(future: Future[Any], remote: Any) -> None:
    """Carry the result over; called by Dask in a thread of its own."""
    try:
        result = remote.result()
    except (CancelledError, asyncio.CancelledError):
        future.cancel()
        future.set_running_or_notify_cancel()
    except Exception as problem:  # of the worker, or of Dask: the driver's to judge
        with contextlib.suppress(InvalidStateError):
            future.set_exception(problem)
    else:
        with contextlib.suppress(InvalidStateError):
            future.set_result(result)


def _called(packed: bytes) -> Any:
    function, args, kwargs = pickle.loads(packed)  # noqa: S301 (from our own coordinator, as Dask's own messages are)
    return function(*args, **kwargs)
