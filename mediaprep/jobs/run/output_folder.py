"""The output folder of a run: its state folder, its work folder, and links to final names.

The state folder ``.mediaprep/`` holds the ledger (on a local disk), the receipts, and ``work/``
with one folder for each run, where outputs are written before they get a name.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.ledger.owner import Owner, acquire_lock, is_locked
from mediaprep.jobs.ledger.records import JobRow, Publication
from mediaprep.jobs.run.files import digest_of
from mediaprep.runtime.atomic import publish, sync_folder
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.paths import display_name, os_error_text

STATE_FOLDER = ".mediaprep"


class OutputFolder:
    """The output folder of a run; a context manager.

    out    the folder, absolute
    run    unique name of the run
    work   the run's work folder; deleting it stops the jobs of the run
    """

    def __init__(self, out: Path) -> None:
        """Raises: EnvironmentProblem if the folder cannot be written to."""
        self.out = out.absolute()
        self.run = Owner.new().file_name
        self.work = self.out / STATE_FOLDER / "work" / self.run
        self._lock = -1
        try:
            self.work.parent.mkdir(parents=True, exist_ok=True)
            self._lock = acquire_lock(_lock_path(self.work))
            self.work.mkdir()
        except OSError as problem:
            raise self._not_writable(problem) from problem

    def __enter__(self) -> OutputFolder:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def _not_writable(self, problem: OSError) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"{display_name(self.out)}: not writable ({os_error_text(problem)})"
        )

    def close(self) -> None:
        """Delete the work folder, which stops jobs that still run."""
        remove_folder(self.work)
        if self._lock >= 0:
            _lock_path(self.work).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def remove_stale_work(self) -> None:
        """Delete the work folders and locks of runs that have ended."""
        for path in list(self.work.parent.iterdir()):
            folder = path.with_suffix("") if path.suffix == ".lock" else path
            lock = _lock_path(folder)
            if folder != self.work and not is_locked(lock):
                remove_folder(folder)
                lock.unlink(missing_ok=True)

    def create_job_folder(self, row: JobRow) -> Path:
        """Create a folder for the work files of one attempt. Raises: EnvironmentProblem."""
        folder = self.work / f"{row.id}.{row.attempts}.{secrets.token_hex(2)}"
        try:
            folder.mkdir()
        except OSError as problem:
            raise self._not_writable(problem) from problem
        return folder

    def link(self, outputs: Sequence[Publication], *, verify: bool = False) -> None:
        """Link each work file to its output's name, unless that exists with the same content.

        With ``verify`` the digest of a work file is checked first, because its process was killed.
        Raises: MediaPrepError, OSError; outputs that are linked by then stay.
        """
        for output in outputs:
            target = self.out / output.name
            existing = digest_of(target) if os.path.lexists(target) else None
            if existing == output.sha256:
                continue
            if output.work_file is None:
                raise _lost_work_file(target)
            work_file = Path(output.work_file)
            if verify and digest_of(work_file) != output.sha256:
                raise _lost_work_file(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            replace = existing is not None and existing == output.replaces_sha256
            publish(work_file, target, force=replace, durable=False)
            crashpoint("linked")

    def sync(self, outputs: Sequence[Publication]) -> None:
        """Make the names of outputs durable. Raises: OSError."""
        for folder in {(self.out / output.name).parent for output in outputs}:
            sync_folder(folder)


def remove_folder(folder: Path) -> None:
    """Delete a folder; it is renamed first, so that jobs that work in it stop at once."""
    renamed = folder.with_name(f"{folder.name}.gone")
    with contextlib.suppress(OSError):
        folder.rename(renamed)
    for path in (renamed, folder):
        shutil.rmtree(path, ignore_errors=True)


def _lost_work_file(target: Path) -> EnvironmentProblem:
    return EnvironmentProblem(f"{display_name(target)}: its work file is missing or has changed")


def _lock_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
