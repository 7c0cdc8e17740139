"""What happens to the sources of finished jobs in a watched folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import MediaPrepError
from mediaprep.jobs.ledger.discover import found_file
from mediaprep.jobs.ledger.records import JobRow
from mediaprep.jobs.problem import problem_text
from mediaprep.jobs.run.driver import Driver
from mediaprep.jobs.run.events import Notice
from mediaprep.jobs.run.files import move_file
from mediaprep.jobs.run.options import OnDone
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.paths import display_name

ROWS = 100  # that are read from the ledger at once
HAS_RESULT = ("fixed", "already_ok", "same")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCleanup:
    """Moves sources that have a result to ``done_folder``, or deletes them, or leaves them."""

    on_done: OnDone
    done_folder: Path

    def clean_up_earlier(self, driver: Driver) -> None:
        """Clean up after jobs that an earlier run has finished without doing so."""
        after = 0
        while self.on_done != "leave":
            rows = driver.ledger.jobs_to_clean_up(driver.settings_id, after, ROWS)
            if not rows:
                return
            for row in rows:
                self._clean_up(driver, row)
            after = rows[-1].id

    def clean_up_jobs(self, driver: Driver, jobs: list[int]) -> None:
        """Clean up after jobs that ended in this run."""
        if self.on_done == "leave":
            return
        for job in jobs:
            row = driver.ledger.job(job)
            if row is not None and row.state == "done":
                self._clean_up(driver, row)

    def _clean_up(self, driver: Driver, row: JobRow) -> None:
        """Move or delete a source that has a result and is unchanged.

        A source that failed is in the quarantine, or stays.
        """
        source = Path(row.source)
        file = found_file(source, row.relative_path)
        crashpoint("cleaning-up")
        is_unchanged = file is not None and file.stamp == row.stamp
        if row.status in HAS_RESULT and is_unchanged:
            try:
                self._move_or_delete(source, row)
            except (MediaPrepError, OSError) as problem:
                verb = "deleted" if self.on_done == "delete" else "moved"
                message = f"{display_name(source)}: cannot be {verb}: {problem_text(problem)}"
                driver.listener(Notice(message=message, failure=True))
                return
        crashpoint("cleaned-up")
        driver.ledger.mark_cleaned_up(row.id)

    def _move_or_delete(self, source: Path, row: JobRow) -> None:
        if self.on_done == "delete":
            source.unlink()
        else:
            move_file(source, self.done_folder / row.relative_path)
