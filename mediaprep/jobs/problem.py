"""The text of a problem in one line."""

from __future__ import annotations

from mediaprep.errors import MediaPrepError
from mediaprep.runtime.source import display_name, reason


def problem_text(problem: BaseException) -> str:
    """Return one line: for an OSError of the system, the file's name and the reason."""
    if not isinstance(problem, OSError) or isinstance(problem, MediaPrepError):
        return str(problem)
    if problem.filename is None:
        return reason(problem)
    return f"{display_name(problem.filename)}: {reason(problem)}"
