"""What can go wrong on our side. A bad *file* is a finding or a status, never an exception of the public calls.

The tree::

    MediaPrepError
    |-- UsageProblem (ValueError)            the call or the command line cannot be carried out as given      exit 2
    |-- ProfileError (ValueError)            a profile cannot be read; names file, key path and likely key    exit 2
    |-- SourceUnreadable (OSError)           nothing can be read from the source; carries a Fault             exit 3
    |-- EnvironmentProblem (RuntimeError)    no ffmpeg, no encoder, no sandbox of the level asked for         exit 4
    |-- ToolError (RuntimeError)             a child failed; carries argv, exit code, last stderr lines       exit 5
    |-- VerifyError (RuntimeError)           what was made breaks the rules or the promise                    exit 5
    |-- DeadlineExceeded (TimeoutError)      the time given was used up                                       exit 5
    |-- Cancelled (RuntimeError)             the caller asked to stop                                         exit 130
"""

from __future__ import annotations

from collections.abc import Sequence

STDERR_LINES_KEPT = 50


class MediaPrepError(Exception):
    """Root of everything that mediaprep raises on purpose."""


class UsageProblem(MediaPrepError, ValueError):
    """The call or the command line cannot be carried out as given (exit 2)."""


class ProfileError(MediaPrepError, ValueError):
    """A profile is wrong or cannot be found. ``problems`` holds one line each: ``file: key.path: what``."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class SourceUnreadable(MediaPrepError, OSError):
    """Nothing can be read from the source (exit 3).

    ``rule`` is the rule that the fault belongs to (``file-kind`` or ``file-complete``), ``reason`` one line
    that says what was found, what was wanted and the remedy, without the file's name.
    """

    def __init__(self, reason: str, *, rule: str = "file-kind") -> None:
        self.reason = reason
        self.rule = rule
        super().__init__(reason)


class EnvironmentProblem(MediaPrepError, RuntimeError):
    """This host lacks something that the work needs (exit 4)."""


_CAUSES = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
)  # strerror(3)


class ToolError(MediaPrepError, RuntimeError):
    """A child process failed. Carries ``argv``, ``exit_code`` and the last stderr lines; says the last one, or what the
    file system said, which tools go on to talk about."""

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
    """What was made breaks the rules or the plan's promise; ``problems`` are one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class DeadlineExceeded(MediaPrepError, TimeoutError):
    """The time given was used up; the child was killed."""


class Cancelled(MediaPrepError, RuntimeError):
    """The caller asked to stop; the child was killed and nothing was left behind."""
