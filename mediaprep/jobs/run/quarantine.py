"""Where files go that came to nothing, each with its report beside it: copied, or moved where sources are moved anyway."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaprep.jobs.ledger.records import JobRow
from mediaprep.jobs.run import publish
from mediaprep.pipeline.outcome import Outcome
from mediaprep.runtime.source import display_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A folder. ``move``: the source itself is moved there, else copied. ``report``: the document about a path."""

    folder: Path
    move: bool
    report: Callable[[str, str, Sequence[str], Outcome | None], dict[str, Any]]

    def take(
        self, row: JobRow, status: str, problems: Sequence[str], outcome: Outcome | None
    ) -> Path:
        """The file's place there. Raises: OSError, MediaPrepError."""
        source = Path(row.source)
        content = json.dumps(self.report(row.source, status, problems, outcome), indent=2) + "\n"
        place = (
            publish.moved(source, self.folder, row.place)
            if self.move
            else publish.copied(source, self.folder, row.place)
        )
        with (
            contextlib.suppress(FileExistsError),
            place.with_name(f"{place.name}.report.json").open("x", encoding="ascii") as file,
        ):
            file.write(content)
        return place

    def __str__(self) -> str:
        return display_name(self.folder)
