"""Children forked before this process has imported anything to speak of: from then on both import at once, each what it needs.

Imports little, for that is what it is for. What such a child does is told by ``entry``; our end of it becomes a ``tools.peer.Peer``.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, NoReturn


class ForkedChild(NamedTuple):
    """Our end of a child: its process, the socket to talk over, the pipe that it dies with."""

    pid: int
    channel: socket.socket
    lifeline: int


def single_threaded() -> bool:
    """Whether this process has one thread only, native libraries' counted; False where the host (not Linux) does not tell."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 (pathlib is one of the imports that can wait)
    except OSError:
        return False


def fork(count: int, entry: str) -> tuple[ForkedChild, ...]:
    """So many children, fewer where the host refuses. ``entry``: ``module:function``, which each calls as ``forked`` calls its work."""
    module, _, name = entry.partition(":")

    def work(channel: int, lifeline: int) -> None:
        getattr(import_module(module), name)(channel, lifeline)

    return tuple(child for _ in range(count) if (child := forked(work)) is not None)


def forked(work: Callable[[int, int], object]) -> ForkedChild | None:
    """One child, which leaves this process, does ``work`` with the descriptors of its socket and of its pipe, and ends. None where forking
    is not safe, or the host refuses: whoever needs a child then says so."""
    if not single_threaded():
        return None
    ours, theirs = socket.socketpair()
    lifeline, held = os.pipe()
    try:
        pid = os.fork()
        if pid == 0:
            _live(work, theirs.fileno(), lifeline)
    except OSError:
        ours.close()
        os.close(held)
        return None
    finally:
        theirs.close()
        os.close(lifeline)
    ours.setblocking(False)
    return ForkedChild(pid, ours, held)


def _live(work: Callable[[int, int], object], channel: int, lifeline: int) -> NoReturn:
    try:
        _leave(channel, lifeline)
        work(channel, lifeline)
    finally:
        os._exit(1)


def _leave(channel: int, lifeline: int) -> None:
    """Drop what was the parent's but these two descriptors."""
    gc.freeze()  # what the parent left is never collected here: its file objects would close numbers that are ours by then
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    keep = sorted((channel, lifeline))
    os.closerange(3, keep[0])
    os.closerange(keep[0] + 1, keep[1])
    os.closerange(keep[1] + 1, max(map(int, os.listdir("/proc/self/fd"))) + 1)  # noqa: PTH208
