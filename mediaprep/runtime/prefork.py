"""Fork children of this process, each with a socket to talk over and a lifeline pipe.

A command forks its reading children before it imports anything large (``runtime.startup``), so this
module imports little. A child must not be forked from a process with several threads: locks that
another thread holds would never be released in the child.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable
from typing import NamedTuple, NoReturn


class ForkedChild(NamedTuple):
    """The parent's end of a forked child.

    pid        process id
    channel    socket to talk over
    lifeline   writing end of a pipe; the child is killed when it closes
    """

    pid: int
    channel: socket.socket
    lifeline: int


def is_single_threaded() -> bool:
    """Return True if this process has one thread only, including threads of native libraries.

    False if the host cannot report it (not Linux).
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 (pathlib is imported later)
    except OSError:
        return False


def fork_child(work: Callable[[int, int], object]) -> ForkedChild | None:
    """Fork one child that calls ``work(channel, lifeline)`` with its descriptors and then exits.

    Return None if forking is not safe or the host refuses.
    """
    if not is_single_threaded():
        return None
    ours, theirs = socket.socketpair()
    lifeline_read, lifeline_write = os.pipe()
    try:
        pid = os.fork()
        if pid == 0:
            _run_in_child(work, theirs.fileno(), lifeline_read)
    except OSError:
        ours.close()
        os.close(lifeline_write)
        return None
    finally:
        theirs.close()
        os.close(lifeline_read)
    ours.setblocking(False)
    return ForkedChild(pid, ours, lifeline_write)


def _run_in_child(work: Callable[[int, int], object], channel: int, lifeline: int) -> NoReturn:
    try:
        _detach_from_parent(channel, lifeline)
        work(channel, lifeline)
    finally:
        os._exit(1)


def _detach_from_parent(channel: int, lifeline: int) -> None:
    """Start a new session, reset signal handlers and close all descriptors but these two."""
    # The parent's objects must never be collected here: closing its file objects would close
    # descriptors that this process has reused since.
    gc.freeze()
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    first, second = sorted((channel, lifeline))
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, max(map(int, os.listdir("/proc/self/fd"))) + 1)  # noqa: PTH208
