"""What ``batch`` and ``watch`` share: their options, the pool, and how their events are shown."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaprep.cli._console import Console, complain

if TYPE_CHECKING:
    from mediaprep.jobs.run.driver import Driver
    from mediaprep.jobs.run.events import JobEvent
    from mediaprep.jobs.workers.pool import WorkerPool
    from mediaprep.pipeline.outcome import Outcome

Jobs = Annotated[
    int | None,
    typer.Option(
        "-j", "--jobs", min=1, metavar="N", help="Jobs at a time.", show_default="one for each core"
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state", metavar="FILE", help="The ledger.", show_default="OUT/.mediaprep/ledger.db"
    ),
]
Retries = Annotated[
    int,
    typer.Option("--retries", min=0, metavar="N", help="Times that a failed job is tried again."),
]
JobTimeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="SECONDS", min=0.001, help="Stop a job after so many seconds."
    ),
]
Stall = Annotated[
    float,
    typer.Option(
        "--stall",
        metavar="SECONDS",
        min=0.1,
        help="Stop a job that gives no sign of progress for so long.",
    ),
]
Events = Annotated[
    bool, typer.Option("--json", help="Events as JSON, one a line, instead of text.")
]
ClusterAt = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="A Dask scheduler to work through, such as tcp://host:8786.",
    ),
]


@contextlib.contextmanager
def worker_pool(console: Console, jobs: int | None, cluster: str | None) -> Iterator[WorkerPool]:
    """Open the worker pool, and close it at the end. Raises: EnvironmentProblem."""
    pool: WorkerPool
    if cluster is not None:
        from mediaprep.jobs.workers.dask import DaskPool

        pool = DaskPool(cluster)
    else:
        from mediaprep.jobs.workers.threads import ThreadPool
        from mediaprep.tools import ffmpeg

        ffmpeg.locate(console.ffmpeg)
        pool = ThreadPool(jobs or _said(console))
    try:
        yield pool
    finally:
        pool.close()


def report_left(driver: Driver) -> None:
    """How many files a run that was stopped leaves for the next one."""
    if left := driver.ledger.unfinished(driver.settings_id):
        complain(
            f"{left} file{'' if left == 1 else 's'} left; the same command goes on with {'it' if left == 1 else 'them'}"
        )


def bytes_of(option: str, text: str) -> int:
    """``1GB`` in bytes. Raises: UsageProblem, naming the option."""
    from mediaprep.errors import UsageProblem
    from mediaprep.model import units

    try:
        return units.bytes_written(*units.parse_bytes(text))
    except ValueError as problem:
        raise UsageProblem(f"{option}: {problem}") from problem


def _said(console: Console) -> int | None:
    """The setting, where somebody has set it: its default is meant for ``fix``."""
    return (
        None
        if console.settings.origins["jobs"] == "default"
        else int(console.settings.number("jobs") or 1)
    )


def quarantine_report(
    path: str, status: str, problems: Sequence[str], outcome: Outcome | None
) -> dict[str, Any]:
    """What lies beside a quarantined file."""
    from mediaprep.report import json

    entry = json.fix_file(path, outcome, "; ".join(problems) if outcome is None else None)
    return json.document(
        **(entry | {"status": status, "problems": list(problems) or entry["problems"]})
    )


@contextlib.contextmanager
def shown(
    console: Console, *, as_json: bool, timed: bool = False
) -> Iterator[Callable[[JobEvent], None]]:
    """A listener: JSON events to stdout, or a line for each job to stdout and progress to stderr. ``timed``: lines begin with the time."""
    from mediaprep.jobs.run.events import JobDone, JobRetry, Notice
    from mediaprep.report import batch

    lock = threading.RLock()
    asked = "none" if console.options.quiet else console.settings.text("progress") or "auto"
    terminal = sys.stderr.isatty() and not as_json
    drawer = batch.drawer(
        console.options.progress or ("none" if as_json else asked), sys.stderr, terminal=terminal
    )
    events = batch.BatchJsonLines(sys.stdout) if as_json else None

    def stamp() -> str:
        return time.strftime("%H:%M:%S ") if timed else ""

    def told(event: JobEvent) -> None:
        with lock:
            drawer(event)
            if events is not None:
                events(event)
            match event:
                case JobDone():
                    console.log(
                        "job.done",
                        path=event.input,
                        status=event.status,
                        outputs=list(event.outputs),
                        seconds=event.seconds,
                    )
                    if events is None:
                        console.lines([batch.job_line(event, stamp=stamp())])
                case Notice():
                    console.log("notice", message=event.message)
                    complain(f"{stamp()}{event.message}")
                case JobRetry():
                    console.log(
                        "job.retry", path=event.input, attempt=event.attempt, problem=event.problem
                    )
                    if not console.options.quiet:
                        complain(f"{stamp()}{batch.again_line(event)}")

    with drawer:
        yield told
