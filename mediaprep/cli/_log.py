"""The log: as text on stderr with -v, and as JSON lines in a file with --log-file."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from mediaprep.errors import UsageProblem
from mediaprep.runtime.paths import display_name


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, "facts", {})
        words = " ".join(f"{key}={value}" for key, value in facts.items())
        return display_name(
            f"{self.formatTime(record, '%H:%M:%S')} {record.getMessage()} {words}".rstrip()
        )


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        base = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        return json.dumps(base | getattr(record, "facts", {}), default=str)


def start(*, verbose: int, path: Path | None) -> None:
    """Send the records of the logger ``mediaprep`` to stderr (if ``verbose``) and to a file.

    Raises: UsageProblem if the file cannot be written.
    """
    logger = logging.getLogger("mediaprep")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    if verbose:
        on_stderr = logging.StreamHandler()
        on_stderr.setFormatter(_TextFormatter())
        logger.addHandler(on_stderr)
    if path is not None:
        try:
            in_file = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
        except OSError as problem:
            raise UsageProblem(
                f"--log-file {path}: cannot be written: {problem.strerror}"
            ) from problem
        in_file.setFormatter(_JsonFormatter())
        logger.addHandler(in_file)
