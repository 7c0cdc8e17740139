"""The quarantine: a folder for files that failed, each with its report beside it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaprep.jobs.ledger.records import JobRow
from mediaprep.jobs.run.files import copy_file, move_file
from mediaprep.pipeline.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A folder for files that failed.

    move     move the source there; otherwise copy it
    report   returns the report as JSON, from path, status, problems and outcome
    """

    folder: Path
    move: bool
    report: Callable[[str, str, Sequence[str], Outcome | None], dict[str, Any]]

    def add(
        self, row: JobRow, status: str, problems: Sequence[str], outcome: Outcome | None
    ) -> Path:
        """Move or copy a job's source; return its path. Raises: OSError, MediaPrepError."""
        # Built first: the report may need the source, which is moved next.
        content = json.dumps(self.report(row.source, status, problems, outcome), indent=2) + "\n"
        put = move_file if self.move else copy_file
        path = put(Path(row.source), self.folder / row.relative_path)
        report = path.with_name(f"{path.name}.report.json")
        with contextlib.suppress(FileExistsError), report.open("x", encoding="ascii") as file:
            file.write(content)
        return path
