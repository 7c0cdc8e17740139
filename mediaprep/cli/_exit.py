"""Exit codes, and the code of each error."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from mediaprep.errors import (
    Cancelled,
    DeadlineExceeded,
    EnvironmentProblem,
    MediaPrepError,
    ProfileError,
    SourceUnreadable,
    ToolError,
    UsageProblem,
    VerifyError,
)


class ExitCode(IntEnum):
    """How a command ended; docs/cli.md describes each."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNREADABLE = 3
    ENVIRONMENT = 4
    FAILED = 5
    BATCH = 6
    INTERNAL = 70
    INTERRUPTED = 130
    TERMINATED = 143


_WORST_FIRST = (
    ExitCode.INTERNAL,
    ExitCode.FAILED,
    ExitCode.ENVIRONMENT,
    ExitCode.UNREADABLE,
    ExitCode.USAGE,
    ExitCode.FINDINGS,
)
_OF_ERROR: tuple[tuple[type[MediaPrepError], ExitCode], ...] = (
    (UsageProblem, ExitCode.USAGE),
    (ProfileError, ExitCode.USAGE),
    (SourceUnreadable, ExitCode.UNREADABLE),
    (EnvironmentProblem, ExitCode.ENVIRONMENT),
    (ToolError, ExitCode.FAILED),
    (VerifyError, ExitCode.FAILED),
    (DeadlineExceeded, ExitCode.FAILED),
    (Cancelled, ExitCode.INTERRUPTED),
)


def of_error(problem: BaseException) -> ExitCode:
    """Return the code of an exception; ``INTERNAL`` for one that is not a MediaPrepError."""
    return next((code for kind, code in _OF_ERROR if isinstance(problem, kind)), ExitCode.INTERNAL)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return, of the codes of several files, the first of 70, 5, 4, 3, 2, 1 that occurred, or 0."""
    occurred = set(codes)
    return next((code for code in _WORST_FIRST if code in occurred), ExitCode.OK)
