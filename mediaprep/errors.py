"""The exceptions of mediaprep.

An exception means that mediaprep could not do its work. A bad file is a finding or a status, and
never raises in the public calls. The hierarchy, with the exit codes of the command line:

* MediaPrepError
  x UsageProblem (ValueError, exit code 2)
  x ProfileError (ValueError, exit code 2)
  x SourceUnreadable (OSError, exit code 3)
  x EnvironmentProblem (RuntimeError, exit code 4)
  x ToolError (RuntimeError, exit code 5)
  x VerifyError (RuntimeError, exit code 5)
  x DeadlineExceeded (TimeoutError, exit code 5)
  x Cancelled (RuntimeError, exit code 130)
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_STDERR_LINES = 50


class MediaPrepError(Exception):
    """Base class of all exceptions that mediaprep raises."""


class UsageProblem(MediaPrepError, ValueError):
    """The call or the command line is invalid, or cannot be carried out as requested."""


class ProfileError(MediaPrepError, ValueError):
    """A profile is invalid or does not exist.

    problems   one line each: ``file: key.path: problem``
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class SourceUnreadable(MediaPrepError, OSError):
    """The source cannot be read.

    reason   one line: what is wrong and what to do, without the name of the file
    rule     id of the rule that reports it: ``file-kind`` or ``file-complete``
    """

    def __init__(self, reason: str, *, rule: str = "file-kind") -> None:
        self.reason = reason
        self.rule = rule
        super().__init__(reason)


class EnvironmentProblem(MediaPrepError, RuntimeError):
    """This host lacks something required: ffmpeg, an encoder, a sandbox level, disk space."""


# Messages of the file system (strerror(3)) that explain a failure better than a tool's last line.
_FILE_SYSTEM_ERRORS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
)


class ToolError(MediaPrepError, RuntimeError):
    """A child process failed.

    argv          its command line
    exit_code     negative: the signal that ended it; None: unknown
    stderr_tail   the last lines that it wrote to stderr

    The message quotes the last line, or the last one with an error of the file system.
    """

    def __init__(
        self, argv: Sequence[str], exit_code: int | None, stderr: str, *, what: str = ""
    ) -> None:
        self.argv = tuple(argv)
        self.exit_code = exit_code
        self.stderr_tail = "\n".join(stderr.splitlines()[-MAX_STDERR_LINES:])
        name = self.argv[0].rsplit("/", 1)[-1] if self.argv else "child"
        super().__init__(f"{what or name}: exit code {exit_code}: {_cause(self.stderr_tail)}")


def _cause(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    for line in reversed(lines):
        for error in _FILE_SYSTEM_ERRORS:
            if error in line:
                return error
    return lines[-1] if lines else "no message"


class VerifyError(MediaPrepError, RuntimeError):
    """The output breaks rules or tolerances of its plan.

    problems   one line each
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class DeadlineExceeded(MediaPrepError, TimeoutError):
    """A time limit was reached; the child process was killed."""


class Cancelled(MediaPrepError, RuntimeError):
    """The caller cancelled the call; the child process was killed and nothing was left behind."""
