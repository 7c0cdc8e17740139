"""The text of a problem in one line."""

from __future__ import annotations

from mediaprep.errors import MediaPrepError
from mediaprep.runtime.paths import display_name, os_error_text


def problem_text(problem: BaseException) -> str:
    """Return one line: for an OSError of the system, the file's name and the reason."""
    if not isinstance(problem, OSError) or isinstance(problem, MediaPrepError):
        return str(problem)
    if problem.filename is None:
        return os_error_text(problem)
    return f"{display_name(problem.filename)}: {os_error_text(problem)}"
