"""A child that stays and answers questions: JSON lines over a socket pair, a descriptor with each question.

The child confines itself before it imports what it works with, answers one question after the other, and dies with this process whatever
it is doing: when the last writer of its lifeline closes, the kernel sends it SIGKILL (Linux), it sees the end of its socket, or its own
alarm goes off. Unlike a parent-death signal that does not depend on the thread that started it. Nothing that it sends is trusted.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
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
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from mediaprep.errors import EnvironmentProblem
from mediaprep.runtime import process, sandbox
from mediaprep.runtime.launcher import (
    SETUP_FAILED,
    CannotConfine,
    limit,
    no_new_privileges,
    restrict_calls,
    restrict_files,
)
from mediaprep.runtime.prefork import ForkedChild, single_threaded

if TYPE_CHECKING:
    import subprocess

POLL_SECONDS = 0.05
START_SECONDS = 60.0  # imports from a cold disk
REAP_SECONDS = 5.0
QUESTION_BYTES = 32 * 1024  # fits the socket's buffer, so that asking never blocks
ANSWER_BYTES = 64 * 2**20
ALARM_AFTER = 5  # seconds past the deadline at which an orphan ends itself

Handle: TypeAlias = Callable[[Any, int], Any]

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_BOOT = """import json, sys
words = json.loads(sys.argv[1])
sys.path[:] = words.pop("path")
from mediaprep.runtime.child import become
become(**words)"""


class ChildDied(Exception):
    """It ended or answered nonsense. ``exit_code`` as of subprocess: negative = signal, None = not known."""

    def __init__(self, exit_code: int | None, reason: str) -> None:
        self.exit_code = exit_code
        super().__init__(reason)


class ChildTimeout(Exception):
    """No answer in time. ``cpu_seconds`` that it used since the question; None where the host does not tell."""

    def __init__(self, cpu_seconds: float | None) -> None:
        self.cpu_seconds = cpu_seconds
        super().__init__(f"no answer; {cpu_seconds} s of CPU used")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildConfig:
    """What a child is told at its start. ``entry``: ``module:function``; called with ``options`` it gives the function that answers.
    ``folders`` may be read; ``memory_bytes`` of address space; of it ``data_bytes`` that may be written to, less by ``allow_data``."""

    entry: str
    options: dict[str, Any]
    level: sandbox.Level
    folders: tuple[str, ...]
    memory_bytes: int
    data_bytes: int


class Child:
    """Our end. Used by one caller at a time; whoever gets an exception from ``ask`` calls ``end``."""

    def __init__(
        self, pid: int, channel: socket.socket, lifeline: int, child: subprocess.Popen[bytes] | None
    ) -> None:
        self.pid = pid
        self.answered = 0
        self._channel, self._lifeline, self._child = channel, lifeline, child
        self._numbers = itertools.count(1)
        self._buffer = bytearray()
        self._code: int | None = None

    def ask(self, body: Any, descriptor: int, seconds: float, check: Callable[[], None]) -> Any:
        """Its answer, blocking. ``check`` is called every 50 ms and may raise. Raises: Lost, Silent, EnvironmentProblem (cannot start)."""
        if not self.answered:
            with self._starting():
                self._wait(START_SECONDS, check)
        number, cpu = self._send(body, descriptor, seconds), self._cpu_seconds()
        if not self._wait(seconds, check):
            raise self._silent(cpu)
        return self._answer(number)

    async def ask_async(
        self, body: Any, descriptor: int, seconds: float, check: Callable[[], None]
    ) -> Any:
        """As ``ask``, on the running loop. Raises: as ``ask``."""
        if not self.answered:
            with self._starting():
                await self._wait_async(START_SECONDS, check)
        number, cpu = self._send(body, descriptor, seconds), self._cpu_seconds()
        if not await self._wait_async(seconds, check):
            raise self._silent(cpu)
        return self._answer(number)

    def resident_bytes(self) -> int:
        """Its resident size now; 0 where the host does not tell."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf(
                "SC_PAGE_SIZE"
            )
        except OSError:
            return 0

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._lifeline >= 0 and self._poll() is None

    def end(self) -> int | None:
        """Kill it, reap it, give back what it held; harmless when repeated. Its exit code, None where it hangs in the kernel."""
        if self._lifeline < 0:
            return self._code
        if self._poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            until = time.monotonic() + REAP_SECONDS
            while self._poll() is None and time.monotonic() < until:
                time.sleep(0.001)
        self.forget()
        return self._code

    def forget(self) -> None:
        """Close our descriptors and do no more: after a fork the child belongs to another process."""
        self._channel.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def _poll(self) -> int | None:
        if self._code is None:
            if self._child is not None:
                self._code = self._child.poll()
            else:
                with contextlib.suppress(ChildProcessError):
                    pid, status = os.waitpid(self.pid, os.WNOHANG)
                    self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def _lost(self, reason: str) -> ChildDied | ChildTimeout:
        """Why it is lost. After the end of its socket it is about to end by itself; else it is ended.

        Its own alarm means that we did not look in time (this process was stopped), its CPU limit that it worked without an end.
        """
        until = time.monotonic() + 0.2
        while not reason and self._poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        ended = self._poll()
        self.end()
        if ended in (-signal.SIGALRM, -signal.SIGXCPU):
            return ChildTimeout(None if ended == -signal.SIGALRM else math.inf)
        return ChildDied(ended, reason or "it ended")

    def _silent(self, cpu_before: float | None) -> ChildTimeout:
        now = self._cpu_seconds()
        return ChildTimeout(None if now is None or cpu_before is None else now - cpu_before)

    def _cpu_seconds(self) -> float | None:
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _send(self, body: Any, descriptor: int, seconds: float) -> int:
        number = next(self._numbers)
        line = json.dumps({"id": number, "seconds": seconds, "body": body}).encode() + b"\n"
        if len(line) > QUESTION_BYTES:
            raise ValueError(
                f"a question of {len(line)} bytes, at most {QUESTION_BYTES} can be asked"
            )
        try:
            if socket.send_fds(self._channel, [line], [descriptor]) == len(line):
                return number
        except OSError:
            pass  # it ended since its last answer: told just below
        raise self._lost("")

    def _wait(self, seconds: float, check: Callable[[], None]) -> bool:
        """Until there is a whole line; False where time ran out."""
        poller, until = select.poll(), time.monotonic() + seconds
        poller.register(self._channel, select.POLLIN)
        while not self._whole():
            check()
            if time.monotonic() >= until:
                return False
            if poller.poll(1000 * POLL_SECONDS):
                with contextlib.suppress(BlockingIOError):
                    self._take(self._received())
        return True

    async def _wait_async(self, seconds: float, check: Callable[[], None]) -> bool:
        until = time.monotonic() + seconds
        while not self._whole():
            check()
            if time.monotonic() >= until:
                return False
            await self._readable()
            with contextlib.suppress(BlockingIOError):
                self._take(self._received())
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

    def _received(self) -> bytes:
        try:
            return self._channel.recv(1 << 16)
        except ConnectionError:
            return b""

    def _take(self, chunk: bytes) -> None:
        self._buffer += chunk
        if not chunk:
            raise self._lost("")
        if len(self._buffer) > ANSWER_BYTES:
            raise self._lost(f"it answered more than {ANSWER_BYTES} bytes")

    def _whole(self) -> bool:
        return self._buffer.endswith(b"\n")

    def _line(self) -> dict[str, Any]:
        line = bytes(self._buffer)
        self._buffer.clear()
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._lost("it answered no JSON object")
        return answer

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Around the wait for its first line. Raises: EnvironmentProblem where that, its silence or its end shows that it cannot work."""
        try:
            yield
            problem = (
                self._line().get("cannot")
                if self._whole()
                else f"no sign of life for {START_SECONDS:.0f} s"
            )
        except ChildDied as lost:
            problem = f"{lost} with code {lost.exit_code}"
        if problem is not None:
            self.end()
            raise EnvironmentProblem(f"the reading child cannot be started: {problem}")

    def _answer(self, number: int) -> Any:
        answer = self._line()
        if answer.get("id") != number or answer.keys() != {"id", "body"}:
            raise self._lost("it answered out of turn")
        self.answered += 1
        return answer["body"]


def start(order: ChildConfig) -> Child:
    """Start a child in a new interpreter, without waiting until it is ready. Raises: EnvironmentProblem."""
    import subprocess

    ours, theirs = socket.socketpair()
    lifeline, held = os.pipe()
    ours.setblocking(False)
    with theirs:
        try:
            words = {
                "order": asdict(order),
                "channel": theirs.fileno(),
                "lifeline": lifeline,
                "path": list(map(os.path.abspath, sys.path)),  # the child stands elsewhere
            }
            child = process.spawn(
                [sandbox.interpreter(), "-I", "-S", "-B", "-c", _BOOT, json.dumps(words)],
                what="reader",
                output=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), lifeline),
                environment=_ENVIRONMENT,
            )
            return Child(child.pid, ours, held, child)
        except BaseException:
            ours.close()
            os.close(held)
            raise
        finally:
            os.close(lifeline)


def adopt(child: ForkedChild) -> Child:
    """Our end of a child that was forked early."""
    return Child(child.pid, child.channel, child.lifeline, None)


def serve(order: ChildConfig, channel: int, lifeline: int) -> NoReturn:
    """In a forked child that has left its parent: ``become``."""
    os.environ.update(_ENVIRONMENT)
    become(asdict(order), channel, lifeline)


def become(order: dict[str, Any], channel: int, lifeline: int) -> NoReturn:
    """In the child: confine, import, answer until the parent is gone."""
    orders = ChildConfig(**{**order, "folders": tuple(order["folders"])})
    with socket.socket(fileno=channel) as talk:
        try:
            _hang_on(lifeline)
            _confine(orders)
            gc.disable()  # what is imported stays
            module, _, name = orders.entry.partition(":")
            handle: Handle = getattr(importlib.import_module(module), name)(orders.options)
        except (CannotConfine, ImportError, AttributeError, OSError, ValueError) as problem:
            talk.sendall(
                json.dumps({"cannot": f"{type(problem).__name__}: {problem}"}).encode() + b"\n"
            )
            os._exit(SETUP_FAILED)
        gc.freeze()
        gc.enable()
        talk.sendall(b"{}\n")
        with contextlib.suppress(ConnectionError):
            _serve(talk, handle)
    os._exit(0)


def _serve(talk: socket.socket, handle: Handle) -> None:
    import resource

    while True:
        line, descriptors = b"", []
        while not line.endswith(b"\n"):
            chunk, more, _, _ = socket.recv_fds(talk, QUESTION_BYTES, 1)
            if not chunk:
                return
            line += chunk
            descriptors += more
        question = json.loads(line)
        seconds = int(question["seconds"]) + ALARM_AFTER
        signal.alarm(seconds)
        resource.setrlimit(
            resource.RLIMIT_CPU,
            (int(time.process_time()) + 2 * seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]),
        )
        body = handle(question["body"], descriptors[0])
        talk.sendall(json.dumps({"id": question["id"], "body": body}).encode() + b"\n")
        signal.alarm(0)


def allow_data(most: int) -> None:
    """In the child, for what follows: memory that may be written to, bytes, up to what its order allows (Linux; elsewhere nothing)."""
    if sys.platform != "linux":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(
        resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
    )


def _hang_on(lifeline: int) -> None:
    """Linux: SIGKILL for us as soon as nobody holds the other end of this pipe. Elsewhere: the end of the socket and the alarm."""
    if sys.platform != "linux":
        return
    import fcntl

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | fcntl.FASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        os._exit(SETUP_FAILED)


def _confine(order: ChildConfig) -> None:
    limit(
        {
            "as": order.memory_bytes,
            "data": order.data_bytes,
            "fsize": 0,
            "nofile": sandbox.DESCRIPTORS,
        }
    )
    if order.level == "strict":
        if not single_threaded():
            raise CannotConfine("Landlock binds one thread, and there are more")
        no_new_privileges()
        restrict_files(
            sandbox.library_folders(), [*order.folders, *sandbox.harmless()], ["/dev/null"]
        )
        restrict_calls(exec_too=True)
