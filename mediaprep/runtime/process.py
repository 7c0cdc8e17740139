"""Run programs: confined, with a time limit, in a process group that is killed as one.

This is the only module that starts other programs. ``run`` blocks; ``run_async`` does the same on
the event loop without a thread. A program gets an empty environment, an empty working directory and
no stdin. However the call ends (done, failed, cancelled, timed out, interrupted), neither a process
nor a zombie is left. On Linux a program also dies with this process. Works on Linux and macOS.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from mediaprep.errors import EnvironmentProblem
from mediaprep.runtime.command import Command, CommandRun, Completed
from mediaprep.runtime.context import POLL_SECONDS, Context
from mediaprep.runtime.workdir import empty_folder

# Start-up: asyncio and subprocess are imported where they are used; a check of one file starts no
# program.
if TYPE_CHECKING:
    import asyncio
    import selectors
    import subprocess

# A killed process that lasts longer hangs in the kernel and is left to init.
REAP_SECONDS = 5.0
# When a program has ended, other processes may still hold its pipes open.
DRAIN_SECONDS = 1.0
_ENVIRONMENT = {"LC_ALL": "C"}


def run(command: Command, context: Context) -> Completed:
    """Run a command and wait for its end.

    Raises: ToolError (an exit code that is not ok), DeadlineExceeded, Cancelled, EnvironmentProblem
    (cannot be started or confined).
    """
    import subprocess

    state = CommandRun(command, context)
    child = spawn(state.argv, what=command.what, output=subprocess.PIPE, pass_fds=command.pass_fds)
    assert child.stdout is not None  # PIPE was requested
    assert child.stderr is not None
    with child.stdout, child.stderr:
        try:
            _pump(child, child.stdout, child.stderr, state)
        finally:
            kill_group(child.pid)  # before it is reaped: until then the group's number is ours
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(REAP_SECONDS)
    return state.completed(child.returncode)


async def run_async(command: Command, context: Context) -> Completed:
    """Do the same as ``run`` on the running event loop; cancelling the task kills the group.

    Raises: as ``run``, and asyncio.CancelledError.
    """
    import asyncio

    state = CommandRun(command, context)
    with _start_problems(command.what):
        child = await asyncio.create_subprocess_exec(
            *state.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd=empty_folder(),
            start_new_session=True,
            pass_fds=command.pass_fds,
        )
    assert child.stdout is not None  # PIPE was requested
    assert child.stderr is not None
    exited = asyncio.create_task(child.wait())
    pumps = {
        asyncio.create_task(_feed(child.stdout, state.on_stdout)),
        asyncio.create_task(_feed(child.stderr, state.on_stderr)),
    }
    try:
        # The return code is known as soon as the program ends; ``wait`` also waits for its pipes,
        # which a stray process may hold open.
        while child.returncode is None:
            running: list[asyncio.Task[Any]] = [exited, *(p for p in pumps if not p.done())]
            await asyncio.wait(running, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            _raise_failures(pumps)
            state.check()
        kill_group(child.pid)
        await asyncio.wait(pumps, timeout=DRAIN_SECONDS)
        _raise_failures(pumps)
    finally:
        kill_group(child.pid)
        await _reap(child, exited, pumps)
    return state.completed(child.returncode)


def spawn(
    argv: Sequence[str],
    *,
    what: str,
    output: int,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as the leader of its own group, in an empty folder, without stdin.

    The caller has to end and reap it. ``output``: what its stdout and stderr become, as for
    subprocess. Raises: EnvironmentProblem.
    """
    import subprocess

    with _start_problems(what):
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**_ENVIRONMENT, **(environment or {})},
            cwd=empty_folder(),
            start_new_session=True,
            pass_fds=pass_fds,
        )


def kill_group(pid: int) -> None:
    """Send SIGKILL to a process group, if it still exists."""
    # macOS reports EPERM for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


@contextlib.contextmanager
def _start_problems(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise EnvironmentProblem(f"{what}: cannot start a process: {problem}") from problem


def _pump(
    child: subprocess.Popen[bytes], stdout: IO[bytes], stderr: IO[bytes], state: CommandRun
) -> None:
    """Feed the output to ``state`` until the child has ended and its pipes are empty.

    The child is not reaped yet.
    """
    import selectors

    with selectors.DefaultSelector() as selector, _pidfd(child.pid) as pidfd:
        for pipe, feed in ((stdout, state.on_stdout), (stderr, state.on_stderr)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe.fileno(), selectors.EVENT_READ, feed)
        timeout = 0.01
        if pidfd is not None:
            selector.register(pidfd, selectors.EVENT_READ, None)
            timeout = POLL_SECONDS
        last_check = 0.0
        while not _has_ended(child.pid):
            _feed_ready(selector, timeout)
            if time.monotonic() - last_check >= POLL_SECONDS:
                last_check = time.monotonic()
                state.check()
        kill_group(child.pid)  # strays that would keep the pipes open
        if pidfd is not None:
            selector.unregister(pidfd)
        until = time.monotonic() + DRAIN_SECONDS
        while selector.get_map() and time.monotonic() < until:
            _feed_ready(selector, POLL_SECONDS)
        state.on_stdout(b"")


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _feed_ready(selector: selectors.BaseSelector, timeout: float) -> None:
    """Wait for output and pass it on; drop the pipes that are at their end."""
    for key, _ in selector.select(timeout):
        if key.data is not None and not _drain(key.fd, key.data):
            selector.unregister(key.fd)


def _drain(descriptor: int, feed: Callable[[bytes], None]) -> bool:
    """Pass on what can be read; return False at the end."""
    try:
        chunk = os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return True
    if chunk:
        feed(chunk)
    return bool(chunk)


@contextlib.contextmanager
def _pidfd(pid: int) -> Iterator[int | None]:
    """Yield a descriptor that becomes readable when the process ends, None if the host has none."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _feed(stream: asyncio.StreamReader, feed: Callable[[bytes], None]) -> None:
    while chunk := await stream.read(1 << 16):
        feed(chunk)
    feed(b"")


def _raise_failures(pumps: set[asyncio.Task[None]]) -> None:
    for pump in pumps:
        if pump.done() and not pump.cancelled() and (problem := pump.exception()) is not None:
            raise problem


async def _reap(
    child: asyncio.subprocess.Process, exited: asyncio.Task[int], pumps: set[asyncio.Task[None]]
) -> None:
    """Wait until the killed child is reaped; re-raise a cancellation after that."""
    import asyncio

    cancelled: asyncio.CancelledError | None = None
    until = time.monotonic() + REAP_SECONDS
    while child.returncode is None and time.monotonic() < until:
        try:
            await asyncio.wait({exited}, timeout=POLL_SECONDS)
        except asyncio.CancelledError as again:
            cancelled = again
    # There is no public way to close pipes that a stray process outside the group holds open.
    child._transport.close()  # type: ignore[attr-defined]
    exited.cancel()
    for pump in pumps:
        pump.cancel()
        if pump.done() and not pump.cancelled():
            pump.exception()  # retrieve it: _raise_failures has raised what matters
    if cancelled is not None:
        raise cancelled
