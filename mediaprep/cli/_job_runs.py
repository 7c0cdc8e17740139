"""What ``batch`` and ``watch`` share: options, the worker pool, and how events are shown."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaprep.cli._console import Console, print_error
from mediaprep.config import SETTINGS
from mediaprep.model.option_spec import option, option_from

# The other imports are local: help and completion do without them.
if TYPE_CHECKING:
    from mediaprep.jobs.run.driver import Driver
    from mediaprep.jobs.run.events import JobEvent
    from mediaprep.jobs.workers.pool import WorkerPool
    from mediaprep.pipeline.outcome import Outcome


def jobs_option() -> int | None:
    """Declare ``--jobs`` of a run over many files."""
    jobs: int | None = option_from(SETTINGS["jobs"], shown_default="one per core")
    return jobs


def cluster_option() -> str | None:
    """Declare ``--cluster``."""
    cluster: str | None = option(
        None,
        "Run the jobs on the workers of this Dask scheduler, such as tcp://host:8786.",
        metavar="ADDRESS",
    )
    return cluster


def state_option() -> Path | None:
    """Declare ``--state``."""
    state: Path | None = option(
        None,
        "The ledger: a file that records every job.",
        metavar="FILE",
        parse=Path,
        shown_default="OUT/.mediaprep/ledger.db",
    )
    return state


def retries_option() -> int:
    """Declare ``--retries``."""
    retries: int = option(2, "Retry a failed job this many times.", metavar="N", minimum=0)
    return retries


def job_timeout_option() -> float | None:
    """Declare ``--timeout`` of one job."""
    timeout: float | None = option(
        None,
        "Stop a job after this many seconds.",
        metavar="SECONDS",
        type=float,
        minimum=0.001,
    )
    return timeout


def stall_option() -> float:
    """Declare ``--stall``."""
    stall: float = option(
        900.0,
        "Stop a job that makes no progress for this long.",
        metavar="SECONDS",
        minimum=0.1,
    )
    return stall


def events_option() -> bool:
    """Declare ``--json`` of a run over many files."""
    as_json: bool = option(False, "Write events as JSON lines instead of text.", flags=("--json",))
    return as_json


@contextlib.contextmanager
def worker_pool(console: Console, jobs: int | None, cluster: str | None) -> Iterator[WorkerPool]:
    """Open the pool that runs the jobs, and close it at the end. Raises: EnvironmentProblem."""
    pool: WorkerPool
    if cluster is not None:
        from mediaprep.jobs.workers.dask import DaskPool

        pool = DaskPool(cluster)
    else:
        from mediaprep.jobs.workers.threads import ThreadPool
        from mediaprep.tools import ffmpeg_program

        ffmpeg_program.locate(console.ffmpeg)
        pool = ThreadPool(jobs or _jobs_setting(console))
    try:
        yield pool
    finally:
        pool.close()


def _jobs_setting(console: Console) -> int | None:
    """Return the setting ``jobs`` if it was set; its default is that of ``fix``."""
    if console.settings.origins["jobs"] == "default":
        return None
    return int(console.settings.number("jobs") or 1)


def report_files_left(driver: Driver) -> None:
    """Report how many files a stopped run leaves for the next one."""
    left = driver.ledger.unfinished(driver.settings_id)
    if left:
        files = "1 file" if left == 1 else f"{left} files"
        print_error(f"{files} left; run the same command again to continue")


def quarantine_report(
    path: str, status: str, problems: Sequence[str], outcome: Outcome | None
) -> dict[str, Any]:
    """Return the JSON document that lies beside a quarantined file."""
    from mediaprep.report import json

    entry = json.fix_file(path, outcome, "; ".join(problems) if outcome is None else None)
    entry |= {"status": status, "problems": list(problems) or entry["problems"]}
    return json.document(**entry)


@contextlib.contextmanager
def event_listener(
    console: Console, *, as_json: bool, timed: bool = False
) -> Iterator[Callable[[JobEvent], None]]:
    """Open a listener for the events of a run.

    It writes a line per job to stdout and progress to stderr, or, ``as_json``, events to stdout.
    ``timed``: lines begin with the time.
    """
    from mediaprep.jobs.run.events import JobDone, JobRetry, Notice
    from mediaprep.report import batch, progress

    lock = threading.RLock()
    mode = console.progress_mode()
    if as_json and console.options.progress is None:
        mode = "none"
    display = batch.batch_progress(mode, sys.stderr)
    json_lines = progress.JsonLines(sys.stdout) if as_json else None

    def stamp() -> str:
        return time.strftime("%H:%M:%S ") if timed else ""

    def write(event: JobEvent) -> None:
        if json_lines is not None:
            json_lines(event)
        match event:
            case JobDone() if json_lines is None:
                console.lines([batch.job_line(event, stamp=stamp())])
            case Notice():
                print_error(f"{stamp()}{event.message}")
            case JobRetry() if not console.options.quiet:
                print_error(f"{stamp()}{batch.retry_line(event)}")

    def listen(event: JobEvent) -> None:
        with lock:
            display(event)
            if json_lines is not None or isinstance(event, JobDone | Notice | JobRetry):
                with display.paused():
                    write(event)
            _log_event(console, event)

    with display:
        yield listen


def _log_event(console: Console, event: JobEvent) -> None:
    from mediaprep.jobs.run.events import JobDone, JobRetry, Notice

    match event:
        case JobDone():
            outputs, seconds = list(event.outputs), event.seconds
            status = event.status
            console.log(
                "job.done", path=event.input, status=status, outputs=outputs, seconds=seconds
            )
        case Notice():
            console.log("notice", message=event.message)
        case JobRetry():
            attempt, problem = event.attempt, event.problem
            console.log("job.retry", path=event.input, attempt=attempt, problem=problem)
