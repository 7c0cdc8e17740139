"""A semaphore shared by threads and event loops; waiters are served in order of arrival."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from mediaprep.runtime.context import POLL_SECONDS

if TYPE_CHECKING:
    from concurrent.futures import Future


class FairSemaphore:
    """Limit concurrent holders to ``count``.

    While a caller waits, its ``check`` is called every 50 ms; an exception that it raises ends the
    wait.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    def acquire(self, check: Callable[[], None]) -> None:
        """Acquire, blocking. Raises: what ``check`` raises; the semaphore is not held then."""
        turn = self._try_acquire()
        if turn is None:
            return
        try:
            while not turn.done():
                check()
                _wait(turn)
        except BaseException:
            self._withdraw(turn)
            raise

    async def acquire_async(self, check: Callable[[], None]) -> None:
        """Acquire on the running event loop. Raises: as ``acquire``; asyncio.CancelledError."""
        import asyncio  # local: most commands run without an event loop

        turn = self._try_acquire()
        if turn is None:
            return
        future = asyncio.wrap_future(turn)
        try:
            while not turn.done():
                check()
                await asyncio.wait({future}, timeout=POLL_SECONDS)
        except BaseException:
            self._withdraw(turn)
            raise

    def release(self) -> None:
        """Release; the caller that has waited longest acquires next."""
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._free += 1

    def _try_acquire(self) -> Future[None] | None:
        """Acquire if the semaphore is free and return None; else return a future to wait for."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            from concurrent.futures import Future  # local: few callers ever wait

            turn: Future[None] = Future()
            self._waiting.append(turn)
        return turn

    def _withdraw(self, turn: Future[None]) -> None:
        if not turn.cancel():  # acquired in the meantime
            self.release()


def _wait(turn: Future[None]) -> None:
    try:
        turn.result(timeout=POLL_SECONDS)
    except TimeoutError:
        return
