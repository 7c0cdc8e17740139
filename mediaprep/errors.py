"""Exceptions: mediaprep itself could not work. A bad *file* is a finding or a status instead.

The tree::

    MediaPrepError
    |-- UsageProblem (ValueError)          the call or the command line is invalid          exit 2
    |-- ProfileError (ValueError)          a profile is invalid or does not exist           exit 2
    |-- SourceUnreadable (OSError)         the source cannot be read                        exit 3
    |-- EnvironmentProblem (RuntimeError)  no ffmpeg, encoder, or sandbox of the level      exit 4
    |-- ToolError (RuntimeError)           a child process failed                           exit 5
    |-- VerifyError (RuntimeError)         an output breaks the rules or a tolerance        exit 5
    |-- DeadlineExceeded (TimeoutError)    the time limit was reached                       exit 5
    |-- Cancelled (RuntimeError)           the caller stopped the work                      exit 130
"""

from __future__ import annotations

from collections.abc import Sequence

STDERR_LINES_KEPT = 50


class MediaPrepError(Exception):
    """The base of all exceptions that mediaprep raises on purpose."""


class UsageProblem(MediaPrepError, ValueError):
    """The call or the command line is invalid (exit 2)."""


class ProfileError(MediaPrepError, ValueError):
    """A profile is invalid or does not exist (exit 2).

    problems   one line each: file, key path, problem, and the most similar key
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class SourceUnreadable(MediaPrepError, OSError):
    """The source cannot be read (exit 3).

    reason   one line: what was found, what was expected, the remedy; without the name of the file
    rule     the rule that the source breaks, file-kind or file-complete
    """

    def __init__(self, reason: str, *, rule: str = "file-kind") -> None:
        self.reason = reason
        self.rule = rule
        super().__init__(reason)


class EnvironmentProblem(MediaPrepError, RuntimeError):
    """This host lacks something that is required (exit 4)."""


_CAUSES = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
)  # from strerror(3)


class ToolError(MediaPrepError, RuntimeError):
    """A child process failed (exit 5).

    argv, exit_code   of the process
    stderr_tail       its last lines

    The message has the last line, or an error of the file system, which often stands further up.
    """

    def __init__(
        self, argv: Sequence[str], exit_code: int | None, stderr: str, *, what: str = ""
    ) -> None:
        self.argv = tuple(argv)
        self.exit_code = exit_code
        self.stderr_tail = "\n".join(stderr.splitlines()[-STDERR_LINES_KEPT:])
        name = self.argv[0].rsplit("/", 1)[-1] if self.argv else "child"
        lines = [line for line in self.stderr_tail.splitlines() if line.strip()]
        cause = next(
            (cause for line in reversed(lines) for cause in _CAUSES if cause in line),
            lines[-1] if lines else "no message",
        )
        super().__init__(f"{what or name}: exit code {exit_code}: {cause}")


class VerifyError(MediaPrepError, RuntimeError):
    """An output breaks the rules, or a tolerance of the plan (exit 5).

    problems   one line each
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class DeadlineExceeded(MediaPrepError, TimeoutError):
    """The time limit was reached; child processes were stopped (exit 5)."""


class Cancelled(MediaPrepError, RuntimeError):
    """The caller stopped the work; child processes and temporary files are gone (exit 130)."""
