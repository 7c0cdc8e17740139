"""The log: to stderr with -v, and as JSON lines into a file."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from mediaprep.errors import UsageProblem
from mediaprep.runtime.source import display_name


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, "facts", {})
        words = " ".join(f"{key}={value}" for key, value in facts.items())
        return display_name(
            f"{self.formatTime(record, '%H:%M:%S')} {record.getMessage()} {words}".rstrip()
        )


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        base = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        return json.dumps(base | getattr(record, "facts", {}), default=str)


def start(*, verbose: int, path: Path | None) -> None:
    """Send the records of the logger ``mediaprep`` to stderr (``verbose`` > 0) and into a file. Raises: UsageProblem for a file that cannot
    be written."""
    logger = logging.getLogger("mediaprep")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    if verbose:
        shown = logging.StreamHandler()
        shown.setFormatter(_Text())
        logger.addHandler(shown)
    if path is not None:
        try:
            kept = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
        except OSError as problem:
            raise UsageProblem(
                f"--log-file {path}: cannot be written: {problem.strerror}"
            ) from problem
        kept.setFormatter(_Json())
        logger.addHandler(kept)
