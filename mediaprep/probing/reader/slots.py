"""A counted resource shared by threads and event loops: first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

POLL_SECONDS = 0.05


class Slots:
    """``count`` places; whoever took one gives it back. While it waits, ``check`` is called every 50 ms and may raise."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    def take(self, check: Callable[[], None]) -> None:
        """Wait for a place, blocking. Raises: what ``check`` raises; then no place is held."""
        turn = self._turn()
        if turn is None:
            return
        try:
            while not turn.done():
                check()
                _wait(turn)
        except BaseException:
            self._withdraw(turn)
            raise

    async def take_async(self, check: Callable[[], None]) -> None:
        """As ``take``, on the running loop. Raises: as ``take``; asyncio.CancelledError."""
        import asyncio

        turn = self._turn()
        if turn is None:
            return
        here = asyncio.wrap_future(turn)
        try:
            while not turn.done():
                check()
                await asyncio.wait({here}, timeout=POLL_SECONDS)
        except BaseException:
            self._withdraw(turn)
            raise

    def give(self) -> None:
        """Give a place back, to the one that waits longest."""
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._free += 1

    def _turn(self) -> Future[None] | None:
        """A turn to wait for; None: a place was free and is taken."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            from concurrent.futures import Future

            turn: Future[None] = Future()
            self._waiting.append(turn)
        return turn

    def _withdraw(self, turn: Future[None]) -> None:
        if not turn.cancel():  # it was given to us meanwhile
            self.give()


def _wait(turn: Future[None]) -> None:
    try:
        turn.result(timeout=POLL_SECONDS)
    except TimeoutError:
        return
