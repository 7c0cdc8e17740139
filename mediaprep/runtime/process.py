"""The only place that starts other programs: confined, with a deadline, in a group that is killed as one, every pipe drained.

``run`` and ``run_async`` do the same, the second on the event loop without a thread of ours. A child gets an empty environment, an
empty working directory and no stdin. However the call ends (done, failed, cancelled, out of time, interrupted), nothing of the child
is left: neither process nor zombie. On Linux it also dies with this process. Runs on Linux and macOS.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import math
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mediaprep.errors import DeadlineExceeded, EnvironmentProblem, ToolError
from mediaprep.runtime import sandbox
from mediaprep.runtime.context import Context
from mediaprep.runtime.launcher import MARK, SETUP_FAILED

if TYPE_CHECKING:
    import asyncio  # here and below: imported where it is used, a check of one file starts no program
    import subprocess

POLL_SECONDS = 0.05  # how often cancellation, deadline and memory are looked at
REAP_SECONDS = 5.0  # a killed process that lasts longer hangs in the kernel; it is left to init
STDERR_BYTES_KEPT = 64 * 1024
LINE_BYTES = 64 * 1024  # a longer line of stdout is handed on in pieces
STDOUT_BYTES_KEPT = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program to run.

    argv       the first word an absolute path
    what       for messages: encode, verify
    seconds    wall clock until it is killed
    pass_fds   descriptors that it inherits under the same numbers
    reads, writes   files it may open, folders it may write in, where the host can confine it (absolute paths)
    memory_bytes, file_bytes   ceilings of address space and of one written file; None = not limited
    capture    keep stdout; on_line: called with each line of it as it comes, in the caller's thread or loop
    ok_codes   exit codes that mean success
    """

    argv: tuple[str, ...]
    what: str
    seconds: float
    pass_fds: tuple[int, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    memory_bytes: int | None = None
    file_bytes: int | None = None
    capture: bool = False
    on_line: Callable[[str], None] | None = None
    ok_codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How it ended.

    stdout     empty unless captured; stderr: its last 64 kB
    peak_memory_bytes   the highest resident size (looked at every 50 ms, so a last leap can be missed); None where the host does not tell
    sandbox    the level it ran under
    """

    exit_code: int
    stdout: bytes
    stderr: str
    seconds: float
    peak_memory_bytes: int | None
    sandbox: sandbox.Level


def run(command: Command, context: Context) -> Completed:
    """Run it to its end, blocking.

    Raises: ToolError (an exit code that is not ok), DeadlineExceeded, Cancelled, EnvironmentProblem (cannot be started or confined).
    """
    import subprocess

    job = _Job(command, context)
    child = spawn(job.argv, what=command.what, output=subprocess.PIPE, pass_fds=command.pass_fds)
    assert child.stdout is not None  # PIPE was asked for
    assert child.stderr is not None
    with child.stdout, child.stderr:
        try:
            _pump(child, child.stdout, child.stderr, job)
        finally:
            _kill_group(child.pid)  # before it is reaped: the group's number is ours that long
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(REAP_SECONDS)
    return job.completed(child.returncode)


async def run_async(command: Command, context: Context) -> Completed:
    """As ``run``, on the running event loop; cancelling the task kills the group. Raises: as ``run``, and asyncio.CancelledError."""
    import asyncio

    job = _Job(command, context)
    with _start_problems(command.what):
        child = await asyncio.create_subprocess_exec(
            *job.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd=_empty_folder(),
            start_new_session=True,
            pass_fds=command.pass_fds,
        )
    assert child.stdout is not None  # PIPE was asked for
    assert child.stderr is not None
    exit_ = asyncio.create_task(child.wait())
    pumps = {
        asyncio.create_task(_feed(child.stdout, job.on_stdout)),
        asyncio.create_task(_feed(child.stderr, job.on_stderr)),
    }
    try:
        while (
            child.returncode is None
        ):  # known as soon as it ended; ``wait`` also waits for its pipes, which a stray may hold open
            going: list[asyncio.Task[Any]] = [exit_, *(pump for pump in pumps if not pump.done())]
            await asyncio.wait(going, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            _raise_failures(pumps)
            job.look(child.pid)
        _kill_group(child.pid)
        await asyncio.wait(pumps, timeout=1.0)
        _raise_failures(pumps)
    finally:
        _kill_group(child.pid)
        await _settle(child, exit_, pumps)
    return job.completed(child.returncode)


def spawn(
    argv: Sequence[str],
    *,
    what: str,
    output: int,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as the leader of a group of its own, in an empty folder, without stdin. Whoever calls this sees to its end.

    ``output``: what its stdout and stderr become, as for subprocess. Raises: EnvironmentProblem.
    """
    import subprocess

    with _start_problems(what):
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**_ENVIRONMENT, **(environment or {})},
            cwd=_empty_folder(),
            start_new_session=True,
            pass_fds=pass_fds,
        )


class _Job:
    """What one run keeps: its command line, clock and output."""

    def __init__(self, command: Command, context: Context) -> None:
        context.check()
        if os.name != "posix":
            raise EnvironmentProblem("starting tools is supported on Linux and macOS")
        program = command.argv[0]
        if (
            not Path(program).is_absolute()
            or not os.access(program, os.X_OK)
            or Path(program).is_dir()
        ):
            raise EnvironmentProblem(
                f"{command.what}: no program at {program!r} that can be started"
            )
        self.command, self.context = command, context
        self.seconds = context.seconds_left(command.seconds)
        self.level = sandbox.choose(context.sandbox)
        self.argv = sandbox.confine(
            command.argv,
            level=self.level,
            reads=command.reads,
            writes=command.writes,
            ceilings=sandbox.Ceilings(
                memory_bytes=command.memory_bytes,
                file_bytes=command.file_bytes,
                # wall clock x (cores + 1): never met first while this process lives; bounds a child whose parent is stopped
                cpu_seconds=math.ceil(self.seconds + 1) * ((os.cpu_count() or 1) + 1),
            ),
        )
        self.started = time.monotonic()
        self.peak: int | None = None
        self._stdout, self._stderr, self._line, self._kept = [b""], bytearray(), bytearray(), 0

    def on_stdout(self, chunk: bytes) -> None:
        """Keep and hand on what came; b"" = the end."""
        if self.command.capture:
            self._kept += len(chunk)
            if self._kept > STDOUT_BYTES_KEPT:
                raise ToolError(
                    self.command.argv,
                    None,
                    f"wrote more than {STDOUT_BYTES_KEPT} bytes to stdout",
                    what=self.command.what,
                )
            self._stdout.append(chunk)
        if self.command.on_line is not None:
            self._line += chunk
            *whole, rest = bytes(self._line).split(b"\n")
            if rest and (not chunk or len(rest) > LINE_BYTES):
                whole, rest = [*whole, rest], b""
            self._line = bytearray(rest)
            for line in whole:
                self.command.on_line(line.decode(errors="replace").rstrip("\r"))

    def on_stderr(self, chunk: bytes) -> None:
        """Keep the tail."""
        self._stderr += chunk
        del self._stderr[:-STDERR_BYTES_KEPT]

    def look(self, pid: int) -> None:
        """Raises: Cancelled or DeadlineExceeded when it is time to stop. Notes the memory."""
        self.context.check()
        if time.monotonic() - self.started > self.seconds:
            raise DeadlineExceeded(
                f"{self.command.what}: stopped after {self.seconds:.1f} s, the time it was given"
            )
        with contextlib.suppress(OSError, StopIteration, IndexError):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            self.peak = max(
                self.peak or 0,
                1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]),
            )

    def completed(self, code: int | None) -> Completed:
        """The result. Raises: ToolError, EnvironmentProblem."""
        stderr = self._stderr.decode(errors="replace")
        if code == SETUP_FAILED and stderr.startswith(MARK):
            reason = stderr.removeprefix(MARK).strip()
            raise EnvironmentProblem(
                f"{self.command.what}: cannot start {self.command.argv[0]} in sandbox '{self.level}': {reason}"
            )
        if code is None or code < 0:
            stderr += (
                "\nhung in the kernel after SIGKILL"
                if code is None
                else f"\nkilled by {_signal_name(-code)}"
            )
        if code is None or code not in self.command.ok_codes:
            raise ToolError(self.command.argv, code, stderr, what=self.command.what)
        seconds = time.monotonic() - self.started
        return Completed(
            exit_code=code,
            stdout=b"".join(self._stdout),
            stderr=stderr,
            seconds=seconds,
            peak_memory_bytes=self.peak,
            sandbox=self.level,
        )


_ENVIRONMENT = {"LC_ALL": "C"}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _start_problems(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise EnvironmentProblem(f"{what}: cannot start a process: {problem}") from problem


def _pump(child: subprocess.Popen[bytes], stdout: IO[bytes], stderr: IO[bytes], job: _Job) -> None:
    """Feed the job until the child has ended (not yet reaped) and its pipes are empty."""
    import selectors

    with selectors.DefaultSelector() as selector, _exit_descriptor(child.pid) as ended:
        for pipe, feed in ((stdout, job.on_stdout), (stderr, job.on_stderr)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe.fileno(), selectors.EVENT_READ, feed)
        if ended is not None:
            selector.register(ended, selectors.EVENT_READ, None)
        running = True
        last_look, give_up = 0.0, math.inf
        while running or (
            len(selector.get_map()) > (ended is not None) and time.monotonic() < give_up
        ):
            ready = selector.select(POLL_SECONDS if ended is not None or not running else 0.01)
            for key, _ in ready:
                if key.data is not None and not _drain(key.fd, key.data):
                    selector.unregister(key.fd)
            if (
                running
                and os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
            ):
                running = False
                _kill_group(child.pid)  # strays that would keep the pipes open
                if ended is not None:
                    selector.unregister(ended)
                    ended = None
                give_up = time.monotonic() + 1.0
            if running and time.monotonic() - last_look >= POLL_SECONDS:
                last_look = time.monotonic()
                job.look(child.pid)
        job.on_stdout(b"")


def _drain(descriptor: int, feed: Callable[[bytes], None]) -> bool:
    """Read what is there; False at the end."""
    try:
        chunk = os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return True
    if chunk:
        feed(chunk)
    return bool(chunk)


@contextlib.contextmanager
def _exit_descriptor(pid: int) -> Iterator[int | None]:
    """A descriptor that becomes readable when the process ends; None where the host has none (then we poll)."""
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


async def _settle(
    child: asyncio.subprocess.Process, exit_: asyncio.Task[int], pumps: set[asyncio.Task[None]]
) -> None:
    """Wait until the killed child is reaped, even when cancelled meanwhile; then let that cancellation through."""
    import asyncio

    cancelled: asyncio.CancelledError | None = None
    until = time.monotonic() + REAP_SECONDS
    while child.returncode is None and time.monotonic() < until:
        try:
            await asyncio.wait({exit_}, timeout=POLL_SECONDS)
        except asyncio.CancelledError as again:
            cancelled = again
    child._transport.close()  # type: ignore[attr-defined]  # there is no public way to close pipes that a stray outside the group holds
    exit_.cancel()
    for pump in pumps:
        pump.cancel()
        if pump.done() and not pump.cancelled():
            pump.exception()  # seen: _raise_failures has raised what matters
    if cancelled is not None:
        raise cancelled


def _kill_group(pid: int) -> None:
    with contextlib.suppress(
        ProcessLookupError, PermissionError
    ):  # macOS: EPERM for a group of zombies
        os.killpg(pid, signal.SIGKILL)


def _empty_folder() -> str:
    """An empty folder to start in, one for this process.

    On Linux it is deleted already and only held open: nothing can be made in it, and nothing is left of it however this process ends.
    """
    path = _own_empty_folder(os.getpid())
    try:
        facts = Path(path).stat()
    except OSError:
        facts = None
    if (
        facts is None
        or not stat.S_ISDIR(facts.st_mode)
        or (path.startswith("/proc") and facts.st_nlink)
    ):
        _own_empty_folder.cache_clear()  # somebody cleaned it away, or closed our descriptor
        path = _own_empty_folder(os.getpid())
    return path


@functools.cache
def _own_empty_folder(pid: int) -> str:
    import tempfile

    path = tempfile.mkdtemp(prefix="mediaprep-")
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        Path(path).rmdir()
        return f"/proc/self/fd/{held}"  # of the child, which has it until exec
    Path(path).chmod(0o500)
    atexit.register(_remove_folder, path, pid)
    return path


def _remove_folder(path: str, pid: int) -> None:
    if os.getpid() == pid:
        with contextlib.suppress(OSError):
            Path(path).rmdir()
