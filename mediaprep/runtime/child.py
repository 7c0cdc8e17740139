"""A child process that serves requests: JSON lines over a socket pair, one descriptor per request.

The child (``runtime.child_server``) confines itself before it imports what it works with, then
answers one request after the other. This module is the parent's end; it trusts nothing it receives.

The child dies with this process, whatever it is doing: when the writing end of its lifeline pipe
closes, the kernel sends it SIGKILL (Linux), its socket reports the end, or its alarm goes off.
Unlike a parent-death signal, the lifeline does not depend on the thread that started the child.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaprep.errors import EnvironmentProblem
from mediaprep.runtime import process, sandbox
from mediaprep.runtime.context import POLL_SECONDS
from mediaprep.runtime.prefork import ForkedChild
from mediaprep.runtime.process import REAP_SECONDS, kill_group

if TYPE_CHECKING:
    import subprocess

START_SECONDS = 60.0  # the imports, from a cold disk
REQUEST_BYTES = 32 * 1024  # fits the socket's buffer, so that sending never blocks
RESPONSE_BYTES = 64 * 2**20

ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_BOOTSTRAP = """import json, sys
arguments = json.loads(sys.argv[1])
sys.path[:] = arguments.pop("path")
from mediaprep.runtime.child_server import serve_spawned
serve_spawned(**arguments)"""


class ChildDied(Exception):
    """The child ended, or sent an invalid response.

    exit_code   as in subprocess: negative = signal; None = unknown
    """

    def __init__(self, exit_code: int | None, reason: str) -> None:
        self.exit_code = exit_code
        super().__init__(reason)


class ChildTimeout(Exception):
    """The child did not respond in time.

    cpu_seconds   CPU time that it used since the request; None if the host cannot report it
    """

    def __init__(self, cpu_seconds: float | None) -> None:
        self.cpu_seconds = cpu_seconds
        super().__init__(f"no response; {cpu_seconds} s of CPU used")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildConfig:
    """What a child needs to start.

    entry          ``module:function``; called with ``options``, it returns the request handler
    options        JSON values
    level          sandbox level
    folders        folders that may be read
    memory_bytes   limit of the address space
    data_bytes     limit of writable memory; see ``child_server.limit_data``
    """

    entry: str
    options: dict[str, Any]
    level: sandbox.Level
    folders: tuple[str, ...]
    memory_bytes: int
    data_bytes: int


class Child:
    """The parent's end.

    Used by one caller at a time; a caller that gets an exception calls ``stop``.

    pid         process id
    responses   number of requests answered
    """

    def __init__(
        self,
        pid: int,
        channel: socket.socket,
        lifeline: int,
        popen: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.pid = pid
        self.responses = 0
        self._channel, self._lifeline, self._popen = channel, lifeline, popen
        self._numbers = itertools.count(1)
        self._buffer = bytearray()
        self._exit_code: int | None = None

    @classmethod
    def from_fork(cls, forked: ForkedChild) -> Child:
        """Return the parent's end of a child that ``runtime.prefork`` forked."""
        return cls(forked.pid, forked.channel, forked.lifeline)

    def request(self, body: Any, descriptor: int, seconds: float, check: Callable[[], None]) -> Any:
        """Send a request, wait for the response and return its body.

        descriptor   sent along; the child gets its own copy
        seconds      time limit of the response
        check        called while waiting; may raise

        Raises: ChildDied, ChildTimeout, EnvironmentProblem (the child cannot start).
        """
        if not self.responses:
            with self._starting():
                self._wait(START_SECONDS, check)
        number, cpu_before = self._send(body, descriptor, seconds), self._cpu_seconds()
        if not self._wait(seconds, check):
            raise self._timeout(cpu_before)
        return self._response(number)

    async def request_async(
        self, body: Any, descriptor: int, seconds: float, check: Callable[[], None]
    ) -> Any:
        """Do the same as ``request`` on the running event loop."""
        if not self.responses:
            with self._starting():
                await self._wait_async(START_SECONDS, check)
        number, cpu_before = self._send(body, descriptor, seconds), self._cpu_seconds()
        if not await self._wait_async(seconds, check):
            raise self._timeout(cpu_before)
        return self._response(number)

    def resident_bytes(self) -> int:
        """Return its resident memory; 0 if the host cannot report it."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def alive(self) -> bool:
        """Return True if it is running."""
        return self._lifeline >= 0 and self._poll() is None

    def stop(self) -> int | None:
        """Kill and reap the child and close its descriptors; repeated calls do nothing.

        Return its exit code, None if it hangs in the kernel.
        """
        if self._lifeline < 0:
            return self._exit_code
        if self._poll() is None:
            kill_group(self.pid)
            until = time.monotonic() + REAP_SECONDS
            while self._poll() is None and time.monotonic() < until:
                time.sleep(0.001)
        self.close()
        return self._exit_code

    def close(self) -> None:
        """Close our descriptors only: after a fork, the child belongs to the parent process."""
        self._channel.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def _poll(self) -> int | None:
        if self._exit_code is None:
            if self._popen is not None:
                self._exit_code = self._popen.poll()
            else:
                with contextlib.suppress(ChildProcessError):
                    pid, status = os.waitpid(self.pid, os.WNOHANG)
                    self._exit_code = os.waitstatus_to_exitcode(status) if pid else None
        return self._exit_code

    def _failure(self, reason: str = "") -> ChildDied | ChildTimeout:
        """Stop the child and return the exception that describes its end.

        Without a ``reason`` the socket was closed and the child is about to end by itself. Its own
        alarm means that this process did not look in time (it was stopped); its CPU limit means
        that it worked without end.
        """
        if not reason:
            until = time.monotonic() + 0.2
            while self._poll() is None and time.monotonic() < until:
                time.sleep(0.001)
        exit_code = self._poll()
        self.stop()
        if exit_code == -signal.SIGALRM:
            return ChildTimeout(None)
        if exit_code == -signal.SIGXCPU:
            return ChildTimeout(math.inf)
        return ChildDied(exit_code, reason or "it ended")

    def _timeout(self, cpu_before: float | None) -> ChildTimeout:
        now = self._cpu_seconds()
        return ChildTimeout(None if now is None or cpu_before is None else now - cpu_before)

    def _cpu_seconds(self) -> float | None:
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _send(self, body: Any, descriptor: int, seconds: float) -> int:
        """Send a request and return its number."""
        number = next(self._numbers)
        line = json.dumps({"id": number, "seconds": seconds, "body": body}).encode() + b"\n"
        if len(line) > REQUEST_BYTES:
            raise ValueError(f"request of {len(line)} bytes; at most {REQUEST_BYTES} can be sent")
        with contextlib.suppress(OSError):  # it ended since its last response
            if socket.send_fds(self._channel, [line], [descriptor]) == len(line):
                return number
        raise self._failure()

    def _wait(self, seconds: float, check: Callable[[], None]) -> bool:
        """Wait for a whole line; return False if time ran out."""
        poller, until = select.poll(), time.monotonic() + seconds
        poller.register(self._channel, select.POLLIN)
        while not self._has_line():
            check()
            if time.monotonic() >= until:
                return False
            if poller.poll(1000 * POLL_SECONDS):
                self._receive()
        return True

    async def _wait_async(self, seconds: float, check: Callable[[], None]) -> bool:
        until = time.monotonic() + seconds
        while not self._has_line():
            check()
            if time.monotonic() >= until:
                return False
            await self._readable()
            self._receive()
        return True

    async def _readable(self) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(self._channel, lambda: None if ready.done() else ready.set_result(None))
        try:
            await asyncio.wait({ready}, timeout=POLL_SECONDS)
        finally:
            loop.remove_reader(self._channel)
            ready.cancel()

    def _receive(self) -> None:
        """Append what has arrived to the buffer. Raises: ChildDied, ChildTimeout."""
        try:
            chunk = self._channel.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionError:
            chunk = b""
        if not chunk:
            raise self._failure()
        self._buffer += chunk
        if len(self._buffer) > RESPONSE_BYTES:
            raise self._failure(f"its response is longer than {RESPONSE_BYTES} bytes")

    def _has_line(self) -> bool:
        return self._buffer.endswith(b"\n")

    def _take_message(self) -> dict[str, Any]:
        line = bytes(self._buffer)
        self._buffer.clear()
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise self._failure("its response is not a JSON object")
        return message

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Check the child's first message, for which the block waits.

        Raises: EnvironmentProblem if the child reports an error, stays silent or ends.
        """
        problem: str | None = f"no response within {START_SECONDS:.0f} s"
        try:
            yield
            if self._has_line():
                problem = self._take_message().get("error")
        except ChildDied as died:
            problem = f"{died} with code {died.exit_code}"
        if problem is not None:
            self.stop()
            raise EnvironmentProblem(f"the reader process cannot be started: {problem}")

    def _response(self, number: int) -> Any:
        message = self._take_message()
        if message.get("id") != number or message.keys() != {"id", "body"}:
            raise self._failure("its response does not belong to the request")
        self.responses += 1
        return message["body"]


def start(config: ChildConfig) -> Child:
    """Start a child in a new interpreter, without waiting until it is ready.

    Raises: EnvironmentProblem.
    """
    import subprocess

    ours, theirs = socket.socketpair()
    lifeline_read, lifeline_write = os.pipe()
    ours.setblocking(False)
    with theirs:
        try:
            arguments = {
                "config": asdict(config),
                "channel": theirs.fileno(),
                "lifeline": lifeline_read,
                # absolute: the child's working directory is another one
                "path": list(map(os.path.abspath, sys.path)),
            }
            popen = process.spawn(
                [sandbox.interpreter(), "-I", "-S", "-B", "-c", _BOOTSTRAP, json.dumps(arguments)],
                what="reader",
                output=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), lifeline_read),
                environment=ENVIRONMENT,
            )
            return Child(popen.pid, ours, lifeline_write, popen)
        except BaseException:
            ours.close()
            os.close(lifeline_write)
            raise
        finally:
            os.close(lifeline_read)
