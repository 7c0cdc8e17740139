"""One program to run, its result, and the state of the run in between.

Nothing here starts a process; ``runtime.process`` does.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import DeadlineExceeded, EnvironmentProblem, ToolError
from mediaprep.runtime import sandbox
from mediaprep.runtime.context import Context
from mediaprep.runtime.launcher import MARK, SETUP_FAILED

MAX_STDERR_BYTES = 64 * 1024  # the tail that is retained
MAX_STDOUT_BYTES = 256 * 2**20  # of captured output
MAX_LINE_BYTES = 64 * 1024  # a longer line of stdout is passed on in pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program to run.

    argv           the first word is an absolute path
    what           for messages: encode, verify
    seconds        wall-clock time limit
    pass_fds       descriptors that it inherits under the same numbers
    reads          files that it may open (absolute paths), where the host can confine it
    writes         folders that it may write in (absolute paths), where the host can confine it
    memory_bytes   limit of the address space; None: not limited
    file_bytes     limit of one written file; None: not limited
    capture        collect stdout
    on_line        called with each line of stdout as it arrives, in the caller's thread or loop
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The result of a command that succeeded.

    stdout    empty unless captured
    stderr    its last 64 kB
    sandbox   level that the command ran under
    """

    stdout: bytes
    stderr: str
    seconds: float
    sandbox: sandbox.Level


class CommandRun:
    """State of one run: the confined command line, the clock and the output so far.

    argv    the command line to start
    level   sandbox level
    """

    def __init__(self, command: Command, context: Context) -> None:
        """Raises: Cancelled, DeadlineExceeded, EnvironmentProblem (cannot run or be confined)."""
        context.check()
        _require_program(command)
        self.command, self.context = command, context
        self.seconds = context.seconds_left(command.seconds)
        self.level = sandbox.resolve_level(context.sandbox)
        # Wall clock x (cores + 1) is never reached while this process lives; it bounds a child
        # whose parent is stopped.
        cpu_seconds = math.ceil(self.seconds + 1) * ((os.cpu_count() or 1) + 1)
        self.argv = sandbox.confined_argv(
            command.argv,
            level=self.level,
            reads=command.reads,
            writes=command.writes,
            limits=sandbox.ProcessLimits(
                memory_bytes=command.memory_bytes,
                file_bytes=command.file_bytes,
                cpu_seconds=cpu_seconds,
            ),
        )
        self._started = time.monotonic()
        self._stdout: list[bytes] = []
        self._stdout_bytes = 0
        self._stderr = bytearray()
        self._partial_line = b""

    def on_stdout(self, chunk: bytes) -> None:
        """Collect a chunk and pass its lines on; b"" is the end.

        Raises: ToolError for too much output.
        """
        if self.command.capture:
            self._stdout_bytes += len(chunk)
            if self._stdout_bytes > MAX_STDOUT_BYTES:
                problem = f"wrote more than {MAX_STDOUT_BYTES} bytes to stdout"
                raise ToolError(self.command.argv, None, problem, what=self.command.what)
            self._stdout.append(chunk)
        if self.command.on_line is not None:
            *lines, rest = (self._partial_line + chunk).split(b"\n")
            if rest and (not chunk or len(rest) > MAX_LINE_BYTES):
                lines.append(rest)
                rest = b""
            self._partial_line = rest
            for line in lines:
                self.command.on_line(line.decode(errors="replace").rstrip("\r"))

    def on_stderr(self, chunk: bytes) -> None:
        """Collect a chunk, retaining the tail."""
        self._stderr += chunk
        del self._stderr[:-MAX_STDERR_BYTES]

    def check(self) -> None:
        """Raise Cancelled or DeadlineExceeded if the command has to stop."""
        self.context.check()
        if time.monotonic() - self._started > self.seconds:
            raise DeadlineExceeded(
                f"{self.command.what}: stopped after {self.seconds:.1f} s, its time limit"
            )

    def completed(self, exit_code: int | None) -> Completed:
        """Return the result; ``exit_code`` None: it hangs in the kernel.

        Raises: ToolError (an exit code other than 0), EnvironmentProblem (it could not be
        confined).
        """
        command, stderr = self.command, self._stderr.decode(errors="replace")
        if exit_code == SETUP_FAILED and stderr.startswith(MARK):
            reason = stderr.removeprefix(MARK).strip()
            raise EnvironmentProblem(
                f"{command.what}: cannot start {command.argv[0]}"
                f" in sandbox '{self.level}': {reason}"
            )
        if exit_code is None:
            stderr += "\nstill in the kernel after SIGKILL"
        elif exit_code < 0:
            stderr += f"\nkilled by {_signal_name(-exit_code)}"
        if exit_code != 0:
            raise ToolError(command.argv, exit_code, stderr, what=command.what)
        return Completed(
            stdout=b"".join(self._stdout),
            stderr=stderr,
            seconds=time.monotonic() - self._started,
            sandbox=self.level,
        )


def _require_program(command: Command) -> None:
    if os.name != "posix":
        raise EnvironmentProblem("programs can be started on Linux and macOS only")
    program = Path(command.argv[0])
    if not program.is_absolute() or not os.access(program, os.X_OK) or program.is_dir():
        raise EnvironmentProblem(f"{command.what}: {command.argv[0]!r} is not an executable file")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
