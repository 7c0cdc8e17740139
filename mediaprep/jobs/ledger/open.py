"""Opening a ledger: an existing one, or one that is created or rebuilt where it cannot be used."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

from mediaprep.errors import EnvironmentProblem, UsageProblem
from mediaprep.jobs.ledger.database import LedgerTooNew, LedgerUnusable, open_lock_file
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.runtime.paths import display_name, os_error_text


def open_existing(path: Path) -> Ledger:
    """Open a ledger that exists.

    Raises: UsageProblem if it does not exist, EnvironmentProblem if it cannot be used.
    """
    if not path.is_file():
        raise UsageProblem(
            f"no ledger at {display_name(path)}: pass the output folder of a batch or watch,"
            " or its ledger"
        )
    return Ledger(path)


def open_or_rebuild(
    path: Path, notify: Callable[[str], None], rebuild: Callable[[Ledger], int]
) -> Ledger:
    """Open a ledger, or create it if it does not exist.

    A ledger that is damaged or has a newer schema is set aside. ``rebuild`` fills a new ledger from
    the receipts of the outputs and returns the number of jobs; ``notify`` gets one line about it.
    Raises: EnvironmentProblem.
    """
    existed = path.exists()
    try:
        ledger = Ledger(path)
    except LedgerUnusable as problem:
        new_path = set_aside(problem)
        ledger = Ledger(path)
        jobs = rebuild(ledger)
        notify(
            f"{problem}: moved to {display_name(new_path.name)};"
            f" rebuilt from the outputs: {jobs} finished and verified jobs"
        )
        return ledger
    if not existed and (jobs := rebuild(ledger)):
        notify(
            f"ledger {display_name(path)}: missing;"
            f" rebuilt from the outputs: {jobs} finished and verified jobs"
        )
    return ledger


def set_aside(problem: LedgerUnusable) -> Path:
    """Rename a ledger that cannot be used and return its new path.

    Raises: EnvironmentProblem if another process uses the ledger, or it cannot be renamed.
    """
    path = problem.path
    lock = open_lock_file(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new_path = _free_name(path, "newer" if isinstance(problem, LedgerTooNew) else "damaged")
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{suffix}").rename(f"{new_path}{suffix}")
    except BlockingIOError:
        raise EnvironmentProblem(
            f"{problem}, and another process is using it: stop that process first"
        ) from problem
    except OSError as refused:
        raise EnvironmentProblem(
            f"{problem}, and cannot be renamed: {os_error_text(refused)}"
        ) from refused
    finally:
        os.close(lock)
    return new_path


def _free_name(path: Path, label: str) -> Path:
    for number in count(1):
        candidate = path.with_name(f"{path.name}.{label}.{number}")
        if not candidate.exists():
            return candidate
    raise AssertionError("count() is infinite")
